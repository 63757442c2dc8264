"""The command line put together from its commands; nothing else.

`kangbot --help` and the shell's completion read `commands` on every key press, so the work is in modules that are
imported by the command that needs them. Plain help texts, since rich alone takes as long to import as all the rest.
"""

from typing import Annotated

import typer

from kangbot.cli.commands import act, begin, configure, keep, watch

app = typer.Typer(
    name="kangbot",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog="Exit codes: 0 done, 1 failed, 2 wrong usage, 69 no daemon, 75 try again later, 78 a person must look.",
)


def _tell_version(wanted: bool) -> None:
    if wanted:
        begin.version()


@app.callback()
def options(
    *,
    _version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Run a trading daemon for many markets on one event loop."""


for theme in (begin, watch, act, keep):
    app.add_typer(theme.commands)
app.add_typer(configure.commands, name="config")
