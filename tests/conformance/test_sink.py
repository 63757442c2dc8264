"""What `ports.Sink` promises, asked of each adapter: it takes whatever a stream says, and neither raises nor waits.

The feeds hand it every event of every topic in the turn that reads the frame: a sink that raised would cost others
their news, and one that took a market for known which is not would raise.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kangbot.execution.account import Account
from kangbot.execution.budget import Budget
from kangbot.execution.numbers import Numbers
from kangbot.machines.limiter import Window
from kangbot.machines.memory import Memory
from kangbot.market.inbox import Inbox
from kangbot.model.data import Bar, MarketData, Quote, Trade
from kangbot.model.ids import MarketId, VenueName
from kangbot.model.orders import AccountEvent, Balance, OrderStatus, Side
from kangbot.ports import Channel, Sink, Topic
from kangbot.runtime.world import SECOND_NS, Clock, World
from kangbot.sim.paper.account import PaperAccount
from kangbot.sim.paper.ledger import Ledger
from kangbot.sim.world.loop import run
from tests.support.order_disk import Disk, loop
from tests.support.order_venue import FakeVenue
from tests.support.trade_words import MARKET, START, dec, fill, funding, instrument, report, stated

OTHER = MarketId("bybit:NOBODY-USDT:USDT")


def _world() -> World:
    return World(clock=Clock(monotonic_ns=lambda: loop().now_ns, anchor_ns=START), seed=b"sinks")


def _account() -> Sink:
    world = _world()
    return Account(
        world=world,
        journal=Disk(),
        venue=FakeVenue(clock=world.clock),
        budget=Budget(clock=world.clock, venue="bybit", windows=(Window(most=100, span_ns=SECOND_NS),)),
        numbers=Numbers(1),
        last_execution_ns=0,
        born_ns=0,
        equity={},
    )


def _registered() -> Sink:
    """An account with a market whose inbox takes what is routed to it."""
    account = _account()
    assert isinstance(account, Account)
    account.register(MARKET, Inbox(_world().clock).tell, lambda: pytest.fail("nobody asks in the turn of a frame"))
    return account


def _paper() -> Sink:
    account = PaperAccount(
        world=_world(), balance=Decimal(1000), memory=Memory(), ledger=Ledger(VenueName("bybit"), "USDT")
    )
    account.add_market(instrument(), dec(100))
    return account


SINKS: Mapping[str, Callable[[], Sink]] = {
    "Account": _account,
    "Account with a market": _registered,
    "Inbox": lambda: Inbox(_world().clock),
    "PaperAccount": _paper,
}

_MARKETS = st.sampled_from([MARKET, OTHER])
_AMOUNTS = st.decimals("0", "1000", places=3)
_TIMES = st.integers(START - 60 * SECOND_NS, START + 60 * SECOND_NS)


def _quote(market: MarketId, bid: Decimal, spread: Decimal, at_ns: int) -> Quote:
    return Quote(market=market, bid=bid, bid_quantity=dec(1), ask=bid + spread, ask_quantity=dec(0), at_ns=at_ns)


def _trade(market: MarketId, price: Decimal, quantity: Decimal, at_ns: int) -> Trade:
    return Trade(market=market, trade_id=f"{price}", side=Side.SELL, price=price, quantity=quantity, at_ns=at_ns)


def _bar(market: MarketId, close: Decimal, at_ns: int) -> Bar:
    return Bar(
        market=market, timeframe_s=60, open_ns=at_ns, open=close, high=close, low=close, close=close, volume=dec(0)
    )


def _moved(event: AccountEvent, market: MarketId) -> AccountEvent:
    return event if isinstance(event, Balance) else msgspec.structs.replace(event, market=market)


_ACCOUNT = st.one_of(
    st.builds(fill, st.text("ab", min_size=1, max_size=3), st.integers(1, 3), named=st.booleans()),
    st.builds(funding, st.text("ab", min_size=1, max_size=3), st.integers(-3, 3)),
    st.builds(report, st.sampled_from(OrderStatus), named=st.booleans(), protective=st.booleans()),
    st.builds(stated, st.integers(-3, 3), st.sampled_from([None, 90])),
    st.builds(Balance, currency=st.sampled_from(["USDT", "BTC"]), equity=_AMOUNTS, available=_AMOUNTS, at_ns=_TIMES),
)
_EVENTS: st.SearchStrategy[MarketData | AccountEvent] = st.one_of(
    st.builds(_quote, _MARKETS, _AMOUNTS, _AMOUNTS, _TIMES),
    st.builds(_trade, _MARKETS, _AMOUNTS, _AMOUNTS, _TIMES),
    st.builds(_bar, _MARKETS, _AMOUNTS, _TIMES),
    st.builds(_moved, _ACCOUNT, _MARKETS),
)
_CHANGES = st.tuples(
    st.builds(
        Topic, market=st.sampled_from([None, MARKET, OTHER]), channel=st.sampled_from(Channel), native=st.just("t")
    ),
    st.booleans(),
)
_SAID = st.lists(st.one_of(_EVENTS, _CHANGES), max_size=40)


@pytest.mark.parametrize("sink", SINKS)
@settings(max_examples=60)
@given(said=_SAID)
def test_whatever_a_stream_says_is_taken(sink: str, said: list[object]) -> None:
    """Also of a market that nobody knows, of an order that nobody placed, and with prices that cannot be."""

    async def take() -> None:
        taker = SINKS[sink]()
        for one in said:
            if isinstance(one, tuple):
                topic, live = one
                taker.feed_changed(topic, live, "" if live else "silent: the test wants it")
            else:
                taker.offer(one, 1)  # type: ignore[arg-type]

    run(take())
