"""The section about messages to people."""

import re
from dataclasses import dataclass
from typing import Annotated, Literal

from kangbot.machines.notices import NoticeTerms
from kangbot.model.events import Severity
from kangbot.settings.kinds import SECTION, Between, Check, FilePath, Secret

_PATTERN = re.compile(r"[a-z_.*?]+")
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


def _time(text: str) -> str:
    """Return the text where it is a time of day, or nothing."""
    if text and not _TIME.fullmatch(text):
        raise ValueError('must be a time of day such as "08:00", or "" for none')
    return text


def _span(text: str) -> str:
    """Return the text where it is a span of the day, or nothing."""
    start, dash, end = text.partition("-")
    if text and not (dash and _TIME.fullmatch(start) and _TIME.fullmatch(end) and start != end):
        raise ValueError('must be a span such as "22:00-07:00", or "" for none')
    return text


def _pattern(text: str) -> str:
    """Return the text where it can match what an event is called."""
    if not _PATTERN.fullmatch(text):
        raise ValueError('must be the name of an event, or a pattern such as "feed.*"')
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """`[notify]`: who is told, of what, and when. Without addresses nobody is; times are UTC."""

    __pydantic_config__ = SECTION

    addresses: Secret | None = None
    """Where messages go, as Apprise writes it, separated by spaces: `tgram://token/chat`, `mailto://…`, `discord://…`.
    They hold tokens, so they come from the environment (`KANGBOT_NOTIFY__ADDRESSES`) or a file. Absent: see
    `addresses_file`."""

    addresses_file: FilePath | None = None
    """A file that holds them in one line. Absent: `notify_addresses` in systemd's credentials folder, if there is one;
    else nobody is told."""

    least: Literal["info", "warning", "error", "critical"] = "warning"
    """What is less than this is not told. That something is over is, to whoever was told that it had begun."""

    always: tuple[Annotated[str, Check(_pattern)], ...] = ()
    """Patterns over what an event is called in `kangbot events`, such as `"config.*"`: these are told even where they
    are less than `least`. Quiet hours, repetition and `an_hour` hold for them as well. Absent: `least` decides."""

    never: tuple[Annotated[str, Check(_pattern)], ...] = ()
    """These are never told, critical ones neither; `always` wins where both match. They stand in the log and in the
    history all the same. Absent: none is left out."""

    quiet: Annotated[str, Check(_span)] = ""
    """Hours in which only what is critical is told; the rest waits for their end."""

    digest: Annotated[str, Check(_time)] = ""
    """When the daily message leaves, which comes on every day, also where nothing happened. Absent: none does."""

    an_hour: Annotated[int, Between(1, 120)] = 12
    """So many messages an hour at most, and as many critical ones again; what comes together is one message."""

    name: str = ""
    """What the messages call this daemon. Absent: its mode."""

    @property
    def terms(self) -> NoticeTerms:
        """The same as the machine takes it."""
        start, _, end = self.quiet.partition("-")
        return NoticeTerms(
            least=Severity(self.least),
            always=self.always,
            never=self.never,
            quiet=(_minute(start), _minute(end)) if self.quiet else None,
            digest=_minute(self.digest) if self.digest else None,
            an_hour=self.an_hour,
        )


def _minute(text: str) -> int:
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes)
