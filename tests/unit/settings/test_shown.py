"""The configuration as a caller may see it."""

from decimal import Decimal
from pathlib import Path

import msgspec

from kangbot.settings import Settings
from kangbot.settings.daemon import Database
from kangbot.settings.kinds import Secret
from kangbot.settings.shown import shown
from kangbot.settings.trading import Market
from kangbot.settings.venues import Bybit, Venues

CANARY = "canary-7f3a"


def test_every_setting_is_plain_and_no_secret_is_in_it() -> None:
    """Whether there is one is told."""
    settings = Settings(
        state_dir=Path("/s"),
        venues=Venues(bybit=Bybit(key=Secret(CANARY), secret=Secret(CANARY))),
        database=Database(url=Secret(f"mysql://u:{CANARY}@h/d")),
        markets=(Market(symbol="A/USDT:USDT", size=Decimal("1.50"), parameters={"fast": 2, "other": object}),),
    )
    plain = shown(settings)
    assert CANARY.encode() not in msgspec.json.encode(plain)
    assert isinstance(plain, dict)
    assert plain["state_dir"] == "/s"
    assert plain["database"]["url"] == "***"
    assert plain["venues"]["bybit"]["key"] == "***"
    [market] = plain["markets"]
    assert (market["size"], market["parameters"]["fast"]) == ("1.50", 2)
    assert shown(Settings())["database"]["url"] is None  # type: ignore[index]
