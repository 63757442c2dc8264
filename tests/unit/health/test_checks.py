"""From what the daemon says of itself to checks, a score, and whether it is ready."""

from typing import Any

import pytest

from kangbot.health.checks import Check, Health, figured, health_of, in_a_line, in_short, in_words
from kangbot.health.report import BreakerReport, ErrorReport, MemoryReport, OrderCounts, RestReport, StreamReport
from kangbot.machines.verdict import Status
from kangbot.model.ids import MarketId
from kangbot.settings.health import HealthSettings
from tests.support.reporting import AT_NS, a_market, a_report

THRESHOLDS = HealthSettings().thresholds
MEMORY = MemoryReport(limit_mb=100, limit_source="cgroup", available_mb=500, growth_mb_h=None, reliefs=0)


def judged(*markets: Any, **fields: Any) -> Health:
    """Return the health of a daemon with these markets (one that is well, by default)."""
    return health_of(a_report(*(markets or (a_market(),)), **fields), THRESHOLDS)


def status(health: Health, name: str) -> Status:
    """Return the status of one check."""
    (check,) = (check for check in health.checks if check.name == name)
    return check.status


def stream(state: str, silent_s: float | None = None, *, private: bool = False) -> StreamReport:
    """Return a stream in that state, whose last data came so long ago."""
    return StreamReport(
        name="bybit",
        state=state,
        topics=1,
        live=0,
        dials=1,
        reconnects=0,
        frames=0,
        private=private,
        silent_s=silent_s,
        garbled=0,
        troubles={},
    )


def test_a_daemon_that_is_well_has_a_hundred() -> None:
    """And is alive and ready."""
    health = judged()
    assert (health.status, health.score, health.live, health.ready) == (Status.HEALTHY, 100, "", "")
    assert len({check.name for check in health.checks}) == len(health.checks)


@pytest.mark.parametrize(
    ("name", "fields", "expected"),
    [
        ("unprotected", {"unprotected": 1}, Status.CRITICAL),
        ("left_behind", {"left_behind": {"bybit:BTC-USDT:USDT": "2 is held"}}, Status.WARNING),
        ("kill_switch", {"killed": "a person"}, Status.WARNING),
        ("loss_limits", {"losses": ["the day has lost 25.00, the limit is 10"]}, Status.WARNING),
        ("breakers", {"local_fault_ns": AT_NS}, Status.CRITICAL),
        ("venue", {"waiting": "bybit was not reached"}, Status.CRITICAL),
        ("decision", {"decision_recent_s": 30.0}, Status.WARNING),
        ("decision", {"decision_recent_s": 90.5}, Status.CRITICAL),
        ("memory", {"memory": MEMORY, "rss_mb": 79.9}, Status.HEALTHY),
        ("memory", {"memory": MEMORY, "rss_mb": 80.0}, Status.WARNING),
        ("memory", {"memory": MEMORY, "rss_mb": 101.0}, Status.CRITICAL),
        ("loop_lag", {"loop_lag_recent_ms": {"p99": 150.0}}, Status.WARNING),
        ("disk", {"disk_free_mb": 100.0}, Status.CRITICAL),
        ("disk", {"disk_files_left": 1000}, Status.WARNING),
        ("disk", {"disk_files_left": 99, "disk_free_mb": 1000.0}, Status.CRITICAL),
        ("database", {"history_away": "it hangs"}, Status.WARNING),
        ("journal", {"journal_hindered": "disk I/O error"}, Status.CRITICAL),
        ("backlog", {"history_backlog": 10_000}, Status.WARNING),
        ("clock", {"clock": {"offset": -6000.0}}, Status.CRITICAL),
        ("vitals", {"stuck": "journal for 60 s"}, Status.CRITICAL),
    ],
)
def test_each_figure_has_its_bounds(name: str, fields: dict[str, Any], expected: Status) -> None:
    """The check says so, the whole is as bad as it, and the score stays below."""
    health = judged(**fields)
    assert status(health, name) is health.status is expected
    assert health.score <= {Status.HEALTHY: 100, Status.WARNING: 89, Status.CRITICAL: 59}[expected]


