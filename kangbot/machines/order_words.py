"""What can be learnt of an order: the inputs of `machines/order.py`."""

import msgspec

from kangbot.model.orders import Fill, OrderReport


class Withheld(msgspec.Struct, frozen=True):
    """It will not leave: the journal refused it, it was cancelled before, or its time is over."""

    reason: str
    unwritten: bool = False  # the journal refused it: there is no intent that a record of its end could belong to


class Sent(msgspec.Struct, frozen=True):
    """A byte may leave now. Until `settle_ns` absence will prove nothing, nor until `venue_settle_ns` of its clock."""

    settle_ns: int
    venue_settle_ns: int = 0  # 0: nobody knows what it is stamped by


class Answered(msgspec.Struct, frozen=True):
    """The venue answered our request with a report."""

    report: OrderReport


class Reported(msgspec.Struct, frozen=True):
    """The venue reported it, on the stream or because it was asked."""

    report: OrderReport


class Filled(msgspec.Struct, frozen=True):
    """An execution of it that was not known before; the caller has checked its id."""

    fill: Fill


class RefusedByVenue(msgspec.Struct, frozen=True):
    """The venue answered our request by a definitive code. `lasting`: the same request gets the same answer."""

    code: str
    message: str
    lasting: bool = False


class Duplicate(msgspec.Struct, frozen=True):
    """The venue refused a second order under the same client id: the first one exists."""

    code: str
    message: str


class Lost(msgspec.Struct, frozen=True):
    """Our request has no usable answer: a timeout, a broken connection, a cancelled task, an unmapped error."""

    reason: str


class Absent(msgspec.Struct, frozen=True):
    """Every authoritative endpoint was asked after `asked_ns`, and each answered "not found"."""

    asked_ns: int
    venue_ns: int | None = None  # the venue's time in those answers, the earliest of them; None where they tell none


class Restarted(msgspec.Struct, frozen=True):
    """It was in flight when a process died. Until `settle_ns` absence will prove nothing."""

    settle_ns: int


class CancelAsked(msgspec.Struct, frozen=True):
    """Somebody wants it cancelled."""


class CancelSent(msgspec.Struct, frozen=True):
    """A request to cancel leaves now."""


class Doubted(msgspec.Struct, frozen=True):
    """Something does not fit what we believe: the venue is to be asked."""


class Asked(msgspec.Struct, frozen=True):
    """The venue is being asked for it now."""


Learnt = (
    Withheld
    | Sent
    | Answered
    | Reported
    | Filled
    | RefusedByVenue
    | Duplicate
    | Lost
    | Absent
    | Restarted
    | CancelAsked
    | CancelSent
    | Doubted
    | Asked
)
