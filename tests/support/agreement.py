"""Whether the exchange, the journal and the history say the same, row by row. For when all has come to rest."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

from kangbot.cli.demo.processes import Sandbox
from kangbot.journal import codec
from kangbot.machines.memory import Memory
from kangbot.model.events import BarStored, CashFlowApplied, FillApplied, OrderChanged, OrderIntended, Record
from kangbot.model.ids import CLIENT_ID_PREFIX, ClientId
from kangbot.model.orders import OrderStatus
from tests.support.folded import replayed

Query = Callable[[str], Sequence[tuple[Any, ...]]]
S = OrderStatus

_UNPLACED = (S.REJECTED, S.NOT_ACCEPTED)
_OPEN = (S.INTENT, S.SENT, S.UNKNOWN)


def sqlite_query(state: Path) -> Query:
    """Return what asks the embedded history in the state folder."""

    def query(sql: str) -> Sequence[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"{(state / 'history.sqlite').as_uri()}?mode=ro", uri=True)) as database:
            return database.execute(sql).fetchall()

    return query


class Journalled:
    """What a journal says that nobody writes to any more; none of its records was removed."""

    def __init__(self, state: Path) -> None:
        path = state / "journal.sqlite"
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
            self.tag: str = database.execute("SELECT tag FROM meta").fetchone()[0]
            rows = database.execute("SELECT sequence, event FROM records ORDER BY sequence").fetchall()
        self.texts: dict[int, str] = dict(rows)
        self.records: list[Record] = [
            codec.decode(text, journal=self.tag, sequence=sequence, file=str(path)) for sequence, text in rows
        ]
        self.memory: Memory = replayed(self.records)
        self.statuses: dict[ClientId, OrderStatus] = {}
        self.filled: dict[ClientId, Decimal] = {}
        self.executions: list[str] = []
        self.flows: dict[str, Decimal] = {}
        for event in (record.event for record in self.records):
            match event:
                case OrderIntended(intent=intent):
                    self.statuses[intent.client_id] = S.INTENT
                case OrderChanged():
                    self.statuses[event.client_id] = event.status
                case FillApplied(fill=fill):
                    self.executions.append(fill.execution_id)
                    if fill.client_id is not None:
                        self.filled[fill.client_id] = self.filled.get(fill.client_id, Decimal(0)) + fill.quantity
                case CashFlowApplied(flow=flow):
                    self.flows[flow.execution_id] = flow.amount
                case _:
                    pass

    @property
    def positions(self) -> dict[str, Decimal]:
        """The open positions by base currency."""
        return {_base(name): market.position.net for name, market in self.memory.markets.items() if market.position.net}


def disagreements(journal: Journalled, query: Query, sandbox: Sandbox, *, by_hand: int = 0) -> list[str]:
    """Return what one says and another does not; nothing where all agree. `by_hand` executions were somebody else's."""
    return [*_exchange(journal, sandbox, by_hand), *_history(journal, query)]


def _exchange(journal: Journalled, sandbox: Sandbox, by_hand: int) -> Iterable[str]:
    truth = sandbox.truth()
    rows = [row for row in sandbox.orders() if row["orderLinkId"].startswith(CLIENT_ID_PREFIX)]
    placed = Counter(ClientId(row["orderLinkId"]) for row in rows)
    yield from (f"order {name} is at the exchange {count} times" for name, count in placed.items() if count > 1)
    yield from (
        f"order {name} is at the exchange, not in the journal" for name in placed.keys() - journal.statuses.keys()
    )
    for name, status in journal.statuses.items():
        if status in _OPEN:
            yield f"order {name} is still {status.value}"
        if (name in placed) is (status in _UNPLACED):
            yield f"order {name} is {status.value}; at the exchange: {name in placed}"
    for row in rows:
        filled = journal.filled.get(ClientId(row["orderLinkId"]), Decimal(0))
        if filled != Decimal(row["cumExecQty"]):
            yield f"order {row['orderLinkId']} is filled for {row['cumExecQty']}, the journal has {filled}"
    theirs = {name.removesuffix("USDT"): Decimal(net) for name, net in truth["positions"].items() if Decimal(net)}
    if theirs != journal.positions:
        yield f"the exchange holds {theirs}, the journal {journal.positions}"
    if len(set(journal.executions)) != len(journal.executions):
        yield "an execution is applied twice"
    if len(journal.executions) != truth["fills"] - by_hand:
        yield f"{truth['fills']} executions at the exchange, {len(journal.executions)} in the journal"


def _history(journal: Journalled, query: Query) -> Iterable[str]:
    bars = {
        (record.event.bar.market, record.event.bar.timeframe_s, record.event.bar.open_ns)
        for record in journal.records
        if isinstance(record.event, BarStored)
    }
    events = {
        record.sequence: journal.texts[record.sequence]
        for record in journal.records
        if not isinstance(record.event, BarStored)
    }
    stored = {int(sequence): body for sequence, body in query("SELECT sequence, body FROM events")}
    if stored != events:
        yield f"{len(events.keys() - stored.keys())} events are lost, {len(stored.keys() - events.keys())} are too many"
    if (count := query("SELECT COUNT(*) FROM bars")[0][0]) != len(bars):
        yield f"{len(bars)} bars in the journal, {count} in the history"
    if (executions := sorted(row[0] for row in query("SELECT execution_id FROM fills"))) != sorted(journal.executions):
        yield f"{len(journal.executions)} executions in the journal, {len(executions)} in the history"
    flows = {name: Decimal(amount) for name, amount in query("SELECT execution_id, amount FROM cash_flows")}
    if flows != journal.flows:
        yield f"{len(journal.flows)} cash flows in the journal, {len(flows)} in the history"
    statuses = {ClientId(name): OrderStatus(status) for name, status in query("SELECT client_id, status FROM orders")}
    if statuses != journal.statuses:
        differ = {
            name for name in statuses.keys() | journal.statuses if statuses.get(name) != journal.statuses.get(name)
        }
        yield f"orders differ in the history: {sorted(differ)}"
    held = {_base(name): Decimal(net) for name, net in query("SELECT market, net FROM positions") if Decimal(net)}
    if held != journal.positions:
        yield f"the history holds {held}, the journal {journal.positions}"


def _base(market: str) -> str:
    return market.partition(":")[2].partition("-")[0]
