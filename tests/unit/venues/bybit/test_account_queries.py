"""One order found wherever it is known, and bulk answers whole or not at all."""

from decimal import Decimal
from typing import Any

import pytest

from kangbot.errors import NeedsHuman, PartlyRead, Retryable
from kangbot.model.market import Instrument
from kangbot.model.orders import CashFlow, Evidence, Fill, OrderStatus, Side
from tests.support.bybit_rest import BTC, NOW_MS, SPOT, bybit, intent, refusal, result, rows
from tests.support.loopback import Request, http

REALTIME, HISTORY, EXECUTIONS = "/v5/order/realtime", "/v5/order/history", "/v5/execution/list"
POSITIONS, WALLET = "/v5/position/list", "/v5/account/wallet-balance"
ID = intent().client_id
DAY_MS = 86_400_000


def order(**changes: str) -> dict[str, Any]:
    return {
        "symbol": "BTCUSDT",
        "orderId": "venue-1",
        "orderLinkId": ID,
        "side": "Buy",
        "orderStatus": "New",
        "qty": "0.01",
        "cumExecQty": "0",
        "avgPrice": "",
        "reduceOnly": False,
        "stopOrderType": "",
        "createType": "CreateByUser",
        "rejectReason": "EC_NoError",
        "updatedTime": str(NOW_MS),
        **changes,
    }


def execution(number: int, **changes: str) -> dict[str, Any]:
    return {
        "symbol": "BTCUSDT",
        "execId": f"exec-{number}",
        "execType": "Trade",
        "execTime": str(NOW_MS + number),
        "orderId": "venue-1",
        "orderLinkId": ID,
        "side": "Buy",
        "execPrice": "25000",
        "execQty": "0.004",
        "execFee": "0.06",
        "feeCurrency": "USDT",
        "orderQty": "0.01",
        "isMaker": False,
        **changes,
    }


def nothing(_: Request) -> dict[str, Any]:
    return rows()


# ---------------------------------------------------------------------------------------------------------- one order
@pytest.mark.parametrize(
    ("answers", "asked", "status"),
    [
        ({REALTIME: lambda _: rows(order())}, 1, OrderStatus.ACKED),
        ({REALTIME: lambda _: rows(order(orderStatus="Filled", cumExecQty="0.01", avgPrice="25000"))}, 1,
         OrderStatus.FILLED),
        ({REALTIME: nothing, HISTORY: lambda _: rows(order(orderStatus="Cancelled"))}, 2, OrderStatus.CANCELED),
    ],
)  # fmt: skip
async def test_an_order_is_found_on_the_first_endpoint_that_knows_it(
    answers: dict[str, Any], asked: int, status: OrderStatus
) -> None:
    """Open, lately closed, or in the history; each question names our id."""
    async with bybit(answers) as world:
        lookup = await world.venue.find(BTC, ID)
        assert len(world.asked()) == asked
        assert all(request.query["orderLinkId"] == ID for request in world.asked())
        assert not any("openOnly" in request.query for request in world.asked()), "what it is told by id is both"
    assert lookup.report is not None
    assert (lookup.report.status, lookup.report.client_id, lookup.at_ns) == (status, ID, 42)
    assert lookup.report.evidence is Evidence.QUERY


async def test_executions_prove_an_order_that_no_list_shows() -> None:
    """Two fills of the three that it needs: partial, with their average."""
    fills = rows(execution(2, execPrice="25001", execQty="0.002"), execution(1))
    async with bybit({REALTIME: nothing, HISTORY: nothing, EXECUTIONS: lambda _: fills}) as world:
        report = (await world.venue.find(BTC, ID)).report
    assert report is not None
    assert (report.status, report.evidence) == (OrderStatus.PARTIAL, Evidence.FILLS)
    assert (report.quantity, report.filled) == (Decimal("0.01"), Decimal("0.006"))
    assert report.average == (Decimal(25000) * 4 + Decimal(25001) * 2) / 6
    assert (report.venue_order_id, report.at_ns) == ("venue-1", (NOW_MS + 2) * 1_000_000)


