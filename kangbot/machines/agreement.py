"""Whether we and the venue agree on one market: what is repaired, what is suspected, when a person must look.

Holds what outlives a single comparison of `machines/reconcile.py`: how long positions have disagreed, which strangers
have been told of, and whether the stop that we believe in has been seen. What becomes of an orphan is a policy of the
caller's; asking is left to `execution/account.py`.
"""

from collections import deque
from collections.abc import Sequence

import msgspec

from kangbot.machines.blotter import Blotter
from kangbot.machines.cover import Cover, Covering
from kangbot.machines.hands import BACK, MISSING
from kangbot.machines.order import Order
from kangbot.machines.order_words import Doubted, Reported
from kangbot.machines.reconcile import (
    EXPLAIN_NS,
    QUIET_NS,
    Drift,
    Foreign,
    Missing,
    Orphan,
    Reconciled,
    Verdict,
    compare,
    look_back,
    stranger,
)
from kangbot.model.events import Event, Severity
from kangbot.model.ids import ClientId, VenueOrderId, is_stop_id
from kangbot.model.market import Instrument
from kangbot.model.money import ZERO, Price, Quantity
from kangbot.model.orders import (
    CashFlow,
    Evidence,
    Fill,
    OrderKind,
    OrderReport,
    OrderStatus,
    Purpose,
    Side,
    VenuePosition,
)

_OWED_NS = 30_000_000_000  # a fill that was reported so long ago without an execution is hardly on its way any more
_PUT = 16  # a request that was lost is no longer on its way once so many others were made


