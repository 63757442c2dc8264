"""Commands from Telegram, over real HTTP against a Bot API on loopback."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from kangbot.control.chat import telegram
from kangbot.control.chat.telegram import Telegram
from kangbot.logs.masking import Masker
from kangbot.runtime.world import SECOND_NS, Clock, World
from tests.support.feed_words import until
from tests.support.telegram import TOKEN, BotApi, bot_api

OURS, FOREIGN = 7, 8
YEAR = f"Mon, 01 Jan {10**20} 00:00:00 GMT"  # beyond every calendar


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    """A Bot API."""
    async with bot_api() as one:
        yield one


@asynccontextmanager
async def listening(
    api: BotApi,
    heard: list[tuple[str, str]],
    *,
    token: str = TOKEN,
    told: Callable[[], None] = lambda: None,
    ahead_s: int = 0,
) -> AsyncIterator[None]:
    """Listen for as long as the block lasts; `told` is called when a line is obeyed. `ahead_s`: our clock is wrong."""

    async def answer(line: str, caller: str) -> str:
        told()
        heard.append((line, caller))
        return f"did {line}"

    world = World(clock=Clock().shifted(ahead_s * SECOND_NS), seed=b"telegram")
    task = asyncio.create_task(Telegram(world, url=api.url, token=token, chats=[OURS], answer=answer).run())
    try:
        yield
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_line_of_our_chat_is_obeyed_and_answered(api: BotApi) -> None:
    """In the name of the chat and of who wrote it."""
    heard: list[tuple[str, str]] = []
    async with listening(api, heard):
        api.write(OURS, "/status")
        api.write(OURS, "good morning")  # no command: nobody is answered
        api.write(OURS, "/stopall")
        await api.until_sent(2)
    assert heard == [("/status", "telegram chat 7 (ann)"), ("/stopall", "telegram chat 7 (ann)")]
    assert api.sent == [(OURS, "did /status"), (OURS, "did /stopall")]


async def test_an_answer_that_is_too_long_for_one_message_comes_in_several_of_whole_lines(api: BotApi) -> None:
    """The positions of a hundred markets: one that is left out is taken for none, a stop that is cut for another."""
    lines = [f"A{number}/USDT +2 from 10.5, +0.00, stop 98765.25" for number in range(200)]
    async with listening(api, []):
        api.write(OURS, "\n".join(["/positions", *lines, "x" * 5000]))
        await api.until_sent(5)
    texts = [text for _, text in api.sent]
    assert max(map(len, texts)) <= 4096
    assert "\n".join(texts).splitlines() == ["did /positions", *lines, "x" * 4000, "x" * 1000]


async def test_a_message_of_an_unknown_form_holds_up_none_behind_it(api: BotApi) -> None:
    """It is asked for again until it is confirmed: nothing would ever be heard again."""
    heard: list[tuple[str, str]] = []
    with capture_logs() as logs:
        async with listening(api, heard):
            api.write(OURS, ["/start"])
            api.write(OURS, "/kill")
            await api.until_sent(1)
    assert heard == [("/kill", "telegram chat 7 (ann)")]
    assert [line["update"] for line in logs if line["event"] == "telegram.unread"] == [101]


async def test_a_stranger_gets_no_answer_and_stands_in_the_log_once(api: BotApi) -> None:
    """That is how a person learns the id of their own chat; a flood does not fill the disk."""
    heard: list[tuple[str, str]] = []
    with capture_logs() as logs:
        async with listening(api, heard):
            api.write(FOREIGN, "/kill flatten")
            api.write(FOREIGN, "/startall")
            api.write(OURS, "/status")
            await api.until_sent(1)
    assert [line for line, _ in heard] == ["/status"]
    assert [chat for chat, _ in api.sent] == [OURS]
    assert [(log["event"], log["chat"]) for log in logs] == [("telegram.stranger", FOREIGN)]


async def test_a_line_that_waited_for_a_daemon_is_not_obeyed(api: BotApi) -> None:
    """What was right before the daemon went may be wrong when it is back; the answer says so."""
    heard: list[tuple[str, str]] = []
    api.write(OURS, "/startall", age_s=telegram.FRESH_S + 30)
    async with listening(api, heard):
        await api.until_sent(1)
    assert heard == []
    assert "not obeyed" in api.sent[0][1]


@pytest.mark.parametrize("ahead_s", [3600, -3600])
async def test_a_wrong_clock_of_ours_makes_no_line_old(api: BotApi, ahead_s: int) -> None:
    """Telegram stamps the lines, so its answers tell how old they are: `/kill` works from where no time is kept."""
    heard: list[tuple[str, str]] = []
    async with listening(api, heard, ahead_s=ahead_s):
        api.write(OURS, "/kill")
        await api.until_sent(1)
    assert [line for line, _ in heard] == ["/kill"]


async def test_a_clock_that_stood_still_makes_no_line_fresh(api: BotApi) -> None:
    """A machine that slept for an hour: what was written meanwhile waited for it as for a daemon that was down."""
    heard: list[tuple[str, str]] = []
    api.write(OURS, "/startall", age_s=telegram.FRESH_S + 30)
    async with listening(api, heard, ahead_s=-3600):
        await api.until_sent(1)
    assert heard == []
    assert "not obeyed" in api.sent[0][1]


@pytest.mark.parametrize("date", ["noon", YEAR])
async def test_an_answer_that_tells_no_time_is_judged_by_our_clock(api: BotApi, date: str) -> None:
    """A Bot API server of somebody's own may be behind a proxy that writes what it likes."""
    heard: list[tuple[str, str]] = []
    api.date = date
    api.write(OURS, "/startall", age_s=telegram.FRESH_S + 30)
    async with listening(api, heard):
        await api.until_sent(1)
        api.write(OURS, "/status")
        await api.until_sent(2)
    assert [line for line, _ in heard] == ["/status"]


