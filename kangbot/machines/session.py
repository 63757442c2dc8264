"""One websocket connection and its topics: what is believed of each, what is said next, when to give up.

Without I/O and without a venue's words: the shell (`feed/stream.py`) tells what the dialect decoded, does the effects
it drains, and comes back by `deadline`. Anything sent is decided in `tick`, so that whatever was asked for within one
turn of the loop leaves in few frames (`machines/session_requests.py`).

The life of a topic. A topic is live only by an acknowledgement and data, never by one of them alone; where nothing is
said, the state stays::

                opened  frame sent   acknowledged   data           denied       its time is up            closed
    WANTED              REQUESTED                                               (sent again, if it may be)
    REQUESTED                        ACKED (1)      noted for (1)  DENIED (2)   WANTED  unacknowledged    WANTED
    ACKED                                           LIVE                        WANTED  mute              WANTED
    LIVE                                            seen (4)                    STALE   silent or stuck   WANTED
    STALE               REQUESTED                   LIVE (3)                    (sent again)              WANTED
    DENIED                                                                      WANTED  after a rest

    (1) LIVE at once where data came before the answer, or where the topic's terms ask for no data.
    (2) A request is refused whole. The others in it are asked for again: together where the refusal names the bad
        one, else each alone, so that it shows.
    (3) Its subscription was never ended, and its venue time moves on.
    (4) Where some of it is missing: WANTED, and no data revives it before it is subscribed anew, whole.

Whatever is asked for again is unsubscribed first: a venue that still holds the subscription would refuse a second one.
From the second failure on a topic rests before it is asked for again; its neighbours do not notice. After `attempts`
failures it is given up to another connection, or the connection is closed where most of its topics are no better.

The socket itself has its own clock: after `probe_ns` without a frame a heartbeat is asked for, and `pong_ns` later,
still without any frame, it is dead. Until then nothing is sent for topics that fell silent with it.
"""

from collections import Counter
from collections.abc import Sequence

import msgspec

from kangbot.machines.backoff import Backoff
from kangbot.machines.heartbeat import Heartbeat
from kangbot.machines.session_requests import NEVER, Requests
from kangbot.machines.session_words import (
    SECOND_NS,
    Close,
    CloseKind,
    Effect,
    Reply,
    SessionRules,
    Stage,
    Terms,
    TopicAcked,
    TopicDown,
    TopicGivenUp,
    TopicLife,
    TopicLive,
    TopicState,
    Trouble,
)
from kangbot.machines.watchdog import Watchdog

_SUBSCRIBED = (TopicState.REQUESTED, TopicState.ACKED, TopicState.LIVE, TopicState.STALE)


