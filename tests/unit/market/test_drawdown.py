"""A drawdown that a person accepts, on a real journal: what is answered, what is on disk, and what a restart knows."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from kangbot.journal.announce import AnnouncedJournal
from kangbot.journal.replay import replay
from kangbot.journal.writer import JournalWriter
from kangbot.market.drawdown import Recount, count_anew
from kangbot.model.events import DrawdownReset, EquityMarked, KillSwitchSet
from kangbot.risk.account import AccountRisk
from kangbot.risk.limits import Limits
from kangbot.runtime.world import Clock, World
from tests.support.trade_words import START

D = Decimal
LIMITS = Limits(daily_loss=D(100), drawdown_percent=D(20))


class Life:
    """A journal, and a ledger that hears it."""

    def __init__(self, writer: JournalWriter) -> None:
        self.writer = writer
        self.journal = AnnouncedJournal(writer)
        self.risk = AccountRisk(LIMITS)
        self.journal.listen(self.risk.observe)

    async def state(self, *equities: int) -> None:
        """Have the venue state these equities, one after another, until they are on disk."""
        for equity in equities:
            await self.journal.append(EquityMarked(venue="bybit", currency="USDT", equity=D(equity), at_ns=START))

    async def restarted(self) -> AccountRisk:
        """Return the ledger of the next life."""
        risk = AccountRisk(LIMITS)
        await replay(self.writer, {"risk": risk})
        return risk


@pytest.fixture
async def life(tmp_path: Path) -> AsyncIterator[Life]:
    """One life, in a folder of its own."""
    async with await JournalWriter.open(tmp_path, World(clock=Clock(), seed=b"fall")) as writer:
        yield Life(writer)


async def test_it_is_counted_from_the_equity_of_now_over_a_restart_too(life: Life) -> None:
    """From what to what is answered and logged; what came since counts as ever."""
    await life.state(1000, 950, 790)
    assert len(life.risk.spent(START)) == 2
    with capture_logs() as logs:
        recount, written = count_anew(life.risk, life.journal, "ann", START + 1)
    assert recount == Recount(
        reset=True,
        currency="USDT",
        equity=D(790),
        highest=D(1000),
        drawdown_percent=D("21.00"),
        held=("the day has lost 210.00, the limit is 100; entries resume at 00:00 UTC",),
    )
    assert [(log["event"], log["caller"], log["highest"], log["equity"]) for log in logs] == [
        ("drawdown.reset", "ann", "1000", "790")
    ]
    assert written is not None
    await written
    reset = (await life.writer.read(3, 1))[0].event
    assert reset == DrawdownReset(
        currency="USDT", highest=D(1000), equity=D(790), equity_ns=START, caller="ann", at_ns=START + 1
    )
    await life.state(711)
    for risk in (life.risk, await life.restarted()):
        assert risk.drawdown_percent == 10


@pytest.mark.parametrize(("equities", "equity"), [((), None), ((900, 1000), D(1000))])
async def test_without_a_fall_nothing_is_written(life: Life, equities: tuple[int, ...], equity: Decimal | None) -> None:
    """Nor where no equity is known; what is said is the equity, or that there is none."""
    await life.state(*equities)
    recount, written = count_anew(life.risk, life.journal, "ann", START + 1)
    assert recount == Recount(reset=False, currency="USDT", equity=equity, highest=None, drawdown_percent=D(0), held=())
    assert written is None


async def test_a_kill_switch_that_is_set_stays_so_and_is_said(life: Life) -> None:
    """Whoever accepts a loss may have forgotten it."""
    await life.state(1000, 990)
    life.journal.append(KillSwitchSet(reason="news", flatten=False, caller="ann", at_ns=START))
    recount, written = count_anew(life.risk, life.journal, "ann", START + 1)
    assert written is not None
    assert recount.held == ("the kill switch is set: news",)
    assert life.risk.killed == "news"
