"""Bars out of trades: aligned, whole, each trade once."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from kangbot.machines.bars import SECOND_NS, BarBuilder
from kangbot.model.data import Bar, Trade
from kangbot.model.ids import MarketId
from kangbot.model.orders import Side

MARKET = MarketId("bybit:BTC-USDT:USDT")
GRACE_NS = SECOND_NS // 2


def trade(at_s: float, price: float = 100, quantity: float = 1, trade_id: str | None = None) -> Trade:
    """Return a trade at `at_s` seconds; its id is its time unless one is given."""
    return Trade(
        market=MARKET,
        trade_id=trade_id or f"t{at_s}",
        side=Side.BUY,
        price=Decimal(str(price)),
        quantity=Decimal(str(quantity)),
        at_ns=round(at_s * SECOND_NS),
    )


def builder(timeframe_s: int = 60, *, fill_empty: bool | None = None, most_empty: int = 600) -> BarBuilder:
    """Return a builder of the market's bars."""
    return BarBuilder(
        market=MARKET, timeframe_s=timeframe_s, grace_ns=GRACE_NS, fill_empty=fill_empty, most_empty=most_empty
    )


def feed(bars: BarBuilder, trades: Iterable[Trade]) -> list[Bar]:
    """Return the bars that these trades closed."""
    return [bar for one in trades for bar in bars.add(one)]


def shape(bar: Bar) -> tuple[int, str, str, str, str, str]:
    """Return a bar as (opening second, open, high, low, close, volume)."""
    start_s = bar.open_ns // SECOND_NS
    return (start_s, str(bar.open), str(bar.high), str(bar.low), str(bar.close), str(bar.volume))


def test_a_bar_closes_when_a_trade_of_the_next_one_arrives() -> None:
    """Open, high, low, close and volume are those of the trades between two boundaries."""
    bars = builder()
    seen = [trade(59), trade(60, 10, 1), trade(70, 12, 2), trade(80, 9, 3), trade(119.9, 11, 4)]
    assert feed(bars, seen) == []
    (bar,) = bars.add(trade(120, 11))
    assert shape(bar) == (60, "10", "12", "9", "11", "10")
    assert bar.market == MARKET
    assert bar.timeframe_s == 60


def test_trades_of_one_instant_stand_in_the_order_in_which_they_came() -> None:
    """An order that sweeps the book is many of them; one that is told late is neither the first nor the last."""
    bars = builder()
    swept = [trade(60, 10, trade_id="a"), trade(60, 12, trade_id="b")]
    feed(bars, [trade(59), *swept, trade(90, 20, trade_id="c"), trade(90, 21, trade_id="d"), trade(70, 15)])
    (bar,) = bars.add(trade(120))
    assert shape(bar) == (60, "10", "21", "10", "21", "5")


def test_what_streamed_stands_at_its_time_among_what_was_fetched() -> None:
    """A trade that the fetch left out counts in its own bar."""
    bars = builder()
    closed = bars.prime([trade(59), trade(60, 10), trade(130, 20)], [trade(100, 30, trade_id="x"), trade(180)])
    assert [shape(bar) for bar in closed] == [(60, "10", "30", "10", "30", "2"), (120, "20", "20", "20", "20", "1")]


def test_the_interval_of_the_first_trade_is_not_told() -> None:
    """What came before the first trade is unknown, so its bar would be a part only."""
    assert feed(builder(), [trade(90), trade(120), trade(180)])[0].open_ns == 120 * SECOND_NS


def test_time_closes_a_bar_after_its_grace() -> None:
    """Late trades have half a second; then the bar is told without waiting for a trade."""
    bars = builder()
    feed(bars, [trade(59), trade(60, 10)])
    assert bars.ends_ns == 120 * SECOND_NS
    assert bars.deadline == 120 * SECOND_NS + GRACE_NS
    assert bars.tick(120 * SECOND_NS + GRACE_NS - 1) == ()
    (bar,) = bars.tick(120 * SECOND_NS + GRACE_NS)
    assert bar.close_ns == 120 * SECOND_NS
    assert bars.tick(120 * SECOND_NS + GRACE_NS) == ()
    assert bars.ends_ns == 180 * SECOND_NS


def test_without_a_trade_there_is_nothing_to_wait_for() -> None:
    """A builder that saw no trade has no interval and no deadline."""
    bars = builder()
    assert bars.ends_ns is None
    assert bars.deadline is None
    assert bars.tick(10**18) == ()


