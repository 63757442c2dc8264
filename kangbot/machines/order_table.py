"""The life of an order as a table: where it stands, what was learnt, where it stands then.

::

    INTENT ──▶ SENT ──▶ ACKED ──▶ PARTIAL ──▶ FILLED | CANCELED | EXPIRED
       │        │ │       ▲          ▲          ▲
       │        │ └───────┼──────────┴──────────┤
       │        ├─▶ REJECTED ─ ─ ─ ─ ─ ─ ─ ─ ─ ─┤   only by a definitive code; evidence of life beats it
       │        └─▶ UNKNOWN ────────────────────┘   every other outcome; asked about until it is known
       │              └─▶ NOT_ACCEPTED ─ ─ ─ ─ ─ ┘   proved absent after its deadline; evidence of life beats that too
       └─▶ NOT_ACCEPTED                             withheld: it never left

One row a line: `(status, sign): status`. The signs are what `machines/order.py` reads from a report, a fill, an answer
or a silence. What is not in the table cannot happen, and raises there.
"""

from enum import Enum, auto

from kangbot.model.orders import OrderStatus as S


class Sign(Enum):
    """What was learnt of an order, as far as its status is concerned."""

    WITHHELD = auto()  # it will not leave: our own decision
    SENT = auto()  # a byte may have left
    ACKED = auto()  # the venue says: it rests, nothing filled
    PARTIAL = auto()  # the venue says: it rests, partly filled
    FILLED = auto()  # the venue says so, or the fills add up to its quantity
    CANCELED = auto()
    EXPIRED = auto()
    REJECTED = auto()  # the venue reports the order as rejected
    FILL = auto()  # an execution, and more is open
    REFUSED = auto()  # our request was answered by a definitive code
    DUPLICATE = auto()  # our request was refused because the order exists
    LOST = auto()  # our request has no usable answer
    ABSENT = auto()  # proved absent, and there never was a sign of it
    GONE = auto()  # proved absent, and it had existed
    RESTARTED = auto()  # the process that knew it has died
    GROWN = auto()  # the venue says: it rests, and is of more by now than we had counted it whole at
    LATE = auto()  # the venue itself had reported the end of it before this


G = Sign

