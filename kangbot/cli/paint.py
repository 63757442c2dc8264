"""The colours that boards in a terminal share."""

from decimal import Decimal

from rich.text import Text

STATES = {
    "live": "green",
    "warming": "yellow",
    "starting": "yellow",
    "paused": "cyan",
    "draining": "magenta",
    "stopped": "dim",
    "failed": "bold red",
}


def signed(value: Decimal, text: str) -> Text:
    """Return `text` in the colour of a gain, a loss, or neither."""
    return Text(text, style="green" if value > 0 else "red" if value < 0 else "dim")
