"""The stop beside a spot holding, on Bybit's wire: what leaves, and what comes of answers at the wrong moment."""

from decimal import Decimal
from typing import Any

import pytest

from kangbot.errors import NotFound, Refused, Retryable
from kangbot.model.ids import STOP_ATTEMPTS, client_id, stop_id
from tests.support.bybit_rest import BTC, SPOT, bybit, refusal, rows
from tests.support.loopback import Request

CREATE, AMEND, CANCEL = "/v5/order/create", "/v5/order/amend", "/v5/order/cancel"
REALTIME, HISTORY, FILLS = "/v5/order/realtime", "/v5/order/history", "/v5/execution/list"
TICKERS = "/v5/market/tickers"

ORDER = client_id("abcdefgh", 1)
NAME = stop_id(ORDER, 0)
PLACED = {
    "symbol": "BTCUSDT",
    "side": "Sell",
    "orderType": "Market",
    "orderFilter": "StopOrder",
    "orderLinkId": NAME,
    "category": "spot",
    "marketUnit": "baseCoin",
    "qty": "0.01",
    "triggerPrice": "24000",
}
WHERE = {"category": "spot", "symbol": "BTCUSDT"}
DUPLICATE = refusal(170141, "Duplicate clientOrderId")


def row(**changes: Any) -> dict[str, Any]:
    """Return a stop of ours as it rests, with these fields changed."""
    return {
        "symbol": "BTCUSDT",
        "orderId": "1321003749386327552",
        "orderLinkId": NAME,
        "side": "Sell",
        "orderStatus": "Untriggered",
        "qty": "0.01",
        "stopOrderType": "Stop",
        "triggerPrice": "24000",
        "triggerDirection": 2,
        "updatedTime": "1684738540561",
    } | changes


def accepted(_: Request) -> dict[str, str]:
    return {"orderId": "1321003749386327552", "orderLinkId": NAME}


def world(*resting: dict[str, Any], **answers: Any) -> dict[str, Any]:
    """Return a venue where these orders rest."""
    paths: dict[str, Any] = {REALTIME: lambda _: rows(*resting), TICKERS: lambda _: rows({"lastPrice": "25000"})}
    named = {"create": CREATE, "amend": AMEND, "cancel": CANCEL, "history": HISTORY, "fills": FILLS, "tickers": TICKERS}
    return paths | {named[name]: answer for name, answer in answers.items()}


async def test_a_fresh_stop_is_one_request() -> None:
    """A conditional order, which occupies nothing until it is triggered."""
    async with bybit(world(create=accepted)) as venue:
        assert await venue.venue.cover(SPOT, Decimal(24000), Decimal("0.01"), ORDER, fresh=True) == NAME
        (request,) = venue.asked()
        assert request.json() == PLACED


async def test_a_fresh_stop_that_exists_already_is_found() -> None:
    """An earlier life placed it and heard nothing."""
    async with bybit(world(row(), create=DUPLICATE)) as venue:
        assert await venue.venue.cover(SPOT, Decimal(24000), Decimal("0.01"), ORDER, fresh=True) == NAME
        assert [request.path for request in venue.asked()] == [CREATE, REALTIME]


@pytest.mark.parametrize(
    ("resting", "changed"),
    [
        (row(), None),
        (row(qty="0.02"), {"qty": "0.01"}),
        (row(triggerPrice="23000"), {"triggerPrice": "24000"}),
        (row(triggerPrice="23000", qty="0.02"), {"triggerPrice": "24000", "qty": "0.01"}),
    ],
)
async def test_a_stop_that_rests_is_amended_in_what_differs(
    resting: dict[str, Any], changed: dict[str, str] | None
) -> None:
    """Its id stays; nothing is sent where nothing differs."""
    async with bybit(world(resting, amend=accepted)) as venue:
        assert await venue.venue.cover(SPOT, Decimal(24000), Decimal("0.01"), ORDER, fresh=False) == NAME
        sent = [request.json() for request in venue.asked(AMEND)]
        assert sent == ([] if changed is None else [WHERE | {"orderLinkId": NAME} | changed])


async def test_an_amendment_that_changes_nothing_is_done() -> None:
    """The list was behind."""
    async with bybit(world(row(qty="0.02"), amend=refusal(10001, "order not modified"))) as venue:
        assert await venue.venue.cover(SPOT, Decimal(24000), Decimal("0.01"), ORDER, fresh=False) == NAME


async def test_a_market_without_a_price_refuses_nothing() -> None:
    """An empty answer is no answer: a refusal would have the holding sold."""
    async with bybit(world(create=accepted, tickers=lambda _: rows())) as venue:
        with pytest.raises(Retryable):
            await venue.venue.cover(SPOT, Decimal(24000), Decimal("0.01"), ORDER, fresh=False)
        assert venue.asked(CREATE) == []


