"""Where the files that ship with kangbot are: beside the package in a checkout, below the prefix once installed."""

import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
INSTALLED = Path(sys.prefix) / "share" / "kangbot"
SERVICE = Path("/etc/kangbot/kangbot.toml")  # the configuration of the unit that `kangbot install-service` writes


def shipped_config(name: str) -> Path:
    """Return the path of a configuration that ships, such as `kangbot.toml`."""
    return shipped("config") / name


def shipped(folder: str) -> Path:
    """Return the path of a folder that ships: `config` or `migrations`."""
    here = CHECKOUT / folder
    return here if here.is_dir() else INSTALLED / folder
