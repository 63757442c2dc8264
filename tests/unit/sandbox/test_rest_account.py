"""The account over REST: positions and their settings, the wallet, and the log of what changed it."""

from decimal import Decimal
from typing import Any

import pytest

from kangbot.sandbox import rest_account
from kangbot.sandbox.rest_trade import create
from tests.support.sandbox_bench import SandboxBench

D = Decimal
DAY_MS = 86_400_000
BOTH: dict[str, Any] = {"buyLeverage": "7", "sellLeverage": "7"}


@pytest.fixture
def bench() -> SandboxBench:
    """An exchange that holds nothing."""
    return SandboxBench()


def buy(bench: SandboxBench, qty: str = "0.01", **terms: Any) -> None:
    """Buy at the market."""
    bench.ask(create, side="Buy", orderType="Market", qty=qty, **terms)


# ----------------------------------------------------------------------------------------------------------- positions
def test_one_position_is_told_flat_or_not_and_of_all_those_that_are_open(bench: SandboxBench) -> None:
    """By their coins; which ones must be said."""
    buy(bench)

    def sizes(**params: Any) -> dict[str, str]:
        return {row["symbol"]: row["size"] for row in bench.ask(rest_account.positions, **params)["list"]}

    assert sizes(symbol="ETHUSDT") == {"ETHUSDT": "0"}
    assert sizes(symbol=None, settleCoin="USDT") == {"BTCUSDT": "0.01"}
    assert (sizes(symbol=None, baseCoin="ETH"), sizes(symbol=None, settleCoin="USDC")) == ({}, {})
    assert sizes(category="inverse", symbol=None) == {}
    assert bench.refused(rest_account.positions, symbol=None)[0] == 10001
    assert bench.refused(rest_account.positions, category="spot")[0] == 10001


def test_a_position_that_is_closed_between_two_pages_takes_no_other_with_it() -> None:
    """The next page goes on where it stood; one that is opened again stands there too."""
    bench = SandboxBench(symbols=("BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT"))
    names = ["BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT"]
    quantities = {"BTCUSDT": "0.01", "ETHUSDT": "1", "SOLUSDT": "1", "XRPUSDT": "10"}

    def told(**params: Any) -> tuple[list[str], str]:
        page = bench.ask(rest_account.positions, symbol=None, settleCoin="USDT", **params)
        return [row["symbol"] for row in page["list"]], page["nextPageCursor"]

    for name in reversed(names):
        buy(bench, quantities[name], symbol=name)
    assert told() == (names, "")
    for size in (1, 2, 3):
        first, cursor = told(limit=size)
        assert first == names[:size]
        gone = first[-1]
        bench.ask(create, side="Sell", orderType="Market", qty=quantities[gone], symbol=gone)
        assert told(cursor=cursor) == (names[size:], "")
        buy(bench, quantities[gone], symbol=gone)
        assert told(cursor=cursor) == (names[size:], "")
    assert told(cursor="nowhere") == ([], "")


def test_the_leverage_of_both_sides_is_one(bench: SandboxBench) -> None:
    """No change, out of range, and in portfolio margin have codes of their own."""
    bench.ask(rest_account.set_leverage, **BOTH)
    assert bench.venue.account.leverage(bench.exchange.desk("linear", "BTCUSDT").spec.market) == 7
    assert bench.refused(rest_account.set_leverage, **BOTH)[0] == 110043
    assert bench.refused(rest_account.set_leverage, buyLeverage="51", sellLeverage="51")[0] == 110013
    assert bench.refused(rest_account.set_leverage, buyLeverage="5", sellLeverage="6")[0] == 10001
    assert bench.refused(rest_account.set_leverage)[0] == 10001
    assert bench.refused(rest_account.set_leverage, category="spot", **BOTH)[0] == 10001
    bench.ask(rest_account.set_margin_mode, setMarginMode="PORTFOLIO_MARGIN")
    assert bench.refused(rest_account.set_leverage, buyLeverage="5", sellLeverage="5")[0] == 110038


