"""What is held against an exit of a spot market."""

from decimal import Decimal

import msgspec

from kangbot.model.events import FillApplied
from kangbot.model.ids import ClientId, MarketId
from kangbot.model.orders import Fill, Intent, Purpose, Side
from kangbot.sim.proof.coins import CoinWatch
from tests.support import trade_words

D = Decimal
COINS = MarketId("bybit:BTC-USDT")


def fill(side: Side, quantity: str, *, ours: bool = True, fee: str = "0") -> Fill:
    """Return an execution, of ours or of somebody's."""
    plain = trade_words.fill("e", quantity, side=side)
    client_id = plain.client_id if ours else ClientId("by-hand")
    return msgspec.structs.replace(plain, market=COINS, client_id=client_id, fee=D(fee), fee_currency="BTC")


class Story:
    """A watch, and what it objected to."""

    def __init__(self, *, adopts: bool = False) -> None:
        self.said: list[str] = []
        self._watch = CoinWatch(self.said.append, adopts=adopts)

    def applies(self, one: Fill, net: str, market: MarketId = COINS) -> None:
        """Journal a fill that makes `net`."""
        told = msgspec.structs.replace(one, market=market)
        self._watch.applied(FillApplied(fill=told, net=D(net), entry=None, at_ns=1))

    def exits(self, side: Side, quantity: str, purpose: Purpose = Purpose.EXIT, market: MarketId = COINS) -> list[str]:
        """Have such an order leave; return the first words of what was objected to it."""
        self.said.clear()
        plain: Intent = trade_words.intent(purpose=purpose)
        self._watch.sends(msgspec.structs.replace(plain, market=market, side=side, quantity=D(quantity)))
        return [said.split()[2] for said in self.said]


def test_an_exit_sells_no_more_than_our_fills_hold() -> None:
    """Less the fees that were taken in coins; what somebody bought by hand is no part of it."""
    story = Story()
    story.applies(fill(Side.BUY, "2", fee="0.002"), "1.998")
    story.applies(fill(Side.BUY, "3", ours=False), "4.998")
    assert story.exits(Side.SELL, "1.998") == []
    assert story.exits(Side.SELL, "2") == ["sells"]
    assert story.exits(Side.BUY, "1") == ["buys"]
    assert story.exits(Side.BUY, "1", Purpose.ENTRY) == []


def test_what_is_adopted_may_be_sold() -> None:
    """It is the daemon's then."""
    story = Story(adopts=True)
    story.applies(fill(Side.BUY, "3", ours=False), "3")
    assert (story.exits(Side.SELL, "3"), story.exits(Side.SELL, "4")) == ([], ["sells"])


def test_what_was_sold_twice_may_be_bought_back() -> None:
    """And nothing else: somebody's sale of their own coins is no short."""
    story = Story()
    story.applies(fill(Side.SELL, "1"), "-1")
    story.applies(fill(Side.SELL, "5", ours=False), "-1")
    assert (story.exits(Side.BUY, "1"), story.exits(Side.BUY, "2")) == ([], ["buys"])


def test_contracts_are_no_coins() -> None:
    """A venue nets them."""
    story = Story()
    btc = MarketId("bybit:BTC-USDT:USDT")
    story.applies(fill(Side.BUY, "1"), "1", market=btc)
    assert story.exits(Side.SELL, "9", market=btc) == []
