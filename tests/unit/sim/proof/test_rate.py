"""What is held against entries that come too often."""

import msgspec

from kangbot.model.ids import MarketId
from kangbot.model.orders import Purpose
from kangbot.risk.limits import HOUR_NS
from kangbot.sim.proof.rate import RateWatch
from tests.support.trade_words import START, intent

OTHER = MarketId("bybit:OTHER")


def test_an_entry_too_many_is_told() -> None:
    """Of one market, within an hour; what is not on disk may never have happened, and exits are free."""
    said: list[str] = []
    watch = RateWatch(2, said.append)
    for number in (1, 2):
        watch.intended(intent(number))
        watch.synced(intent(number))
    watch.synced(intent(3, purpose=Purpose.EXIT))
    watch.intended(intent(3, purpose=Purpose.EXIT))
    watch.intended(msgspec.structs.replace(intent(3), market=OTHER))
    watch.intended(intent(3, at_ns=START + HOUR_NS))
    assert (said, watch.spent()) == ([], 1)
    watch.intended(intent(3))
    assert [words.split(" is ")[1] for words in said] == ["intended after 2 in an hour, the limit"]


def test_a_limit_may_come_and_go() -> None:
    """What was entered before it counts."""
    said: list[str] = []
    watch = RateWatch(None, said.append)
    watch.synced(intent(1))
    watch.intended(intent(2))
    assert (said, watch.spent()) == ([], 0)
    watch.limit = 1
    assert watch.spent() == 1
    watch.intended(intent(2))
    assert len(said) == 1
