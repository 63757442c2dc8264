"""What leaves for the wire, byte by byte, and what comes of the answers that a well-behaved venue would not give."""

import asyncio
import hmac
from decimal import Decimal
from hashlib import sha256
from typing import Any

import msgspec
import pytest

from kangbot.errors import (
    Ambiguous,
    DuplicateId,
    InsufficientFunds,
    NeedsHuman,
    NotFound,
    RateLimited,
    Refused,
    Retryable,
)
from kangbot.model.ids import Symbol
from kangbot.model.orders import Evidence, Intent, OrderKind, OrderStatus, Purpose, Side, TimeInForce
from kangbot.ports import IdRule, Venue
from kangbot.venues.bybit.venue import BybitVenue
from tests.support.bybit_rest import BTC, KEY, NOW_MS, SECRET, SPOT, bybit, intent, refusal
from tests.support.loopback import Request, http

CREATE, CANCEL, STOP = "/v5/order/create", "/v5/order/cancel", "/v5/position/trading-stop"
MODE, LEVERAGE = "/v5/position/switch-mode", "/v5/position/set-leverage"


def accepted(_: Request) -> dict[str, str]:
    return {"orderId": "1321003749386327552", "orderLinkId": "kbabcdefgh1"}


LIMIT = {
    "symbol": "BTCUSDT",
    "side": "Buy",
    "orderType": "Limit",
    "timeInForce": "GTC",
    "orderLinkId": "kbabcdefgh1",
    "price": "25000.5",
    "category": "linear",
    "qty": "0.01",
    "positionIdx": 0,
}
MARKET = {key: value for key, value in LIMIT.items() if key not in {"timeInForce", "price"}} | {"orderType": "Market"}
STOPPED = {"stopLoss": "24000.0", "tpslMode": "Full", "slTriggerBy": "LastPrice"}


@pytest.mark.parametrize(
    ("meant", "body"),
    [
        (intent(), LIMIT),
        (intent(side=Side.SELL), LIMIT | {"side": "Sell"}),
        (intent(time_in_force=TimeInForce.IOC), LIMIT | {"timeInForce": "IOC"}),
        (intent(time_in_force=TimeInForce.POST_ONLY), LIMIT | {"timeInForce": "PostOnly"}),
        (intent(stop=Decimal("24000.0")), LIMIT | STOPPED),
        (intent(kind=OrderKind.MARKET, price=None), MARKET),
        (intent(kind=OrderKind.MARKET, price=None, stop=Decimal("24000.0")), MARKET | STOPPED),
        (
            intent(kind=OrderKind.MARKET, price=None, purpose=Purpose.EXIT, reduce_only=True),
            MARKET | {"reduceOnly": True},
        ),
        # Digits are neither lost to a float nor written with an exponent.
        (intent(quantity=Decimal("0.1") + Decimal("0.2")), LIMIT | {"qty": "0.3"}),
        (intent(quantity=Decimal("1E+3")), LIMIT | {"qty": "1000"}),
        (intent(price=Decimal("0.00000012345678901234")), LIMIT | {"price": "0.00000012345678901234"}),
    ],
)
async def test_an_intent_becomes_exactly_this_request(meant: Intent, body: dict[str, Any]) -> None:
    """Nothing more and nothing less than was journalled."""
    async with bybit({CREATE: accepted}) as world:
        await world.venue.submit(BTC, meant)
        assert [request.json() for request in world.asked()] == [body]