@pytest.mark.parametrize(("offset", "side"), [(-6000.5, "behind"), (6000.5, "ahead of")])
def test_a_clock_that_is_behind_is_not_told_to_be_ahead(offset: float, side: str) -> None:
    """The words say which side, and the figure how far."""
    (check,) = (check for check in judged(clock={"offset": offset}).checks if check.name == "clock")
    remedy = "set this machine's clock, then restart the daemon"
    assert (check.figure, check.says) == (6000.5, f"the venue's clock is {side} ours: {remedy}")
    (near,) = (check for check in judged(clock={"offset": offset / 10_000}).checks if check.name == "clock")
    assert remedy not in near.says


@pytest.mark.parametrize(
    ("name", "fields", "well", "ill"),
    [
        ("kill_switch", {"killed": "a person"}, "released", "a person"),
        (
            "left_behind",
            {"left_behind": {"bybit:BTC-USDT:USDT": "2 is held"}},
            "that do not run here have something left",
            "bybit:BTC-USDT:USDT: 2 is held",
        ),
        (
            "errors",
            {"errors_of_late": {"timeout": 2, "feed": 3}},
            "none within the last 15 minutes",
            "within the last 15 minutes, most of them feed",
        ),
        (
            "errors",
            {"errors_of_late": {"feed": 1}},
            "none within the last 15 minutes",
            "within the last 15 minutes, feed",
        ),
        ("vitals", {"stuck": "journal for 60 s"}, "all make progress", "journal for 60 s"),
        ("journal", {"journal_hindered": "has no room"}, "its disk takes every record", "it has no room"),
        ("database", {"history_away": "it hangs"}, "sqlite is available", "it hangs"),
        ("memory", {"memory": MEMORY}, "not measured yet", "of 100 MB, the limit of the cgroup"),
    ],
)
def test_a_check_says_why(name: str, fields: dict[str, Any], well: str, ill: str) -> None:
    """What it says where all is well is not left standing where it is not."""
    for health, says in (judged(), well), (judged(**fields), ill):
        assert [check.says for check in health.checks if check.name == name] == [says]


@pytest.mark.parametrize(
    ("free_mb", "files", "figure", "unit"),
    [
        (50_000.0, 1001, 50_000.0, "MB"),
        (50_000.0, None, 50_000.0, "MB"),
        (50_000.0, 1000, 1000, "files"),
        (1000.0, 1000, 1000.0, "MB"),
        (100.0, 1000, 100.0, "MB"),
        (100.0, 0, 100.0, "MB"),
        (1000.0, 0, 0, "files"),
        (None, 0, 0, "files"),
    ],
)
def test_of_a_disk_the_worse_is_said(free_mb: float | None, files: int | None, figure: float, unit: str) -> None:
    """It may have gigabytes left, and take no file any more; of two that are as bad, bytes."""
    (check,) = (one for one in judged(disk_free_mb=free_mb, disk_files_left=files).checks if one.name == "disk")
    assert (check.figure, check.unit) == (figure, unit)


def test_the_oldest_of_what_markets_wait_for_is_named() -> None:
    """The price that is longest ago, and for how long an order has been in doubt."""
    doubted = a_market("ETH", feed_age_s=20.0, unknown_s=6.0, orders=OrderCounts(unknown=1))
    checks = {check.name: check for check in judged(a_market(), doubted, orders=OrderCounts(unknown=1)).checks}
    assert (checks["feeds"].figure, checks["feeds"].says) == (20.0, "since the last price of ETH/USDT:USDT, the oldest")
    assert (checks["unknown_orders"].figure, checks["unknown_orders"].says) == (6.0, "the oldest of 1 UNKNOWN orders")
    idle = {check.name: check.says for check in judged(a_market(state="stopped", desired="stopped")).checks}
    assert (idle["feeds"], idle["unknown_orders"]) == ("no market runs", "no order is UNKNOWN")


