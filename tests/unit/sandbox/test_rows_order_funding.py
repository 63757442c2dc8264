"""Funding on the wire: a row of the execution list that is no trade."""

import asyncio
from decimal import Decimal

import aiohttp

from kangbot.sandbox.options import ServeOptions
from kangbot.sandbox.server import serve
from tests.support.sandbox_client import Client

D = Decimal


async def test_funding_is_told_as_an_execution_that_changes_no_position() -> None:
    """By stream and by REST; a positive fee is paid by the long."""
    options = ServeOptions(symbols=("BTCUSDT",), spot_symbols=(), history_minutes=5, funding_interval_s=1)
    async with await serve(options) as sandbox, aiohttp.ClientSession() as session:
        client = Client(sandbox, session)
        socket = await client.socket(sandbox.ws_private_url, "execution", login=True)
        await client.buy("kb1")
        async with asyncio.timeout(60):
            rows: list[dict[str, str]] = []
            while not rows:
                frame = await socket.receive_json(timeout=60)
                rows = [row for row in frame["data"] if row["execType"] == "Funding"]
        await client.aclose()
        (row,) = rows
        assert (row["side"], row["execQty"], row["closedSize"]) == ("Buy", "0.01", "0")
        assert D(row["execFee"]) == D(row["execQty"]) * D(row["execPrice"]) * D("0.0001")
        answer = await client.get("/v5/execution/list", "category=linear&execType=Funding")
        assert row["execId"] in {known["execId"] for known in answer["result"]["list"]}
        trades = await client.get("/v5/execution/list", "category=linear&execType=Trade")
        assert {known["orderLinkId"] for known in trades["result"]["list"]} == {"kb1"}
        until = f"category=linear&symbol=BTCUSDT&endTime={row['execTime']}"
        settled = (await client.get("/v5/market/funding/history", until))["result"]["list"]
        assert settled[0] == {"symbol": "BTCUSDT", "fundingRate": "0.0001", "fundingRateTimestamp": row["execTime"]}
        truth = await client.truth()
        assert truth["positions"] == {"BTCUSDT": "0.01"}
        assert truth["cash_flows"] >= 1
