"""What is done about a stop that does not rest: the table of `machines/guard.py`, row by row."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kangbot.machines.guard import TIGHTENINGS, CloseNow, Guard, Plight, SetStop, StopPolicy, StopTerms
from tests.support.trade_words import SECOND, START, dec, instrument

MARKET = instrument()  # ticks of 0.1
TERMS = StopTerms()
LONG = Plight(now_ns=START, net=dec(1), entry=dec(100), rests=False, stop=dec(90), price=dec(100))


def plight(**changes: Any) -> Plight:
    """Return a long of 1 at 100 whose stop at 90 does not rest, changed as asked."""
    return msgspec.structs.replace(LONG, **changes)


def refused(at: str, **changes: Any) -> Plight:
    """Return the same after the venue's no to that stop."""
    return plight(asked=dec(at), refused="too far", **changes)


def test_a_position_with_its_stop_is_left_alone() -> None:
    """And so is none at all."""
    for fine in (plight(rests=True), plight(net=dec(0))):
        assert Guard(since_ns=START, tightened=1).see(fine, MARKET, TERMS) == (Guard(), None)
    assert Guard().due_ns(TERMS) is None


def test_a_missing_stop_is_asked_for() -> None:
    """On the tick, towards the price: the same on every look; the executor repeats what gets lost."""
    guard, answer = Guard().see(plight(stop=dec("90.01")), MARKET, TERMS)
    assert answer == SetStop(dec("90.1"))
    assert guard.see(plight(stop=dec("90.01"), now_ns=START + SECOND), MARKET, TERMS) == (guard, answer)
    short = plight(net=dec(-1), stop=dec("110.01"))
    assert Guard().see(short, MARKET, TERMS)[1] == SetStop(dec("110.0"))


def test_without_a_known_stop_one_is_chosen_where_one_is_required() -> None:
    """At a distance from the entry; not where positions may be without."""
    assert Guard().see(plight(stop=None), MARKET, TERMS)[1] == SetStop(dec("95.0"))
    assert Guard().see(plight(stop=None, net=dec(-1)), MARKET, TERMS)[1] == SetStop(dec("105.0"))
    dear = plight(stop=None, entry=dec(70_000), price=dec(70_000))
    assert Guard().see(dear, MARKET, StopTerms(distance_percent=dec(10)))[1] == SetStop(dec("63000.0"))
    offered = Guard(since_ns=START, direction=1, offered=dec(97))
    assert offered.see(plight(stop=None), MARKET, TERMS)[1] == SetStop(dec(97))
    assert Guard().see(plight(stop=None), MARKET, StopTerms(required=False)) == (Guard(), None)
    assert Guard().see(plight(stop=None, entry=None), MARKET, TERMS) == (Guard(), None)


@pytest.mark.parametrize("policy", StopPolicy)
@pytest.mark.parametrize(("net", "stop", "price"), [(1, "100", "100"), (1, "101", "100"), (-1, "99", "100")])
def test_a_price_beyond_the_stop_closes(policy: StopPolicy, net: int, stop: str, price: str) -> None:
    """Whatever the policy: at the venue it would have been hit."""
    guard, answer = Guard().see(
        plight(net=dec(net), stop=dec(stop), price=dec(price)), MARKET, StopTerms(policy=policy)
    )
    assert isinstance(answer, CloseNow)
    assert "is beyond the stop" in answer.reason
    assert guard.closing == answer.reason


def test_a_price_that_nobody_knows_closes_nothing() -> None:
    """No quote, or an old one."""
    assert Guard().see(plight(price=None), MARKET, TERMS)[1] == SetStop(dec("90.0"))


def test_a_refused_stop_is_offered_nearer_and_then_the_position_is_closed() -> None:
    """The whole ladder, as is the default."""
    guard, answer = Guard().see(plight(), MARKET, TERMS)
    guard, answer = guard.see(refused("90"), MARKET, TERMS)
    assert answer == SetStop(dec("95.0"))
    assert guard.see(plight(asked=dec(95)), MARKET, TERMS)[1] == SetStop(dec("95.0"))
    guard, answer = guard.see(refused("95"), MARKET, TERMS)
    assert (answer, guard.tightened) == (SetStop(dec("97.5")), TIGHTENINGS)
    guard, answer = guard.see(refused("97.5"), MARKET, TERMS)
    assert answer == CloseNow("the venue refuses the stop 97.5: too far")
    assert guard.due_ns(TERMS) is None


