"""The venue's refusals in Bybit's codes: what the daemon's adapter reads of them is what was refused."""

import pytest

from kangbot.errors import DuplicateId, InsufficientFunds, KangbotError, NeedsHuman, NotFound, Refused
from kangbot.model.orders import Side
from kangbot.sandbox.errors import translate
from kangbot.sim.exchange.orders import Direction
from kangbot.sim.exchange.refusal import Reason, RequestRefused
from kangbot.venues.bybit.errors import Answered, NotModified, classify
from tests.support.sim_bench import Bench
from tests.support.trade_words import dec

_READ: dict[Reason, type[KangbotError]] = {
    Reason.DUPLICATE_ID: DuplicateId,
    Reason.BALANCE: InsufficientFunds,
    Reason.UNKNOWN_ORDER: NotFound,
    Reason.NO_POSITION: NotFound,
    Reason.NOT_MODIFIED: NotModified,
    Reason.LEVERAGE: NeedsHuman,
}


@pytest.mark.parametrize("category", ["linear", "spot"])
@pytest.mark.parametrize("reason", [reason for reason in Reason if reason is not Reason.AMEND_FILLED])
def test_a_refusal_is_read_as_the_definitive_answer_that_it_is(reason: Reason, category: str) -> None:
    """In either category, and never as one that may have happened."""
    error = translate(RequestRefused(reason, "in other words"), category)
    assert (error.status, bool(error.message)) == (200, True)
    told = Answered(status=error.status, code=str(error.code), message=error.message)
    assert type(classify(told, changes=True)) is _READ.get(reason, Refused)


def test_spot_has_codes_of_its_own() -> None:
    """Those of its orders; of what it does not know it has none."""
    codes = {
        reason: [translate(RequestRefused(reason, "x"), category).code for category in ("linear", "spot")]
        for reason in (Reason.BALANCE, Reason.AMEND_FILLED)
    }
    assert codes == {Reason.BALANCE: [110007, 170131], Reason.AMEND_FILLED: [110064, 110064]}


@pytest.mark.parametrize(("direction", "code"), [(Direction.RISE, 110092), (Direction.FALL, 110093)])
def test_a_passed_trigger_is_told_by_its_direction_and_with_the_values(direction: Direction, code: int) -> None:
    """In the words of the check itself."""
    bench = Bench()
    with pytest.raises(RequestRefused) as refused:
        bench.submit(Side.BUY, "0.1", trigger=dec(1000), direction=direction)
    error = translate(refused.value, "linear")
    assert (error.code, error.message) == (code, refused.value.message)
    assert "trigger_price[1000]" in error.message
