"""What settings become: the parameters and the parts that are made from nothing but settings and the world."""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from kangbot.control.chat.telegram import AnswerLine, Telegram
from kangbot.control.server import Listen
from kangbot.machines.holding import ForeignPolicy
from kangbot.machines.notices import Notice
from kangbot.machines.slowness import Bounds
from kangbot.market.terms import Terms
from kangbot.notify.last_words import say
from kangbot.notify.notifier import Notifier
from kangbot.notify.outside import Outside, each
from kangbot.notify.unsaid import Unsaid
from kangbot.runtime.world import World
from kangbot.settings import Settings
from kangbot.storage.opening import Readable, open_history, place_of
from kangbot.storage.url import MysqlUrl
from kangbot.storage.url import parse as parse_url

log = structlog.get_logger(__name__)

_MILLISECOND_NS = 1_000_000
_LAST_WORDS_S = 20.0  # nothing feeds a watchdog meanwhile, and systemd's is of 30 s


def terms(settings: Settings, receive_window_ms: int) -> Terms:
    """Return how the floor is run; the venue says how long it receives a request."""
    supervision = settings.supervision
    return Terms(
        restarts=supervision.restarts,
        restarts_within_s=supervision.within_s,
        first_wait_s=supervision.first_wait_s,
        longest_wait_s=supervision.longest_wait_s,
        receive_window_ms=receive_window_ms,
        cancel_entries=settings.shutdown.open_entries == "cancel",
        cancel_orphans=settings.risk.orphans == "cancel",
        foreign=ForeignPolicy(settings.risk.foreign),
        stops=settings.risk.stops,
        on_paper=settings.mode == "paper",
        decisions=Bounds(
            slow_ns=supervision.slow_decision_ms * _MILLISECOND_NS,
            block_ns=supervision.blocking_decision_ms * _MILLISECOND_NS,
            times=supervision.slow_decisions,
        ),
    )


def history(settings: Settings, world: World) -> tuple[str, Readable]:
    """Return the kind of database that the history is kept in, and the history."""
    url, database = parse_url(settings.history_url), settings.database
    kind = "mysql" if isinstance(url, MysqlUrl) else "sqlite"
    if isinstance(url, MysqlUrl) and url.exposed:
        log.warning("history.in_plain_text", database=str(url))
    return kind, open_history(
        url,
        world.fork("storage").random,
        pool_size=database.pool_size,
        connect_s=database.connect_timeout_s,
        statement_s=database.statement_timeout_s,
        copies=settings.state_dir,
        place=place_of(settings.state_dir),
        keep_bars=database.keep_bars,
    )


def notifiers(settings: Settings, world: World, standing: Callable[[], Sequence[str]]) -> list[Notifier]:
    """Return who tells people, one for each service. What becomes of them never reaches trading."""
    notify = settings.notify
    if notify.addresses is None:
        return []
    turn, name = asyncio.Lock(), notify.name or settings.mode
    return [
        Notifier(
            world,
            Outside(address, turn=turn),
            notify.terms,
            name=name,
            service=place,
            standing=standing,
            unsaid=Unsaid(settings.state_dir, place),
        )
        for place, address in enumerate(each(notify.addresses.value), start=1)
    ]


async def last_words(settings: Settings, notice: Notice) -> None:
    """Tell people why the daemon ended; nobody where nobody is to be told."""
    notify = settings.notify
    if notify.addresses is not None:
        sender = Outside(notify.addresses.value, turn=asyncio.Lock(), timeout_s=_LAST_WORDS_S)
        await say(sender, notice, notify.terms, name=notify.name or settings.mode, state_dir=settings.state_dir)


def telegram(settings: Settings, world: World, answer: AnswerLine) -> Telegram | None:
    """Return who takes commands from a chat; None where nobody may give any there."""
    chat = settings.telegram
    if chat.token is None:
        return None
    return Telegram(world, url=chat.api_url, token=chat.token.value, chats=chat.chats, answer=answer)


def listen(settings: Settings) -> Listen:
    """Return where the control API is served."""
    control = settings.control
    return Listen(
        host=control.host,
        port=control.port,
        names=control.hosts,
        control_token=settings.control_token,
        read_token=settings.read_token,
    )
