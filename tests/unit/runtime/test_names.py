"""Lookups of names that are slow, silent and wrong: the resolver's answers are held back by the test."""

import asyncio
import socket

import pytest

from kangbot.runtime.names import Found, Names

HOST, PORT = "venue.test", 443


class Slow:
    """A resolver that answers when it is told to, and has counted how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.says: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def __call__(self, _host: str, _port: int) -> str:
        self.asked += 1
        return await self.says

    def again(self) -> None:
        """Be silent from now on."""
        self.says = asyncio.get_running_loop().create_future()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take a resolver for silent soon."""
    monkeypatch.setattr("kangbot.runtime.names._SILENT_S", 0.02)


async def test_those_who_ask_at_once_share_a_lookup() -> None:
    """And each has its answer."""
    resolver = Slow()
    names = Names("test", resolver)
    asking = [asyncio.ensure_future(names.find(HOST, PORT)) for _ in range(3)]
    await asyncio.sleep(0)
    resolver.says.set_result("there")
    assert [await one for one in asking] == [Found("there", now=True)] * 3
    assert resolver.asked == 1
    await names.aclose()


async def test_a_lookup_goes_on_when_nobody_waits_for_it_any_more() -> None:
    """The next one to ask is told what it found, without a resolver that answers."""
    resolver = Slow()
    names = Names("test", resolver)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await names.find(HOST, PORT)
    resolver.says.set_result("there")
    await asyncio.sleep(0)
    resolver.again()
    assert await names.find(HOST, PORT) == Found("there", now=False)
    assert await names.find(HOST, PORT) == Found("there", now=False)
    assert resolver.asked == 2
    await names.aclose()


async def test_what_the_resolver_says_now_goes_before_what_it_said() -> None:
    """Also where it said so after it was silent for a while: a host may have moved."""
    resolver = Slow()
    names = Names("test", resolver)
    resolver.says.set_result("there")
    await names.find(HOST, PORT)
    resolver.again()
    assert await names.find(HOST, PORT) == Found("there", now=False)
    resolver.says.set_result("elsewhere")
    await asyncio.sleep(0)
    assert await names.find(HOST, PORT) == Found("elsewhere", now=True)
    resolver.again()
    assert (await names.find(HOST, PORT)).answer == "elsewhere"
    await names.aclose()


async def test_an_error_is_an_answer() -> None:
    """A name that is refused is not known by what it was; the next one to ask has it looked up again."""
    resolver = Slow()
    names = Names("test", resolver)
    resolver.says.set_result("there")
    await names.find(HOST, PORT)
    resolver.again()
    resolver.says.set_exception(socket.gaierror(socket.EAI_NONAME, "Name or service not known"))
    with pytest.raises(socket.gaierror, match="not known"):
        await names.find(HOST, PORT)
    resolver.again()
    resolver.says.set_result("there again")
    assert await names.find(HOST, PORT) == Found("there again", now=True)
    await names.aclose()


async def test_each_name_is_its_own() -> None:
    """By host and port."""

    async def echo(host: str, port: int) -> str:
        return f"{host}:{port}"

    names = Names("test", echo)
    assert [(await names.find(host, port)).answer for host in ("a", "b") for port in (1, 2)] == [
        "a:1",
        "a:2",
        "b:1",
        "b:2",
    ]
    await names.aclose()


async def test_closing_waits_for_no_resolver() -> None:
    """One that hangs would hold up the end."""
    resolver = Slow()
    names = Names("test", resolver)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await names.find(HOST, PORT)
    async with asyncio.timeout(60):
        await names.aclose()
        await names.aclose()
    assert resolver.says.cancelled()
