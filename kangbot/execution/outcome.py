"""What background errands bring back to the market's inbox, and how a venue's error becomes something learnt."""

import msgspec

from kangbot.errors import Ambiguous, DuplicateId, KangbotError, RateLimited, Refused, named, words
from kangbot.machines.order_words import Duplicate, Learnt, Lost, RefusedByVenue, Withheld
from kangbot.model.events import Event
from kangbot.model.ids import ClientId
from kangbot.model.money import ZERO, Price, Quantity
from kangbot.ports import Lookup


class SendEnded(msgspec.Struct, frozen=True, kw_only=True):
    """A request to place an order has come to an end, one way or another."""

    client_id: ClientId
    learnt: Learnt

    @property
    def unwritten(self) -> bool:
        """Whether the journal does not have the intent, which therefore never left: its end is no news to anybody."""
        return isinstance(self.learnt, Withheld) and self.learnt.unwritten


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """The venue was asked for an order by name. `lookup` None: the question failed, which says nothing."""

    client_id: ClientId
    lookup: Lookup | None
    asked_ns: int
    message: str = ""


class CancelEnded(msgspec.Struct, frozen=True, kw_only=True):
    """A request to cancel has come to an end. `denied`: the venue knows no open order of that id."""

    client_id: ClientId
    denied: bool
    message: str = ""


class ProtectEnded(msgspec.Struct, frozen=True, kw_only=True):
    """A request to set the position's stop has come to an end. `refused` is the venue's definitive no.

    Where the stop is an order beside a holding: for how much of it, and under which name it rests.
    """

    stop: Price | None
    quantity: Quantity = ZERO
    name: ClientId | None = None
    done: bool
    refused: str = ""
    message: str = ""


class WriteEnded(msgspec.Struct, frozen=True, kw_only=True):
    """Events that the journal did not take (`error`), or took at the second attempt."""

    events: tuple[Event, ...]
    error: str = ""


Outcome = SendEnded | Looked | CancelEnded | ProtectEnded | WriteEnded


def learnt_from(error: Exception) -> Learnt:
    """Return what the failure of a request to place an order says of the order.

    REJECTED needs a definitive code. An error without one, a transport error and an error that no table names all say
    the same: nothing.
    """
    match error:
        case DuplicateId():
            return Duplicate(error.code or "", error.message)
        case Refused():
            return RefusedByVenue(error.code or type(error).__name__, error.message, lasting=True)
        case RateLimited():
            return RefusedByVenue(error.code or type(error).__name__, error.message)
        case Ambiguous():
            return Lost(error.message)
        case KangbotError() if error.code is not None:
            return RefusedByVenue(error.code, error.message)
        case KangbotError():
            return Lost(error.message)
        case TimeoutError():
            return Lost(words(error))
        case _:
            return Lost(named(error))