@pytest.mark.parametrize(
    ("meant", "body"),
    [
        (intent(), {key: value for key, value in LIMIT.items() if key != "positionIdx"} | {"category": "spot"}),
        (
            intent(kind=OrderKind.MARKET, price=None, side=Side.SELL, reduce_only=True),
            {
                "symbol": "BTCUSDT",
                "side": "Sell",
                "orderType": "Market",
                "orderLinkId": "kbabcdefgh1",
                "category": "spot",
                "marketUnit": "baseCoin",
                "qty": "0.01",
            },
        ),
        (
            intent(stop=Decimal("24000.0")),  # it follows the fill: see test_spot_stop.py
            {key: value for key, value in LIMIT.items() if key != "positionIdx"} | {"category": "spot"},
        ),
    ],
)
async def test_a_spot_order_is_sized_in_its_base_currency(meant: Intent, body: dict[str, Any]) -> None:
    """Bybit would read a market buy's quantity as quote currency; it knows neither reduce-only nor a position there."""
    async with bybit({CREATE: accepted}) as world:
        await world.venue.submit(SPOT, meant)
        assert world.asked()[0].json() == body


async def test_the_first_order_is_the_first_request() -> None:
    """No market is loaded and no account looked up while a price runs away."""
    async with bybit({CREATE: accepted}) as world:
        await world.venue.submit(BTC, intent())
        assert [request.path for request in world.asked()] == [CREATE]


async def test_an_acknowledgement_is_no_more_than_that() -> None:
    """Bybit took it in; what becomes of it the stream tells."""
    async with bybit({CREATE: accepted}) as world:
        report = await world.venue.submit(BTC, intent(reduce_only=True))
    assert report.status is OrderStatus.ACKED
    assert report.evidence is Evidence.ANSWER
    assert (report.client_id, report.venue_order_id) == ("kbabcdefgh1", "1321003749386327552")
    assert (report.side, report.quantity, report.filled) == (Side.BUY, Decimal("0.01"), Decimal(0))
    assert (report.reduce_only, report.at_ns) == (True, NOW_MS * 1_000_000)


async def test_a_request_is_signed_by_the_venues_clock() -> None:
    """The signature is computed here once more, as the documentation says."""
    async with bybit({CREATE: accepted}, receive_window_ms=4321) as world:
        await world.venue.submit(BTC, intent())
        request = world.asked()[0]
    stamped = f"{NOW_MS}{KEY}4321".encode() + request.body
    assert request.headers["x-bapi-timestamp"] == str(NOW_MS)
    assert request.headers["x-bapi-recv-window"] == "4321"
    assert request.headers["x-bapi-sign"] == hmac.new(SECRET.encode(), stamped, sha256).hexdigest()


async def test_stops_are_triggered_by_the_last_price() -> None:
    """On entries and on positions alike."""
    answers: dict[str, Any] = {CREATE: accepted, STOP: lambda _: {}}
    async with bybit(answers) as world:
        await world.venue.submit(BTC, intent(stop=Decimal(24000)))
        await world.venue.protect(BTC, Decimal(24500))
        assert [request.json()["slTriggerBy"] for request in world.asked()] == ["LastPrice", "LastPrice"]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (refusal(110072, "OrderLinkedID is duplicate"), DuplicateId),
        (refusal(170141, "Duplicate clientOrderId"), DuplicateId),
        (refusal(110007, "ab not enough for new order"), InsufficientFunds),
        (refusal(110094), Refused),
        (refusal(10003), NeedsHuman),
        (refusal(10016, "System error. Please try again later."), Ambiguous),
        (refusal(123456, "something new"), Ambiguous),
        (http(b"<html>Bad Gateway</html>", status=502), Ambiguous),
        (http(b"<html>maintenance</html>"), Ambiguous),
        (http(b'{"retCode": 0, "result": {}, "time": 1}'), Ambiguous),  # a success that names no order
        (http(b'{"result": {"orderId": "1"}, "time": 1}'), Ambiguous),  # no retCode at all
        (http(b'{"retCode": 0, "result": {"orderId": "1"}, "time": 1}', status=500), Ambiguous),
        (http(b"[1, 2]"), Ambiguous),
        (http(b"\xff\xfe"), Ambiguous),
        (http(b""), Ambiguous),
    ],
)
async def test_only_a_definitive_code_is_a_refusal(answer: bytes, expected: type[Exception]) -> None:
    """Everything else may have placed the order."""
    async with bybit({CREATE: answer}) as world:
        with pytest.raises(expected) as caught:
            await world.venue.submit(BTC, intent())
        assert type(caught.value) is expected
        assert len(world.asked()) == 1  # and nothing is tried again here


