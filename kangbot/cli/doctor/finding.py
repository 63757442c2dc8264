"""One thing that was looked at, and how it is."""

from enum import StrEnum

import msgspec


class Mark(StrEnum):
    """How it is. `away` may come back by itself; `wrong` stays until a person has put it right."""

    OK = "ok"
    WARNING = "warning"
    AWAY = "away"
    WRONG = "wrong"


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What `--json` prints of each. Names are stable."""

    name: str
    mark: Mark
    says: str
    figure: float | None = None
    unit: str = ""
    remedy: str = ""  # "" where nothing is to be done