async def test_executions_of_the_whole_quantity_are_a_filled_order() -> None:
    """Nothing is left that could be cancelled."""
    fills = rows(execution(1, execQty="0.01"))
    async with bybit({REALTIME: nothing, HISTORY: nothing, EXECUTIONS: lambda _: fills}) as world:
        report = (await world.venue.find(BTC, ID)).report
    assert report is not None
    assert report.status is OrderStatus.FILLED


async def test_absence_is_what_every_endpoint_answered() -> None:
    """Three questions, three times nothing; another order's rows are nothing too."""
    stranger = order(orderLinkId="kbabcdefgh2")
    answers = {REALTIME: lambda _: rows(stranger), HISTORY: nothing, EXECUTIONS: nothing}
    async with bybit(answers) as world:
        lookup = await world.venue.find(BTC, ID)
        asked = [request.path.removeprefix("/v5/") for request in world.asked()]
    assert lookup.report is None
    assert asked == ["order/realtime", "order/history", "execution/list"]


async def test_a_lookup_is_of_the_earliest_of_its_answers() -> None:
    """By Bybit's own clock, which each answer tells: the hosts that answer need not agree on the time."""
    later = NOW_MS + 3_000
    answers = {
        REALTIME: result(rows(), at_ms=later),
        HISTORY: result(rows(), at_ms=NOW_MS + 1),
        EXECUTIONS: result(rows(), at_ms=later),
    }
    async with bybit(answers) as world:
        assert (await world.venue.find(BTC, ID)).venue_ns == (NOW_MS + 1) * 1_000_000
    async with bybit(answers | {HISTORY: result(rows(order()), at_ms=later + 1)}) as world:
        assert (await world.venue.find(BTC, ID)).venue_ns == later * 1_000_000
    async with bybit(answers | {HISTORY: result(rows(), at_ms=later), EXECUTIONS: result(rows(), at_ms=7)}) as world:
        assert (await world.venue.find(BTC, ID)).venue_ns == 7_000_000


@pytest.mark.parametrize("silent", [REALTIME, HISTORY, EXECUTIONS])
@pytest.mark.parametrize("failure", [refusal(10016), http(b"", status=503), refusal(10006), http(b"?")])
async def test_a_failed_question_is_never_absence(silent: str, failure: bytes) -> None:
    """One endpoint without an answer, and the whole search has none."""
    answers: dict[str, Any] = {REALTIME: nothing, HISTORY: nothing, EXECUTIONS: nothing, silent: failure}
    async with bybit(answers) as world:
        with pytest.raises(Retryable):
            await world.venue.find(BTC, ID)


# ----------------------------------------------------------------------------------------------------------- in bulk
async def known(world: Any) -> None:
    """Let the adapter know both markets, as a start does."""
    world.venue._know(BTC, SPOT)


async def test_open_orders_are_asked_by_settle_coin_page_by_page() -> None:
    """Ours, a stranger's, and the venue's own stop; a market that we do not trade is passed over unread."""

    def realtime(request: Request) -> dict[str, Any]:
        if request.query["category"] == "spot":
            return rows(order(orderId="spot-1"))
        if "cursor" not in request.query:
            return rows(order(), order(symbol="DOGEUSDT", orderStatus="a word of tomorrow"), cursor="page%3A2")
        stop = order(orderId="venue-3", orderLinkId="", orderStatus="Untriggered", stopOrderType="StopLoss")
        return rows(order(orderId="venue-2", orderLinkId="by-hand"), stop, cursor="")

    async with bybit({REALTIME: realtime}) as world:
        await known(world)
        reports = await world.venue.open_orders()
        asked = [(one.query["category"], one.query.get("settleCoin"), one.query.get("cursor")) for one in world.asked()]
    assert asked == [("linear", "USDT", None), ("linear", "USDT", "page:2"), ("spot", None, None)]
    assert [(report.venue_order_id, report.client_id, report.protective) for report in reports] == [
        ("venue-1", ID, False),
        ("venue-2", None, False),
        ("venue-3", None, True),
        ("spot-1", ID, False),
    ]
    assert [report.market for report in reports] == [BTC.market] * 3 + [SPOT.market]


async def test_a_row_of_ours_that_cannot_be_read_fails_the_question() -> None:
    """An answer with a hole in it would be evidence of something that is not so."""
    async with bybit({REALTIME: lambda _: rows(order(), order(orderStatus="a word of tomorrow"))}) as world:
        await known(world)
        with pytest.raises(Retryable, match="a word of tomorrow"):
            await world.venue.open_orders()


