"""What people do in a session: commands to markets, the kill switch, and what they do by hand past the daemon."""

import asyncio
import contextlib
from collections.abc import Callable
from decimal import Decimal

import msgspec

from kangbot.errors import ConfigInvalid, Problem, Refused
from kangbot.machines.killswitch import Wish
from kangbot.market.naming import UnknownMarketError
from kangbot.market.roster import Command
from kangbot.model.ids import ClientId, MarketId
from kangbot.model.money import Quantity, floor_to
from kangbot.model.orders import OrderKind, Purpose, Side
from kangbot.runtime.world import SECOND_NS
from kangbot.scenario.life import Life
from kangbot.scenario.plan import Hand, Move, Plan, Switch
from kangbot.scenario.reloads import By, Edit
from kangbot.scenario.saved import SavedFile
from kangbot.sim.exchange.orders import OrderRequest
from kangbot.sim.exchange.refusal import RequestRefused
from kangbot.sim.exchange.venue import SimVenue
from kangbot.sim.proof.held import closable, held, is_spot, managed, promised, sellable
from kangbot.sim.proof.invariants import Invariants
from kangbot.sim.proof.trace import Trace

_AGAIN_S = 3.0  # how soon somebody tries again what the daemon was not there for
_LOOKS_S = 20.0  # of calm: a person looks at markets that were taken from the daemon
_FAR = Decimal("0.05")  # from the price, as a share of it: what rests there stays there
_TOLD_NS = 5 * SECOND_NS  # in which the daemon has heard of what was done, and its disk too
_KILLED_NS = 32 * SECOND_NS  # of calm: what the kill switch withdraws and closes is gone by then
_MENDED_S = 5.0  # how soon a mistake in the file is put right
_MISTAKE = ConfigInvalid((Problem(message="is not TOML", file="/config/kangbot.toml"),))
_CLOSED_NS = 10 * SECOND_NS  # what a hand adds while it is set: a thin book may have no offers left just then


