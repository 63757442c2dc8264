"""Who looks at the daemon in `benchmarks/control.py`: listeners on `/stream`, questions to `/health` at a steady rate.

A process of its own, so that its work is not the daemon's. Each of the connections that ask keeps a beat; one that is
late asks again at once, so that the rate is made up where the daemon can follow. Prints one line of JSON once everybody
listens, and one at the end.

    python -m benchmarks.audience --url URL --token-file FILE --listeners 200 --rate 1000 --seconds 30
"""

import argparse
import asyncio
import json
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import ClientSession, ClientWebSocketResponse, TCPConnector, WSMsgType

_ASKING = 20  # connections


@dataclass(slots=True, kw_only=True)
class Heard:
    """What came back."""

    messages: int = 0
    gone: int = 0  # listeners that were dropped
    unexpected: int = 0  # answers that were neither 200 nor 503
    took_ms: list[float] = field(default_factory=list)

    def share_ms(self, share: float) -> float:
        """Return the answer time below which `share` of the answers came."""
        return round(sorted(self.took_ms)[int(len(self.took_ms) * share)], 2)


async def listen(socket: ClientWebSocketResponse, heard: Heard) -> None:
    """Count messages until the end."""
    async for message in socket:
        if message.type is not WSMsgType.TEXT:
            break
        heard.messages += 1
    heard.gone += 1


async def ask(session: ClientSession, due_s: float, beat_s: float, until_s: float, heard: Heard) -> None:
    """Ask for `/health` at a steady beat, first at `due_s`."""
    while (now_s := time.monotonic()) < until_s:
        if due_s > now_s:
            await asyncio.sleep(due_s - now_s)
        due_s += beat_s
        began = time.perf_counter()
        async with session.get("/health") as answer:
            await answer.read()
        heard.took_ms.append((time.perf_counter() - began) * 1e3)
        heard.unexpected += answer.status not in (200, 503)


async def attend(arguments: argparse.Namespace) -> Heard:
    """Listen and ask for as long as is wanted."""
    heard = Heard()
    headers = {"Authorization": f"Bearer {arguments.token_file.read_text().strip()}"}
    async with AsyncExitStack() as stack:
        connector = TCPConnector(limit=0)
        session = await stack.enter_async_context(ClientSession(arguments.url, headers=headers, connector=connector))
        listening = []
        for _ in range(arguments.listeners):
            socket = await stack.enter_async_context(session.ws_connect("/stream"))
            listening.append(asyncio.ensure_future(listen(socket, heard)))
        print(json.dumps({"listening": len(listening)}), flush=True)
        began_s = time.monotonic()
        until_s = began_s + arguments.seconds
        beat_s = _ASKING / arguments.rate
        starts_s = (
            began_s + number * beat_s / _ASKING for number in range(_ASKING)
        )  # one after the other, not all at once
        await asyncio.gather(*(ask(session, due_s, beat_s, until_s, heard) for due_s in starts_s))
        for one in listening:
            one.cancel()
    return heard


def main() -> None:
    """Attend, and print what was heard."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--token-file", type=Path, required=True)
    parser.add_argument("--listeners", type=int, required=True)
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    arguments = parser.parse_args()
    heard = asyncio.run(attend(arguments))
    said = {
        "answers_per_second": round(len(heard.took_ms) / arguments.seconds),
        "answer_ms": {"p50": heard.share_ms(0.5), "p99": heard.share_ms(0.99)},
        "unexpected_answers": heard.unexpected,
        "messages_per_second": round(heard.messages / arguments.seconds),
        "listeners_dropped": heard.gone,
    }
    print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