async def test_what_cannot_be_read_of_one_market_leaves_the_answer_of_the_others() -> None:
    """A new word in one market (an order's status, a kind of execution), or one in hedge mode, must not blind all."""

    def realtime(request: Request) -> dict[str, Any]:
        status = "a word of tomorrow" if request.query["category"] == "linear" else "New"
        return rows(order(orderId=request.query["category"], orderStatus=status))

    def executions(request: Request) -> dict[str, Any]:
        category = request.query["category"]
        return rows(execution(1, execId=category, execType="AKind" if category == "linear" else "Trade"))

    held = {"symbol": "BTCUSDT", "positionIdx": 1, "side": "Buy", "size": "1", "updatedTime": str(NOW_MS)}
    async with bybit({REALTIME: realtime, EXECUTIONS: executions, POSITIONS: lambda _: rows(held)}) as world:
        await known(world)
        with pytest.raises(PartlyRead) as orders:
            await world.venue.open_orders()
        with pytest.raises(PartlyRead) as fills:
            await world.venue.executions((NOW_MS - 1000) * 1_000_000)
        with pytest.raises(PartlyRead, match="one-way mode") as positions:
            await world.venue.positions()
    assert [one.venue_order_id for one in orders.value.rest] == ["spot"]
    assert [one.execution_id for one in fills.value.rest] == ["spot"]
    assert list(positions.value.rest) == []
    for answer in (orders, fills, positions):
        assert list(answer.value.unread) == [BTC.market]


async def test_a_field_of_another_type_blinds_nobody_else() -> None:
    """An object where a text was: in the row of a market that we do not trade, and in one of ours."""
    others = {"symbol": "DOGEUSDT", "positionIdx": 0, "side": "Buy", "size": "1", "updatedTime": {}}
    held = {**others, "symbol": "BTCUSDT", "updatedTime": str(NOW_MS)}
    answers: dict[str, Any] = {
        REALTIME: lambda request: rows(order(symbol="DOGEUSDT") | {"avgPrice": {}}, order()),
        EXECUTIONS: lambda _: rows(execution(1, symbol="DOGEUSDT") | {"createType": {}}, execution(2)),
        POSITIONS: lambda _: rows(others, held),
    }
    async with bybit(answers) as world:
        await known(world)
        assert len(await world.venue.open_orders()) == 2  # of the contract and of the pair
        assert len(await world.venue.executions((NOW_MS - 1000) * 1_000_000)) == 1
        assert len(await world.venue.positions()) == 1
        answers[POSITIONS] = lambda _: rows(held | {"leverage": {}})
        with pytest.raises(PartlyRead, match="leverage") as positions:
            await world.venue.positions()
    assert list(positions.value.unread) == [BTC.market]


async def test_a_null_is_a_field_that_was_not_told() -> None:
    """An order without an average price has an empty one, or a null: it is found either way, one by one and in bulk."""
    bare = order() | {"avgPrice": None, "cancelType": None}
    held = {"symbol": "BTCUSDT", "positionIdx": None, "side": "Buy", "size": "1", "leverage": None}
    answers: dict[str, Any] = {
        REALTIME: lambda _: rows(bare),
        EXECUTIONS: lambda _: rows(execution(1) | {"createType": None}),
        POSITIONS: lambda _: rows(held),
    }
    async with bybit(answers) as world:
        await known(world)
        lookup = await world.venue.find(BTC, ID)
        assert lookup.report is not None
        assert (lookup.report.status, lookup.report.average) == (OrderStatus.ACKED, None)
        assert {report.average for report in await world.venue.open_orders()} == {None}
        assert len(await world.venue.executions((NOW_MS - 1000) * 1_000_000)) == 1
        (position,) = await world.venue.positions()
        assert (position.net, position.leverage) == (Decimal(1), None)
        answers[POSITIONS] = lambda _: rows(held | {"size": None})
        with pytest.raises(PartlyRead, match="size"):
            await world.venue.positions()


async def test_a_cursor_without_end_is_not_followed_for_ever() -> None:
    """Two hundred pages are no answer any more."""
    async with bybit({REALTIME: lambda _: rows(order(), cursor="again")}) as world:
        await known(world)
        with pytest.raises(Retryable, match="last page"):
            await world.venue.open_orders()


