"""What `journal.replay.Remembers` promises, asked of each that remembers: a checkpoint stands for what was before it.

Old records are removed once a checkpoint stands for them, so whatever a checkpoint leaves out is forgotten for ever;
and what stands on a user's disk may be of another version, or torn, which must be told and never guessed at.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kangbot.journal.replay import Remembers
from kangbot.machines.breaker import DEFAULTS
from kangbot.machines.breakers import Breakers
from kangbot.machines.entry_holds import EntryHolds
from kangbot.machines.lives import RESTARTED, STARTED, STOPPED, Lives
from kangbot.machines.margin import CHANGED, KNOWN, Margin
from kangbot.machines.pauses import Pauses
from kangbot.machines.transfers import Transfers
from kangbot.model.events import (
    BreakerChanged,
    BreakerState,
    DrawdownReset,
    EntriesPaused,
    EquityMarked,
    Event,
    FillApplied,
    KillSwitchReleased,
    KillSwitchSet,
    Lane,
    Noted,
    RequestsPaused,
    RoundTripClosed,
    Severity,
)
from kangbot.model.ids import ExecutionId, MarketId, VenueName
from kangbot.model.orders import FillCause, Side
from kangbot.modes.past import MODE_NOTED, Past
from kangbot.risk.account import NEW_BALANCE, AccountRisk
from kangbot.risk.limits import Limits
from kangbot.sim.paper.ledger import Ledger
from tests.support.records import EVERY, MARKET, NOON_NS, fill_applied, round_trip

DAY_NS = 86_400 * 1_000_000_000

REMEMBERS: Mapping[str, Callable[[], Remembers]] = {
    "AccountRisk": lambda: AccountRisk(Limits()),
    "Breakers": lambda: Breakers(DEFAULTS),
    "EntryHolds": EntryHolds,
    "Ledger": lambda: Ledger(VenueName("bybit"), "USDT"),
    "Lives": Lives,
    "Margin": Margin,
    "Past": lambda: Past(VenueName("bybit")),
    "Pauses": Pauses,
    "Transfers": Transfers,
}

_MARKETS = st.sampled_from([MARKET, MarketId("bybit:ETH-USDT"), MarketId("binance_usdm:BTC-USDT:USDT")])
_TIMES = st.integers(NOON_NS - DAY_NS, NOON_NS + 40 * DAY_NS)
_AMOUNTS = st.decimals("-1E+6", "1E+6", places=9)


@st.composite
def _fills(draw: st.DrawFn) -> FillApplied:
    """One of any size and cause, and never the same twice."""
    applied = fill_applied(f"x-{draw(st.integers(0, 10**9))}")
    fill = msgspec.structs.replace(
        applied.fill,
        market=draw(_MARKETS),
        side=draw(st.sampled_from(Side)),
        cause=draw(st.sampled_from(FillCause)),
        price=draw(st.decimals("1E-8", "1E+6", places=8)),
        quantity=draw(st.decimals("1E-8", "1E+9", places=8)),
        at_ns=draw(_TIMES),
    )
    return msgspec.structs.replace(applied, fill=fill, at_ns=fill.at_ns)


@st.composite
def _trips(draw: st.DrawFn) -> RoundTripClosed:
    """A profit or a loss of any market."""
    closed = round_trip()
    trip = msgspec.structs.replace(closed.trip, market=draw(_MARKETS), profit=draw(_AMOUNTS), closed_ns=draw(_TIMES))
    return msgspec.structs.replace(closed, trip=trip, at_ns=trip.closed_ns)


@st.composite
def _breakers(draw: st.DrawFn) -> BreakerChanged:
    """Any step of any breaker."""
    return BreakerChanged(
        market=draw(_MARKETS),
        lane=draw(st.sampled_from(Lane)),
        before=draw(st.sampled_from(BreakerState)),
        after=draw(st.sampled_from(BreakerState)),
        until_ns=draw(_TIMES),
        trips=draw(st.integers(0, 9)),
        cause=draw(st.sampled_from(["", "502, again"])),
        at_ns=draw(_TIMES),
    )


_MODES = st.builds(
    lambda mode, named: Noted(
        kind=MODE_NOTED, severity=Severity.INFO, market=None, message=mode, fields=named, at_ns=NOON_NS
    ),
    st.sampled_from(["paper", "live"]),
    st.sampled_from([{}, {"venue": "bybit"}, {"venue": "binance_usdm"}]),
)

_BALANCES = st.builds(
    lambda kind, balance: Noted(
        kind=kind, severity=Severity.INFO, market=None, message="", fields={"balance": balance}, at_ns=NOON_NS
    ),
    st.sampled_from(["paper.balance", NEW_BALANCE]),
    st.sampled_from(["10000", "0.5"]),
)

_MARGINS = st.builds(
    lambda kind, mode: Noted(
        kind=kind, severity=Severity.INFO, market=None, message="", fields={"mode": mode}, at_ns=NOON_NS
    ),
    st.sampled_from([KNOWN, CHANGED]),
    st.sampled_from(["cross", "isolated"]),
)

_LIVES = st.builds(
    lambda kind, severity, at_ns: Noted(kind=kind, severity=severity, market=None, message="", at_ns=at_ns),
    st.sampled_from([STARTED, RESTARTED, STOPPED]),
    st.sampled_from(Severity),
    _TIMES,
)

EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.sampled_from(EVERY),
    _fills(),
    _trips(),
    _breakers(),
    _MODES,
    _BALANCES,
    _LIVES,
    _MARGINS,
    st.builds(KillSwitchSet, reason=st.text(max_size=9), flatten=st.booleans(), caller=st.just("file"), at_ns=_TIMES),
    st.builds(KillSwitchReleased, caller=st.just("file"), at_ns=_TIMES),
    st.builds(
        DrawdownReset,
        currency=st.sampled_from(["USDT", "BTC"]),
        highest=_AMOUNTS,
        equity=_AMOUNTS,
        caller=st.just("ann"),
        at_ns=_TIMES,
    ),
    st.builds(RequestsPaused, budget=st.sampled_from(["a", "b"]), until_ns=_TIMES, at_ns=_TIMES),
    st.builds(
        EntriesPaused,
        market=_MARKETS | st.none(),
        until_ns=_TIMES | st.just(0),
        cause=st.just("broke"),
        at_ns=_TIMES,
    ),
    st.builds(
        EquityMarked,
        venue=st.just("bybit"),
        currency=st.sampled_from(["USDT", "BTC"]),
        equity=_AMOUNTS,
        at_ns=_TIMES,
    ),
)


def taught(name: str, events: Sequence[Event]) -> Remembers:
    """Return one that has heard these."""
    one = REMEMBERS[name]()
    for event in events:
        one.observe(event)
    return one


@pytest.mark.parametrize("name", REMEMBERS)
@settings(max_examples=40)
@given(before=st.lists(EVENTS, max_size=12), after=st.lists(EVENTS, max_size=6))
@example(before=list(EVERY), after=list(EVERY))
def test_a_checkpoint_stands_for_what_was_before_it(name: str, before: list[Event], after: list[Event]) -> None:
    """Wherever the journal is cut, and twice over."""
    first, whole = taught(name, before), taught(name, [*before, *after])
    kept = first.checkpoint()
    resumed = REMEMBERS[name]()
    resumed.resume(kept)
    assert resumed.checkpoint() == first.checkpoint() == kept
    for event in after:
        resumed.observe(event)
    assert resumed.checkpoint() == whole.checkpoint()
    assert msgspec.json.decode(kept) is not None


@pytest.mark.parametrize("name", REMEMBERS)
@settings(max_examples=40)
@given(events=st.lists(EVENTS, min_size=1, max_size=12))
@example(events=list(EVERY))
def test_what_it_knew_gives_way_to_the_checkpoint(name: str, events: list[Event]) -> None:
    """Both are the same afterwards: that of one who has heard nothing included."""
    fresh, one = REMEMBERS[name](), taught(name, events)
    one.resume(fresh.checkpoint())
    assert one.checkpoint() == fresh.checkpoint()


@pytest.mark.parametrize("name", REMEMBERS)
def test_a_checkpoint_does_not_grow_with_time_alone(name: str) -> None:
    """A checkpoint is written each hour: a year of the same must not make it longer."""
    one = REMEMBERS[name]()
    for number in range(20):
        for event in EVERY:
            one.observe(event)
        one.observe(_numbered(number))
    short = len(one.checkpoint())
    for number in range(20, 400):
        for event in EVERY:
            one.observe(event)
        one.observe(_numbered(number))
    assert len(one.checkpoint()) < short + 1_000


def _numbered(number: int) -> FillApplied:
    applied = fill_applied(f"n-{number}")
    fill = msgspec.structs.replace(
        applied.fill,
        execution_id=ExecutionId(f"n-{number}"),
        price=Decimal(100),
        quantity=Decimal(1),
        side=Side.SELL if number % 2 else Side.BUY,
        at_ns=NOON_NS + number,
    )
    return msgspec.structs.replace(applied, fill=fill)


_TORN = [b"", b"{", b"null", b"7", b'"text"', b"[7]", b'{"a": ', b"\xff\xfe", b'[{"market": 7}]']


@pytest.mark.parametrize("name", REMEMBERS)
@pytest.mark.parametrize("torn", _TORN)
def test_what_cannot_be_understood_is_said_to_be(name: str, torn: bytes) -> None:
    """The daemon tells a person then, and does not begin as if nothing had ever happened."""
    with pytest.raises(msgspec.DecodeError):
        REMEMBERS[name]().resume(torn)


@pytest.mark.parametrize("name", REMEMBERS)
@settings(max_examples=40)
@given(events=st.lists(EVENTS, max_size=6), place=st.floats(0, 1, exclude_max=True))
def test_a_checkpoint_that_is_cut_short_is_not_believed(name: str, events: list[Event], place: float) -> None:
    """Wherever: half of an account is another account."""
    kept = taught(name, events).checkpoint()
    with pytest.raises(msgspec.DecodeError):
        REMEMBERS[name]().resume(kept[: int(place * len(kept))])
