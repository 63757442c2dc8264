"""Telegram's Bot API: lines of the allowed chats come in by long polling, answers go out.

`getUpdates` and `sendMessage`, https://core.telegram.org/bots/api. Nothing listens here and no port is opened. The
token is part of every address, so no error of the HTTP library is ever shown: what is told is its kind.

A line is obeyed at most once and only while it is fresh. It is confirmed to Telegram before it is obeyed, so that a
daemon which dies in between has not obeyed it, and one that was sent while no daemon listened is answered, not obeyed:
what was right an hour ago may be wrong now. How old a line is, is told by Telegram's clock, which stamped it: ours may
be wrong by minutes, and stands still while the machine sleeps.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Iterator
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import msgspec
import structlog

from kangbot.machines.backoff import Backoff
from kangbot.runtime.reach import ProxyUnusableError, plainly, proxy, trusted
from kangbot.runtime.world import SECOND_NS, World

log = structlog.get_logger(__name__)

FRESH_S = 60
_POLL_S = 50  # Telegram answers an empty poll after so long
_TIMEOUT_S = 70.0
_SEND_S = 20.0
_LONGEST = 4000  # characters; Telegram takes 4,096
_STRANGERS = 20  # that are named in the log
_FIRST_NS, _CEILING_NS = 2 * SECOND_NS, 300 * SECOND_NS

AnswerLine = Callable[[str, str], Awaitable[str]]  # a line and its caller


class _Refused(Exception):
    """Telegram answers, and not with what was asked for. `wait_s`: how long it wants to be left alone."""

    def __init__(self, why: str, wait_s: int = 0) -> None:
        super().__init__(why)
        self.wait_s = wait_s


class _Chat(msgspec.Struct, frozen=True):
    id: int


class _From(msgspec.Struct, frozen=True):
    id: int
    username: str = ""


class _Message(msgspec.Struct, frozen=True):
    date: int  # seconds since the epoch, UTC
    chat: _Chat
    text: str = ""
    sender: _From | None = msgspec.field(name="from", default=None)


class _Update(msgspec.Struct, frozen=True):
    update_id: int
    message: msgspec.Raw = msgspec.Raw(b"null")  # read by itself: one of an unknown form must not hold up the others


_message: msgspec.json.Decoder[_Message | None] = msgspec.json.Decoder(_Message | None)


class _Parameters(msgspec.Struct, frozen=True):
    retry_after: int = 0


class _Reply(msgspec.Struct, frozen=True):
    ok: bool
    result: msgspec.Raw = msgspec.Raw(b"null")
    description: str = ""
    parameters: _Parameters = _Parameters()


class Telegram:
    """`run` is its task. `chats` are the chats whose lines are obeyed; `url` is that of the Bot API."""

    def __init__(self, world: World, *, url: str, token: str, chats: Collection[int], answer: AnswerLine) -> None:
        self._clock = world.clock
        self._draw = world.fork("telegram").random
        self._base = f"{url}/bot{token}"
        self._chats = frozenset(chats)
        self._answer = answer
        self._next = 0  # the update that is asked for; 0 for whichever is oldest
        self._taken: list[_Update] = []  # what has come and is not confirmed: nobody gives it again once it is
        self._ahead_s = 0  # Telegram's clock of ours, by its last answer
        self._strangers: dict[int, None] = {}
        self._away = ""

    async def run(self) -> None:
        """Listen for ever."""
        backoff = Backoff(first_ns=_FIRST_NS, ceiling_ns=_CEILING_NS)
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
        jar = aiohttp.DummyCookieJar()  # nothing that somebody sends us in an answer is kept for months
        connector = aiohttp.TCPConnector(ssl=trusted())
        async with aiohttp.ClientSession(connector=connector, timeout=timeout, cookie_jar=jar) as session:
            while True:
                at_least_s = 0
                try:
                    await self._listen(session)
                except _Refused as error:
                    at_least_s = error.wait_s
                    self._failed(str(error))
                except (aiohttp.ClientError, OSError, ValueError) as error:  # ValueError: neither JSON nor text
                    self._failed(f"Telegram does not answer: {_plainly(error)}")
                else:
                    backoff = backoff.reset()
                    continue
                backoff = backoff.failed()
                await asyncio.sleep(max(at_least_s, backoff.wait_ns(self._draw()) / SECOND_NS))

    async def _listen(self, session: aiohttp.ClientSession) -> None:
        """Take what has come, confirm it, then obey it."""
        if not self._taken:
            self._taken = await self._updates(session, wait_s=_POLL_S)
            self._heard()
            if not self._taken:
                return
            self._next = self._taken[-1].update_id + 1
        # Asking for later ones confirms these, and tells the time anew; what it brings is asked for again.
        await self._updates(session, wait_s=0)
        self._heard()
        updates, self._taken = self._taken, []
        for update in updates:
            message = self._read(update)
            if message is not None and message.text.startswith("/"):
                await self._take(session, message)

    async def _updates(self, session: aiohttp.ClientSession, *, wait_s: int) -> list[_Update]:
        asked = {"offset": self._next, "timeout": wait_s, "allowed_updates": ["message"]}
        return msgspec.json.decode(await self._call(session, "getUpdates", asked), type=list[_Update])

    def _read(self, update: _Update) -> _Message | None:
        """Return the message; None for what is none, or has a form that we do not know."""
        try:
            return _message.decode(update.message)
        except ValueError as error:  # neither the form nor text
            log.warning("telegram.unread", update=update.update_id, reason=str(error))
            return None

    async def _take(self, session: aiohttp.ClientSession, message: _Message) -> None:
        chat = message.chat.id
        if chat not in self._chats:
            self._stranger(chat)
            return
        age_s = self._clock.now_ns() // SECOND_NS + self._ahead_s - message.date
        name = f" ({message.sender.username})" if message.sender is not None and message.sender.username else ""
        if age_s > FRESH_S:
            said = f"not obeyed: {message.text!r} is {age_s} s old, nobody listened. Send it again if you still want it"
        else:
            said = await self._obeyed(message.text, f"telegram chat {chat}{name}")
        try:
            async with asyncio.timeout(_SEND_S):
                for text in _pieces(said):
                    await self._call(session, "sendMessage", {"chat_id": chat, "text": text})
        except Exception as error:  # noqa: BLE001 -- whatever was answered: the next line may be `/kill`
            # It was obeyed all the same; the journal has it.
            log.warning("telegram.answer_lost", chat=chat, reason=type(error).__name__)

    async def _obeyed(self, line: str, caller: str) -> str:
        """Return the answer; a fault of ours is one too, since the next line may be `/kill`."""
        try:
            return await self._answer(line, caller)
        except Exception as error:
            log.exception("telegram.fault", line=line, error=type(error).__name__)
            return "that went wrong in the daemon, and may have been obeyed or not; its log has the reason"

    async def _call(self, session: aiohttp.ClientSession, method: str, asked: dict[str, Any]) -> bytes:
        url = f"{self._base}/{method}"
        async with session.post(url, json=asked, allow_redirects=False, proxy=proxy(url)) as answer:
            self._timed(answer.headers.get("Date", ""))
            body = await answer.read()
        if answer.status >= 500:
            raise _Refused(f"Telegram has a fault of its own ({answer.status})")
        reply = msgspec.json.decode(body, type=_Reply)
        if reply.ok:
            return bytes(reply.result)
        raise _Refused(_WHY.get(answer.status, f"Telegram refuses ({answer.status})"), reply.parameters.retry_after)

    def _timed(self, date: str) -> None:
        """Learn what time it is at Telegram; where an answer does not tell, what was known of it stands."""
        with contextlib.suppress(ValueError, OverflowError):  # no date; a year of twenty digits
            self._ahead_s = int(parsedate_to_datetime(date).timestamp()) - self._clock.now_ns() // SECOND_NS

    def _stranger(self, chat: int) -> None:
        if chat not in self._strangers and len(self._strangers) < _STRANGERS:
            self._strangers[chat] = None
            log.warning("telegram.stranger", chat=chat, hint="add it to [telegram] chats if it is yours")

    def _failed(self, reason: str) -> None:
        if not self._away:
            log.warning("telegram.away", reason=reason)
        self._away = reason

    def _heard(self) -> None:
        if self._away:
            log.info("telegram.back")
        self._away = ""


def _pieces(text: str) -> Iterator[str]:
    """Yield the text as messages that Telegram takes, of whole lines: what is left out would be taken for nothing."""
    piece = ""
    for line in text.split("\n"):
        for part in (line[at : at + _LONGEST] for at in range(0, len(line) or 1, _LONGEST)):
            if piece and len(piece) + 1 + len(part) > _LONGEST:
                yield piece
                piece = ""
            piece = f"{piece}\n{part}" if piece else part
    yield piece


def _plainly(error: Exception) -> str:
    """Return why, by what the system said: the library's own words may quote the address, with the token in it."""
    if isinstance(error, ProxyUnusableError) or isinstance(error.__cause__, OSError):
        return plainly(error)
    return f"it was silent for {_TIMEOUT_S:.0f} s" if isinstance(error, TimeoutError) else type(error).__name__


_WHY = {  # without a colon after the word "token": the log takes what follows for one, and masks it
    401: "Telegram does not know this token; correct the file that holds it ([telegram] token_file)",
    404: "Telegram does not know this token; correct the file that holds it ([telegram] token_file)",
    409: "another program listens with the same token; give each daemon a bot of its own",
    429: "Telegram wants to be asked less often",
}
