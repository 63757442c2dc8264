"""Typed settings: the TOML file with the environment laid over it, turned into one frozen value here and nowhere else.

    settings = load(Path("config/kangbot.toml"), os.environ)     ConfigInvalid with every mistake at once

`schema` is the root and names the sections; each key is documented where it is declared, in `trading` (what and how
much), `venues` (where) and `daemon` (the process). `apart` has a file read in a process of its own, so that pydantic is
never in the daemon's memory. There, `loading` puts together what `sources` and `environment` read, `anchors` takes from
the file's folder, `lines` locates, `secrets` finds, `document` validates, `problems` words and `rules` compares.
"""

from kangbot.settings.apart import load
from kangbot.settings.schema import Settings
from kangbot.settings.trading import MarketSettings
from kangbot.settings.venues import Mode

__all__ = ["MarketSettings", "Mode", "Settings", "load"]