def test_a_trade_of_a_bar_already_told_is_left_out() -> None:
    """A told bar never changes."""
    bars = builder()
    feed(bars, [trade(59), trade(60), trade(121)])
    assert bars.add(trade(119)) == ()
    assert shape(bars.add(trade(180))[0])[5] == "1"


def test_a_trade_seen_twice_counts_once() -> None:
    """The same id changes nothing the second time."""
    bars = builder()
    feed(bars, [trade(59), trade(60), trade(61), trade(61), trade(60)])
    assert bars.add(trade(120))[0].volume == 2


def test_seconds_without_trades_are_told_with_the_previous_close() -> None:
    """Below one minute every interval is told, so that indicators keep time."""
    bars = builder(1)
    closed = feed(bars, [trade(0.5, 10), trade(1.2, 11, 3), trade(4.1, 12)])
    assert [shape(bar) for bar in closed] == [
        (1, "11", "11", "11", "11", "3"),
        (2, "11", "11", "11", "11", "0"),
        (3, "11", "11", "11", "11", "0"),
    ]
    assert [shape(bar) for bar in bars.tick(6 * SECOND_NS + GRACE_NS)] == [
        (4, "12", "12", "12", "12", "1"),
        (5, "12", "12", "12", "12", "0"),
    ]
    assert [shape(bar)[0] for bar in bars.add(trade(7))] == [6]