def test_a_daemon_that_waits_for_the_venue_has_its_markets_before_it() -> None:
    """There are none before the venue has told their rules; they are to run all the same, and none does."""
    health = health_of(a_report(total=27, recovered=False, waiting="bybit was not reached"), THRESHOLDS)
    assert (health.active, health.wanted, health.status) == (0, 27, Status.CRITICAL)
    assert health.score < 50
    stopped = judged(a_market(state="stopped", desired="stopped"), total=27)
    assert (stopped.active, stopped.wanted) == (0, 0)


def test_a_venue_that_wants_to_be_left_alone_is_a_warning() -> None:
    """No exit leaves meanwhile, however well everything else is; at a start, the check says that no market begins."""
    (venue,) = [check for check in judged(a_market(), banned="until noon").checks if check.name == "venue"]
    assert (venue.status, venue.says) == (Status.WARNING, "nothing is sent, and stops rest there: until noon")
    (start,) = [check for check in judged(waiting="until noon", banned="until noon").checks if check.name == "venue"]
    assert (start.status, start.says) == (Status.CRITICAL, "no market begins before it answers: until noon")


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"timeout": 4}, Status.HEALTHY),
        ({"timeout": 2, "feed": 3}, Status.WARNING),
        ({"timeout": 10}, Status.WARNING),
        ({"timeout": 8, "connection": 3}, Status.CRITICAL),
        ({"refused": 90, "insufficient_balance": 90, "not_found": 90, "duplicate_id": 90, "fall": 4}, Status.HEALTHY),
    ],
)
def test_errors_of_late_are_counted_over_kinds(counts: dict[str, int], expected: Status) -> None:
    """Refusals are not: they are answers."""
    health = judged(errors_of_late=counts)
    assert status(health, "errors") is health.status is expected


def test_tries_that_failed_are_no_errors_of_their_own() -> None:
    """Twenty-seven markets meet the same outage a hundred times each: it is one."""
    tries = [
        ErrorReport(kind="timeout", severity="low", market=MarketId(f"v:{number}"), recent=100, total=900, message="")
        for number in range(27)
    ]
    assert status(judged(errors=tries, errors_of_late={"timeout": 1}), "errors") is Status.HEALTHY


@pytest.mark.parametrize(
    ("name", "market", "expected"),
    [
        ("feeds", a_market(feed_age_s=20.0), Status.WARNING),
        ("feeds", a_market(feed_age_s=61.0), Status.CRITICAL),
        ("feeds", a_market(feed_age_s=None, since_ns=AT_NS - 61 * 10**9), Status.CRITICAL),
        ("feeds", a_market(feed_age_s=None, since_ns=AT_NS - 5 * 10**9), Status.HEALTHY),
        ("feeds", a_market(feed_age_s=None, state="paused", since_ns=0), Status.HEALTHY),
        ("feeds", a_market(feed_age_s=61.0, state="stopped", desired="stopped"), Status.HEALTHY),
        ("markets", a_market(state="failed"), Status.CRITICAL),
        ("unknown_orders", a_market(unknown_s=6.0, orders=OrderCounts(unknown=1)), Status.WARNING),
        ("unknown_orders", a_market(unknown_s=61.0, orders=OrderCounts(unknown=1)), Status.CRITICAL),
    ],
)
def test_each_market_counts(name: str, market: Any, expected: Status) -> None:
    """The worst of them is the figure."""
    assert status(judged(a_market("ETH"), market), name) is expected