TABLE: dict[tuple[S, Sign], S] = {
    (S.INTENT, G.WITHHELD): S.NOT_ACCEPTED,
    (S.INTENT, G.SENT): S.SENT,
    (S.INTENT, G.RESTARTED): S.UNKNOWN,  # the record of the send may be what was lost, not the send
    # ------------------------------------------------------------------------------------------------ on its way
    (S.SENT, G.ACKED): S.ACKED,
    (S.SENT, G.PARTIAL): S.PARTIAL,
    (S.SENT, G.FILLED): S.FILLED,
    (S.SENT, G.CANCELED): S.CANCELED,
    (S.SENT, G.EXPIRED): S.EXPIRED,
    (S.SENT, G.REJECTED): S.REJECTED,
    (S.SENT, G.FILL): S.PARTIAL,  # the fill's push overtook the answer
    (S.SENT, G.REFUSED): S.REJECTED,
    (S.SENT, G.DUPLICATE): S.ACKED,  # something below us sent it twice: it exists; how it stands is asked
    (S.SENT, G.LOST): S.UNKNOWN,
    (S.SENT, G.RESTARTED): S.UNKNOWN,
    # --------------------------------------------------------------------------------------------------- resting
    (S.ACKED, G.ACKED): S.ACKED,
    (S.ACKED, G.PARTIAL): S.PARTIAL,
    (S.ACKED, G.FILLED): S.FILLED,
    (S.ACKED, G.CANCELED): S.CANCELED,
    (S.ACKED, G.EXPIRED): S.EXPIRED,
    (S.ACKED, G.REJECTED): S.REJECTED,  # acknowledged for processing, refused by the engine afterwards
    (S.ACKED, G.FILL): S.PARTIAL,
    (S.ACKED, G.REFUSED): S.ACKED,  # the answer to a second copy: the first one rests
    (S.ACKED, G.DUPLICATE): S.ACKED,
    (S.ACKED, G.LOST): S.ACKED,  # the push was quicker than the answer that never came
    (S.ACKED, G.GONE): S.EXPIRED,
    (S.ACKED, G.RESTARTED): S.UNKNOWN,
    (S.PARTIAL, G.ACKED): S.PARTIAL,  # late: filled quantity never decreases
    (S.PARTIAL, G.PARTIAL): S.PARTIAL,
    (S.PARTIAL, G.FILLED): S.FILLED,
    (S.PARTIAL, G.CANCELED): S.CANCELED,
    (S.PARTIAL, G.EXPIRED): S.EXPIRED,
    (S.PARTIAL, G.REJECTED): S.CANCELED,  # what was filled stands; the venue dropped the rest
    (S.PARTIAL, G.FILL): S.PARTIAL,
    (S.PARTIAL, G.REFUSED): S.PARTIAL,
    (S.PARTIAL, G.DUPLICATE): S.PARTIAL,
    (S.PARTIAL, G.LOST): S.PARTIAL,
    (S.PARTIAL, G.GONE): S.EXPIRED,
    (S.PARTIAL, G.RESTARTED): S.UNKNOWN,
    # --------------------------------------------------------------------------------------------------- unknown
    (S.UNKNOWN, G.SENT): S.UNKNOWN,  # the same id once more: still nothing is known
    (S.UNKNOWN, G.ACKED): S.ACKED,
    (S.UNKNOWN, G.PARTIAL): S.PARTIAL,
    (S.UNKNOWN, G.FILLED): S.FILLED,
    (S.UNKNOWN, G.CANCELED): S.CANCELED,
    (S.UNKNOWN, G.EXPIRED): S.EXPIRED,
    (S.UNKNOWN, G.REJECTED): S.REJECTED,
    (S.UNKNOWN, G.FILL): S.PARTIAL,
    (S.UNKNOWN, G.REFUSED): S.UNKNOWN,  # a refused second copy says nothing of the first
    (S.UNKNOWN, G.DUPLICATE): S.ACKED,  # proof of existence; how it stands is asked
    (S.UNKNOWN, G.LOST): S.UNKNOWN,
    (S.UNKNOWN, G.ABSENT): S.NOT_ACCEPTED,
    (S.UNKNOWN, G.GONE): S.EXPIRED,
    (S.UNKNOWN, G.RESTARTED): S.UNKNOWN,
    # ------------------------------------------------------------------------------------------------------- end
    (S.FILLED, G.LATE): S.FILLED,
    (S.FILLED, G.FILL): S.FILLED,  # the report came before its executions
    (S.FILLED, G.FILLED): S.FILLED,
    (S.FILLED, G.GROWN): S.PARTIAL,  # by our count of its fills it was whole, and somebody made it a larger one
    (S.FILLED, G.REFUSED): S.FILLED,
    (S.FILLED, G.DUPLICATE): S.FILLED,
    (S.FILLED, G.LOST): S.FILLED,
    (S.CANCELED, G.LATE): S.CANCELED,
    (S.CANCELED, G.FILL): S.CANCELED,  # executions from before the cancel are still coming
    (S.CANCELED, G.FILLED): S.FILLED,  # the last fill won the race
    (S.CANCELED, G.REFUSED): S.CANCELED,
    (S.CANCELED, G.DUPLICATE): S.CANCELED,
    (S.CANCELED, G.LOST): S.CANCELED,
    (S.EXPIRED, G.LATE): S.EXPIRED,
    (S.EXPIRED, G.FILL): S.EXPIRED,
    (S.EXPIRED, G.FILLED): S.FILLED,
    (S.EXPIRED, G.REFUSED): S.EXPIRED,
    (S.EXPIRED, G.DUPLICATE): S.EXPIRED,
    (S.EXPIRED, G.LOST): S.EXPIRED,
    # ---------------------------------------------- ends that we inferred: whatever the venue says of it beats them
    (S.EXPIRED, G.ACKED): S.ACKED,
    (S.EXPIRED, G.PARTIAL): S.PARTIAL,
    (S.EXPIRED, G.CANCELED): S.CANCELED,
    (S.EXPIRED, G.EXPIRED): S.EXPIRED,
    (S.EXPIRED, G.REJECTED): S.REJECTED,
    (S.REJECTED, G.LATE): S.REJECTED,
    (S.REJECTED, G.ACKED): S.ACKED,  # refused by a code, and yet it lives: alarm
    (S.REJECTED, G.PARTIAL): S.PARTIAL,
    (S.REJECTED, G.FILLED): S.FILLED,
    (S.REJECTED, G.CANCELED): S.CANCELED,
    (S.REJECTED, G.EXPIRED): S.EXPIRED,
    (S.REJECTED, G.REJECTED): S.REJECTED,
    (S.REJECTED, G.FILL): S.PARTIAL,  # an execution is beyond doubt: alarm
    (S.REJECTED, G.REFUSED): S.REJECTED,
    (S.REJECTED, G.DUPLICATE): S.REJECTED,  # the venue keeps the id of an order that its engine refused
    (S.REJECTED, G.LOST): S.REJECTED,
    (S.NOT_ACCEPTED, G.ACKED): S.ACKED,  # accepted later than the venue promises: alarm
    (S.NOT_ACCEPTED, G.PARTIAL): S.PARTIAL,
    (S.NOT_ACCEPTED, G.FILLED): S.FILLED,
    (S.NOT_ACCEPTED, G.CANCELED): S.CANCELED,
    (S.NOT_ACCEPTED, G.EXPIRED): S.EXPIRED,
    (S.NOT_ACCEPTED, G.REJECTED): S.REJECTED,
    (S.NOT_ACCEPTED, G.FILL): S.PARTIAL,
    (S.NOT_ACCEPTED, G.REFUSED): S.NOT_ACCEPTED,
    (S.NOT_ACCEPTED, G.DUPLICATE): S.ACKED,
    (S.NOT_ACCEPTED, G.LOST): S.NOT_ACCEPTED,
}