async def test_the_key_stays_out_of_messages() -> None:
    """Bybit quotes what it checked the signature over, with the key in it; messages reach logs."""
    quoted = refusal(10004, f"error sign! origin_string[{NOW_MS}{KEY}5000{{}}]")
    async with bybit({CREATE: quoted}) as world:
        with pytest.raises(NeedsHuman) as caught:
            await world.venue.submit(BTC, intent())
    error: BaseException | None = caught.value
    while error is not None:
        assert KEY not in str(error)
        error = error.__cause__


async def test_a_rate_limit_names_its_end() -> None:
    """From the header, by the venue's clock; a second where there is none, as once seen with HTTP 200."""
    headers = {"X-Bapi-Limit-Reset-Timestamp": str(NOW_MS + 750)}
    async with bybit({CREATE: refusal(10006, "Too many visits!", headers=headers), CANCEL: refusal(10006)}) as world:
        with pytest.raises(RateLimited) as named:
            await world.venue.submit(BTC, intent())
        with pytest.raises(RateLimited) as bare:
            await world.venue.cancel(BTC, intent().client_id)
    assert named.value.retry_after_ns == 750_000_000
    assert bare.value.retry_after_ns == 1_000_000_000


async def test_an_unanswered_order_may_have_happened() -> None:
    """The venue took the request and says nothing until the time is up."""

    async def silent(_: Request) -> None:
        await asyncio.sleep(30)

    async with bybit({}, timeout_s=1.0) as world:
        world.server._respond = silent
        with pytest.raises(Ambiguous):
            await world.venue.submit(BTC, intent())
        with pytest.raises(Retryable):
            await world.venue.balances()
        assert [request.path for request in world.asked()] == [CREATE, "/v5/account/wallet-balance"]


async def test_an_unreachable_venue_got_nothing() -> None:
    """No connection: the order may be sent again as it is."""
    async with bybit({}) as world:
        url = world.server.url
    venue = BybitVenue(key=KEY, secret=SECRET, rest_url=url, now_ns=lambda: 0, venue_now_ms=lambda: NOW_MS)
    with pytest.raises(Retryable):
        await venue.submit(BTC, intent())
    await venue.aclose()


async def test_a_missing_key_is_a_matter_for_a_person() -> None:
    """It is seen before anything is sent."""
    venue = BybitVenue(key="", secret="", rest_url="http://127.0.0.1:1", now_ns=lambda: 0, venue_now_ms=lambda: NOW_MS)
    with pytest.raises(NeedsHuman):
        await venue.submit(BTC, intent())
    await venue.aclose()


async def test_a_cancellation_names_the_order_by_our_id() -> None:
    """The venue's id may not be known yet."""
    async with bybit({CANCEL: accepted}) as world:
        await world.venue.cancel(BTC, intent().client_id)
        assert world.asked()[0].json() == {"category": "linear", "symbol": "BTCUSDT", "orderLinkId": "kbabcdefgh1"}


@pytest.mark.parametrize("code", [110001, 110008, 110010, 170213, 170142])
async def test_cancelling_what_is_not_open_is_not_found(code: int) -> None:
    """It may be filled, cancelled, or never have been."""
    async with bybit({CANCEL: refusal(code)}) as world:
        with pytest.raises(NotFound):
            await world.venue.cancel(BTC, intent().client_id)


async def test_protecting_sets_the_whole_positions_stop() -> None:
    """And "0" is Bybit's word for none."""
    async with bybit({STOP: lambda _: {}}) as world:
        await world.venue.protect(BTC, Decimal("24000.10"))
        await world.venue.protect(BTC, None)
        first, second = (request.json() for request in world.asked())
    common = {"category": "linear", "symbol": "BTCUSDT", "positionIdx": 0, "tpslMode": "Full"}
    assert first == common | {"stopLoss": "24000.10", "slTriggerBy": "LastPrice"}
    assert second == common | {"stopLoss": "0", "slTriggerBy": "LastPrice"}