def test_markets_whose_entries_an_error_keeps_back_are_counted() -> None:
    """A warning whichever their number, with why; one that is not to run misses nothing by it."""
    paused = [a_market(name, paused="authentication: the key is refused") for name in ("ETH", "SOL")]
    stopped = a_market("XRP", paused="rate_limit: too many", desired="stopped", state="stopped")
    (check,) = (one for one in judged(a_market(), stopped, *paused).checks if one.name == "entries")
    assert (check.status, check.figure, check.unit) == (Status.WARNING, 2, "markets")
    assert check.says == "authentication: the key is refused"
    assert status(judged(a_market(), stopped), "entries") is Status.HEALTHY


def test_a_market_that_a_person_must_release_is_no_healthy_one() -> None:
    """In whatever state, before what ends by itself, and counted once; with what lets it go on."""
    why = "we count 1 in the position, the venue says 0"
    doubted = a_market("SOL", quarantine=why, paused="rate_limit: too many", state="stopped", desired="stopped")
    paused = a_market("ETH", paused="authentication: the key is refused")
    (check,) = (one for one in judged(a_market(), paused, doubted).checks if one.name == "entries")
    assert (check.status, check.figure) == (Status.WARNING, 2)
    assert check.says == f"SOL/USDT:USDT, until `kangbot release SOL/USDT:USDT`: {why}"


def test_the_slowest_endpoint_is_the_figure() -> None:
    """By its mean of the last quarter of an hour."""
    slow = RestReport(endpoint="GET /slow", calls=9, recent=3, mean_ms=2500.0, p50_ms=1.0, p99_ms=1.0)
    fast = RestReport(endpoint="GET /fast", calls=9, recent=0, mean_ms=None, p50_ms=9000.0, p99_ms=9000.0)
    health = judged(rest=[fast, slow])
    (check,) = (check for check in health.checks if check.name == "rest")
    assert (check.status, check.figure, check.says.split(",")[0]) == (Status.WARNING, 2500.0, "GET /slow")


def test_breakers_warn_and_are_critical_where_half_the_markets_are_shut() -> None:
    """Only those of markets that are to run count, each once."""

    def open_(name: str, lane: str = "entry", state: str = "open") -> BreakerReport:
        market = MarketId(f"bybit:{name}-USDT:USDT")
        return BreakerReport(
            market=market, lane=lane, state=state, since_ns=1, until_ns=2, failures=5, trips=1, cause="timeouts"
        )

    markets = [a_market(name) for name in ("A", "B", "C")]
    one = judged(*markets, breakers=[open_("A"), open_("A", "data"), open_("B", state="closed"), open_("Z")])
    assert (one.tripped, status(one, "breakers")) == (1, Status.WARNING)
    two = judged(*markets, breakers=[open_("A"), open_("B")])
    assert (two.tripped, status(two, "breakers")) == (2, Status.CRITICAL)
    half = judged(*markets, a_market("D", state="failed"), a_market("E"), breakers=[open_("A"), open_("B")])
    assert status(half, "breakers") is Status.CRITICAL
    together = "most markets fail together, so none enters"
    for breakers, says in ([], together), ([open_("A")], f"with a breaker that is not closed; {together}"):
        health = judged(*markets, breakers=breakers, local_fault_ns=AT_NS)
        assert [check.says for check in health.checks if check.name == "breakers"] == [says]
        assert status(health, "breakers") is Status.CRITICAL


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"stuck": "journal for 60 s"}, "stuck: journal for 60 s"),
        ({"recovered": False, "waiting": "the venue is away"}, "the venue is away"),
        ({"recovered": False}, "the venue has not answered yet for what the last run left open"),
        ({"history_backlog": 200_001}, "200001 events wait for the history"),
        ({"history_backlog": 200_000, "history_away": "it hangs"}, ""),
    ],
)
def test_what_makes_it_not_ready(fields: dict[str, Any], reason: str) -> None:
    """Alive it is all the same, unless it is stuck."""
    health = judged(**fields)
    assert health.ready == reason
    assert health.live == fields.get("stuck", "")


