"""What Bybit's account rows mean in our words."""

from decimal import Decimal

import msgspec
import pytest

from kangbot.model.ids import MarketId, client_id, stop_id
from kangbot.model.orders import CashFlow, Evidence, Fill, FillCause, OrderStatus, Side
from kangbot.venues.bybit.rows import ExecutionRow, OrderRow, PositionRow, WalletRow

LINEAR = MarketId("bybit:BTC-USDT:USDT")
SPOT = MarketId("bybit:BTC-USDT")


def order(**changes: object) -> OrderRow:
    """Return a limit order of ours as REST tells it, with these fields changed."""
    row: dict[str, object] = {
        "symbol": "BTCUSDT",
        "orderId": "fd4300ae-7847-404e-b947-b46980a4d140",
        "orderLinkId": "kbabcdefgh1",
        "side": "Buy",
        "orderStatus": "New",
        "qty": "0.10",
        "cumExecQty": "0.00",
        "avgPrice": "0",
        "stopOrderType": "UNKNOWN",
        "createType": "CreateByUser",
        "triggerPrice": "0.00",
        "rejectReason": "EC_NoError",
        "cancelType": "UNKNOWN",
        "reduceOnly": False,
        "createdTime": "1684738540559",
        "updatedTime": "1684738540561",
        "leavesQty": "0.10",  # a field that nobody reads
    }
    return msgspec.convert(row | changes, OrderRow)


def execution(**changes: object) -> ExecutionRow:
    """Return a sale of ours, with these fields changed."""
    row: dict[str, object] = {
        "symbol": "BTCUSDT",
        "execId": "0ab1bdf7-4219-438b-b30a-32ec863018f7",
        "execType": "Trade",
        "execTime": "1746270400353",
        "orderId": "9aac161b-8ed6-450d-9cab-c5cc67c21784",
        "orderLinkId": "kbabcdefgh1",
        "side": "Sell",
        "execPrice": "95900.1",
        "execQty": "0.5",
        "execFee": "26.3725275",
        "execPnl": "0.05",
        "feeCurrency": "USDT",
        "isMaker": False,
        "stopOrderType": "UNKNOWN",
        "createType": "CreateByUser",
    }
    return msgspec.convert(row | changes, ExecutionRow)


def fill(market: MarketId = LINEAR, **changes: object) -> Fill:
    """Return the fill that an execution with these changes is."""
    event = execution(**changes).event(market)
    assert isinstance(event, Fill)
    return event


# ------------------------------------------------------------------------------------------------------------- orders
def test_a_resting_order_of_ours_is_told_under_our_id() -> None:
    """Zeros that mean "none" are none, and the time is that of the last change."""
    report = order().report(LINEAR, Evidence.QUERY)
    assert report.client_id == "kbabcdefgh1"
    assert report.status is OrderStatus.ACKED
    assert report.side is Side.BUY
    assert report.quantity == Decimal("0.10")
    assert report.filled == 0
    assert report.average is None
    assert report.trigger is None
    assert not report.protective
    assert (report.code, report.message) == ("", "")
    assert report.at_ns == 1684738540561_000_000
    assert report.evidence is Evidence.QUERY


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Created", OrderStatus.ACKED),
        ("New", OrderStatus.ACKED),
        ("Untriggered", OrderStatus.ACKED),
        ("Triggered", OrderStatus.ACKED),
        ("PartiallyFilled", OrderStatus.PARTIAL),
        ("Filled", OrderStatus.FILLED),
        ("Cancelled", OrderStatus.CANCELED),
        ("PartiallyFilledCanceled", OrderStatus.CANCELED),
        ("Deactivated", OrderStatus.CANCELED),
        ("Rejected", OrderStatus.REJECTED),
    ],
)
def test_each_documented_status_has_a_meaning(word: str, status: OrderStatus) -> None:
    """The table is the documentation's enum, whole, and a word that an older edition had."""
    assert order(orderStatus=word).report(LINEAR).status is status


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("orderStatus", "Dreaming"),
        ("side", ""),
        ("qty", "many"),
        ("qty", "NaN"),
        ("qty", "Infinity"),
        ("cumExecQty", "1E+40"),
        ("updatedTime", "yesterday"),
        ("updatedTime", "-1"),
    ],
)
def test_a_word_or_number_unknown_is_an_error_and_no_guess(field: str, value: str) -> None:
    """A wrong guess about an order is worse than a row that is reported as unreadable."""
    with pytest.raises(ValueError, match=r"."):
        order(**{field: value}).report(LINEAR)


def test_an_order_of_somebody_else_has_no_client_id() -> None:
    """Only ids with our prefix are ours."""
    assert order(orderLinkId="").report(LINEAR).client_id is None
    assert order(orderLinkId="web-7").report(LINEAR).client_id is None


