"""Who listens to what, and a reader that is too slow."""

import asyncio

from structlog.testing import capture_logs

from kangbot.sandbox.hub import Hub
from tests.support.sandbox_bench import Heard
from tests.support.sandbox_client import Client

FRAME = b'{"data":[]}'


def test_a_frame_reaches_those_who_listen_to_its_topic_and_stream() -> None:
    """Of one name there may be a topic in each stream; a listener is told once, however often it subscribed."""
    hub, one, two, other = Hub(), Heard(), Heard(), Heard()
    hub.add("linear", "tickers.BTCUSDT", one)
    hub.add("linear", "tickers.BTCUSDT", one)
    hub.add("linear", "tickers.BTCUSDT", two)
    hub.add("spot", "tickers.BTCUSDT", other)
    hub.publish("linear", "tickers.BTCUSDT", FRAME)
    hub.publish("linear", "tickers.ETHUSDT", FRAME)
    assert [len(listener.frames) for listener in (one, two, other)] == [1, 1, 0]
    assert hub.topics() == [("linear", "tickers.BTCUSDT"), ("spot", "tickers.BTCUSDT")]


def test_a_topic_is_wanted_until_the_last_one_has_left_it() -> None:
    """Whoever was not there can leave as well."""
    hub, one, two = Hub(), Heard(), Heard()
    hub.remove("linear", "t", one)
    hub.add("linear", "t", one)
    hub.add("linear", "t", two)
    hub.remove("linear", "t", one)
    hub.remove("linear", "t", one)
    assert hub.wanted("linear", "t")
    hub.publish("linear", "t", FRAME)
    assert (len(one.frames), len(two.frames)) == (0, 1)
    hub.remove("linear", "t", two)
    assert not hub.wanted("linear", "t")
    assert hub.topics() == []


async def test_a_reader_that_is_too_far_behind_is_cut(client: Client) -> None:
    """As the venue does it: also while the writer itself waits for the socket, and it is said once."""
    await client.socket(client.sandbox.ws_public_url, "publicTrade.ETHUSDT")
    (session,) = client.sandbox._streams.sessions
    frame = b'{"topic":"x","data":"' + b"x" * 60_000 + b'"}'
    with capture_logs() as logs:
        for _ in range(1000):  # more than any buffer between the two holds
            session.push(frame)
        await asyncio.sleep(0.2)
        for _ in range(41_500):  # and who is cut already is not cut again
            session.push(frame)
        async with asyncio.timeout(120):
            while (await client.truth())["sockets"]:
                await asyncio.sleep(0.01)
    assert [line["connection"] for line in logs if line["event"] == "sandbox.slow_reader"] == [session.conn_id]
