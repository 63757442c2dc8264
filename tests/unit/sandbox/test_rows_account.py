"""Positions and the wallet on the wire."""

from decimal import Decimal

import pytest

from kangbot.sandbox.rest_trade import create
from kangbot.sandbox.rows_account import position_row, wallet_row
from tests.support.sandbox_bench import SandboxBench

D = Decimal


@pytest.fixture
def bench() -> SandboxBench:
    """An exchange that holds nothing."""
    return SandboxBench()


def trade(bench: SandboxBench, side: str, qty: str, **terms: str) -> None:
    """Trade at the market."""
    bench.ask(create, side=side, orderType="Market", qty=qty, **terms)


def test_a_flat_position_has_neither_side_nor_size(bench: SandboxBench) -> None:
    """It tells the leverage all the same."""
    row = position_row(bench.exchange, bench.exchange.desk("linear", "BTCUSDT").spec.market)
    assert (row["side"], row["size"], row["avgPrice"], row["positionValue"]) == ("", "0", "0", "0")
    assert (row["leverage"], row["positionIM"], row["unrealisedPnl"], row["positionBalance"]) == ("10", "0", "0", "0")
    assert (row["stopLoss"], row["takeProfit"], row["adlRankIndicator"]) == ("", "", 0)


@pytest.mark.parametrize(("side", "sign"), [("Buy", 1), ("Sell", -1)])
def test_a_position_is_told_by_side_and_size(bench: SandboxBench, side: str, sign: int) -> None:
    """Its value at what was paid, and its margins at the mark."""
    trade(bench, side, "0.02")
    desk = bench.exchange.desk("linear", "BTCUSDT")
    row = position_row(bench.exchange, desk.spec.market)
    entry = D(row["avgPrice"])
    assert (row["side"], row["size"], row["adlRankIndicator"]) == (side, "0.02", 2)
    assert D(row["positionValue"]) == entry * D("0.02")
    assert D(row["unrealisedPnl"]) == sign * (desk.mark - entry) * D("0.02")
    assert (D(row["markPrice"]), D(row["positionIM"])) == (desk.mark, desk.mark * D("0.02") / 10)
    assert D(row["positionMM"]) == desk.mark * D("0.02") * bench.venue.spec.maintenance
    assert row["createdTime"] == row["updatedTime"] == str(bench.now_ns // 1_000_000)


def test_the_stream_has_other_names_for_some(bench: SandboxBench) -> None:
    """And "0" where a stop is absent."""
    trade(bench, "Buy", "0.02")
    market = bench.exchange.desk("linear", "BTCUSDT").spec.market
    rest, stream = (position_row(bench.exchange, market, stream=stream) for stream in (False, True))
    assert stream["entryPrice"] == rest["avgPrice"]
    assert "avgPrice" not in stream
    assert (stream["category"], stream["stopLoss"], stream["takeProfit"]) == ("linear", "0", "0")
    assert "category" not in rest


def test_in_portfolio_margin_no_contract_has_a_leverage(bench: SandboxBench) -> None:
    """It is the account's."""
    bench.exchange.margin_mode = "PORTFOLIO_MARGIN"
    market = bench.exchange.desk("linear", "BTCUSDT").spec.market
    assert position_row(bench.exchange, market)["leverage"] == ""


def test_the_wallet_has_every_coin_and_their_worth(bench: SandboxBench) -> None:
    """Coins count with what they cost now, and are no margin."""
    trade(bench, "Buy", "0.02", category="spot", marketUnit="baseCoin")
    trade(bench, "Buy", "0.01")
    row = wallet_row(bench.exchange)
    tether, coin = row["coin"]
    last = bench.exchange.desk("linear", "BTCUSDT").last
    standing = bench.venue.standing()
    assert (tether["coin"], coin["coin"]) == ("USDT", "BTC")
    assert D(coin["walletBalance"]) == bench.venue.account.coins["BTC"] == D("0.01998")
    assert (D(coin["usdValue"]), coin["unrealisedPnl"]) == (D("0.01998") * last, "0")
    assert D(tether["equity"]) == standing.equity != standing.wallet
    assert D(row["totalEquity"]) == standing.equity + D(coin["usdValue"])
    assert D(row["totalWalletBalance"]) == standing.wallet + D(coin["usdValue"])
    assert (D(row["totalMarginBalance"]), D(row["totalPerpUPL"])) == (standing.equity, standing.unrealised)
    assert D(row["totalAvailableBalance"]) == D(tether["availableToWithdraw"]) == round(standing.available, 8)
    assert D(row["totalInitialMargin"]) == round(standing.position_margin, 8) > 0
    assert D(row["accountIMRate"]) == round(standing.position_margin / standing.equity, 8)
    assert D(tether["cumRealisedPnl"]) == round(-bench.venue.account.fees_paid, 8)


def test_what_orders_keep_back_is_told(bench: SandboxBench) -> None:
    """It is margin as well."""
    bench.ask(create, side="Buy", orderType="Limit", qty="0.1", price="90000")
    row = wallet_row(bench.exchange)
    assert (row["totalInitialMargin"], row["coin"][0]["totalOrderIM"], row["coin"][0]["totalPositionIM"]) == (
        "900",
        "900",
        "0",
    )


def test_isolated_margin_knows_no_total_of_the_account(bench: SandboxBench) -> None:
    """Those fields are empty, and the others stay."""
    whole = wallet_row(bench.exchange)
    bench.exchange.margin_mode = "ISOLATED_MARGIN"
    row = wallet_row(bench.exchange)
    empty = {name for name, value in row.items() if value == ""}
    assert empty == {
        "accountIMRate",
        "accountMMRate",
        "totalMarginBalance",
        "totalAvailableBalance",
        "totalInitialMargin",
        "totalMaintenanceMargin",
    }
    assert (row["totalEquity"], row["coin"]) == (whole["totalEquity"], whole["coin"])


def test_an_account_without_equity_has_no_rates(bench: SandboxBench) -> None:
    """Nothing is divided by it."""
    bench.venue.transfer(-bench.venue.standing().available, bench.now_ns)
    row = wallet_row(bench.exchange)
    assert (row["accountIMRate"], row["accountMMRate"], row["totalEquity"]) == ("0", "0", "0")


def test_a_position_tells_what_it_has_won_so_far(bench: SandboxBench) -> None:
    """Before fees, though it be flat."""
    trade(bench, "Buy", "0.02")
    trade(bench, "Sell", "0.02")
    market = bench.exchange.desk("linear", "BTCUSDT").spec.market
    row = position_row(bench.exchange, market)
    assert D(row["cumRealisedPnl"]) == bench.venue.account.holding(market).realised < 0
    assert row["side"] == ""
