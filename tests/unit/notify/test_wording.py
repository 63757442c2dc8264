"""What a person reads."""

from decimal import Decimal

from kangbot.health.report import BreakerReport
from kangbot.machines.notices import Message, Notice, Notices, NoticeTerms
from kangbot.model.events import (
    BreakerChanged,
    BreakerState,
    DrawdownReset,
    EquityMarked,
    KillSwitchReleased,
    KillSwitchSet,
    Lane,
    Noted,
    RequestsPaused,
    RunState,
    RunStateChanged,
    Severity,
)
from kangbot.model.ids import MarketId
from kangbot.notify.wording import body_of, headlines, notice_of, title_of
from tests.support.reporting import a_market, a_report

A = MarketId("bybit:BTC-USDT:USDT")


def _breaker(lane: str, state: str = "open") -> BreakerReport:
    return BreakerReport(
        market=A, lane=lane, state=state, since_ns=1, until_ns=2, failures=5, trips=1, cause="timeouts"
    )


def test_what_calls_for_a_person_is_a_notice_and_the_ordinary_course_is_none() -> None:
    """A failed market and the kill switch are critical; a price on its way is nothing."""
    failed = RunStateChanged(market=A, before=RunState.LIVE, after=RunState.FAILED, reason="fell too often", at_ns=1)
    live = RunStateChanged(market=A, before=RunState.WARMING, after=RunState.LIVE, reason="60 bars", at_ns=1)
    killed = KillSwitchSet(reason="news", flatten=True, caller="file", at_ns=1)
    made = [notice_of(event) for event in (failed, killed, KillSwitchReleased(caller="ann", at_ns=1))]
    assert [one.severity for one in made if one] == [Severity.CRITICAL, Severity.CRITICAL, Severity.WARNING]
    assert made[1] is not None
    assert made[1].text == "the kill switch was set by file: news, and every position is being closed"
    assert notice_of(live) is None
    assert notice_of(EquityMarked(venue="v", currency="USDT", equity=Decimal(1), at_ns=1)) is None


def test_a_drawdown_that_is_counted_anew_is_told_with_who_did_it_and_from_what_to_what() -> None:
    """Whoever else looks after the account hears that its losses were accepted."""
    reset = DrawdownReset(currency="USDT", highest=Decimal(1000), equity=Decimal("874.5"), caller="ann", at_ns=1)
    notice = notice_of(reset)
    assert notice is not None
    assert (notice.kind, notice.severity, notice.market) == ("drawdown.reset", Severity.WARNING, None)
    assert notice.text == "ann has it counted anew from 874.50 USDT; the highest was 1000.00"


def test_a_breaker_that_opens_is_a_notice_louder_where_exits_fail() -> None:
    """Under the name that the log has; that it is tried is the ordinary course."""
    open_, tried = BreakerState.OPEN, BreakerState.HALF_OPEN
    changes = [
        BreakerChanged(market=A, lane=lane, before=before, after=after, until_ns=2, trips=1, cause="timeouts", at_ns=1)
        for lane, before, after in (
            (Lane.ENTRY, BreakerState.CLOSED, open_),
            (Lane.EXIT, tried, open_),
            (Lane.EXIT, open_, tried),
        )
    ]
    first, second, *others = [notice_of(change) for change in changes]
    assert first is not None
    assert (first.kind, first.severity, first.market) == ("breaker.open", Severity.WARNING, A)
    assert first.text == "the entry lane failed so often that it is left alone: timeouts"
    assert second is not None
    assert second.severity is Severity.ERROR
    assert others == [None]


def test_each_lane_is_told_for_itself_and_its_end_to_whoever_was_told_that_it_began() -> None:
    """That entries fail, too, is news where prices did an hour ago; and nobody looks at a breaker that has closed."""

    def changed(lane: Lane, after: BreakerState, caller: str = "") -> Notice:
        notice = notice_of(
            BreakerChanged(
                market=A,
                lane=lane,
                before=BreakerState.OPEN,
                after=after,
                until_ns=0,
                caller=caller,
                trips=1,
                cause="",
                at_ns=1,
            )
        )
        assert notice is not None
        return notice

    data, entry = (changed(lane, BreakerState.OPEN) for lane in (Lane.DATA, Lane.ENTRY))
    closed = changed(Lane.DATA, BreakerState.CLOSED)
    assert (closed.kind, closed.severity, closed.text) == (
        "breaker.closed",
        Severity.INFO,
        "the data lane works again, and is used",
    )
    notices = Notices(NoticeTerms(), 0)
    for notice in (closed, data, entry, closed):
        notices.take(notice, 1)
    assert notices.waiting == (data, entry, closed)
    by_hand = changed(Lane.DATA, BreakerState.CLOSED, "ann")
    assert by_hand.text == "the data lane was closed by ann, and is used"


def test_each_operation_that_fails_is_told_for_itself_and_its_end_to_whoever_was_told() -> None:
    """That exits fail is news where entries did half an hour ago, by the same kind of error."""

    def noted(kind: str, operation: str) -> Notice:
        severity = Severity.WARNING if kind == "error.alert" else Severity.INFO
        fields = {"kind": "timeout", "operation": operation}
        notice = notice_of(Noted(kind=kind, severity=severity, market=A, message="m", fields=fields, at_ns=1))
        assert notice is not None
        return notice

    notices = Notices(NoticeTerms(), 0)
    entry, exit_, over = noted("error.alert", "entry"), noted("error.alert", "exit"), noted("error.over", "entry")
    for notice in (entry, exit_, over):
        notices.take(notice, 1)
    assert notices.waiting == (entry, exit_, over)


