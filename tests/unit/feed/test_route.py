"""What passes once while two streams carry a topic."""

from decimal import Decimal

from kangbot.feed.route import Once
from kangbot.model.data import Bar, Quote, Trade
from kangbot.model.ids import MarketId
from kangbot.model.orders import Balance, Side

ONE = Decimal(1)
MARKET = MarketId("word:BTC-USD")


def trade(number: str) -> Trade:
    return Trade(market=MARKET, trade_id=number, side=Side.BUY, price=ONE, quantity=ONE, at_ns=1)


def quote(sequence: int) -> Quote:
    return Quote(market=MARKET, bid=ONE, bid_quantity=ONE, ask=ONE, ask_quantity=ONE, at_ns=1, sequence=sequence)


def bar(open_ns: int) -> Bar:
    return Bar(market=MARKET, timeframe_s=60, open_ns=open_ns, open=ONE, high=ONE, low=ONE, close=ONE, volume=ONE)


def test_a_trade_passes_once_by_its_id() -> None:
    """In whatever order the two streams bring it."""
    once = Once()
    assert once.fresh([trade("1"), trade("2"), trade("1")]) == [trade("1"), trade("2")]
    assert once.fresh([trade("2"), trade("3")]) == [trade("3")]


def test_an_older_quote_does_not_follow_a_newer_one() -> None:
    """By the venue's sequence; without one every quote passes, for the latest rules."""
    once = Once()
    assert once.fresh([quote(5), quote(4), quote(5), quote(6)]) == [quote(5), quote(6)]
    assert once.fresh([quote(0), quote(0)]) == [quote(0), quote(0)]


def test_a_bar_passes_once_by_its_opening() -> None:
    """A closed bar never changes."""
    once = Once()
    assert once.fresh([bar(60), bar(60), bar(120), bar(60)]) == [bar(60), bar(120)]


def test_what_has_no_id_passes_always() -> None:
    """The account's reconciler keys its own events."""
    balance = Balance(currency="USD", equity=ONE, available=ONE, at_ns=1)
    assert Once().fresh([balance, balance]) == [balance, balance]
