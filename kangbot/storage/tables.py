"""The history's tables as the projection fills them; `migrations/` makes them.

What a trader asks for: `orders`, `fills`, `round_trips`, `positions`, `run_states`, `bars`, `cash_flows`, `transfers`,
`equity`, and `events` for the rest. `journals` is how far each journal has been stored, and by whom: `writers.py`; and
how far its marks of equity have been thinned: `thinning.py`.

- Amounts are exact: DECIMAL(38,18) in MariaDB, decimal text in SQLite (`CAST(x AS REAL)` where a sum may be rounded).
- Times are UTC with microseconds: DATETIME(6) in MariaDB, `YYYY-MM-DD HH:MM:SS.ffffff` text in SQLite, which its date
  functions read. `events.at_ns` keeps the nanoseconds.
- Every row names the record that wrote it last: `journal`, `sequence`.
- `events.listed` is 1 for what somebody looks for between thousands of orders, else NULL: what no other table tells,
  changes of a run state, and transfers.
"""

import msgspec

REVISION = "0007"  # the newest of migrations/versions: what this code reads and writes


class Upsert(msgspec.Struct, frozen=True):
    """Rows of one shape: `key` finds the row, `change` are the columns that a later record overwrites.

    With no `change` the first row stands. `columns` are all columns in the order of the values.
    """

    table: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    change: tuple[str, ...]


_RECORD = ("journal", "sequence")


def _upsert(table: str, key: tuple[str, ...], *columns: str, stands: bool = False) -> Upsert:
    own = tuple(name for name in (*columns, *_RECORD) if name not in key)
    return Upsert(table=table, key=key, columns=(*key, *own), change=() if stands else own)


# An order is written by two kinds of records; each changes its own columns only.
ORDER_INTENDED = _upsert(
    "orders",
    ("client_id",),
    "market",
    "number",
    "purpose",
    "side",
    "kind",
    "quantity",
    "price",
    "time_in_force",
    "reduce_only",
    "stop",
    "reference",
    "reason",
    "intended_at",
    "deadline_at",
)
ORDER_CHANGED = _upsert(
    "orders",
    ("client_id",),
    "market",
    "status",
    "evidence",
    "filled",
    "average",
    "venue_order_id",
    "code",
    "message",
    "changed_at",
)
# An execution is one row however often it is told: also from a journal that was begun anew.
FILL = _upsert(
    "fills",
    ("market", "execution_id"),
    "client_id",
    "venue_order_id",
    "side",
    "price",
    "quantity",
    "fee",
    "fee_currency",
    "maker",
    "cause",
    "net_after",
    "filled_at",
    stands=True,
)
CASH_FLOW = _upsert(
    "cash_flows",
    ("market", "execution_id"),
    "kind",
    "amount",
    "currency",
    "flowed_at",
    stands=True,
)
TRANSFER = _upsert("transfers", ("venue", "transfer_id"), "amount", "currency", "moved_at", stands=True)
ROUND_TRIP = _upsert(
    "round_trips",
    _RECORD,
    "market",
    "strategy",
    "side",
    "quantity",
    "entry_price",
    "exit_price",
    "profit",
    "fees",
    "net_profit",
    "opened_at",
    "closed_at",
)
POSITION = _upsert("positions", ("market",), "net", "entry_price", "changed_at")
POSITION_STOP = _upsert("positions", ("market",), "stop", "stop_set_at")
RUN_STATE = _upsert("run_states", _RECORD, "market", "previous", "state", "reason", "changed_at")
BAR = _upsert("bars", ("market", "timeframe_s", "opened_at"), "open", "high", "low", "close", "volume")
EQUITY = _upsert("equity", _RECORD, "venue", "currency", "equity", "marked_at")
EVENT = _upsert("events", _RECORD, "at", "at_ns", "kind", "market", "severity", "message", "body", "listed")

NAMES = ("journals", *dict.fromkeys(one.table for one in list(globals().values()) if isinstance(one, Upsert)))
LATER = {"transfers": "0007"}  # which revision made a table that the first one did not make
