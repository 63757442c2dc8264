"""What everybody may ask of the market."""

from decimal import Decimal
from itertools import pairwise

import pytest

from kangbot.sandbox import rest_market
from kangbot.sim.markets.spec import MINUTE_NS
from tests.support.sandbox_bench import START_NS, Answer, SandboxBench

D = Decimal


@pytest.fixture
def bench() -> SandboxBench:
    """An exchange with one and a half hours of history."""
    return SandboxBench(funding_interval_s=3600, history_minutes=90)


def test_the_time_is_told_in_seconds_and_nanoseconds(bench: SandboxBench) -> None:
    """Both as text."""
    told = bench.ask(rest_market.server_time)
    assert told == {"timeSecond": str(bench.now_ns // 10**9), "timeNano": str(bench.now_ns)}


@pytest.mark.parametrize("answer", [rest_market.instruments, rest_market.tickers])
def test_markets_are_chosen_by_category_symbol_and_base(bench: SandboxBench, answer: Answer) -> None:
    """A category that exists and is not served has none; one that does not exist is refused."""

    def names(**params: str | None) -> list[str]:
        return [row["symbol"] for row in bench.ask(answer, **{"symbol": None, **params})["list"]]

    assert names() == ["BTCUSDT", "ETHUSDT"]
    assert (names(symbol="ETHUSDT"), names(baseCoin="ETH")) == (["ETHUSDT"], ["ETHUSDT"])
    assert (names(category="spot"), names(category="inverse"), names(category="option")) == (["BTCUSDT"], [], [])
    assert bench.refused(answer, category="stocks", symbol=None)[0] == 10001
    assert bench.refused(answer, symbol="NOPEUSDT")[0] == 10001
    assert bench.refused(answer, category=None)[0] == 10001


def test_only_instruments_that_trade_are_listed(bench: SandboxBench) -> None:
    """None is being delisted."""
    listed = [bench.ask(rest_market.instruments, status=status)["list"] for status in ("Trading", "PreLaunch")]
    assert [len(rows) for rows in listed] == [1, 0]


def test_candles_come_newest_first_with_the_open_one(bench: SandboxBench) -> None:
    """So many, or between two times; each opens where the one before it closed."""
    rows = bench.ask(rest_market.kline, interval="1", limit=5)["list"]
    open_ms = bench.now_ns // MINUTE_NS * 60_000
    assert [int(row[0]) for row in rows] == [open_ms - 60_000 * age for age in range(5)]
    assert all(later[1] == earlier[4] for later, earlier in pairwise(rows))
    assert all(len(row) == 7 for row in rows)
    begin = open_ms - 600_000
    named = bench.ask(rest_market.kline, interval="1", start=begin, end=begin + 120_000)["list"]
    assert [int(row[0]) for row in named] == [begin + 120_000, begin + 60_000, begin]
    from_there = bench.ask(rest_market.kline, interval="1", start=begin, limit=2)["list"]
    assert [int(row[0]) for row in from_there] == [begin + 60_000, begin]


def test_candles_of_marks_have_no_volume_and_a_period_must_be_served(bench: SandboxBench) -> None:
    """The prices are the same; what is no period is refused."""
    traded = bench.ask(rest_market.kline, interval="60")["list"]
    marks = bench.ask(rest_market.price_kline, interval="60", category=None)
    assert marks["list"] == [row[:5] for row in traded]
    assert marks["category"] == "linear"
    assert bench.refused(rest_market.kline, interval="7") == (10001, "Invalid period!")


def test_trades_come_newest_first_and_no_more_than_there_may_be(bench: SandboxBench) -> None:
    """Sixty of a pair; of a contract five hundred, or a thousand if asked for."""
    tape = [trade.trade_id for trade in bench.exchange.desk("spot", "BTCUSDT").tape]
    assert len(tape) > 100
    rows = bench.ask(rest_market.recent_trades, category="spot", limit=1000)["list"]
    assert [row["execId"] for row in rows] == tape[:-61:-1]
    assert len(bench.ask(rest_market.recent_trades)["list"]) == min(
        500, len(bench.exchange.desk("linear", "BTCUSDT").tape)
    )
    (newest,) = bench.ask(rest_market.recent_trades, limit=1)["list"]
    last = bench.exchange.desk("linear", "BTCUSDT").tape[-1]
    assert (newest["time"], newest["side"]) == (str(last.at_ns // 1_000_000), last.side.value.capitalize())
    assert (D(newest["price"]), D(newest["size"])) == (last.price, last.quantity)


def test_a_book_has_as_many_levels_as_were_asked_for(bench: SandboxBench) -> None:
    """Best first, a pair's one by default; what stands there is what a taker meets."""
    book = bench.ask(rest_market.orderbook, limit=3)
    bids, asks = bench.exchange.desk("linear", "BTCUSDT").book.depth()
    assert [(D(price), D(size)) for price, size in book["b"]] == bids[:3]
    assert [(D(price), D(size)) for price, size in book["a"]] == asks[:3]
    assert (book["s"], book["ts"]) == ("BTCUSDT", bench.now_ns // 1_000_000)
    assert len(bench.ask(rest_market.orderbook)["b"]) == 10
    assert len(bench.ask(rest_market.orderbook, category="spot")["b"]) == 1


def test_funding_was_settled_at_the_whole_hours_since_the_start(bench: SandboxBench) -> None:
    """Newest first, up to a time; before the start there was no venue."""
    hour_ns = 60 * MINUTE_NS
    assert bench.ask(rest_market.funding_history)["list"] == []
    bench.now_ns += 3 * hour_ns
    bench.venue.advance(bench.now_ns)
    first_ms = (START_NS // hour_ns + 1) * 3_600_000
    rows = bench.ask(rest_market.funding_history)["list"]
    assert [int(row["fundingRateTimestamp"]) for row in rows] == [first_ms + age * 3_600_000 for age in (2, 1, 0)]
    assert {row["fundingRate"] for row in rows} == {"0.0001"}
    until = bench.ask(rest_market.funding_history, endTime=first_ms + 3_600_000)["list"]
    assert [int(row["fundingRateTimestamp"]) for row in until] == [first_ms + 3_600_000, first_ms]
    assert len(bench.ask(rest_market.funding_history, limit=1)["list"]) == 1
