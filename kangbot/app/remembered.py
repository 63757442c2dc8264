"""Those who remember by the journal besides the markets themselves, and the names that they have in its checkpoints."""

from typing import Self

import msgspec

from kangbot.journal.replay import Others
from kangbot.machines.breakers import Breakers
from kangbot.machines.entry_holds import EntryHolds
from kangbot.machines.lives import Lives
from kangbot.machines.margin import Margin
from kangbot.machines.pauses import Pauses
from kangbot.machines.transfers import Transfers
from kangbot.modes import Past
from kangbot.risk.account import AccountRisk
from kangbot.risk.limits import Limits
from kangbot.settings import Settings


class Remembered(msgspec.Struct, frozen=True, kw_only=True):
    """One of each. The fields' names stand on our users' disks: they are for ever."""

    risk: AccountRisk
    past: Past
    breakers: Breakers
    pauses: Pauses
    holds: EntryHolds
    lives: Lives
    transfers: Transfers
    margin: Margin

    @classmethod
    def new(cls, settings: Settings, limits: Limits) -> Self:
        """Return those who have not heard of anything yet; `limits` may be others than the daemon began with."""
        return cls(
            risk=AccountRisk(limits, settings.currency),
            past=Past(settings.venue),
            breakers=Breakers(settings.breakers.terms),
            pauses=Pauses(),
            holds=EntryHolds(),
            lives=Lives(),
            transfers=Transfers(),
            margin=Margin(),
        )

    def by_name(self) -> Others:
        """Return each by its name, as the journal is replayed to them."""
        return {field.name: getattr(self, field.name) for field in msgspec.structs.fields(self)}