def test_minutes_without_trades_are_left_out_unless_asked_for() -> None:
    """From one minute up an empty interval is told only where the caller wants it."""
    trades = [trade(0), trade(60), trade(240), trade(300)]
    assert [bar.open_ns // SECOND_NS for bar in feed(builder(), trades)] == [60, 240]
    filled = feed(builder(fill_empty=True), trades)
    assert [bar.open_ns // SECOND_NS for bar in filled] == [60, 120, 180, 240]


def test_a_pause_too_long_is_not_filled() -> None:
    """Hours of invented bars would be worse than none."""
    bars = builder(1, most_empty=5)
    closed = feed(bars, [trade(0), trade(1), trade(100), trade(101)])
    assert [bar.open_ns // SECOND_NS for bar in closed] == [1, 100]
    today_s = 1_700_000_000
    for quiet_s, told in ((5, [1, 2, 3, 4, 5, 6]), (6, [1])):
        bars = builder(1, most_empty=5)
        closed = feed(bars, [trade(today_s), trade(today_s + 1), trade(today_s + 2 + quiet_s)])
        assert [bar.open_ns // SECOND_NS - today_s for bar in closed] == told


def test_history_and_stream_join_without_gap_or_overlap() -> None:
    """Trades that the fetch and the stream both know are counted once; the first whole bar comes from history."""
    everything = [trade(second, second, 1) for second in range(30, 200)]
    bars = builder()
    history, streamed, later = everything[:100], everything[80:120], everything[120:]
    closed = [*bars.prime(history, streamed), *feed(bars, later)]
    assert [shape(bar) for bar in closed] == [
        (60, "60", "119", "60", "119", "60"),
        (120, "120", "179", "120", "179", "60"),
    ]


def test_priming_again_closes_the_hole_of_a_reconnect() -> None:
    """What was traded while the stream was down comes from history; older bars are not told twice."""
    everything = [trade(second, second, 1) for second in range(50, 200)]
    bars = builder()
    before = feed(bars, everything[:80])  # until 129
    assert [bar.open_ns // SECOND_NS for bar in before] == [60]
    assert bars.prime(everything[20:110], everything[105:115]) == []  # 130 to 149 were missed
    (bar,) = feed(bars, everything[115:])
    assert shape(bar) == (120, "120", "179", "120", "179", "60")


def test_a_history_too_short_gives_up_the_bar_with_the_hole() -> None:
    """A bar that misses trades is not told, nor is the one in which the history begins."""
    bars = builder()
    feed(bars, [trade(59), trade(60), trade(70)])
    assert bars.prime([trade(100), trade(110)]) == []
    closed = feed(bars, [trade(125), trade(185)])
    assert [bar.open_ns // SECOND_NS for bar in closed] == [120]


def test_a_history_that_meets_the_newest_trade_leaves_no_hole() -> None:
    """One common trade proves that nothing lies between."""
    bars = builder()
    feed(bars, [trade(59), trade(60), trade(70)])
    bars.prime([trade(70), trade(110)])
    assert bars.add(trade(120))[0].volume == 3


def test_priming_with_nothing_changes_nothing() -> None:
    """A market without trades has no history."""
    bars = builder()
    assert bars.prime([]) == []
    feed(bars, [trade(59), trade(60)])
    assert bars.prime([]) == []
    assert [shape(bar)[0] for bar in bars.add(trade(120))] == [60]


def test_ids_are_forgotten_oldest_first() -> None:
    """Memory is bounded by the number of ids kept."""
    bars = BarBuilder(market=MARKET, timeframe_s=60, ids_kept=2)
    feed(bars, [trade(59), trade(60), trade(61), trade(62), trade(60), trade(62)])
    assert bars.add(trade(120))[0].volume == 4  # the 60 twice: it was forgotten


def reference(
    trades: Sequence[Trade], timeframe_s: int
) -> dict[int, tuple[Decimal, Decimal, Decimal, Decimal, Decimal]]:
    """Return open, high, low, close and volume by opening time, computed from the whole list at once."""
    groups: dict[int, list[Trade]] = defaultdict(list)
    for one in sorted(trades, key=lambda one: one.at_ns):
        groups[one.at_ns // SECOND_NS // timeframe_s * timeframe_s].append(one)
    return {
        start: (
            group[0].price,
            max(one.price for one in group),
            min(one.price for one in group),
            group[-1].price,
            sum((one.quantity for one in group), Decimal(0)),
        )
        for start, group in groups.items()
    }


TRADES = st.lists(
    st.builds(
        lambda at_ms, price, quantity: (at_ms, price, quantity),
        st.integers(0, 20_000),
        st.integers(1, 50),
        st.integers(1, 9),
    ),
    min_size=1,
    max_size=60,
    unique_by=lambda row: row[0],
).map(lambda rows: [trade(at_ms / 1000, price, quantity) for at_ms, price, quantity in sorted(rows)])


@given(TRADES, st.sampled_from([1, 2, 5]), st.randoms(use_true_random=False))
def test_bars_are_those_of_the_whole_list_whatever_the_order_within_an_interval(
    trades: list[Trade], timeframe_s: int, chance: Random
) -> None:
    """Shuffled within their interval and partly sent twice, the trades make the same bars."""
    shuffled = sorted(trades, key=lambda one: (one.at_ns // SECOND_NS // timeframe_s, chance.random()))
    doubled = [one for each in shuffled for one in (each, each)]
    bars = builder(timeframe_s, fill_empty=False)
    closed = [*feed(bars, doubled), *bars.tick(100 * SECOND_NS)]
    expected = reference(trades, timeframe_s)
    del expected[min(expected)]  # the first interval is not told
    told = {bar.open_ns // SECOND_NS: (bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in closed}
    assert told == expected


@given(TRADES, st.integers(0, 60), st.integers(0, 60), st.sampled_from([1, 3]))
def test_wherever_history_ends_and_the_stream_begins_the_bars_are_the_same(
    trades: list[Trade], first: int, second: int, timeframe_s: int
) -> None:
    """An overlap of any length between the fetch and the stream leaves neither gap nor double."""
    begin, end = sorted((first, second))
    alone, joined = builder(timeframe_s), builder(timeframe_s)
    expected = [*feed(alone, trades), *alone.tick(100 * SECOND_NS)]
    told = [*joined.prime(trades[:end], trades[begin:end]), *feed(joined, trades[begin:])]
    assert [*told, *joined.tick(100 * SECOND_NS)] == expected


@given(TRADES, st.lists(st.integers(0, 30), max_size=8))
def test_every_interval_is_told_once_and_in_order(trades: list[Trade], ticks: list[int]) -> None:
    """With empty intervals filled, bars follow each other without a gap, whoever closes them."""
    bars = builder(1)
    moments = [(one.at_ns, one) for one in trades] + [(second * SECOND_NS, None) for second in ticks]
    closed: list[Bar] = []
    for at_ns, one in sorted(moments, key=lambda moment: moment[0]):
        closed.extend(bars.add(one) if one else bars.tick(at_ns))
    assert all(after.open_ns == before.close_ns for before, after in pairwise(closed))