class People:
    """Those of one session.

    `flush` tells what they did at the venue, whose clock is `venue_now_ns`; `alive` returns the daemon's life while it
    has one; `now_ns` is since the start; `saved` is the configuration's file, where they edit that.
    """

    def __init__(
        self,
        *,
        plan: Plan,
        engine: SimVenue,
        flush: Callable[[], None],
        venue_now_ns: Callable[[], int],
        invariants: Invariants,
        trace: Trace,
        alive: Callable[[], Life | None],
        now_ns: Callable[[], int],
        saved: SavedFile | None,
    ) -> None:
        self._saved = saved
        self._calm_since_ns = 0  # no more faults, and the daemon is up; 0 for not yet
        self._gone = False
        self._plan = plan
        self._engine = engine
        self._flush = flush
        self._venue_now_ns = venue_now_ns
        self._invariants = invariants
        self._trace = trace
        self._alive = alive
        self._now_ns = now_ns
        self._loop = asyncio.get_running_loop()

    def begin(self) -> None:
        """Have everything done at its time."""
        for order in self._plan.orders:
            self._loop.call_later(order.at_ns / 1e9, self._command, order.market, order.command)
        for hand in self._plan.hands:
            if hand.at_ns is not None:
                self._loop.call_later(hand.at_ns / 1e9, self._trade, hand)
        for move in self._plan.moves:
            self._loop.call_later(move.at_ns / 1e9, self._move, move)
        for at_ns in self._plan.resets_ns:
            self._loop.call_later(at_ns / 1e9, self._accept)
        for at_ns in self._plan.takes_ns:
            self._loop.call_later(at_ns / 1e9, self._take_stops)
        for edit in self._plan.edits:
            self._loop.call_later(edit.at_ns / 1e9, self._edit, edit)
        if (switch := self._plan.switch) is not None:
            self._loop.call_later(switch.at_ns / 1e9, self._kill, switch)

    def calm(self) -> None:
        """Learn that there are no more faults, and that the daemon is up."""
        self._calm_since_ns = self._now_ns()
        self._look_at_file()
        for hand in self._plan.hands:
            if hand.at_ns is None:
                self._trade(hand)
        if self._plan.takes_ns:
            self._take_stops()
        if self._plan.hands:
            self._loop.call_later(_LOOKS_S, self._lift)

    def leave(self) -> None:
        """Go home at the end of the calm: of what was done by hand somebody must have been told.

        One more order is left resting where there are hands: a market that is taken by it is nobody's to release.
        """
        self._gone = True
        check = self._invariants
        check.hands.overdue(self._venue_now_ns() - _TOLD_NS, check.looked_after)  # what came since is asked in the end
        if self._plan.hands:
            first = self._plan.hands[0]
            self._trade(msgspec.structs.replace(first, side=Side.BUY, away=_FAR))

    def _command(self, market: MarketId, command: Command) -> None:
        life = self._alive()
        if life is None or life.roster is None:
            return
        self._trace.note(self._now_ns(), "operator", f"{command.value} {market}")
        try:
            life.roster.command(market, command, "operator")
        except UnknownMarketError:
            return  # it has not opened yet, or is not configured
        except Refused:
            self._invariants.deeds["command_refused"] += 1  # it has left the configuration

    # --------------------------------------------------------------------------------------------------- configuration
    def _edit(self, edit: Edit) -> None:
        """Save the file, at first with a mistake or not, and have it read."""
        if self._saved is None:
            return
        self._trace.note(self._now_ns(), "operator", f"saves version {edit.version}, {edit.by.value}")
        self._saved.save(edit.settings, _MISTAKE if edit.wrong else None)
        if edit.wrong:
            self._loop.call_later(_MENDED_S, self._saved.mend)
        if (life := self._alive()) is None:
            self._invariants.deeds["edited_while_away"] += 1
        else:
            life.reload(edit.by)

    def _look_at_file(self) -> None:
        """Have an edit read again whose markets the venue did not answer for: the daemon would ask ever less often."""
        life = self._alive()
        if life is not None and life.editor is not None and life.editor.report().problem:
            life.reload(By.SIGNAL)

    # ----------------------------------------------------------------------------------------------------- kill switch
    def _kill(self, switch: Switch) -> None:
        """Set it, once somebody is there to hear of it."""
        life = self._alive()
        if life is None or life.roster is None:
            self._loop.call_later(_AGAIN_S, self._kill, switch)
            return
        self._trace.note(self._now_ns(), "operator", f"kills{' and flattens' if switch.flatten else ''}")
        if switch.by_file:
            self._invariants.deeds["kill_by_file"] += 1
        life.kill(Wish(reason="a person wants to look", flatten=switch.flatten), by_file=switch.by_file)
        over_ns = self._plan.calm_ns if switch.release_ns is None else switch.release_ns
        self._loop.call_later(max(_AGAIN_S, (over_ns - self._now_ns()) / 1e9), self._release, switch)

    def _release(self, switch: Switch) -> None:
        """Release it, again and again until it is."""
        life, killing = self._alive(), self._invariants.killing
        ready = switch.release_ns is not None or (
            self._calm_since_ns and self._now_ns() > self._calm_since_ns + _KILLED_NS
        )
        if ready and life is not None and life.roster is not None:
            if not killing.set:
                return
            if switch.release_ns is None:
                self._look_at_killed()
            self._trace.note(self._now_ns(), "operator", "releases the kill switch")
            life.release(by_file=switch.by_file)
        self._loop.call_later(_AGAIN_S, self._release, switch)

    def _look_at_killed(self) -> None:
        """Hold the venue against a switch that has been set for half a minute without faults."""
        check = self._invariants
        for order in self._engine.orders.open():
            intent = check.intents.get(ClientId(order.request.client_id))
            if intent is not None and intent.purpose is Purpose.ENTRY:
                check.fail("kill", f"entry {intent.client_id} rests while the kill switch is set")
        if not check.killing.flatten:
            return
        check.deeds["kill_flat"] += 1
        since_ns = self._venue_now_ns() - _CLOSED_NS
        for market in check.looked_after:
            left = held(self._engine, market, check.hands)
            if is_spot(self._engine, market):  # coins that somebody bought by hand are left alone
                left = sellable(self._engine, market, self._managed(market))
            elif not closable(self._engine, market, left):
                continue
            if left and check.hands.traded_ns.get(market, 0) < since_ns:
                check.fail("kill", f"{market} holds {left} while the kill switch is set to flatten")

    # ------------------------------------------------------------------------------------------------------- transfers
    def _move(self, move: Move) -> None:
        """Bring money to the account, or take it away."""
        self._trace.note(self._now_ns(), "somebody", f"moves {move.amount} into the account")
        self._engine.transfer(move.amount, self._venue_now_ns())
        self._invariants.deeds["brought" if move.amount > 0 else "taken"] += 1
        self._flush()

    # ------------------------------------------------------------------------------------------------------- drawdown
    def _accept(self) -> None:
        """Have the drawdown counted anew, once somebody is there to hear of it."""
        life = self._alive()
        if life is None or life.roster is None:
            self._loop.call_later(_AGAIN_S, self._accept)
            return
        self._trace.note(self._now_ns(), "operator", "accepts the drawdown")
        if life.accept():
            self._invariants.deeds["drawdown_accepted"] += 1

    # --------------------------------------------------------------------------------------------------------- by hand
    def _trade(self, hand: Hand) -> None:
        """Place the order by hand; what the venue refuses is nobody's loss."""
        desk = self._engine.desks[hand.market]
        instrument = desk.spec.instrument
        price = None if hand.away is None else floor_to(desk.last * (1 - hand.side.sign * hand.away), instrument.tick)
        request = OrderRequest(
            market=hand.market,
            side=hand.side,
            kind=OrderKind.MARKET if price is None else OrderKind.LIMIT,
            quantity=floor_to(hand.notional / (price or desk.last), instrument.step),
            price=price,
        )
        self._trace.note(self._now_ns(), "somebody", f"{hand.side.value} {request.quantity} of {hand.market} by hand")
        with contextlib.suppress(RequestRefused):
            self._engine.submit(request, self._venue_now_ns())
        self._flush()

    def _take_stops(self) -> None:
        """Take away every stop that rests in the daemon's markets: the positions' own, and those beside coins."""
        engine, now_ns, taken = self._engine, self._venue_now_ns(), 0
        for market in self._invariants.looked_after:
            beside = [order for order in engine.orders.open(market) if order.untriggered and order.guards]
            for order in beside:
                with contextlib.suppress(RequestRefused):  # it is triggered in this very moment
                    engine.cancel(now_ns, order_id=order.order_id)
                    taken += 1
        self._trace.note(self._now_ns(), "somebody", f"takes {taken} stops away")
        self._invariants.deeds["stop_taken"] += taken
        self._flush()

    def _lift(self) -> None:
        """Give the markets that were somebody's back to the daemon, and make way for it."""
        if self._gone:
            return
        self._make_way()
        life = self._alive()
        if life is not None and life.floor is not None:
            for market in self._invariants.hands.touched:
                task = life.floor.markets.get(market)  # None: it has not opened yet
                if task is not None and task.desk.executor.quarantine:
                    self._invariants.deeds["hand_quarantine"] += 1
                    self._invariants.hands.releases(market, life.clock.now_ns())
                    life.floor.release(market, "operator")
        self._loop.call_later(_AGAIN_S, self._lift)

    def _make_way(self) -> None:
        """Withdraw orders by hand that sell the daemon's coins: while they rest it cannot, and it has said so."""
        hands = self._invariants.hands
        for market in hands.touched:
            if not is_spot(self._engine, market):
                continue
            for order in promised(self._engine, market, self._managed(market)):
                hands.withdraws(order.order_id)
                self._engine.cancel(self._venue_now_ns(), order_id=order.order_id)
        self._flush()

    def _managed(self, market: MarketId) -> Quantity:
        return managed(self._engine, market, self._invariants.hands, adopted=self._invariants.adopts)