class Agreement:
    """One market's agreement with its venue. Mutable.

    `covering` where the venue keeps no position (spot): there is none to compare, and its stop is an order of ours.
    Until `settled_ns`, by our clock, the venue may take in what a former life has sent.
    """

    def __init__(self, blotter: Blotter, *, covering: Covering | None = None, settled_ns: int = 0) -> None:
        self._settled_ns = settled_ns
        self.reconciled_ns = 0  # our clock: when the venue was last asked about everything, 0 for never
        self.quarantine = ""  # why a person must look; "" where all is well
        self.disputed = ""  # why our position is not to be built upon: it disagrees, and it is not explained yet
        self.foreign: dict[VenueOrderId, str] = {}  # orders that rest at the venue and are not ours, in words
        self._blotter = blotter
        lacking = blotter.hands.lacking  # by the last that a former life told
        self.covering = None if covering is None else covering.with_lacking(lacking)
        self.cover = Cover()  # the stops beside a holding; of no meaning where the venue keeps positions
        self._drift = Drift()
        self._released = False  # a person has looked at what differs, and both have not agreed since
        self._agreed = False  # both have said the same once
        self._position_ns = 0  # venue time of the newest statement on the position
        self._lacked = lacking  # coins that were missing when the account was looked at last: once is no evidence
        self._missed_ns = 0  # executions from then on may explain those; 0 where nothing is to be explained
        self._filled_ns = 0  # our clock: when a fill was counted last
        self._stop_ns = 0  # our clock: when something moved last beside a holding that the list of its stops tells of
        # The stop we believe in was stated by the venue itself. A former life may have asked for another at its end.
        self._stop_seen = covering is not None
        self._stops_put: deque[Price | None] = deque(maxlen=_PUT)  # what orders and requests of ours were to bring
        self._moved_of = 0  # the position whose stop somebody moved, by when it was opened

    @property
    def unsettled(self) -> bool:
        """Whether the venue is to be asked again soon."""
        drifts = bool(self._drift.since_ns or self._released) and not self.quarantine
        return not self.reconciled_ns or drifts or self.unconfirmed or self._lacked != self.lacking

    @property
    def unconfirmed(self) -> bool:
        """Whether the venue has yet to show the stop that an order of ours carried, or that was placed or removed."""
        return not self._stop_seen and (self.covering is not None or bool(self._blotter.position.net))

    @property
    def unprotected(self) -> bool:
        """Whether a position that can have a stop at the venue has none there, as far as we know."""
        return bool(self.needed) and self._blotter.stop is None

    @property
    def needed(self) -> Quantity:
        """How much a stop must close: the position, or what can be sold of a holding; 0 for nothing."""
        position = self._blotter.position
        if self.covering is None:
            return abs(position.net)
        return self.covering.needed(position.net, self._blotter.holding, position.entry)

    def oversells(self, order: Order) -> bool:
        """Whether an exit of coins sells more than is held by now. A venue that keeps positions reduces no further."""
        position, holding = self._blotter.position, self._blotter.holding
        return self.covering is not None and self.covering.oversells(order, position.net, holding)

    @property
    def oversold(self) -> Sequence[ClientId]:
        """The exits that may rest at the venue for coins that somebody has sold since, and are to be withdrawn."""
        if self.covering is None:
            return ()
        return [
            order.client_id
            for order in self._blotter.unsettled
            if order.intent.purpose is Purpose.EXIT
            and order.intent.kind is OrderKind.LIMIT
            and order.status is not OrderStatus.INTENT  # it is held back as it leaves
            and not (order.status.terminal or order.cancel_requested_ns)
            and self.oversells(order)
        ]

    @property
    def lacking(self) -> Quantity:
        """How many of the coins that we count are not in the account."""
        return ZERO if self.covering is None else self.covering.lacking

    @property
    def executions_since_ns(self) -> int | None:
        """From when on executions are wanted to explain what differs; None where there is nothing to explain.

        Nor where they did not explain it: a person's matter may stand for weeks, and the answer grows with each day.
        A contract that is held is paid funding while the market does not run here, which no position shows.
        """
        if not self.reconciled_ns and self.covering is None and self._blotter.position.net:
            return self._blotter.executions.last_ns - EXPLAIN_NS
        if self._drift.asked and not self.quarantine:
            return self._drift.from_ns
        return self._missed_ns or None

    def ruled(self, instrument: Instrument) -> None:
        """Learn the venue's rules anew: the stop beside a holding is to fit them; it may round a position's by them."""
        if self.covering is None:
            self._stop_seen = False
        else:
            self.covering = msgspec.structs.replace(self.covering, instrument=instrument)

    def carried(self, stop: Price | None) -> None:
        """Learn that a stop travels with an order, or is on its way: what the venue says next is no hand's."""
        self._stop_seen = False
        if stop in self._stops_put:
            self._stops_put.remove(stop)  # it is the newest again
        self._stops_put.append(stop)

    def placed(self, stop: Price | None, quantity: Quantity, name: ClientId | None, now_ns: int) -> Sequence[Event]:
        """Learn that the venue took the stop (None: removed it): believed, and to be confirmed."""
        self.carried(stop)  # believed, like one that travels: an entry that filled meanwhile may have brought another
        if self.covering is None:
            there = stop if self._blotter.position.net else None  # it went with a position that was closed meanwhile
            return (*self._blotter.rests(there, now_ns), *self._back(stop, now_ns))
        self._stop_ns = now_ns
        self.cover = self.cover.placed(name, stop, quantity)
        return self._covered(now_ns)

    def filled(self, fill: Fill, now_ns: int) -> Sequence[Event]:
        """Learn that a fill was counted: its order may have brought the position's stop.

        Of a holding it is another quantity that is held, and a stop that ended by it is gone.
        """
        self._filled_ns = now_ns
        if self.covering is None:
            return self._brought(fill, now_ns)
        self._stop_ns = now_ns
        if fill.by_hand and fill.side is Side.SELL:  # what was missing had been sold, and is counted as that by now
            self.covering = self.covering.with_lacking(max(ZERO, self.lacking - fill.quantity))
        self.cover = self.cover.filled(fill)
        return self._covered(now_ns)

    def release(self) -> None:
        """Lift the quarantine: a person has looked. A difference that persists, unexplained, is booked as a hand's.

        What our orders owe is booked as theirs, also where nothing differs, or nobody keeps a position: the market
        waits for it.
        """
        self._released = bool(self.quarantine or self._blotter.owing)
        self.disputed = "a person has looked: our position is compared once more" if self._released else ""
        self.quarantine = ""
        self._drift = Drift()

    # ------------------------------------------------------------------------------------------------------ statements
    def position(self, stated: VenuePosition, now_ns: int) -> Sequence[Event]:
        """Take a push of the position: which stop rests. An older one than the newest says nothing."""
        if self.covering is not None or stated.at_ns < self._position_ns:
            return ()
        self._position_ns = stated.at_ns
        return self._rests(stated, now_ns)

    def snapshot(self, snapshot: Reconciled, active_ns: int, now_ns: int) -> tuple[Sequence[Event], Sequence[ClientId]]:
        """Take the answers of the bulk endpoints; return what follows, and the ids of orphaned orders.

        `active_ns` is the last activity of ours in the market: a position that was asked for before says nothing.
        """
        blotter = self._blotter
        events: list[Event] = []
        for execution in snapshot.executions:
            # Most are known. What is forgotten was counted: had it not been, the position would show it.
            if not (execution.execution_id in blotter.executions or blotter.executions.too_old(execution.at_ns)):
                events.extend(self._execution(execution, now_ns))
        known, findings = compare(snapshot, blotter.unsettled, self._find)
        for client_id, report in known:
            found = msgspec.structs.replace(report, evidence=Evidence.QUERY)
            events.extend(blotter.learn(client_id, Reported(found), now_ns))
        orphans: list[ClientId] = []
        self.foreign.clear()
        for finding in findings:
            if isinstance(finding, Missing):
                events.extend(blotter.learn(finding.client_id, Doubted(), now_ns))
            else:
                events.extend(self.told(finding, now_ns))
                if isinstance(finding, Orphan) and finding.report.client_id is not None:
                    orphans.append(finding.report.client_id)
        if self.covering is not None:
            mine, strays = self._stops(self.covering, snapshot.open_orders)
            for stray in strays:
                events.extend(self.told(Orphan(stray), now_ns))
                orphans.append(ClientId(stray.client_id or ""))
            net = sum((order.intent.side.sign * (order.reported - order.executed) for order in blotter.owing), ZERO)
            events.extend(self._owed(snapshot, blotter.position.net + net, active_ns, now_ns))
            events.extend(self._counted(self.covering, snapshot, now_ns))
            events.extend(self._listed(mine, snapshot.asked_ns, active_ns, now_ns))
        else:
            if snapshot.asked_ns > active_ns:
                events.extend(self._rests(snapshot.position, now_ns))
            events.extend(self._compare(snapshot, snapshot.position, active_ns, now_ns))
        self.reconciled_ns = now_ns
        return events, orphans

    def stray(self, report: OrderReport) -> Orphan | Foreign | None:
        """Return what a report on the stream of an order that we do not know means; None where it is over already."""
        if report.status.terminal:
            self.foreign.pop(report.venue_order_id, None)
        if report.protective or report.status.terminal or self._find(report) is not None:
            return None
        return stranger(report)

    def stop_reported(self, report: OrderReport, now_ns: int) -> tuple[Sequence[Event], Sequence[ClientId]]:
        """Take a report on the stream of a stop beside a holding; return as `snapshot` does."""
        if self.covering is None or not is_stop_id(report.client_id or ""):
            return (), ()
        if self.covering.owns(report):
            self._stop_seen = self._stop_seen and not report.status.terminal
            self._stop_ns = now_ns
            self.cover = self.cover.reported(report)
            return self._covered(now_ns), ()
        if report.status.terminal or report.client_id is None:
            return (), ()
        return self.told(Orphan(report), now_ns), (report.client_id,)

    def told(self, finding: Orphan | Foreign, now_ns: int) -> Sequence[Event]:
        """Learn of an order at the venue that is none of ours; return what follows: a note on it, once for each."""
        report = finding.report
        if isinstance(finding, Foreign):
            self.foreign[report.venue_order_id] = f"{report.side.value} {report.quantity:f}"
        strangers = self._blotter.hands.strangers
        known = report.venue_order_id in strangers
        named = {"venue_order_id": report.venue_order_id, "client_id": report.client_id or ""}
        what = f"{report.side.value} {report.quantity:f}, filled {report.filled:f}"
        if isinstance(finding, Orphan):
            text = f"order {report.client_id} bears our prefix and is not in the journal: {what}"
            return () if known else (self._blotter.note("order.orphan", Severity.CRITICAL, text, now_ns, **named),)
        text = f"order {report.venue_order_id} is not ours and is left alone: {what}"
        if not known:
            note = self._blotter.note("order.foreign", Severity.WARNING, text, now_ns, **named)
            return (note, *self._blotter.by_hand(text, now_ns))
        there_at_release = strangers[report.venue_order_id]
        return () if there_at_release else self._blotter.taken(text, now_ns)

    # --------------------------------------------------------------------------------------------------------- private
    def _find(self, report: OrderReport) -> Order | None:
        return self._blotter.order(report.client_id, report.venue_order_id)

    def _execution(self, execution: Fill | CashFlow, now_ns: int) -> Sequence[Event]:
        if isinstance(execution, Fill):
            before = self._blotter.position.net
            events = self._blotter.fill(execution, now_ns)
            return events if self._blotter.position.net == before else (*events, *self.filled(execution, now_ns))
        return self._blotter.cash(execution, now_ns)

    def _brought(self, fill: Fill, now_ns: int) -> Sequence[Event]:
        """Believe in the stop that the venue took with the order, by whichever way the fill is heard of.

        The venue's statement on the position will confirm it or take it back; one that came with the fill may be from
        before it.
        """
        order = self._blotter.order(fill.client_id, fill.venue_order_id)
        stop = None if order is None else order.intent.stop
        if stop is None or not self._blotter.position.net:
            return ()
        self.carried(stop)
        return () if self._blotter.stop is not None else self._blotter.rests(stop, now_ns)

    def _stops(
        self, covering: Covering, reports: Sequence[OrderReport]
    ) -> tuple[Sequence[OrderReport], Sequence[OrderReport]]:
        """Return the stops beside our holding, and those that another journal than ours placed here."""
        stops = [report for report in reports if is_stop_id(report.client_id or "")]
        return [each for each in stops if covering.owns(each)], [each for each in stops if not covering.owns(each)]

    def _listed(self, mine: Sequence[OrderReport], asked_ns: int, active_ns: int, now_ns: int) -> Sequence[Event]:
        """Take the venue's list of our stops; an answer from before our own last activity says nothing.

        A list may lag behind: that a stop is gone is believed only when it and the holding have been quiet for a while.
        Other orders may come and go meanwhile: an exit that is placed anew every few seconds says nothing of the stop.
        """
        lost = not mine and bool(self.cover.resting)
        if asked_ns <= active_ns or (lost and asked_ns < self._stop_ns + QUIET_NS):
            return ()
        self._stop_seen = True
        self.cover = self.cover.listed(mine)
        return self._covered(now_ns)

    def _counted(self, covering: Covering, snapshot: Reconciled, now_ns: int) -> Sequence[Event]:
        """Hold the coins that we count against those in the account, which they leave without an execution, too.

        What is under way moves them before it is heard of, and once is no evidence. Nor is it any before executions
        from further back were asked for: the stop may have sold them while the market did not run here.
        """
        blotter = self._blotter
        if snapshot.coins is None or snapshot.asked_ns < self._filled_ns + QUIET_NS or blotter.unsettled:
            return ()
        lacks = covering.lacks(blotter.position.net, blotter.holding, snapshot.coins)
        before, lacking, self._lacked = covering.lacking, min(lacks, self._lacked), lacks
        self._missed_ns = look_back(snapshot.asked_ns, blotter.executions.last_ns) if lacks > before else 0
        if lacking > before and snapshot.executions_since_ns > self._missed_ns:
            return ()
        self.covering = covering.with_lacking(lacking)
        least = covering.instrument.min_quantity  # what no order could sell is no loss to tell
        if lacking > before and lacking >= least:
            text = f"{lacking:f} of the coins that were bought are not in the account: withdrawn, moved or converted"
            note = blotter.note(MISSING, Severity.ERROR, text, now_ns, quantity=lacking)
            return (note, *blotter.by_hand(text, now_ns))
        if before >= least and not lacking:
            return (blotter.note(BACK, Severity.INFO, "all that were bought are in the account again", now_ns),)
        return ()

    def _covered(self, now_ns: int) -> Sequence[Event]:
        return self._blotter.rests(self.cover.stop if self.needed else None, now_ns)

    def _rests(self, stated: VenuePosition, now_ns: int) -> Sequence[Event]:
        # A statement from before our fill arrived, or from after one that has not, is of another position's stop.
        if _direction(stated.net) != _direction(self._blotter.position.net):
            return ()
        before, seen, self._stop_seen = self._blotter.stop, self._stop_seen, True
        events = self._blotter.rests(stated.stop if stated.net else None, now_ns)
        # No journal has what a former life asked of the stop last: until it must have arrived, it may be what came.
        seen = seen and now_ns >= self._settled_ns
        moved = events and seen and before is not None and self._blotter.stop is not None
        return (*events, self._moved(before, stated, now_ns)) if moved and self._strange(stated.stop) else events

    def _strange(self, stop: Price | None) -> bool:
        """Whether a stop is of nobody's here: neither a request of ours brought it, nor an order that is remembered.

        A request that was lost may arrive long after another one, and an answer lag behind both; of an order that is
        over, the same answers may have told the fills.
        """
        return stop not in (*self._stops_put, *(order.intent.stop for order in self._blotter.orders))

    def _moved(self, before: Price | None, stated: VenuePosition, now_ns: int) -> Event:
        """Return the note on a stop that somebody moved. One that is gone is a matter of the policy for stops."""
        self._moved_of = self._blotter.position.opened_ns
        text = f"the stop of {stated.net:f} stood at {before:f}; somebody moved it to {stated.stop:f} at the venue"
        return self._blotter.note("stop.moved", Severity.WARNING, text, now_ns)

    def _back(self, stop: Price | None, now_ns: int) -> Sequence[Event]:
        """Return the note on a stop that we have set after somebody had moved it; nothing where nobody had."""
        position = self._blotter.position
        if stop is None or self._moved_of != position.opened_ns or not position.net:
            return ()
        self._moved_of = 0
        text = f"the stop of {position.net:f} rests at {stop:f}"
        return (self._blotter.note("stop.settled", Severity.INFO, text, now_ns),)

    def _compare(self, snapshot: Reconciled, stated: VenuePosition, active_ns: int, now_ns: int) -> Sequence[Event]:
        ours = self._blotter.position.net
        suspected = bool(self._drift.mismatches)
        self._drift, verdict = self._drift.seen(
            ours,
            stated.net,
            active_ns=max(active_ns, self._filled_ns),  # executions are asked for last: the position is from before
            asked_ns=snapshot.asked_ns,
            executions_since_ns=snapshot.executions_since_ns,
            last_execution_ns=self._blotter.executions.last_ns,
        )
        text = f"we count {ours:f} in the position, the venue says {stated.net:f}"
        self._agreed = self._agreed or verdict is Verdict.AGREED
        # A fill of ours may be quicker by one way than by the other. Before both have ever agreed it explains nothing.
        if verdict is not Verdict.TOO_SOON or not self._agreed:
            self.disputed = "" if verdict is Verdict.AGREED else f"{text}: looking for what explains it"
        match verdict:
            case Verdict.SUSPECTED:
                return (self._blotter.note("position.drift", Severity.WARNING, text, now_ns),)
            case Verdict.QUARANTINE if self._released and (price := self._price(stated)) is not None:
                self._released, self.disputed = False, ""
                return self._blotter.adjust(stated.net, price, now_ns)
            case Verdict.QUARANTINE if not self.quarantine:
                self.quarantine = f"{text}, and no execution explains it"
                if not self._blotter.executions:  # we never traded here, as far as we know
                    self.quarantine += "; if the state folder was lost: kangbot journal rebuild"
                return (self._blotter.note("position.quarantine", Severity.CRITICAL, self.quarantine, now_ns),)
            case Verdict.AGREED:
                self.quarantine = ""
                events = self._owed(snapshot, stated.net, active_ns, now_ns)
                if suspected:
                    text = f"both say {ours:f} again"
                    events = (*events, self._blotter.note("position.agreed", Severity.INFO, text, now_ns))
                return events
            case _:
                return ()

    def _owed(self, snapshot: Reconciled, net: Quantity, active_ns: int, now_ns: int) -> Sequence[Event]:
        """Have a person's look end, where the position is to be `net`: with what orders of ours owe, if they do."""
        if not self._released:
            return ()
        owing = self._blotter.owing
        if owing and snapshot.asked_ns < max(active_ns, self._filled_ns) + _OWED_NS:
            return ()
        self._released, self.disputed = False, ""
        if not owing:
            return ()
        first = owing[0].intent
        return self._blotter.adjust(net, self._blotter.position.entry or first.price or first.reference, now_ns)

    def _price(self, stated: VenuePosition) -> Price | None:
        """Return at which price a difference is booked: what is gone at ours, so without profit; what was added not."""
        position = self._blotter.position
        if (stated.net - position.net) * position.net < 0:
            return position.entry
        return stated.entry or stated.mark


def _direction(net: Quantity) -> int:
    return (net > 0) - (net < 0)