@pytest.mark.parametrize("direction", [1, -1])
def test_a_strategy_that_moves_its_stop_past_the_one_that_was_chosen_gets_its_own(direction: int) -> None:
    """The nearer of both is asked for, tightened from there, and closes where the price is beyond it."""

    def at(distance: str) -> Decimal:
        return 100 - dec(distance) * direction

    def seen(stop: str | None, **changes: Any) -> Plight:
        return plight(net=dec(direction), stop=None if stop is None else at(stop), **changes)

    guard, answer = Guard().see(seen("10", asked=at("10"), refused="too far"), MARKET, TERMS)
    assert answer == SetStop(at("5"))
    for known in ("10", "6", None):
        assert guard.see(seen(known, asked=at("5")), MARKET, TERMS)[1] == SetStop(at("5"))
    assert guard.see(seen("3", asked=at("5")), MARKET, TERMS)[1] == SetStop(at("3"))
    assert guard.see(seen("3", asked=at("3"), refused="too far"), MARKET, TERMS)[1] == SetStop(at("1.5"))
    assert isinstance(guard.see(seen("3", price=at("4")), MARKET, TERMS)[1], CloseNow)


def test_there_is_nothing_between_a_tick_and_the_price() -> None:
    """Then it is refused for good; and without a price nothing nearer can be chosen."""
    assert isinstance(Guard().see(refused("99.9", stop=dec("99.9")), MARKET, TERMS)[1], CloseNow)
    assert isinstance(Guard().see(refused("90", price=None), MARKET, TERMS)[1], CloseNow)
    rounded = refused("99.9", stop=dec("99.9"), price=dec("99.95"))
    assert isinstance(Guard().see(rounded, MARKET, TERMS)[1], CloseNow)


def test_a_refusal_of_another_stop_says_nothing_of_this_one() -> None:
    """The strategy has moved it since."""
    assert Guard().see(refused("80"), MARKET, TERMS)[1] == SetStop(dec("90.0"))


@pytest.mark.parametrize("policy", [StopPolicy.RETRY, StopPolicy.TIGHTEN])
def test_short_of_closing_a_refused_stop_is_offered_again_and_again(policy: StopPolicy) -> None:
    """Every few seconds, and never sooner; with nearer ones first where that is the policy."""
    terms, guard, at = StopTerms(policy=policy), Guard(), "90"
    if policy is StopPolicy.TIGHTEN:
        guard, _ = guard.see(refused("90"), MARKET, terms)
        guard, _ = guard.see(refused("95"), MARKET, terms)
        at = "97.5"
    for round_ns in (0, terms.again_ns):
        now_ns = START + round_ns
        waiting, answer = guard.see(refused(at, now_ns=now_ns + 1), MARKET, terms)
        assert answer is None
        due_ns = waiting.due_ns(terms)
        assert due_ns is not None
        assert due_ns >= now_ns + terms.again_ns
        assert waiting.see(refused(at, now_ns=due_ns - 1), MARKET, terms) == (waiting, None)
        guard, answer = waiting.see(refused(at, now_ns=due_ns), MARKET, terms)
        assert answer == SetStop(dec(at), again=True)
        assert guard.see(refused(at, now_ns=due_ns + terms.again_ns - 1), MARKET, terms) == (guard, None)
        # While the request is under way nothing is refused, and nothing is due.
        guard, answer = guard.see(plight(asked=dec(at), now_ns=due_ns), MARKET, terms)
        assert (answer, guard.due_ns(terms)) == (SetStop(dec(at)), None)


