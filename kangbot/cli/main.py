"""The command line put together from its commands; nothing else.

`kangbot --help` and the shell's completion read `commands` on every key press, so the work is in modules that are
imported by the command that needs them. Plain help texts, since rich alone takes as long to import as all the rest.
"""

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from kangbot.cli.commands import act, begin, configure, keep, watch


class Commands(TyperGroup):
    """Has a wrong value told as the configuration's are."""

    def invoke(self, ctx: Any) -> object:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            if error.__cause__ is not None:
                from kangbot.settings.problems import told  # noqa: PLC0415 -- pydantic, only once something is wrong

                error.message = told(error.__cause__) or error.message
            raise


app = typer.Typer(
    cls=Commands,
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