async def test_a_stop_that_is_being_executed_is_left_alone() -> None:
    """What it sells is not known yet."""
    async with bybit(world(row(orderStatus="PartiallyFilled", qty="0.02"))) as venue:
        with pytest.raises(Retryable):
            await venue.venue.cover(SPOT, Decimal(24000), Decimal("0.01"), ORDER, fresh=False)


async def test_only_one_stop_stays_and_none_that_waits_for_a_rise() -> None:
    """Others' orders are none of ours: by hand, by another journal, or an order itself."""
    second = stop_id(ORDER, 1)
    others = [row(orderLinkId=name) for name in ("", "kbabcdefgh1", stop_id(client_id("another1", 1), 0))]
    wrong = row(orderLinkId=stop_id(ORDER, 2), triggerDirection=1)
    async with bybit(world(wrong, *others, row(), row(orderLinkId=second), cancel=accepted)) as venue:
        assert await venue.venue.cover(SPOT, Decimal(24000), Decimal("0.01"), ORDER, fresh=False) == NAME
        gone = [request.json() for request in venue.asked(CANCEL)]
        assert gone == [
            WHERE | {"orderFilter": "StopOrder", "orderLinkId": name} for name in (stop_id(ORDER, 2), second)
        ]


async def test_removing_takes_away_all_of_ours() -> None:
    """One that has ended meanwhile is gone."""
    async with bybit(world(row(), cancel=refusal(170213, "Order does not exist."))) as venue:
        assert await venue.venue.cover(SPOT, None, Decimal(0), ORDER, fresh=True) is None
        assert len(venue.asked(CANCEL)) == 1


async def test_a_stop_at_the_price_is_refused_before_it_leaves() -> None:
    """Bybit would take it for an order that waits for a rise."""
    for resting in ([], [row(triggerPrice="23000")]):
        async with bybit(world(*resting, tickers=lambda _: rows({"lastPrice": "24000"}))) as venue:
            with pytest.raises(Refused, match="not below the last price 24000"):
                await venue.venue.cover(SPOT, Decimal(24000), Decimal("0.01"), ORDER, fresh=False)
            assert not venue.asked(CREATE) + venue.asked(AMEND)


async def test_an_id_that_is_used_up_gives_way_to_the_next() -> None:
    """The first stop beside this holding was cancelled by somebody."""

    def create(request: Request) -> Any:
        return DUPLICATE if request.json()["orderLinkId"] == NAME else accepted(request)

    def known(request: Request) -> Any:
        return rows(*([row(orderStatus="Cancelled")] if request.query.get("orderLinkId") == NAME else []))

    async with bybit(world(create=create, history=known) | {REALTIME: known}) as venue:
        name = await venue.venue.cover(SPOT, Decimal(24000), Decimal("0.01"), ORDER, fresh=False)
        assert name == stop_id(ORDER, 1)


@pytest.mark.parametrize("known", [[], [row()]])
async def test_a_list_that_is_behind_is_asked_again(known: list[dict[str, Any]]) -> None:
    """The id is used, and what bears it is open or not shown at all yet: nothing more is placed."""

    def realtime(request: Request) -> Any:
        return rows(*(known if "orderLinkId" in request.query else []))

    answers = world(create=DUPLICATE, history=lambda _: rows(), fills=lambda _: rows())
    async with bybit(answers | {REALTIME: realtime}) as venue:
        with pytest.raises(Retryable, match="behind"):
            await venue.venue.cover(SPOT, Decimal(24000), Decimal("0.01"), ORDER, fresh=False)
        assert len(venue.asked(CREATE)) == 1


async def test_a_stop_that_always_ends_is_refused_at_last() -> None:
    """Each id serves once."""

    def realtime(request: Request) -> Any:
        name = request.query.get("orderLinkId")
        return rows(*([row(orderLinkId=name, orderStatus="Cancelled")] if name else []))

    async with bybit(world(create=DUPLICATE) | {REALTIME: realtime}) as venue:
        with pytest.raises(Refused, match="has ended 36 times"):
            await venue.venue.cover(SPOT, Decimal(24000), Decimal("0.01"), ORDER, fresh=False)
        assert len(venue.asked(CREATE)) == STOP_ATTEMPTS


async def test_a_contract_has_a_stop_of_its_own() -> None:
    """Nothing leaves."""
    async with bybit({}) as venue:
        with pytest.raises(Refused):
            await venue.venue.cover(BTC, Decimal(24000), Decimal("0.01"), ORDER, fresh=True)
        assert venue.asked() == []


async def test_a_stop_is_cancelled_as_what_it_is() -> None:
    """Without its kind Bybit does not find it."""
    async with bybit({CANCEL: refusal(170213, "Order does not exist.")}) as venue:
        with pytest.raises(NotFound):
            await venue.venue.cancel(SPOT, NAME)
        assert venue.asked()[0].json() == WHERE | {"orderFilter": "StopOrder", "orderLinkId": NAME}