async def test_a_line_is_confirmed_before_it_is_obeyed(api: BotApi) -> None:
    """A daemon that dies while it obeys is not given the same line again."""
    heard: list[tuple[str, str]] = []
    left: list[int] = []
    async with listening(api, heard, told=lambda: left.append(api.unconfirmed)):
        api.write(OURS, "/startall")
        await api.until_sent(1)
    assert left == [0]


@pytest.mark.parametrize("status", [502, 429])
async def test_a_line_whose_confirmation_fails_is_obeyed_once(
    api: BotApi, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """`/kill` is not lost to a fault of Telegram's, nor to a way that breaks at that moment; nor given twice."""
    monkeypatch.setattr(telegram, "_FIRST_NS", SECOND_NS // 100)
    heard: list[tuple[str, str]] = []
    async with listening(api, heard):
        await until(lambda: api.calls == ["getUpdates"])
        api.refuse = [(status, {"ok": False}), (status, {"ok": False})]
        api.write(OURS, "/kill")
        api.write(OURS, "/status")
        await api.until_sent(2)
        api.write(OURS, "/positions")
        await api.until_sent(3)
    assert [line for line, _ in heard] == ["/kill", "/status", "/positions"]
    assert api.unconfirmed == 0


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (401, {"ok": False, "description": "Unauthorized"}, "does not know this token"),
        (409, {"ok": False, "description": "Conflict"}, "another program listens"),
        (429, {"ok": False, "parameters": {"retry_after": 1}}, "less often"),
        (502, {}, "a fault of its own"),
        (200, {"nonsense": True}, "does not answer"),
    ],
)
async def test_a_refusal_is_told_once_and_listening_goes_on(
    api: BotApi, monkeypatch: pytest.MonkeyPatch, status: int, body: dict[str, object], reason: str
) -> None:
    """Whatever Telegram answers, the next line is heard; the log has one line when it goes and one when it is back."""
    monkeypatch.setattr(telegram, "_FIRST_NS", 1_000_000)
    monkeypatch.setattr(telegram, "_CEILING_NS", 2_000_000)
    api.refuse = [(status, body)] * 2
    heard: list[tuple[str, str]] = []
    with capture_logs() as logs:
        async with listening(api, heard):
            api.write(OURS, "/status")
            await api.until_sent(1)
    assert [log["event"] for log in logs] == ["telegram.away", "telegram.back"]
    assert reason in logs[0]["reason"]
    assert Masker().text(logs[0]["reason"]) == logs[0]["reason"]  # no word of it looks like a secret