@pytest.mark.parametrize("name", ["kbot-15", "kb", "kbabcdefgh", "kbABCDEFGH1", f"kb{'a' * 31}", f"kb-{'0' * 32}"])
def test_what_begins_as_our_ids_do_is_somebody_elses_where_it_goes_on_otherwise(name: str) -> None:
    """As an order of ours that nobody remembers it would be cancelled, and the history has no room for a longer one."""
    assert order(orderLinkId=name).report(LINEAR).client_id is None
    assert fill(orderLinkId=name).by_hand


@pytest.mark.parametrize("word", ["StopLoss", "PartialStopLoss", "TakeProfit", "TrailingStop", "tpslOrder"])
def test_the_venues_own_stop_is_protective_and_not_ours(word: str) -> None:
    """Even where it carried an id of ours: it rests on the position, we never sent it as an order."""
    report = order(stopOrderType=word, orderStatus="Untriggered", triggerPrice="1500.5").report(LINEAR)
    assert report.protective
    assert report.client_id is None
    assert report.trigger == Decimal("1500.5")


def test_a_stop_is_known_by_how_it_was_made_too() -> None:
    """A triggered stop may have lost its stop type; how it was created stays."""
    assert order(stopOrderType="", createType="CreateByStopLoss").report(LINEAR).protective


@pytest.mark.parametrize("word", ["CreateByLiq", "CreateByTakeOver_PassThrough", "CreateByAdl_PassThrough"])
def test_what_the_venue_itself_reduces_a_position_by_is_no_hands_order(word: str) -> None:
    """A liquidation that rests for a moment is nobody's trade beside ours."""
    assert order(orderLinkId="", createType=word).report(LINEAR).protective


def test_a_conditional_order_that_was_placed_is_not_protective() -> None:
    """`Stop` is an order somebody placed, with a trigger."""
    report = order(stopOrderType="Stop", createType="CreateByStopOrder").report(LINEAR)
    assert not report.protective
    assert report.client_id == "kbabcdefgh1"


def test_the_venues_reasons_are_kept() -> None:
    """Why it was refused and who cancelled it are for the log and the operator."""
    report = order(orderStatus="Rejected", rejectReason="EC_PostOnlyWillTakeLiquidity").report(LINEAR)
    assert report.code == "EC_PostOnlyWillTakeLiquidity"
    cancelled = order(orderStatus="Cancelled", cancelType="CancelByUser").report(LINEAR)
    assert (cancelled.message, cancelled.withdrawn) == ("CancelByUser", True)
    assert not order(orderStatus="Cancelled", cancelType="CancelByReduceOnly").report(LINEAR).withdrawn


def test_a_spot_buy_sized_in_quote_currency_has_the_filled_quantity() -> None:
    """1,000 USDT are no quantity of BTC; only what was filled is known."""
    report = order(qty="1000", marketUnit="quoteCoin", cumExecQty="0.02", avgPrice="50000").report(SPOT)
    assert report.quantity == report.filled == Decimal("0.02")
    assert report.average == 50000


# --------------------------------------------------------------------------------------------------------- executions
def test_a_trade_is_a_fill() -> None:
    """With its price, its fee, and our id."""
    event = fill()
    assert (event.price, event.quantity, event.side) == (Decimal("95900.1"), Decimal("0.5"), Side.SELL)
    assert (event.fee, event.fee_currency) == (Decimal("26.3725275"), "USDT")
    assert event.client_id == "kbabcdefgh1"
    assert event.cause is FillCause.TRADE
    assert event.at_ns == 1746270400353_000_000


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"execType": "BlockTrade"}, FillCause.TRADE),
        ({"execType": "AdlTrade"}, FillCause.DELEVERAGING),
        ({"createType": "CreateByAdl_PassThrough"}, FillCause.DELEVERAGING),
        ({"execType": "BustTrade"}, FillCause.LIQUIDATION),
        ({"createType": "CreateByLiq"}, FillCause.LIQUIDATION),
        ({"createType": "CreateBySettle"}, FillCause.SETTLEMENT),
        ({"createType": "CreateByTakeOver_PassThrough"}, FillCause.LIQUIDATION),
        ({"stopOrderType": "StopLoss"}, FillCause.STOP),
        ({"createType": "CreateByTrailingStop"}, FillCause.STOP),
    ],
)
def test_each_cause_of_a_fill_is_told(changes: dict[str, str], cause: FillCause) -> None:
    """Stops, liquidation and deleveraging change the position without an order of ours."""
    assert fill(LINEAR, **changes).cause is cause


def test_a_fill_of_the_positions_stop_has_no_client_id() -> None:
    """It belongs to no intent."""
    assert fill(stopOrderType="StopLoss").client_id is None