@pytest.mark.parametrize(("traded", "category"), [(BTC, "linear"), (SPOT, "spot")])
async def test_only_what_is_traded_is_asked_for(traded: Instrument, category: str) -> None:
    """An account of spot pairs alone has no contracts, and the other way round."""
    async with bybit({REALTIME: lambda _: rows()}) as world:
        world.venue._know(traded)
        assert await world.venue.open_orders() == []
        assert [request.query["category"] for request in world.asked()] == [category]


async def test_nothing_is_asked_before_a_market_is_known() -> None:
    """Nothing could be understood of the answer."""
    async with bybit({}) as world:
        assert await world.venue.open_orders() == []
        assert await world.venue.positions() == []
        assert await world.venue.executions(0) == []
        assert world.asked() == []


async def test_executions_of_one_market_are_asked_for_by_its_symbol() -> None:
    """And of no other category."""
    async with bybit({EXECUTIONS: lambda _request: rows(execution(50))}) as world:
        await known(world)
        events: Any = await world.venue.executions((NOW_MS - 1000) * 1_000_000, BTC.market)
        assert [event.market for event in events] == [BTC.market]
        assert [(one.query["category"], one.query["symbol"]) for one in world.asked()] == [("linear", BTC.native)]


async def test_executions_come_oldest_first_from_all_pages_and_weeks() -> None:
    """Sixteen days are three windows; one execution on a seam is in both and counts once."""

    def executions(request: Request) -> dict[str, Any]:
        if request.query["category"] == "spot":
            return rows(execution(50, execId="spot"))
        start = int(request.query["startTime"])
        if "cursor" in request.query:
            return rows(execution(0, execTime=str(start + 1), execId=f"{start}-1"))
        together = execution(0, execTime=str(start + 2), execId=f"{start}-3")  # in one millisecond, as one order's are
        seam = execution(0, execTime=str(start + 7 * DAY_MS - 1000), execId=f"{start + 7 * DAY_MS - 1000}-0")
        oldest = execution(0, execTime=str(start), execId=f"{start}-0")
        return rows(seam, together, execution(0, execTime=str(start + 2), execId=f"{start}-2"), oldest, cursor="older")

    async with bybit({EXECUTIONS: executions}) as world:
        await known(world)
        events: Any = await world.venue.executions((NOW_MS - 16 * DAY_MS) * 1_000_000)
        windows = [
            (int(one.query["startTime"]), int(one.query.get("endTime", "0")))
            for one in world.asked()
            if one.query["category"] == "linear" and "cursor" not in one.query
        ]
    assert all(isinstance(event, Fill) for event in events)
    assert [event.at_ns for event in events] == sorted(event.at_ns for event in events)
    assert len({event.execution_id for event in events}) == len(events)
    order = [event.execution_id[-1] for event in events if event.execution_id[-1] in "23"]
    assert order == ["2", "3"] * 3
    assert [event.market for event in events].count(SPOT.market) == 1
    assert len(windows) == 3
    assert all(end - start <= 7 * DAY_MS for start, end in windows if end)
    assert windows[0][0] == NOW_MS - 16 * DAY_MS
    assert [end for _, end in windows[:-1]] == [start for start, _ in windows[1:]]
    assert windows[-1][1] == 0  # up to now, whatever the venue's clock says