def test_what_the_venue_tells_again_of_money_that_was_moved_is_the_end_of_its_silence() -> None:
    """As whatever else `docs/alerts.md` says that it ends."""
    over = notice_of(Noted(kind="transfers.read", severity=Severity.INFO, market=None, message="m", at_ns=1))
    assert over is not None
    assert over.ends == ("transfers.unread",)


def test_a_venue_that_wants_to_be_left_alone_for_long_is_a_notice() -> None:
    """Nothing leaves until then, exits neither; a limit that resets within seconds is the ordinary course."""
    noon_ns = 1_767_268_800 * 1_000_000_000  # 2026-01-01T12:00:00Z
    long, short = (
        notice_of(RequestsPaused(budget="bybit account", until_ns=noon_ns + for_s * 1_000_000_000, at_ns=noon_ns))
        for for_s in (600, 59)
    )
    assert long is not None
    assert (long.kind, long.severity) == ("budget.paused", Severity.ERROR)
    assert "until 2026-01-01 12:10:00 UTC" in long.text
    assert short is None


def test_what_a_notice_is_about_and_what_it_ends_are_known() -> None:
    """Two checks are two matters, and one is over when it is said to be."""
    begun, over = (
        notice_of(Noted(kind=kind, severity=Severity.INFO, market=None, message="m", fields={"check": "disk"}, at_ns=1))
        for kind in ("health.critical", "health.over")
    )
    assert begun is not None
    assert over is not None
    assert begun.about == over.about == "disk"
    assert begun.kind in over.ends
    assert begun.ends == ()


def test_a_message_is_named_by_what_is_loudest() -> None:
    """What happened is below it in its order, one line each, cut where it is long, with what was left out."""
    events = [
        Noted(kind="stop.failed", severity=Severity.CRITICAL, market=A, message="x" * 400, at_ns=1),
        Noted(kind="feed.silent", severity=Severity.WARNING, market=None, message="for 12 s", at_ns=1),
    ]
    notices = tuple(notice for event in events if (notice := notice_of(event)) is not None)
    message = Message(notices=notices, left_out=3)
    for order in (notices, notices[::-1]):
        assert title_of(Message(notices=order, left_out=0), "live") == "!!! kangbot live: stop.failed and 1 more"
    first, second, last = body_of(message, ()).splitlines()
    assert first.startswith(f"!!! {A} stop.failed: xxx")
    assert first.endswith("…")
    assert second == "! feed.silent: for 12 s"
    assert last.startswith("(3 more")


def test_the_daily_message_says_how_things_stand() -> None:
    """What is missing comes last and loud."""
    report = a_report(
        a_market(net=Decimal(2), unrealised=Decimal("-1.25")),
        killed="news",
        losses=["equity is 25.00 % below its peak, the limit is 20 %"],
        breakers=[_breaker("entry"), _breaker("exit"), _breaker("data", "closed")],
        unprotected=1,
        journal_hindered="takes only exits: the disk is full",
        history_away="no answer",
    )
    message = Message(notices=(), left_out=0, digest=True)
    assert title_of(message, "live") == "kangbot live: the day"
    text = body_of(message, headlines(report))
    assert "1 of 1 markets live" in text
    assert "equity 100000.00 USDT" in text
    assert "1 positions open, -1.25 on them; +1.00 earned so far, after fees" in text
    assert "funding" not in text
    paid = a_report(a_market(funding=Decimal("-0.5")), a_market("ETH", funding=Decimal("-0.25")))
    assert "+2.00 earned so far, after fees; funding -0.75 besides" in body_of(message, headlines(paid))
    assert "1 markets with a breaker open" in text
    assert "equity not known" in headlines(a_report(equity={}))
    hours_ago = headlines(a_report(equity_ns=report.at_ns - 7_200_000_000_000))
    assert "equity 100000.00 USDT at 2026-09-21 12:13 UTC, not told since" in hours_ago
    assert "equity 100000.00 USDT in the last run, not told since" in headlines(a_report(equity_ns=0))
    assert "WITHOUT A STOP" in text
    assert "the kill switch is set: news" in text
    assert "nothing enters: the journal takes only exits: the disk is full" in text
    assert "nothing enters: equity is 25.00 % below its peak" in text
    assert "the history database is away: no answer" in text


def test_a_day_on_which_all_is_well_is_four_lines() -> None:
    """What does not call for a person is not said; below what happened they stand apart."""
    well = headlines(
        a_report(
            a_market(net=Decimal(2), unrealised=Decimal(3)),
            a_market("ETH", unrealised=Decimal(9)),
            breakers=[_breaker("data", "closed")],
        )
    )
    assert well == [
        "2 of 2 markets live",
        "equity 100000.00 USDT",
        "1 positions open, +3.00 on them; +2.00 earned so far, after fees",
        "0 orders sent since the start, 0 in question",
    ]
    assert body_of(Message(notices=(), left_out=0, digest=True), well) == "\n".join(well)
    notice = notice_of(KillSwitchSet(reason="news", caller="ann", flatten=False, at_ns=1))
    assert notice is not None
    first, apart, *rest = body_of(Message(notices=(notice,), left_out=0, digest=True), well).splitlines()
    assert ("every position is being closed" not in first, apart, rest) == (True, "", well)
