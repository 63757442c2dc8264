"""What happened in a simulated session: a digest that two runs of one seed must share, and a timeline to read.

Entries are kept as the objects they were and worded only when somebody reads them: most sessions pass.
"""

from collections.abc import Iterator
from decimal import Decimal
from hashlib import sha256

import msgspec

from kangbot.model.events import (
    BarStored,
    DesiredChanged,
    EquityMarked,
    Event,
    FillApplied,
    Noted,
    OrderChanged,
    OrderIntended,
    RoundTripClosed,
    RunStateChanged,
    StopSet,
)
from kangbot.model.orders import Fill, Intent
from kangbot.sim.exchange.events import Executed, Funded, SimEvent
from kangbot.sim.exchange.events import OrderChanged as AtVenue

SECOND_NS = 1_000_000_000
_SHOWN = 120  # lines of a timeline


class Trace:
    """The record of one session. Times are nanoseconds since its start."""

    def __init__(self) -> None:
        self._digest = sha256()
        self._entries: list[tuple[int, str, object]] = []

    def note(self, at_ns: int, source: str, what: object) -> None:
        """Take in what somebody did or learnt: a fault, a command, a violation."""
        self._entries.append((at_ns, source, what))
        self._digest.update(f"{at_ns} {source} {what}\n".encode())

    def journal(self, at_ns: int, event: Event, text: str) -> None:
        """Take in a record that is on disk now."""
        self._entries.append((at_ns, "journal", event))
        self._digest.update(text.encode())

    def request(self, at_ns: int, intent: Intent) -> None:
        """Take in an order that leaves."""
        self._entries.append((at_ns, "sends", intent))
        self._digest.update(f"{at_ns} {intent.client_id}\n".encode())

    def venue(self, at_ns: int, event: SimEvent) -> None:
        """Take in what changed at the venue."""
        self._entries.append((at_ns, "venue", event))

    @property
    def digest(self) -> str:
        """Of journal, commands, faults and what was sent."""
        return self._digest.hexdigest()

    def timeline(self) -> Iterator[str]:
        """Yield the newest lines, oldest first: seconds since the start, who, and what."""
        lines = [(at_ns, source, words) for at_ns, source, what in self._entries if (words := _words(what))]
        for at_ns, source, words in lines[-_SHOWN:]:
            yield f"{at_ns / SECOND_NS:9.3f}  {source:8} {words}"


def _words(what: object) -> str:
    """Return one entry in words; "" for what a reader can do without."""
    match what:
        case BarStored() | EquityMarked():
            return ""
        case AtVenue() | Executed() | Funded():
            return _at_venue(what)
        case Intent():
            return _order(what)
        case RoundTripClosed(trip=trip):
            return f"{trip.market} is flat after {_plain(trip.net_profit)}"
        case Noted():
            return f"{what.kind} {what.market or ''}: {what.message}"
        case msgspec.Struct():
            return _in_journal(what)
        case _:
            return str(what)


def _in_journal(event: object) -> str:
    match event:
        case OrderIntended(intent=intent):
            return f"intends {_order(intent)}, because {intent.reason}"
        case OrderChanged():
            average = "" if event.average is None else f" at {_plain(event.average)}"
            told = f": {event.code} {event.message}".rstrip(": ")
            known = f"{event.client_id} is {event.status.value} by {event.evidence.value}"
            return f"{known}, filled {_plain(event.filled)}{average}{told}"
        case FillApplied(fill=fill):
            of = f"{fill.cause.value}, {fill.client_id or 'no order of ours'}"
            return f"{_fill(fill)} ({of}) makes {_plain(event.net)}"
        case StopSet():
            return f"{event.market} stop {'removed' if event.price is None else _plain(event.price)}"
        case RunStateChanged():
            return f"{event.market} {event.before.value} -> {event.after.value}: {event.reason}"
        case DesiredChanged():
            return f"{event.market} shall be {event.desired.value}, says {event.caller}"
        case _:
            return str(event)


def _at_venue(event: AtVenue | Executed | Funded) -> str:
    match event:
        case AtVenue(order=order):
            named = f"{order.market} order {order.request.client_id or order.origin.value}"
            filled = f"filled {_plain(order.filled)} of {_plain(order.quantity)}"
            return f"{named} {order.status.value}, {filled} {order.cause.value}".rstrip()
        case Executed(fill=fill):
            return f"{_fill(fill)}, execution {fill.execution_id[:8]}"
        case Funded(flow=flow):
            return f"{flow.market} funding {_plain(flow.amount)}"


def _fill(fill: Fill) -> str:
    return f"{fill.market} {fill.side.value} {_plain(fill.quantity)} at {_plain(fill.price)}"


def _order(intent: Intent) -> str:
    price = "at market" if intent.price is None else f"at {_plain(intent.price)} {intent.time_in_force.value}"
    stop = "" if intent.stop is None else f", stop {_plain(intent.stop)}"
    what = f"{intent.purpose.value} {intent.side.value} {_plain(intent.quantity)}"
    return f"{intent.client_id} {intent.market} {what} {price}{stop}"


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