async def test_executions_of_more_pages_than_are_read_are_asked_for_by_shorter_windows() -> None:
    """Somebody else trades in the account, thousands of times a day."""

    def executions(request: Request) -> dict[str, Any]:
        start = int(request.query["startTime"])
        end = int(request.query.get("endTime", NOW_MS))
        if end - start > DAY_MS:
            return rows(execution(0, symbol="DOGEUSDT"), cursor="on")
        return rows(execution(0, execTime=str(start), execId=str(start)), cursor="")

    async with bybit({EXECUTIONS: executions}) as world:
        world.venue._know(BTC)
        events: Any = await world.venue.executions((NOW_MS - 3 * DAY_MS) * 1_000_000)
        windows = [(int(one.query["startTime"]), one.query.get("endTime")) for one in world.asked()]
    assert [event.at_ns // 1_000_000 for event in events] == sorted({start for start, _ in windows})
    assert [str(start) for start in sorted({start for start, _ in windows})][1:] == [
        end for _, end in windows if end is not None
    ]
    assert windows[-1][1] is None


async def test_executions_without_end_are_not_asked_for_for_ever() -> None:
    """However short the window is."""
    async with bybit({EXECUTIONS: lambda _: rows(execution(0), cursor="on")}) as world:
        world.venue._know(BTC)
        with pytest.raises(Retryable, match="last page"):
            await world.venue.executions((NOW_MS - DAY_MS) * 1_000_000)
        assert len({one.query["startTime"] for one in world.asked()}) == 1
        assert len({one.query.get("endTime") for one in world.asked()}) == 3


async def test_funding_is_a_cash_flow_and_a_trade_is_a_fill() -> None:
    """The same list carries both."""
    funding = execution(1, execType="Funding", execFee="-0.5", orderLinkId="", execId="funding")
    answers = {EXECUTIONS: lambda request: rows(*((execution(2), funding) if "cursor" not in request.query else ()))}
    async with bybit(answers) as world:
        world.venue._know(BTC)
        flow, fill = await world.venue.executions((NOW_MS - 1) * 1_000_000)
    assert isinstance(flow, CashFlow)
    assert (flow.kind, flow.amount) == ("Funding", Decimal("0.5"))
    assert isinstance(fill, Fill)
    assert (fill.side, fill.quantity, fill.fee) == (Side.BUY, Decimal("0.004"), Decimal("0.06"))


async def test_positions_are_those_that_are_open() -> None:
    """Size and side make the net; a flat row says nothing."""
    short = {"symbol": "BTCUSDT", "side": "Sell", "size": "0.02", "avgPrice": "25100", "stopLoss": "26000"}
    flat = {"symbol": "BTCUSDT", "side": "", "size": "0"}
    stranger = {"symbol": "DOGEUSDT", "side": "Buy", "size": "1", "positionIdx": 1}
    async with bybit({POSITIONS: lambda _: rows(stranger, flat, short)}) as world:
        await known(world)
        (position,) = await world.venue.positions()
        assert [request.query["settleCoin"] for request in world.asked()] == ["USDT"]
    assert (position.market, position.net) == (BTC.market, Decimal("-0.02"))
    assert (position.entry, position.stop) == (Decimal(25100), Decimal(26000))


async def test_a_failed_position_query_is_not_flat() -> None:
    """It raises; nothing can be mistaken for an empty account."""
    async with bybit({POSITIONS: refusal(10003)}) as world:
        await known(world)
        with pytest.raises(NeedsHuman):
            await world.venue.positions()


async def test_balances_carry_the_answers_time() -> None:
    """The wallet's rows have none of their own."""
    coin = {"coin": "USDT", "equity": "1000", "usdValue": "1000", "walletBalance": "990"}
    wallet = {"accountType": "UNIFIED", "totalAvailableBalance": "800", "coin": [coin]}
    async with bybit({WALLET: lambda _: {"list": [wallet]}}) as world:
        (balance,) = await world.venue.balances()
        assert world.asked()[0].query == {"accountType": "UNIFIED"}
    assert (balance.currency, balance.equity, balance.available) == ("USDT", Decimal(1000), Decimal(800))
    assert balance.at_ns == NOW_MS * 1_000_000


@pytest.mark.parametrize(
    ("told", "mode"),
    [
        ("REGULAR_MARGIN", "cross"),
        ("ISOLATED_MARGIN", "isolated"),
        ("PORTFOLIO_MARGIN", "portfolio"),
        ("NEW_MARGIN", "NEW_MARGIN"),
    ],
)
async def test_the_margin_mode_is_the_accounts(told: str, mode: str) -> None:
    """The documented answer; a word of Bybit's that we do not know is told as it is."""
    account = {
        "marginMode": told,
        "updatedTime": "1697078946000",
        "unifiedMarginStatus": 4,
        "dcpStatus": "OFF",
        "timeWindow": 10,
        "smpGroup": 0,
        "isMasterTrader": False,
        "spotHedgingStatus": "OFF",
    }
    async with bybit({"/v5/account/info": lambda _: account}) as world:
        assert await world.venue.margin_mode() == mode