def test_patience_ends() -> None:
    """A stop that is neither refused nor at rest: under the policy to close, the position is closed; otherwise not."""
    guard, _ = Guard().see(plight(), MARKET, TERMS)
    due_ns = guard.due_ns(TERMS)
    assert due_ns == START + TERMS.patience_ns
    assert isinstance(guard.see(plight(now_ns=due_ns - 1), MARKET, TERMS)[1], SetStop)
    guard, answer = guard.see(plight(now_ns=due_ns), MARKET, TERMS)
    assert answer == CloseNow("the stop 90 does not rest at the venue after 30 s")
    patient = StopTerms(policy=StopPolicy.TIGHTEN)
    guard, _ = Guard().see(plight(), MARKET, patient)
    assert guard.due_ns(patient) is None
    assert isinstance(guard.see(plight(now_ns=due_ns), MARKET, patient)[1], SetStop)


def test_closing_goes_on_until_flat_and_then_the_market_rests() -> None:
    """A stop that shows up late changes nothing about it."""
    guard = Guard(since_ns=START, direction=1, closing="a reason")
    assert guard.see(plight(rests=True), MARKET, TERMS) == (guard, CloseNow("a reason"))
    guard, answer = guard.see(plight(net=dec(0)), MARKET, TERMS)
    assert (guard, answer) == (Guard(rests_until_ns=START + 600 * SECOND), None)
    guard, _ = guard.see(plight(rests=True), MARKET, TERMS)
    assert guard.rests_until_ns == START + TERMS.rest_ns


def test_coins_that_are_too_few_to_be_sold_are_no_position_to_close() -> None:
    """What a sale in whole steps leaves of them would have the market close for ever; before one it means nothing."""
    closing = Guard(since_ns=START, direction=1, closing="a reason")
    rests = Guard(rests_until_ns=START + TERMS.rest_ns)
    assert closing.see(plight(dust=True, rests=True), MARKET, TERMS) == (rests, None)
    assert rests.see(plight(dust=True, rests=True), MARKET, TERMS) == (rests, None)


LITTLE = plight(small=True, rests=True)  # as the executor sees it: there is nothing that could have a stop


@pytest.mark.parametrize("policy", StopPolicy)
def test_coins_that_are_too_few_for_a_stop_are_told_of_and_closed_where_the_policy_is_to_close(
    policy: StopPolicy,
) -> None:
    """After its patience: a fill that is on its way may make them enough."""
    terms = StopTerms(policy=policy)
    guard, answer = Guard(rests_until_ns=5).see(LITTLE, MARKET, terms)
    due_ns = guard.due_ns(terms)
    assert (answer, due_ns, guard.since_ns) == (None, START + terms.patience_ns, 0)
    assert guard.see(plight(rests=True), MARKET, terms) == (Guard(rests_until_ns=5), None)
    asked, answer = guard.see(plight(), MARKET, terms)
    assert (asked, answer) == (Guard(since_ns=START, direction=1, rests_until_ns=5), SetStop(dec(90)))
    guard, answer = guard.see(msgspec.structs.replace(LITTLE, now_ns=due_ns), MARKET, terms)
    assert guard.due_ns(terms) is None
    if policy is StopPolicy.CLOSE:
        assert answer == CloseNow("it is too little for a stop of its own")
        over, answer = guard.see(plight(dust=True, rests=True), MARKET, terms)
        assert (over, answer) == (Guard(rests_until_ns=START + terms.rest_ns), None)
    else:
        assert (answer, guard.told) == (None, True)


def test_what_is_told_of_coins_that_are_too_few_is_not_told_at_each_turn_of_the_price() -> None:
    """Worth an order, worth none, worth one again: they are the same coins, until there is a stop or nothing."""
    terms = StopTerms(policy=StopPolicy.RETRY)
    told = Guard(small_ns=START, told=True, direction=1)
    fallen, _ = told.see(plight(dust=True, rests=True), MARKET, terms)
    assert (fallen.told, fallen.small_ns) == (True, 0)
    risen, _ = fallen.see(LITTLE, MARKET, terms)
    assert risen == told
    for over in (plight(rests=True), plight(net=dec(0))):
        assert risen.see(over, MARKET, terms) == (Guard(), None)