def test_funding_is_a_cash_flow_and_never_a_fill() -> None:
    """A fee paid is money lost; a negative one was received."""
    paid = execution(execType="Funding", execFee="1.25", execPnl="", side="").event(LINEAR)
    assert isinstance(paid, CashFlow)
    assert (paid.kind, paid.amount, paid.currency) == ("Funding", Decimal("-1.25"), "USDT")
    received = execution(execType="Funding", execFee="-0.5", execPnl="0").event(LINEAR)
    assert isinstance(received, CashFlow)
    assert received.amount == Decimal("0.5")


def test_a_settlement_brings_its_profit() -> None:
    """Profit realised without a trade, less its fee."""
    flow = execution(execType="Settle", execFee="1", execPnl="10").event(LINEAR)
    assert isinstance(flow, CashFlow)
    assert flow.amount == 9


def test_a_contract_that_is_delisted_closes_the_position() -> None:
    """Bybit tells it as a delivery of what was held; one without a quantity is money only."""
    closed = fill(LINEAR, execType="Delivery", side="Sell", execQty="75", execPrice="0.35", orderLinkId="")
    assert (closed.signed, closed.cause, closed.by_hand) == (Decimal(-75), FillCause.SETTLEMENT, False)
    flow = execution(execType="Delivery", execQty="0", execPrice="0", execFee="1", execPnl="10").event(LINEAR)
    assert isinstance(flow, CashFlow)
    assert flow.amount == 9


@pytest.mark.parametrize("kind", ["ForwardSplitSettle", "ReverseSplitSettle", "Dividend"])
def test_what_a_share_pays_is_money(kind: str) -> None:
    """Bybit lists perpetuals on shares: splits and dividends come as executions."""
    flow = execution(execType=kind, execFee="0", execPnl="2").event(LINEAR)
    assert isinstance(flow, CashFlow)
    assert (flow.kind, flow.amount) == (kind, Decimal(2))


@pytest.mark.parametrize("changes", [{"execType": "UNKNOWN"}, {"execPrice": ""}, {"execQty": "-1"}, {"side": "Long"}])
def test_an_execution_that_makes_no_sense_is_an_error(changes: dict[str, object]) -> None:
    """It must be looked at, not applied."""
    with pytest.raises(ValueError, match=r"."):
        execution(**changes).event(LINEAR)


@pytest.mark.parametrize(
    ("market", "side", "currency"), [(LINEAR, "Buy", "USDT"), (SPOT, "Buy", "BTC"), (SPOT, "Sell", "USDT")]
)
def test_a_fee_without_currency_is_in_the_one_that_the_market_implies(
    market: MarketId, side: str, currency: str
) -> None:
    """Older rows leave it out."""
    assert fill(market, side=side, feeCurrency="").fee_currency == currency


@pytest.mark.parametrize("market", [LINEAR, SPOT])
def test_a_fee_is_in_the_currency_that_the_row_names(market: MarketId) -> None:
    """Where the account pays its fees in MNT."""
    assert fill(market, side="Buy", feeCurrency="MNT").fee_currency == "MNT"


# ---------------------------------------------------------------------------------------------------------- positions
def position(**changes: object) -> PositionRow:
    """Return a long position as the stream tells it, with these fields changed."""
    row: dict[str, object] = {
        "symbol": "XRPUSDT",
        "positionIdx": 0,
        "side": "Buy",
        "size": "75",
        "entryPrice": "0.3615",
        "leverage": "10",
        "markPrice": "0.3374",
        "stopLoss": "0",
        "unrealisedPnl": "-1.8075",
        "updatedTime": "1672364174449",
    }
    return msgspec.convert(row | changes, PositionRow)


TAX = [{"feeCoin": "USDT", "feeType": "GST", "subFeeType": "IND_GST", "feeRate": "0.0000675", "fee": "6.4"}]


@pytest.mark.parametrize(
    ("told", "fee"),
    [
        (TAX, "32.7725275"),
        (msgspec.json.encode(TAX).decode(), "32.7725275"),
        ([*TAX, *TAX], "39.1725275"),
        ([{**TAX[0], "feeCoin": "IDR"}], "26.3725275"),
        ([], "26.3725275"),
        ("", "26.3725275"),
        (None, "26.3725275"),
    ],
)
def test_a_tax_on_the_fee_is_paid_with_it(told: object, fee: str) -> None:
    """Bybit tells it beside the fee: as a list, or as the text of one. Of another currency it is not of this sum."""
    assert fill(extraFees=told).fee == Decimal(fee)


@pytest.mark.parametrize("told", ["[", "x", [{"fee": "1"}], [{"feeCoin": "USDT", "fee": "much"}], 7, {"a": 1}])
def test_a_tax_that_cannot_be_read_is_an_error(told: object) -> None:
    """An amount that is guessed would be wrong in the books for ever."""
    with pytest.raises(ValueError, match=r"extraFees|not a number"):
        fill(extraFees=told)