def test_stale_data_and_old_doubts_make_it_not_ready() -> None:
    """On a market that runs; a stopped one may be as old as it likes."""
    assert judged(a_market(feed_age_s=61.0), streams=[stream("open", 2.0)]).ready == "stale data: BTC/USDT:USDT"
    assert judged(a_market(feed_age_s=61.0, state="stopped")).ready == ""
    assert judged(a_market(unknown_s=61.0)).ready == "an order has been UNKNOWN for 61 s"
    assert judged(a_market(feed_age_s=60.0, unknown_s=60.0), streams=[stream("open", 2.0)]).ready == ""


def test_a_stream_that_still_speaks_shows_that_the_venue_is_up() -> None:
    """However many beside it are silent: what is stale here is stale by our doing."""
    streams = [stream("open", 15.0), stream("open", 900.0), stream("waiting")]
    assert judged(a_market(feed_age_s=900.0), streams=streams).ready == "stale data: BTC/USDT:USDT"


@pytest.mark.parametrize(
    "streams",
    [
        [stream("waiting"), stream("dialing", 3.0)],
        [stream("waiting", 3.0), stream("open", 3.0, private=True)],
        [stream("open", 900.0), stream("open")],
    ],
    ids=["all closed", "public side closed", "open and mute"],
)
def test_a_venue_that_is_down_makes_nothing_unready(streams: list[StreamReport]) -> None:
    """A restart would not bring it back; the account's stream and sockets that say nothing prove no venue."""
    health = judged(a_market(feed_age_s=900.0), streams=streams)
    assert (health.live, health.ready, status(health, "feeds")) == ("", "", Status.CRITICAL)


def test_in_words_the_worst_comes_first() -> None:
    """One line for the whole, one for each check."""
    lines = in_words(judged(unprotected=2, killed="a person")).splitlines()
    assert lines[0] == "critical, score 59: 1 of 1 markets run, 0 with a breaker open"
    assert lines[1].split()[:4] == ["critical", "unprotected", "2", "positions"]
    assert lines[2].split()[:2] == ["warning", "kill_switch"]


def test_in_a_line_what_is_well_is_left_out() -> None:
    """The log's line is read by a person; the worst comes first there too."""
    unwell = in_a_line(judged(unprotected=2, killed="a person"))
    head, worst, other = unwell.split("; ")
    assert head == "critical, score 59: 1 of 1 markets run, 0 with a breaker open"
    assert worst.startswith("unprotected is critical: 2 positions, ")
    assert other.startswith("kill_switch is warning: ")
    assert in_a_line(judged()) == (
        "healthy, score 100: 1 of 1 markets run, 0 with a breaker open; every check is healthy"
    )


@pytest.mark.parametrize(
    ("figure", "unit", "shown"),
    [
        (None, "ms", "-"),
        (1, "markets", "1 market"),
        (1.0, "positions", "1 position"),
        (0, "errors", "0 errors"),
        (1, "s", "1 s"),
        (1, "ms", "1 ms"),
        (1_900_000.4, "MB", "1,900,000 MB"),
        (200_001, "events", "200,001 events"),
        (69_192.7, "MB", "69,193 MB"),
        (99.96, "%", "100 %"),
        (5.7948, "ms", "5.79 ms"),
        (0.00003, "s", "0.00003 s"),
        (0.0594773, "s", "0.0595 s"),
        (-1234.5, "ms", "-1,234 ms"),
    ],
)
def test_a_figure_is_shown_in_digits_that_count(figure: float | None, unit: str, shown: str) -> None:
    """Never with an exponent, and one market is no markets."""
    assert figured(Check(name="n", status=Status.HEALTHY, figure=figure, unit=unit, says="")) == shown


def test_a_check_in_short_is_a_sentence_of_its_own() -> None:
    """With its figure where it has one."""
    said = {check.name: in_short(check) for check in judged(a_market(state="failed"), stuck="journal for 60 s").checks}
    assert said["markets"] == "markets: 1 market, FAILED after too many falls"
    assert said["vitals"] == "vitals: journal for 60 s"
