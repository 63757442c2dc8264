"""The lines of the transaction log: what each did to a coin."""

from decimal import Decimal

import pytest

from kangbot.sandbox.rest_trade import create
from kangbot.sandbox.rows_ledger import event_rows, transfer_row
from tests.support.sandbox_bench import SandboxBench

D = Decimal


@pytest.fixture
def bench() -> SandboxBench:
    """An exchange that holds nothing."""
    return SandboxBench()


@pytest.mark.parametrize(
    ("amount", "kind", "word"),
    [("500", "", "TRANSFER_IN"), ("-0.50", "", "TRANSFER_OUT"), ("5", "BONUS", "BONUS")],
)
def test_a_transfer_is_named_by_its_way_or_by_what_the_venue_calls_it(
    bench: SandboxBench, amount: str, kind: str, word: str
) -> None:
    """It changes the coin by what it moves, and belongs to no market."""
    made = bench.venue.transfer(D(amount), bench.now_ns, kind)
    row = transfer_row(made)
    assert (row["type"], row["currency"], D(row["change"]), D(row["cashFlow"])) == (word, "USDT", D(amount), D(amount))
    assert (row["id"], row["transactionTime"]) == (made.transfer_id, str(bench.now_ns // 1_000_000))
    assert (row["symbol"], row["category"], row["side"], row["funding"], row["fee"]) == ("", "", "None", "", "0")


def test_a_contracts_fill_changes_the_currency_by_its_profit_less_the_fee(bench: SandboxBench) -> None:
    """One line, with what was traded."""
    bench.ask(create, side="Buy", orderType="Market", qty="0.02")
    bench.ask(create, side="Sell", orderType="Market", qty="0.02", orderLinkId="kb2")
    event = bench.venue.executions[-1]
    (row,) = event_rows(bench.exchange, event)
    assert (row["type"], row["currency"], row["symbol"], row["category"]) == ("TRADE", "USDT", "BTCUSDT", "linear")
    assert D(row["cashFlow"]) == event.profit < 0  # type: ignore[union-attr]
    assert D(row["change"]) == D(row["cashFlow"]) - D(row["fee"])
    assert D(row["fee"]) == D(row["tradePrice"]) * D("0.02") * D(row["feeRate"]) > 0
    assert (row["side"], row["qty"], row["orderLinkId"], row["orderId"]) == ("Sell", "0.02", "kb2", event.order_id)
    assert row["tradeId"] == row["id"]


@pytest.mark.parametrize(("side", "sign", "charged"), [("Buy", 1, "BTC"), ("Sell", -1, "USDT")])
def test_a_pairs_fill_has_a_line_for_either_coin(bench: SandboxBench, side: str, sign: int, charged: str) -> None:
    """Under one id; the fee is of the coin that came."""
    bench.ask(create, category="spot", side="Buy", orderType="Market", qty="0.5", marketUnit="baseCoin")
    bench.ask(create, category="spot", side=side, orderType="Market", qty="0.01", marketUnit="baseCoin")
    before = len(bench.venue.executions)
    rows = {row["currency"]: row for row in event_rows(bench.exchange, bench.venue.executions[-1])}
    assert list(rows) == ["BTC", "USDT"]
    assert len({row["id"] for row in rows.values()}) == 1
    price = D(rows["BTC"]["tradePrice"])
    assert D(rows["BTC"]["cashFlow"]) == sign * D("0.01")
    assert D(rows["USDT"]["cashFlow"]) == -sign * D("0.01") * price
    assert [coin for coin, row in rows.items() if D(row["fee"])] == [charged]
    assert all(D(row["change"]) == D(row["cashFlow"]) - D(row["fee"]) for row in rows.values())
    assert before == len(bench.venue.executions)


def test_a_payment_is_funding_and_no_cash_flow(bench: SandboxBench) -> None:
    """It changes the coin by that alone."""
    bench.ask(create, side="Buy", orderType="Market", qty="0.02")
    bench.venue.fund(bench.exchange.desk("linear", "BTCUSDT").spec.market, D(96_000), bench.now_ns)
    (row,) = event_rows(bench.exchange, bench.venue.executions[-1])
    assert (row["type"], row["symbol"], row["category"]) == ("SETTLEMENT", "BTCUSDT", "linear")
    assert (row["funding"], row["change"], row["cashFlow"], row["fee"]) == ("-0.192", "-0.192", "0", "0")


def test_the_log_adds_up_to_the_wallet(bench: SandboxBench) -> None:
    """Every coin, whatever was done."""
    bench.venue.transfer(D(500), bench.now_ns)
    for side, qty, category in (("Buy", "0.02", "linear"), ("Buy", "0.01", "spot"), ("Sell", "0.05", "linear")):
        bench.ask(create, category=category, side=side, orderType="Market", qty=qty, marketUnit="baseCoin")
    bench.venue.fund(bench.exchange.desk("linear", "BTCUSDT").spec.market, D(96_000), bench.now_ns)
    rows = [transfer_row(made) for made in bench.venue.transfers]
    for event in bench.venue.executions:
        rows += event_rows(bench.exchange, event)
    changes = {"USDT": bench.venue.spec.balance, "BTC": D(0)}
    for row in rows:
        changes[row["currency"]] += D(row["change"])
    assert changes == bench.venue.account.coins
