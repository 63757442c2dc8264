"""What is asked about orders and executions: which ones, in which order, and of which time."""

from typing import Any

import pytest

from kangbot.sandbox.rest_query import executions, history, realtime
from kangbot.sandbox.rest_trade import cancel, create
from tests.support.sandbox_bench import Answer, SandboxBench


@pytest.fixture
def bench() -> SandboxBench:
    """An exchange without an order."""
    return SandboxBench()


def rest(bench: SandboxBench, name: str, **terms: Any) -> int:
    """Have an order rest; return when it came, in milliseconds."""
    asked = {"side": "Buy", "orderType": "Limit", "qty": "0.01", "price": "90000", "orderLinkId": name, **terms}
    bench.ask(create, **asked)
    return bench.now_ns // 1_000_000


def fill(bench: SandboxBench, name: str, **terms: Any) -> int:
    """Have one be filled; return when."""
    asked = {"side": "Buy", "orderType": "Market", "qty": "0.01", "orderLinkId": name, **terms}
    bench.ask(create, **asked)
    return bench.now_ns // 1_000_000


def names(bench: SandboxBench, answer: Answer, **params: Any) -> list[str]:
    """Return the client ids that are told."""
    return [row["orderLinkId"] for row in bench.ask(answer, **params)["list"]]


# -------------------------------------------------------------------------------------------------------------- orders
def test_open_orders_are_told_newest_first(bench: SandboxBench) -> None:
    """Of whatever market; those that ended are not among them."""
    rest(bench, "kb1")
    bench.ask(create, symbol="ETHUSDT", side="Buy", orderType="Limit", qty="1", price="3000.00", orderLinkId="kb2")
    rest(bench, "kb3")
    rest(bench, "kb4")
    bench.ask(cancel, orderLinkId="kb3")
    assert names(bench, realtime, symbol=None, settleCoin="USDT") == ["kb4", "kb2", "kb1"]
    assert names(bench, realtime) == ["kb4", "kb1"]
    assert names(bench, realtime, symbol=None, baseCoin="ETH") == ["kb2"]
    assert names(bench, realtime, category="spot", symbol=None) == []


def test_an_order_that_ends_between_two_pages_takes_no_other_with_it(bench: SandboxBench) -> None:
    """The next page goes on where it stood, among those of another market and those of the same moment too."""
    for number in range(4):
        rest(bench, f"kb{number}")
        bench.now_ns -= 1_000_000  # the next one comes at once
        rest(bench, f"kc{number}", symbol="ETHUSDT", qty="1", price="3000.00")
    everything = {"symbol": None, "settleCoin": "USDT"}
    whole = names(bench, realtime, **everything)
    assert len(whole) == 8
    for size in range(1, 8):
        first = bench.ask(realtime, **everything, limit=size)
        at = first["list"][-1]
        assert names(bench, realtime, **everything, cursor=first["nextPageCursor"]) == whole[size:], "each once"
        bench.ask(cancel, symbol=at["symbol"], orderId=at["orderId"])
        assert names(bench, realtime, **everything, cursor=first["nextPageCursor"]) == whole[size:]
        assert names(bench, realtime, **everything, cursor="nowhere") == []
        whole.remove(at["orderLinkId"])
        rest(bench, f"kd{size}")
        whole.insert(0, f"kd{size}")


def test_who_asks_for_contracts_says_which(bench: SandboxBench) -> None:
    """By symbol or by a coin; an id alone is enough, and pairs need nothing."""
    code, words = bench.refused(realtime, symbol=None)
    assert (code, words.startswith("Missing some parameters")) == (10001, True)
    rest(bench, "kb1")
    assert names(bench, realtime, symbol=None, orderLinkId="kb1") == ["kb1"]
    assert bench.refused(realtime, category="option", settleCoin="USDT")[0] == 10001


def test_an_order_that_ended_lately_is_found_by_its_id_or_where_it_is_asked_for(bench: SandboxBench) -> None:
    """Beside those that are open; the history has those alone that ended."""
    rest(bench, "kb1")
    rest(bench, "kb2")
    ended = bench.ask(cancel, orderLinkId="kb1")["orderId"]
    assert (names(bench, realtime), names(bench, realtime, openOnly=1)) == (["kb2"], ["kb2", "kb1"])
    assert (names(bench, realtime, orderId=ended), names(bench, history, orderId=ended)) == (["kb1"], ["kb1"])
    assert names(bench, realtime, orderLinkId="kb1") == ["kb1"]
    assert (names(bench, history), names(bench, history, orderLinkId="kb2")) == (["kb1"], [])
    assert names(bench, history, orderLinkId="kb1") == ["kb1"]
    assert names(bench, realtime, orderLinkId="nobody") == []