def test_a_contract_that_is_in_use_keeps_its_mode(bench: SandboxBench) -> None:
    """Of a coin's all others change; one alone is refused. What is so already is no change."""
    switch = rest_account.switch_mode
    btc, eth = (bench.exchange.desk("linear", name).spec.market for name in ("BTCUSDT", "ETHUSDT"))
    assert bench.refused(switch, mode=0)[0] == 110025
    assert bench.refused(switch, mode=1)[0] == 10001
    bench.ask(create, side="Buy", orderType="Limit", qty="0.01", price="90000")
    assert bench.refused(switch, mode=3)[0] == 110024
    bench.ask(switch, symbol=None, coin="USDT", mode=3)
    assert bench.exchange.hedged == {eth}
    bench.venue.cancel_all(bench.now_ns, bench.venue.orders.open())
    bench.ask(switch, mode="3")
    assert bench.exchange.hedged == {btc, eth}
    assert bench.refused(switch, symbol=None, coin="USDT", mode=3)[0] == 110025
    bench.ask(switch, mode=0)
    assert bench.exchange.hedged == {eth}, "the one that is named, alone"
    buy(bench)
    assert bench.refused(switch, mode=3)[0] == 110024, "for what is held, too"
    bench.ask(switch, symbol=None, coin="USDT", mode=0)
    assert bench.exchange.hedged == set()


def test_a_stop_that_is_left_out_stays_and_nought_removes_it(bench: SandboxBench) -> None:
    """Of the whole position; others are not served."""
    stop = rest_account.trading_stop
    buy(bench)
    market = bench.exchange.desk("linear", "BTCUSDT").spec.market

    def stops() -> tuple[Any, Any]:
        return bench.venue.stop(market), bench.venue.target(market)

    bench.ask(stop, stopLoss="80000", takeProfit="99000")
    bench.ask(stop, stopLoss="81000")
    assert stops() == (D(81_000), D(99_000))
    bench.ask(stop, takeProfit="0", stopLoss="")
    assert stops() == (D(81_000), None)
    assert bench.refused(stop, stopLoss="81000")[0] == 34040
    assert bench.refused(stop, stopLoss="99000")[0] == 10001
    for other in ({"tpslMode": "Partial"}, {"trailingStop": "5"}):
        assert bench.refused(stop, stopLoss="82000", **other)[0] == 10001
    bench.ask(stop, stopLoss="82000", trailingStop="0", tpslMode="Full")
    assert stops() == (D(82_000), None)


# -------------------------------------------------------------------------------------------------------------- wallet
def test_the_wallet_is_the_unified_accounts(bench: SandboxBench) -> None:
    """There is no other."""
    (row,) = bench.ask(rest_account.wallet, accountType="UNIFIED")["list"]
    assert (row["accountType"], row["totalEquity"]) == ("UNIFIED", "100000")
    assert bench.refused(rest_account.wallet, accountType="CONTRACT")[0] == 10001


def test_the_margin_mode_is_told_as_it_was_set(bench: SandboxBench) -> None:
    """One that the venue does not have is refused."""
    modes = [bench.ask(rest_account.account_info)["marginMode"]]
    bench.ask(rest_account.set_margin_mode, setMarginMode="ISOLATED_MARGIN")
    modes.append(bench.ask(rest_account.account_info)["marginMode"])
    assert modes == ["REGULAR_MARGIN", "ISOLATED_MARGIN"]
    assert bench.refused(rest_account.set_margin_mode, setMarginMode="NO_MARGIN")[0] == 10001


def test_fees_are_those_that_fills_will_cost(bench: SandboxBench) -> None:
    """Of one market or of a category."""
    rates = {
        (category, row["symbol"]): (row["makerFeeRate"], row["takerFeeRate"])
        for category, symbol in (("linear", None), ("spot", "BTCUSDT"))
        for row in bench.ask(rest_account.fee_rate, category=category, symbol=symbol)["list"]
    }
    contract, pair = ("0.0002", "0.00055"), ("0.001", "0.001")
    assert rates == {("linear", "BTCUSDT"): contract, ("linear", "ETHUSDT"): contract, ("spot", "BTCUSDT"): pair}
    assert [row["symbol"] for row in bench.ask(rest_account.fee_rate, symbol="ETHUSDT")["list"]] == ["ETHUSDT"]


