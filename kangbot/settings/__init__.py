"""Typed settings: the TOML file with the environment laid over it, turned into one frozen value here and nowhere else.

    settings = load(Path("config/kangbot.toml"), os.environ)      ConfigInvalid with every mistake at once

`schema` is the root and names the sections; each key is documented where it is declared, in `trading` (what and how
much), `venues` (where) and `daemon` (the process). `sources` reads, `lines` knows the line of every key, `secrets`
finds what may not stand in the file, `problems` words pydantic's findings, `rules` compares settings with one another.
"""

from kangbot.settings.loading import load
from kangbot.settings.schema import Settings
from kangbot.settings.trading import MarketSettings
from kangbot.settings.venues import Mode

__all__ = ["MarketSettings", "Mode", "Settings", "load"]