class Session:
    """The state of one stream's connection, over all its reconnects. Large state with one writer: mutable."""

    def __init__(self, rules: SessionRules) -> None:
        self._rules = rules
        self._topics: dict[str, TopicLife] = {}
        self._watch = Watchdog()
        self._requests = Requests(rules)
        self._effects: list[Effect] = []
        self._forget()
        self.troubles: Counter[Trouble] = Counter()

    def _forget(self) -> None:
        """Forget what belongs to one connection."""
        self.stage = Stage.CLOSED
        self._ticked_ns = 0
        self._asleep_ns = NEVER  # whoever comes later than this finds that we were away
        self._say_ns = NEVER
        self._login_due_ns = NEVER
        self._pulse = self._heartbeat(0)
        self._wanted_ns = 0  # when something was last wanted
        self._live = 0
        self._flowing_ns: int | None = None

    def _heartbeat(self, now_ns: int) -> Heartbeat:
        rules = self._rules
        return Heartbeat(every_ns=rules.ping_ns, probe_ns=rules.probe_ns, pong_ns=rules.pong_ns, now_ns=now_ns)

    # ------------------------------------------------------------------------------------------------------- wants
    def want(self, native: str, terms: Terms, now_ns: int) -> None:
        """Ask for a topic, on this connection and on all that follow. Wanting it twice changes its terms only."""
        topic = self._topics.get(native)
        if topic is not None:
            topic.terms = terms
            return
        self._topics[native] = TopicLife(native=native, terms=terms)  # what is leaving is ended before it is asked for
        self._say_ns = now_ns

    def unwant(self, native: str, now_ns: int) -> None:
        """Ask for it no longer; harmless where it was not wanted."""
        topic = self._topics.pop(native, None)
        if topic is None:
            return
        self._watch.forget(native)
        if topic.state is TopicState.LIVE:
            self._lost_one()
        if topic.dirty or topic.state in _SUBSCRIBED:
            self._requests.end(native)
        self._wanted_ns = self._say_ns = now_ns

    @property
    def wanted(self) -> Sequence[str]:
        """The topics wanted, in the order in which they were asked for."""
        return tuple(self._topics)

    def state(self, native: str) -> TopicState | None:
        """Return where the topic stands; None where it is not wanted."""
        topic = self._topics.get(native)
        return None if topic is None else topic.state

    @property
    def live(self) -> int:
        """How many topics are live."""
        return self._live

    def flowing_ns(self, now_ns: int) -> int:
        """Return for how long without a break at least one topic has been live on this connection."""
        return 0 if self._flowing_ns is None else now_ns - self._flowing_ns

    # ------------------------------------------------------------------------------------------------------ inputs
    def opened(self, now_ns: int, *, logging_in: bool) -> None:
        """Learn that the connection is open; `logging_in` where the shell has sent an authentication frame."""
        self._forget()
        self.stage = Stage.LOGIN if logging_in else Stage.READY
        self._pulse = self._heartbeat(now_ns)
        self._say_ns = self._wanted_ns = now_ns
        self._awake(now_ns)
        if logging_in:
            self._login_due_ns = now_ns + self._rules.login_ns

    def closed(self, reason: str) -> None:
        """Learn that the connection is gone, whoever ended it."""
        for topic in self._topics.values():
            if topic.state in _SUBSCRIBED:
                self._effects.append(TopicDown(topic.native, Trouble.CLOSED, reason))
            if topic.state is not TopicState.DENIED:
                topic.state, topic.due_ns = TopicState.WANTED, 0
            topic.request, topic.dirty, topic.heard, topic.failures = "", False, False, 0
        self._requests.closed()
        self._forget()

    def data(self, native: str, now_ns: int, stamp: int = 0) -> bool:
        """Learn that data came; True where that has effects to drain. `stamp` is its venue time, 0 where unknown.

        The one input of the hot path: a live topic costs two lookups.
        """
        if now_ns > self._asleep_ns:
            self._awake(now_ns)
        self._pulse.data(now_ns)
        topic = self._topics.get(native)
        if topic is None:
            return False
        if topic.state is TopicState.LIVE:
            self._watch.seen(native, now_ns, stamp)
            return False
        if topic.state is TopicState.ACKED or (
            topic.state is TopicState.STALE and self._watch.seen(native, now_ns, stamp)
        ):
            self._go_live(topic, now_ns, stamp)
            return True
        topic.heard, topic.stamp = topic.state is TopicState.REQUESTED, stamp
        return False

    def gap(self, native: str, missing: int, now_ns: int) -> None:
        """Learn that data of a topic are missing: what builds on them is wrong until the topic begins anew."""
        self._pulse.data(now_ns)
        topic = self._topics.get(native)
        if topic is not None and topic.state is TopicState.LIVE:
            self._fail(topic, Trouble.GAP, f"{missing} of its events are missing", now_ns)
            topic.state, self._say_ns = TopicState.WANTED, now_ns

    def heard(self, now_ns: int) -> None:
        """Learn that some other frame came: it proves the socket, never a topic."""
        self._pulse.heard_ns = now_ns

    def pong(self, now_ns: int) -> None:
        """Learn that the heartbeat was answered."""
        self._pulse.pong(now_ns)

    def ping_asked(self, reply: str, now_ns: int) -> None:
        """Learn that the venue wants a heartbeat from us."""
        self._pulse.heard_ns = now_ns
        self._effects.append(Reply(reply))

    def logged_in(self, now_ns: int) -> None:
        """Learn that the authentication was accepted."""
        self._pulse.heard_ns = now_ns
        if self.stage is Stage.LOGIN:
            self.stage, self._login_due_ns, self._say_ns = Stage.READY, NEVER, now_ns

    def login_denied(self, message: str, now_ns: int) -> None:
        """Learn that the authentication was refused."""
        self._pulse.heard_ns = now_ns
        self._close(CloseKind.LOGIN, f"login refused: {message}")

    def acked(self, request: str, natives: Sequence[str], now_ns: int) -> None:
        """Learn that the venue confirmed a request; `natives` empty confirms all of it.

        The answer to an earlier attempt at a topic says nothing of the present one.
        """
        self._pulse.heard_ns = now_ns
        for topic in self._asked_in(request):
            if natives and topic.native not in natives:
                continue
            self._effects.append(TopicAcked(topic.native))
            topic.alone = False
            if topic.heard or topic.terms.patience is None:
                self._go_live(topic, now_ns, topic.stamp)
            else:
                usual_ns = self._watch.budget_ns(topic.native) or topic.terms.first_ns
                topic.state, topic.due_ns = TopicState.ACKED, now_ns + min(usual_ns, topic.terms.first_ns)

    def denied(self, request: str, native: str, message: str, now_ns: int) -> None:
        """Learn that the venue refused a request; `native` where it names the topic for whose sake."""
        self._pulse.heard_ns = self._say_ns = now_ns
        asked = self._asked_in(request)
        named = any(topic.native == native for topic in asked)
        for topic in asked:
            topic.dirty = True
            if topic.sole or topic.native == native:
                self.troubles[Trouble.DENIED] += 1
                topic.state, topic.due_ns = TopicState.DENIED, now_ns + self._rules.denied_ns
                self._effects.append(TopicDown(topic.native, Trouble.DENIED, message))
            else:
                topic.state, topic.due_ns, topic.alone = TopicState.WANTED, now_ns, not named

    def tick(self, now_ns: int) -> None:
        """Look at every clock, and say what is to be said."""
        if self.stage in (Stage.CLOSED, Stage.CLOSING):
            return
        self._awake(now_ns)
        if now_ns >= self._login_due_ns:
            self._close(CloseKind.DEAF, "login was not answered")
            return
        if not self._topics and not self._requests.ending and now_ns - self._wanted_ns >= self._rules.idle_ns:
            self._close(CloseKind.IDLE, "nothing is wanted")
            return
        self._check_pulse(now_ns)
        self._check_steps(now_ns)
        self._check_silence(now_ns)
        self._say(now_ns)

    def _say(self, now_ns: int) -> None:
        if self.stage is Stage.CLOSING:
            return
        ready = self.stage is Stage.READY
        said, self._say_ns = self._requests.say(self._topics.values(), self._pulse, now_ns, ready=ready)
        self._effects.extend(said)

    # ----------------------------------------------------------------------------------------------------- outputs
    def drain(self) -> Sequence[Effect]:
        """Return what is to be done, in order, and forget it."""
        effects, self._effects = self._effects, []
        return effects

    def deadline(self) -> int | None:
        """Return when `tick` is due; None while there is no connection to keep."""
        if self.stage in (Stage.CLOSED, Stage.CLOSING):
            return None
        return min(self._say_ns, self._ticked_ns + self._rules.tick_ns)

    # ------------------------------------------------------------------------------------------------------ clocks
    def _awake(self, now_ns: int) -> None:
        """Take note that we are there, and move every clock where we were not.

        The loop stood still, and what came meanwhile has not been read yet. Whoever comes first finds it, reader or
        keeper.
        """
        if now_ns > self._asleep_ns:
            self._slept(now_ns - self._ticked_ns - self._rules.tick_ns, now_ns)
        self._ticked_ns = now_ns
        self._asleep_ns = now_ns + self._rules.tick_ns + self._rules.late_ns

    def _slept(self, for_ns: int, now_ns: int) -> None:
        self._watch.slept(for_ns, now_ns)
        self._pulse.slept(for_ns, now_ns)
        self._login_due_ns += for_ns
        for topic in self._topics.values():
            if topic.state in (TopicState.REQUESTED, TopicState.ACKED):
                topic.due_ns += for_ns

    def _check_pulse(self, now_ns: int) -> None:
        if self._pulse.dead(now_ns):
            silent_s = (now_ns - self._pulse.heard_ns) / SECOND_NS
            self._close(CloseKind.DEAF, f"no frame and no pong for {silent_s:.1f} s")

    def _check_steps(self, now_ns: int) -> None:
        for topic in self._topics.values():
            if now_ns < topic.due_ns:
                continue
            if topic.state is TopicState.REQUESTED:
                self._fail(topic, Trouble.UNACKNOWLEDGED, "the subscription was not answered", now_ns)
            elif topic.state is TopicState.ACKED:
                self._fail(topic, Trouble.MUTE, "acknowledged, but no data came", now_ns)

    def _check_silence(self, now_ns: int) -> None:
        for overdue in self._watch.scan(now_ns)[0]:
            topic = self._topics[overdue.topic]
            if topic.state is TopicState.LIVE:
                trouble = Trouble.STUCK if overdue.stuck else Trouble.SILENT
                self._fail(topic, trouble, f"no new data for {overdue.silent_ns / SECOND_NS:.1f} s", now_ns)

    # ------------------------------------------------------------------------------------------------- transitions
    def _asked_in(self, request: str) -> Sequence[TopicLife]:
        return [t for t in self._topics.values() if t.state is TopicState.REQUESTED and t.request == request]

    def _go_live(self, topic: TopicLife, now_ns: int, stamp: int = 0) -> None:
        topic.state, topic.live_ns = TopicState.LIVE, now_ns
        if topic.terms.patience is not None:
            self._watch.watch(topic.native, topic.terms.patience, now_ns, stamp)
        self._live += 1
        if self._flowing_ns is None:
            self._flowing_ns = now_ns
        self._effects.append(TopicLive(topic.native))

    def _lost_one(self) -> None:
        self._live -= 1
        if not self._live:
            self._flowing_ns = None

    def _fail(self, topic: TopicLife, trouble: Trouble, message: str, now_ns: int) -> None:
        if self.stage is Stage.CLOSING:
            return
        self.troubles[trouble] += 1
        was_live = topic.state is TopicState.LIVE
        if was_live:
            self._lost_one()
            if now_ns - topic.live_ns >= self._rules.steady_ns:
                topic.failures = 0
        topic.state = TopicState.STALE if was_live else TopicState.WANTED
        topic.failures += 1
        topic.dirty, topic.heard = True, False
        # Pacing, not chance: a topic rests alone, there is nobody to keep apart from.
        rest = Backoff(first_ns=self._rules.rest_first_ns, ceiling_ns=self._rules.rest_most_ns)
        topic.due_ns = now_ns + msgspec.structs.replace(rest, failures=topic.failures - 1).wait_ns(0.5)
        self._effects.append(TopicDown(topic.native, trouble, message))
        if topic.terms.witness and topic.failures % self._rules.attempts == 0:
            self._give_up(topic, trouble)

    def _give_up(self, topic: TopicLife, trouble: Trouble) -> None:
        witnesses = [t for t in self._topics.values() if t.terms.witness]
        unwell = sum(t.failures > 0 and t.state is not TopicState.LIVE for t in witnesses)
        if 2 * unwell > len(witnesses):
            self._close(CloseKind.DEAF, f"{unwell} of {len(witnesses)} topics are {trouble}")
        else:
            self._effects.append(TopicGivenUp(topic.native, trouble))

    def _close(self, kind: CloseKind, reason: str) -> None:
        if self.stage in (Stage.LOGIN, Stage.READY):
            self.stage = Stage.CLOSING
            self._effects.append(Close(kind, reason))