@pytest.mark.parametrize(("withdraws", "rights"), [(False, []), (True, ["Withdraw"])])
def test_a_key_says_what_it_may_do(withdraws: bool, rights: list[str]) -> None:
    """It trades; it withdraws only where it was made so."""
    told = SandboxBench(key_withdraws=withdraws, api_key="mine").ask(rest_account.query_api)
    assert (told["apiKey"], told["readOnly"], told["permissions"]["Wallet"]) == ("mine", 0, rights)
    assert told["permissions"]["ContractTrade"] == ["Order", "Position"]


def test_every_coin_has_a_chain(bench: SandboxBench) -> None:
    """Each once, or the one that was asked for."""
    told = [row["coin"] for row in bench.ask(rest_account.coin_info)["rows"]]
    assert told == ["USDT", "BTC", "ETH"]
    assert [row["coin"] for row in bench.ask(rest_account.coin_info, coin="ETH")["rows"]] == ["ETH"]
    assert bench.ask(rest_account.coin_info, coin="DOGE")["rows"] == []


# ----------------------------------------------------------------------------------------------------------------- log
def log(bench: SandboxBench, **params: Any) -> list[dict[str, Any]]:
    """Return lines of the transaction log."""
    lines: list[dict[str, Any]] = bench.ask(rest_account.transaction_log, **params)["list"]
    return lines


def moved(bench: SandboxBench, amount: str) -> int:
    """Have money moved; return when, in milliseconds."""
    bench.now_ns += 1_000_000
    bench.venue.transfer(D(amount), bench.now_ns)
    return bench.now_ns // 1_000_000


def test_the_log_is_told_newest_first_and_by_its_type(bench: SandboxBench) -> None:
    """A fill of a pair has two lines under one id, and they are on two pages where one row fits on each."""
    moved(bench, "5")
    buy(bench, "100", category="spot")
    moved(bench, "-1")
    assert [row["type"] for row in log(bench)] == ["TRANSFER_OUT", "TRADE", "TRADE", "TRANSFER_IN"]
    assert [row["type"] for row in log(bench, type="TRANSFER_IN")] == ["TRANSFER_IN"]
    assert [row["currency"] for row in log(bench, type="TRADE")] == ["BTC", "USDT"]
    seen, cursor = [], ""
    for _ in range(4):
        told = bench.ask(rest_account.transaction_log, limit=1, cursor=cursor)
        seen += [(row["type"], row["currency"]) for row in told["list"]]
        cursor = told["nextPageCursor"]
    assert (seen, cursor) == ([(row["type"], row["currency"]) for row in log(bench)], "")
    assert set(told) == {"list", "nextPageCursor"}
    assert "place" not in told["list"][0]


def test_the_log_is_of_a_day_or_of_the_span_that_was_asked_for() -> None:
    """Of seven days at most, both ends in it to the millisecond."""
    bench = SandboxBench(rate=0.01)  # days go by
    times = [moved(bench, "1")]
    bench.now_ns += 2 * DAY_MS * 1_000_000
    times.append(moved(bench, "2"))

    def amounts(**params: Any) -> list[str]:
        return [row["change"] for row in log(bench, **params)]

    assert amounts() == ["2"]
    assert amounts(startTime=times[0]) == ["1"]
    assert amounts(endTime=times[0]) == ["1"]
    assert amounts(startTime=times[0], endTime=times[1]) == ["2", "1"]
    assert amounts(startTime=times[0] + 1, endTime=times[1] - 1) == []
    week = 7 * DAY_MS
    assert amounts(startTime=times[1] - week, endTime=times[1]) == ["2", "1"]
    assert bench.refused(rest_account.transaction_log, startTime=times[1] - week - 1, endTime=times[1])[0] == 10001
