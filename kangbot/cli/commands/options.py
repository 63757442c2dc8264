"""The options that many commands share, each said once."""

from pathlib import Path
from typing import Annotated

import typer

DEFAULT_CONFIG = Path("config/kangbot.toml")

# `readable` would end the command as wrong usage; the loader and the socket's client say the same with their exit codes
Config = Annotated[Path, typer.Option(envvar="KANGBOT_CONFIG", help="The TOML file.", metavar="FILE", readable=False)]
Socket = Annotated[Path | None, typer.Option(help="The daemon's control socket, in place of --config.", readable=False)]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output, and nothing else.")]
Market = Annotated[str, typer.Argument(help="BTC, BTC/USDT, or bybit:BTC-USDT:USDT.", show_default=False)]


def group(help_text: str | None = None) -> typer.Typer:
    """Return a place for commands, with plain help: rich alone takes as long to import as all the rest."""
    return typer.Typer(help=help_text, no_args_is_help=True, rich_markup_mode=None)
