"""`kangbot report`: what trading came to, by market and strategy, out of the history database; no daemon is asked."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import typer

from kangbot.cli.answer import unwritten
from kangbot.cli.offline import settings_of
from kangbot.cli.report import page, table
from kangbot.cli.report.past import Span, look
from kangbot.settings.versions import write_whole

_DAY_NS = 24 * 3600 * 1_000_000_000
_LAST_DAY_NS = int(datetime.max.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC).timestamp()) * 10**9


def command(config: Path, *, start: str | None, end: str | None, html: Path | None, as_json: bool) -> int:
    """Print the report, or write it to `html`. Both ends are days, UTC; `end` is included.

    Retryable where the history is away, NeedsHuman where it is not ours, and where the configuration is wrong.
    """
    first, last = _day(start, "--from"), _day(end, "--to")
    if first is not None and last is not None and last < first:
        raise typer.BadParameter(f"--to {end} is before --from {start}")
    found = asyncio.run(look(settings_of(config), Span(since_ns=first, until_ns=_after(last))))
    if html is not None:
        passed_on = _is_passed_on(html)
        try:
            _write(html, page.render(found).encode(), whole=not passed_on)
        except OSError as error:
            typer.echo(unwritten(html, error), err=True)
            return 1
        typer.echo(f"written to {html}", err=as_json or passed_on)
    if as_json:
        typer.echo(table.as_json(found))
    elif html is None:
        table.show(found)
    return 0


def _is_passed_on(html: Path) -> bool:
    """Whether what is written there goes on to somebody: a pipe, a device, /dev/stdout wherever that leads."""
    by_handle = html.absolute().is_relative_to("/dev") or html.absolute().is_relative_to("/proc")
    return by_handle or (html.exists() and not html.is_file())


def _write(html: Path, text: bytes, *, whole: bool) -> None:
    if whole:
        write_whole(html.resolve(), text)  # a link stays one
        return
    with html.open("ab") as out:  # the end of whatever the shell has opened for us
        out.write(text)


def _day(text: str | None, option: str) -> int | None:
    """Return when the day begins; None where none is named."""
    if text is None:
        return None
    try:
        at = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise typer.BadParameter(f"{option} takes a day such as 2026-11-01, not {text!r}") from None
    return int(at.timestamp()) * 1_000_000_000


def _after(day_ns: int | None) -> int | None:
    """Return when the day has ended; None for the calendar's last, which no time comes after."""
    return None if day_ns is None or day_ns >= _LAST_DAY_NS else day_ns + _DAY_NS