def test_an_order_of_another_market_is_not_the_one_that_was_asked_for(bench: SandboxBench) -> None:
    """Though its id is right."""
    rest(bench, "kb1")
    assert names(bench, realtime, symbol="ETHUSDT", orderLinkId="kb1") == []
    assert names(bench, realtime, category="spot", orderLinkId="kb1") == []
    bench.ask(cancel, orderLinkId="kb1")
    assert names(bench, history, symbol="ETHUSDT") == names(bench, history, category="spot", symbol=None) == []
    assert names(bench, history, symbol="ETHUSDT", orderLinkId="kb1") == []


def test_the_history_may_be_of_one_status(bench: SandboxBench) -> None:
    """In the words of the category."""
    rest(bench, "kb1")
    bench.ask(cancel, orderLinkId="kb1")
    fill(bench, "kb2")
    assert (names(bench, history, orderStatus="Filled"), names(bench, history, orderStatus="Cancelled")) == (
        ["kb2"],
        ["kb1"],
    )
    assert names(bench, history) == ["kb2", "kb1"]


def test_orders_that_wait_for_a_price_are_chosen_by_the_filter(bench: SandboxBench) -> None:
    """Or left out by it."""
    rest(bench, "kb1")
    rest(bench, "kb2", triggerPrice="99000", triggerDirection=1)
    chosen = [names(bench, realtime, orderFilter=word) for word in ("Order", "StopOrder", "tpslOrder", "")]
    assert chosen == [["kb1"], ["kb2"], ["kb2"], ["kb2", "kb1"]]


def test_a_span_of_time_has_what_came_within_both_its_ends(bench: SandboxBench) -> None:
    """To the millisecond: an order that is told to have come just then is in it."""
    times = [rest(bench, f"kb{number}") for number in (1, 2, 3)]
    assert names(bench, realtime, startTime=times[1]) == ["kb3", "kb2"]
    assert names(bench, realtime, endTime=times[1]) == ["kb2", "kb1"]
    assert names(bench, realtime, startTime=times[1], endTime=times[1]) == ["kb2"]
    assert names(bench, realtime, startTime=times[2] + 1) == []


# ---------------------------------------------------------------------------------------------------------- executions
def test_executions_are_told_newest_first_and_by_what_they_belong_to(bench: SandboxBench) -> None:
    """An order, a market, a coin, or their kind."""
    fill(bench, "kb1")
    fill(bench, "kb2", symbol="ETHUSDT", qty="1")
    fill(bench, "kb3", category="spot", qty="100")
    bench.venue.fund(bench.exchange.desk("linear", "BTCUSDT").spec.market, bench.venue.spec.balance, bench.now_ns)
    everything = {"symbol": None}
    assert names(bench, executions, **everything) == ["", "kb2", "kb1"]
    assert names(bench, executions, category="spot", symbol=None) == ["kb3"]
    assert names(bench, executions, symbol="ETHUSDT") == ["kb2"]
    assert names(bench, executions, **everything, baseCoin="BTC") == ["", "kb1"]
    assert names(bench, executions, **everything, orderLinkId="kb2") == ["kb2"]
    assert names(bench, executions, **everything, execType="Funding") == [""]
    assert names(bench, executions, **everything, execType="Trade") == ["kb2", "kb1"]
    assert bench.refused(executions, category="inverse")[0] == 10001


def test_executions_of_a_span_are_those_within_both_its_ends(bench: SandboxBench) -> None:
    """Who asks until the time of an execution has it: windows that touch lose nothing between them."""
    times = [fill(bench, f"kb{number}") for number in (1, 2, 3)]
    assert names(bench, executions, startTime=times[1]) == ["kb3", "kb2"]
    assert names(bench, executions, endTime=times[1]) == ["kb2", "kb1"]
    assert names(bench, executions, startTime=times[1], endTime=times[1]) == ["kb2"]
    assert names(bench, executions, endTime=times[0] - 1) == []