@pytest.mark.parametrize(
    ("refusals", "least_s"),
    [
        ([(502, {})] * 3, 0.05 + 0.1 + 0.2),
        ([(429, {"ok": False, "parameters": {"retry_after": 1}})], 1.0),
    ],
    ids=["ever more rarely", "for as long as it asks"],
)
async def test_a_telegram_that_refuses_is_left_alone(
    api: BotApi, monkeypatch: pytest.MonkeyPatch, refusals: list[tuple[int, dict[str, object]]], least_s: float
) -> None:
    """Whoever asks it again at once is shut out by it, for hours; half of each wait is certain."""
    monkeypatch.setattr(telegram, "_FIRST_NS", SECOND_NS // 10)
    api.refuse = refusals
    began_s = asyncio.get_running_loop().time()
    async with listening(api, []):
        api.write(OURS, "/status")
        await api.until_sent(1)
    assert asyncio.get_running_loop().time() - began_s >= least_s


async def test_a_way_that_breaks_ends_no_listening(api: BotApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that is closed over a question, as proxies do."""
    monkeypatch.setattr(telegram, "_FIRST_NS", SECOND_NS // 100)
    async with await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0) as broken:
        api.url = f"http://127.0.0.1:{broken.sockets[0].getsockname()[1]}"
        with capture_logs() as logs:
            async with listening(api, []):
                await until(lambda: bool(logs))
                await asyncio.sleep(0.05)  # a task that had ended would raise at the end of the block
    assert [log["event"] for log in logs] == ["telegram.away"]
    assert logs[0]["reason"].startswith("Telegram does not answer: ")


async def test_a_telegram_that_is_silent_is_told_of_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """By how long nothing came, not by the name of an error."""
    monkeypatch.setattr(telegram, "_TIMEOUT_S", 0.2)
    open_ones: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: open_ones.append(writer), "127.0.0.1", 0)
    silent = BotApi()
    silent.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    with capture_logs() as logs:
        async with listening(silent, []):
            await until(lambda: bool(logs))
    server.close()
    for writer in open_ones:
        writer.close()
    assert logs[0]["reason"] == "Telegram does not answer: it was silent for 0 s"


async def test_no_log_shows_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a part of the address, and errors of the HTTP library quote addresses."""
    monkeypatch.setattr(telegram, "_FIRST_NS", 1_000_000)
    monkeypatch.setattr(telegram, "_CEILING_NS", 2_000_000)
    nobody = BotApi()
    nobody.url = "http://127.0.0.1:9"
    with capture_logs() as logs:
        async with listening(nobody, []):
            await until(lambda: bool(logs))
    assert TOKEN not in str(logs)


@pytest.mark.parametrize(
    ("body", "date"),
    [(b'{"ok":false,"description":"Bad Request"}', "noon"), (b'{"ok":false,"description":"\xff"}', ""), (b"{}", YEAR)],
)
async def test_an_answer_that_cannot_be_sent_does_not_stop_the_listening(api: BotApi, body: bytes, date: str) -> None:
    """The command was obeyed and stands in the journal; the next one, which came with it, is heard."""
    heard: list[tuple[str, str]] = []

    def refuse() -> None:
        if not heard:
            api.refuse, api.date = [(400, body)], date

    api.write(OURS, "/stopall")
    api.write(OURS, "/kill")
    with capture_logs() as logs:
        async with listening(api, heard, told=refuse):
            await api.until_sent(1)
    assert [line for line, _ in heard] == ["/stopall", "/kill"]
    assert api.sent == [(OURS, "did /kill")]
    assert [log["event"] for log in logs] == ["telegram.answer_lost"]


async def test_a_fault_of_ours_does_not_stop_the_listening(api: BotApi) -> None:
    """Whoever wrote is told, the log has all of it, and the next line is heard."""
    heard: list[tuple[str, str]] = []

    def stumble() -> None:
        if not api.sent:
            raise ZeroDivisionError

    with capture_logs() as logs:
        async with listening(api, heard, told=stumble):
            api.write(OURS, "/positions")
            await api.until_sent(1)
            api.write(OURS, "/kill")
            await api.until_sent(2)
    assert [line for line, _ in heard] == ["/kill"]
    assert "went wrong" in api.sent[0][1]
    assert [(log["event"], log["line"]) for log in logs] == [("telegram.fault", "/positions")]