def test_a_tax_in_the_coin_that_was_bought_does_not_arrive_either() -> None:
    """The fee of a spot buy is taken from what is received, and its tax with it."""
    told = [{"feeCoin": "BTC", "fee": "0.00009"}]
    bought = fill(SPOT, side="Buy", execFee="0.0005", feeCurrency="BTC", extraFees=told)
    assert (bought.fee, bought.fee_currency) == (Decimal("0.00059"), "BTC")


def test_a_position_is_signed() -> None:
    """Long is positive, short negative; prices that are zero are none."""
    held = position().position(LINEAR)
    assert (held.net, held.entry, held.stop, held.mark) == (Decimal(75), Decimal("0.3615"), None, Decimal("0.3374"))
    assert (held.unrealised, held.leverage) == (Decimal("-1.8075"), Decimal(10))
    assert held.at_ns == 1672364174449_000_000
    assert position(side="Sell", stopLoss="0.4").position(LINEAR).net == -75
    assert position(stopLoss="0.4").position(LINEAR).stop == Decimal("0.4")


def test_a_flat_position_has_no_side() -> None:
    """Bybit leaves the side empty."""
    assert position(side="", size="0", entryPrice="0").position(LINEAR).net == 0


def test_rest_names_the_entry_price_otherwise() -> None:
    """`avgPrice` there, `entryPrice` in the stream."""
    assert position(entryPrice="", avgPrice="0.36").position(LINEAR).entry == Decimal("0.36")


def test_a_position_in_hedge_mode_is_an_error() -> None:
    """Two positions in one market would be taken for one."""
    with pytest.raises(ValueError, match="hedge mode"):
        position(positionIdx=2).position(LINEAR)


def test_a_position_without_side_that_is_not_flat_is_an_error() -> None:
    """Its sign cannot be guessed."""
    with pytest.raises(ValueError, match="side"):
        position(side="").position(LINEAR)


# ------------------------------------------------------------------------------------------------------------ wallets
def wallet(total: str) -> WalletRow:
    """Return a wallet of USDT and a currency without value; `total` is the account's available balance."""
    coins = [
        {
            "coin": "USDT",
            "equity": "11726",
            "usdValue": "11726",
            "walletBalance": "11728",
            "totalPositionIM": "2.5",
            "totalOrderIM": "0.5",
            "locked": "10",
            "bonus": "1",
        },
        {"coin": "EOS3L", "equity": "215", "usdValue": "0", "walletBalance": "215", "totalPositionIM": ""},
    ]
    return msgspec.convert({"accountType": "UNIFIED", "totalAvailableBalance": total, "coin": coins}, WalletRow)


def test_under_cross_margin_the_accounts_available_balance_counts() -> None:
    """Expressed in the currency at the venue's own valuation; a currency without value stands for itself."""
    usdt, other = wallet("9556.5").balances(5)
    assert (usdt.currency, usdt.equity, usdt.available, usdt.at_ns) == ("USDT", Decimal(11726), Decimal("9556.5"), 5)
    assert other.available == 215


@pytest.mark.parametrize(("word", "count"), [("CONTRACT", 0), ("SPOT", 0), ("UNIFIED", 1), ("NOVELTY", 1), ("", 1)])
def test_the_money_of_another_account_is_none_of_this_ones(word: str, count: int) -> None:
    """The topic tells of the inverse contracts' account, too, which the older unified accounts have beside them."""
    told = {"accountType": word, "coin": [{"coin": "BTC", "equity": "0.5", "walletBalance": "0.5"}]}
    assert len(msgspec.convert(told, WalletRow).balances(5)) == count


def test_under_isolated_margin_each_currency_stands_for_itself() -> None:
    """What is neither margin, nor locked, nor a bonus."""
    usdt, _ = wallet("").balances(5)
    assert usdt.available == 11728 - 14


# ------------------------------------------------------------------------------------------- the stop beside a holding
def test_the_stop_beside_a_holding_is_protective_and_keeps_its_name() -> None:
    """It is known by it; one that waits for a rise guards nothing."""
    name = stop_id(client_id("abcdefgh", 1), 0)
    row = {"orderLinkId": name, "orderStatus": "Untriggered", "stopOrderType": "Stop", "triggerPrice": "90"}
    report = order(**row, triggerDirection=2).report(SPOT)
    assert (report.client_id, report.protective, report.trigger) == (name, True, Decimal(90))
    assert order(**row, triggerDirection=1).report(SPOT).trigger is None


def test_what_the_stop_beside_a_holding_sells_is_the_stops_doing() -> None:
    """As a position's own stop's: by no order of ours."""
    event = execution(orderLinkId=stop_id(client_id("abcdefgh", 1), 0), stopOrderType="Stop").event(SPOT)
    assert isinstance(event, Fill)
    assert (event.client_id, event.cause) == (None, FillCause.STOP)
