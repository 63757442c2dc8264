"""The state of the position's stop."""

from kangbot.machines.protection import Protection
from tests.support.trade_words import SECOND, START, dec


def test_a_stop_that_is_wanted_is_set_once() -> None:
    """It is due at once, not while a request is under way, and not when it rests."""
    protection = Protection()
    assert protection.due_ns() is None
    protection = protection.want(dec(90), START)
    assert protection.due_ns() == START
    assert protection.want(dec(90), START + 1, again=True) == Protection().want(dec(90), START + 1)
    flying = protection.trying(START)
    assert flying.due_ns() is None
    assert flying.ended(dec(90), done=True) == Protection()


def test_a_stop_that_is_to_go_is_removed() -> None:
    """To want none is a wish like any other."""
    removed = Protection().want(None, START)
    assert (removed.wanted, removed.due_ns()) == (None, START)
    assert removed.trying(START).ended(None, done=True) == Protection()


def test_a_stop_that_fails_is_tried_again_at_growing_intervals() -> None:
    """After half a second, 1, 2, 4, 4 and so on."""
    protection, now_ns, waits = Protection().want(dec(90), START), START, []
    for _ in range(5):
        protection = protection.trying(now_ns).ended(dec(90), done=False)
        due_ns = protection.due_ns()
        assert due_ns is not None
        waits.append((due_ns - now_ns) / SECOND)
        now_ns = due_ns
    assert waits == [0.5, 1, 2, 4, 4]


def test_a_refused_stop_is_not_tried_again_until_another_is_wanted() -> None:
    """What follows is the market's policy."""
    refused = Protection().want(dec(90), START).trying(START).ended(dec(90), done=False, refused="would trigger")
    assert (refused.refused, refused.due_ns()) == ("would trigger", None)
    assert refused.want(dec(90), START + 1) == refused
    assert refused.want(dec(91), START + 1).due_ns() == START + 1


def test_the_stop_wanted_last_counts() -> None:
    """The end of an older request says nothing of the newer wish; that one leaves as soon as the older has ended."""
    protection = Protection().want(dec(90), START).trying(START).want(dec(91), START + 1)
    assert protection.due_ns() is None
    landed = protection.ended(dec(90), done=True)
    assert (landed.wanted, landed.due_ns()) == (dec(91), START + 1)


def test_a_stop_is_coming_until_its_first_request_has_failed() -> None:
    """From then on its absence is told."""
    asked = Protection().want(dec(90), START)
    assert not Protection().coming
    assert asked.coming
    assert asked.trying(START).coming
    failed = asked.trying(START).ended(dec(90), done=False)
    assert not failed.coming
    assert not failed.trying(START + 1).coming


def test_a_stop_that_follows_a_failed_one_is_not_coming() -> None:
    """Nearer or the same once more: what has gone wrong stays so until one rests."""
    refused = Protection().want(dec(90), START).trying(START).ended(dec(90), done=False, refused="would trigger")
    nearer, again = refused.want(dec(95), START), refused.want(dec(90), START, again=True)
    for protection in (nearer, again, nearer.trying(START), nearer.want(dec(97), START)):
        assert not protection.coming
    assert (nearer.again, again.again) == (False, True)
    assert not refused.want(dec(95), START, again=True).again, "the venue has refused another"
    rests = nearer.trying(START).ended(dec(95), done=True)
    assert rests.want(dec(96), START).coming
    moved = Protection().want(dec(90), START).trying(START).want(dec(91), START)
    assert moved.coming
    removed = Protection().want(None, START).trying(START).ended(None, done=False)
    assert removed.want(dec(90), START).coming