def test_coins_that_need_no_stop_need_none_however_few_they_are() -> None:
    """Where none is required and nobody knows one."""
    assert Guard().see(msgspec.structs.replace(LITTLE, stop=None), MARKET, StopTerms(required=False)) == (Guard(), None)
    assert Guard().see(msgspec.structs.replace(LITTLE, stop=None), MARKET, TERMS)[0].small_ns == START


def test_what_no_order_closes_is_never_closed() -> None:
    """What is left of a contract is asked a stop for, with patience without end: closing it would hold the market."""
    guard, answer = Guard().see(plight(dust=True), MARKET, TERMS)
    assert answer == SetStop(dec("90.0"))
    assert guard.due_ns(TERMS) is None
    later = plight(dust=True, now_ns=START + 2 * TERMS.patience_ns)
    assert guard.see(later, MARKET, TERMS) == (guard, answer)
    beyond, answer = guard.see(plight(dust=True, price=dec(80)), MARKET, TERMS)
    assert (beyond, answer) == (guard, None)
    assert Guard().see(plight(dust=True, price=None), MARKET, TERMS) == (guard, None), "it may be beyond the stop"
    for at in ("90", "95", "97.5"):
        guard, answer = guard.see(refused(at, dust=True), MARKET, TERMS)
    assert (answer, guard.tightened, guard.closing) == (None, TIGHTENINGS, "")
    assert guard.due_ns(TERMS) == START + TERMS.again_ns
    beyond, answer = guard.see(plight(dust=True, price=dec(80)), MARKET, TERMS)
    assert (answer, beyond.due_ns(TERMS)) == (None, None), "nothing waits for a time that has passed"


def test_what_is_left_of_a_closing_holds_nothing_up_and_what_grows_again_is_another_position() -> None:
    """The market rests, as after any closing; patience is counted from when the position was enough to be closed."""
    closing = Guard(since_ns=START, direction=1, closing="a reason")
    left, answer = closing.see(plight(dust=True), MARKET, TERMS)
    rests_until_ns = START + TERMS.rest_ns
    assert left == Guard(since_ns=START, direction=1, dust=True, rests_until_ns=rests_until_ns)
    assert answer == SetStop(dec("90.0"))
    now_ns = START + 2 * TERMS.patience_ns
    grown, answer = left.see(plight(now_ns=now_ns), MARKET, TERMS)
    assert grown == Guard(since_ns=now_ns, direction=1, rests_until_ns=rests_until_ns)
    assert answer == SetStop(dec("90.0"))


def test_a_position_that_turned_around_is_another_one() -> None:
    """What was found of the old one closes nothing of the new, and its stop is asked for where it belongs."""
    closing = Guard(since_ns=START, direction=-1, closing="a reason")
    assert closing.see(plight(rests=True), MARKET, TERMS) == (Guard(rests_until_ns=START + TERMS.rest_ns), None)
    offered = Guard(since_ns=START, direction=-1, tightened=1, offered=dec(105))
    guard, answer = offered.see(plight(), MARKET, TERMS)
    assert (guard, answer) == (Guard(since_ns=START, direction=1), SetStop(dec(90)))


@given(
    net=st.sampled_from([Decimal(-2), Decimal(2)]),
    stop=st.decimals(1, 200, places=2),
    price=st.decimals(50, 150, places=1),
    refusals=st.integers(0, 6),
)
def test_a_stop_is_only_ever_asked_for_on_its_side_of_the_price(
    net: Decimal, stop: Decimal, price: Decimal, refusals: int
) -> None:
    """However often it is refused, and it never moves away from the price; the ladder has an end."""
    guard, asked, last = Guard(), None, None
    for count in range(refusals + 1):
        now = plight(net=net, stop=stop, price=price, asked=asked, refused="no" if count else "")
        guard, answer = guard.see(now, MARKET, TERMS)
        if isinstance(answer, CloseNow):
            return
        assert isinstance(answer, SetStop)
        direction = 1 if net > 0 else -1
        assert (price - answer.price) * direction > 0
        assert answer.price % MARKET.tick == 0
        assert last is None or (answer.price - last) * direction > 0
        asked = last = answer.price
    assert refusals <= TIGHTENINGS