async def test_a_stop_that_rests_already_is_set() -> None:
    """34040 is success by another name."""
    async with bybit({STOP: refusal(34040, "not modified")}) as world:
        await world.venue.protect(BTC, Decimal(24000))


async def test_protecting_nothing_is_not_found() -> None:
    """Bybit says so with a parameter error."""
    async with bybit({STOP: refusal(10001, "can not set tp/sl/ts for zero position")}) as world:
        with pytest.raises(NotFound):
            await world.venue.protect(BTC, Decimal(24000))
        with pytest.raises(Refused):
            await world.venue.protect(SPOT, Decimal(24000))


async def test_preparing_twice_is_preparing_once() -> None:
    """One-way mode and leverage, changed or so already."""
    answers: dict[str, Any] = {MODE: refusal(110025), LEVERAGE: refusal(110043, "leverage not modified")}
    async with bybit(answers) as world:
        await world.venue.prepare(BTC, 3)
        mode, leverage = (request.json() for request in world.asked())
        await world.venue.prepare(SPOT, 3)
        assert len(world.asked()) == 2  # a spot pair has neither
    assert mode == {"category": "linear", "symbol": "BTCUSDT", "mode": 0}
    assert leverage == {"category": "linear", "symbol": "BTCUSDT", "buyLeverage": "3", "sellLeverage": "3"}


async def test_a_contract_that_knows_one_mode_only_is_not_switched() -> None:
    """Bybit switches what settles in USDT; refused, a market in USDC would never go live."""
    usdc = msgspec.structs.replace(BTC, symbol=Symbol("BTC/USDC:USDC"), native="BTCPERP", quote="USDC", settle="USDC")
    async with bybit({MODE: refusal(10001, "only USDT contracts"), LEVERAGE: lambda _: {}}) as world:
        await world.venue.prepare(usdc, 3)
        (leverage,) = (request.json() for request in world.asked())
    assert leverage == {"category": "linear", "symbol": "BTCPERP", "buyLeverage": "3", "sellLeverage": "3"}


async def test_hedge_mode_that_cannot_be_left_is_a_matter_for_a_person() -> None:
    """There is an open position; closing it is not ours to decide."""
    async with bybit({MODE: refusal(110024)}) as world:
        with pytest.raises(NeedsHuman) as caught:
            await world.venue.prepare(BTC, 3)
    assert "one-way" in caught.value.remedy


async def test_a_cancelled_submit_leaves_nothing_behind() -> None:
    """The request may have arrived; the caller is cancelled at once and the connection is not used again."""
    async with bybit({CREATE: accepted}) as world:
        reached = asyncio.Event()

        async def silent(_: Request) -> None:
            reached.set()
            await asyncio.sleep(30)

        answer, world.server._respond = world.server._respond, silent
        sending = asyncio.ensure_future(world.venue.submit(BTC, intent()))
        async with asyncio.timeout(120):
            await reached.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        world.server._respond = answer
        assert (await world.venue.submit(BTC, intent())).status is OrderStatus.ACKED
        assert world.server.connections == 2


async def test_the_adapter_is_the_port() -> None:
    """Typed as one, and known by its name and its rule for ids."""
    async with bybit({}) as world:
        venue: Venue = world.venue
        assert (venue.name, venue.id_rule) == ("bybit", IdRule.FOR_EVER)


def test_without_an_address_it_is_bybits_own() -> None:
    """The live one; a testnet's is told as any other."""
    live = BybitVenue(key="k", secret="s", now_ns=lambda: 0, venue_now_ms=lambda: 0)
    signed = live._client._exchange.sign("v5/market/time", ["public"])["url"]
    assert signed == "https://api.bybit.com/v5/market/time"
