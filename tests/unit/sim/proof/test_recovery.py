"""What a start makes of a compacted journal, against all of its records."""

import random

from kangbot.journal.ticket import Ticket
from kangbot.machines.memory import Memory, Recollection
from kangbot.model.events import Desired, DesiredChanged
from kangbot.model.ids import MarketId
from kangbot.sim.proof.recovery import Recovery
from kangbot.sim.world.disk import Disk
from kangbot.sim.world.faults import Faults


def _write(disk: Disk, market: str, desired: Desired) -> None:
    event = DesiredChanged(market=MarketId(market), desired=desired, caller="test", at_ns=1)
    disk.write([((event,), False, Ticket())])


def _written() -> Disk:
    disk = Disk(tag="testtest", faults=Faults(random.Random(1)), synced=lambda _first, _rows: None)
    for desired in (Desired.RUNNING, Desired.STOPPED):
        _write(disk, "bybit:A", desired)
    return disk


def _fold(disk: Disk) -> Memory:
    recollection = Recollection()
    for sequence in range(1, disk.last + 1):
        recollection.add(disk.record(sequence))
    return recollection.memory()


def test_a_start_must_come_to_what_all_records_come_to() -> None:
    """One that forgets a market, or lags behind, is named; later records are taken in at the next start."""
    disk = _written()
    recovery = Recovery(disk, {})
    assert recovery.wrong(_fold(disk), {}) == ""
    _write(disk, "bybit:B", Desired.RUNNING)
    assert recovery.wrong(_fold(disk), {}) == ""
    assert "another memory" in recovery.wrong(Memory(last_sequence=3, born_ns=1), {})
