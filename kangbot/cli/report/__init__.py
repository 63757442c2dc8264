"""`kangbot report`: what trading came to, by market and strategy, out of the history database; no daemon is asked."""

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path

import typer

from kangbot.cli.offline import settings_of
from kangbot.cli.report import page, table
from kangbot.cli.report.past import Span, look
from kangbot.errors import ConfigInvalid, KangbotError

_DAY_NS = 24 * 3600 * 1_000_000_000


def command(config: Path, *, start: str | None, end: str | None, html: Path | None, as_json: bool) -> int:
    """Print the report, or write it to `html`. Both ends are days, UTC; `end` is included."""
    try:
        settings = settings_of(config)
    except ConfigInvalid as error:
        typer.echo(error.message, err=True)
        return os.EX_CONFIG
    try:
        span = Span(since_ns=_day(start, "--from"), until_ns=_after(_day(end, "--to")))
        found = asyncio.run(look(settings, span))
    except (KangbotError, ValueError) as error:
        typer.echo(f"no report: {error}", err=True)
        return 1
    if html is not None:
        try:
            html.write_text(page.render(found), encoding="utf-8")
        except OSError as error:
            typer.echo(f"{html} cannot be written: {error.strerror}", err=True)
            return 1
        typer.echo(f"written to {html}", err=as_json)
    if as_json:
        typer.echo(table.as_json(found))
    elif html is None:
        table.show(found)
    return 0


def _day(text: str | None, option: str) -> int | None:
    """Return when the day begins; None where none is named."""
    if text is None:
        return None
    try:
        at = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise ValueError(f"{option} takes a day such as 2026-11-01, not {text!r}") from None
    return int(at.timestamp()) * 1_000_000_000


def _after(day_ns: int | None) -> int | None:
    return None if day_ns is None else day_ns + _DAY_NS
