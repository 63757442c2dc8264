"""What an edit of the configuration means for a daemon that runs: what joins, leaves and changes, and what must wait.

    change = difference(running, saved)

Pure. `change.settings` is what runs once the change is applied: the saved file, save for what only a restart can take.
So what waits for a restart is told again at every edit, until the restart.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from kangbot.model.ids import MarketId
from kangbot.settings.schema import Settings
from kangbot.settings.shown import shown
from kangbot.settings.trading import MarketSettings, Risk, worth_the_same

LIVELY = ("markets", "defaults", "risk")  # the sections that a running daemon takes
BUILT_IN = (  # of `[risk]`: what a market's desk is built with
    "require_stop",
    "stop_policy",
    "stop_patience_s",
    "stop_distance_percent",
    "foreign",
    "orphans",
)
AT_THE_NEXT_BAR = ("strategy", "parameters", "timeframe")
AT_THE_NEXT_ENTRY = ("size", "leverage", "entry_order", "exit_order", "order_patience_s")


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketChange:
    """One market that stays and is traded otherwise."""

    before: MarketSettings
    after: MarketSettings

    @property
    def decides_otherwise(self) -> bool:
        """Whether another strategy, or the same on other parameters, decides from now on."""
        return (self.before.strategy, self.before.parameters) != (self.after.strategy, self.after.parameters)

    @property
    def words(self) -> str:
        """What changes, and when: one line."""
        parts = (
            (_words(self.before, self.after, AT_THE_NEXT_BAR), "at the next bar"),
            (_words(self.before, self.after, AT_THE_NEXT_ENTRY), "at the next entry"),
        )
        return f"{self.after.id}: " + "; ".join(f"{', '.join(said)} {when}" for said, when in parts if said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The difference of a running configuration and a saved one."""

    settings: Settings  # as they run when this is applied
    joins: tuple[MarketSettings, ...] = ()
    leaves: tuple[MarketId, ...] = ()
    changes: tuple[MarketChange, ...] = ()
    limits: tuple[str, ...] = ()  # in words; they hold at once
    restart: tuple[str, ...] = ()  # in words: what waits for a restart

    @property
    def applied(self) -> tuple[str, ...]:
        """What is done, a line each."""
        return (
            *(f"{market.id}: joins, {market.strategy} on {market.timeframe}" for market in self.joins),
            *(f"{market}: leaves; its position keeps its stop" for market in self.leaves),
            *(change.words for change in self.changes),
            *(f"risk.{words} at once" for words in self.limits),
        )


def difference(running: Settings, saved: Settings, *, limits_in: str | None = None) -> Change:
    """Return what `saved` changes in a daemon that runs `running`.

    `limits_in` is the money that its limits have counted in since its start, where `running` may name another by now.
    """
    kept: dict[str, Any] = {
        field.name: getattr(running, field.name) for field in fields(Settings) if field.name not in LIVELY
    }
    restart = [words for name, before in kept.items() for words in _waiting(name, before, getattr(saved, name))]
    built_in = {name: getattr(running.risk, name) for name in BUILT_IN}
    restart += [f"risk.{words}" for words in _words(running.risk, saved.risk, BUILT_IN)]
    if running.venue != saved.venue:  # nobody else's markets can be traded here
        restart.append(f"the venue: {running.venue} → {saved.venue}, with its markets")
        kept |= {"markets": running.markets, "defaults": running.defaults}
    after = replace(saved, **kept, risk=replace(saved.risk, **built_in))
    counted = limits_in or running.currency
    if after.currency != counted:  # equity, its highest and the day's loss are amounts of it
        words = f"the money that limits count in: {counted} → {after.currency}"
        if worth_the_same(counted, after.currency):
            restart.append(words)
        else:
            restart.append(f"{words}, with its markets")
            after = replace(after, markets=running.markets, defaults=running.defaults)
    now, then = _enabled(running), _enabled(after)
    stay = [(now[market], then[market]) for market in then if market in now]
    others = tuple(field.name for field in fields(Risk) if field.name not in BUILT_IN)
    return Change(
        settings=after,
        joins=tuple(market for name, market in then.items() if name not in now),
        leaves=tuple(name for name in now if name not in then),
        changes=tuple(MarketChange(before=one, after=other) for one, other in stay if one != other),
        limits=tuple(_words(running.risk, after.risk, others)),
        restart=tuple(restart),
    )


def _enabled(settings: Settings) -> dict[MarketId, MarketSettings]:
    return {market.id: market for market in settings.trading if market.enabled}


def _waiting(name: str, before: object, after: object) -> Iterator[str]:
    """Yield what is different below one key, a line for each setting."""
    if before == after:
        return
    if is_dataclass(before) and is_dataclass(after) and type(before) is type(after):
        for field in fields(before):
            yield from _waiting(f"{name}.{field.name}", getattr(before, field.name), getattr(after, field.name))
    else:
        yield f"{name.removesuffix('.value')}: {_shown(name, before)} → {_shown(name, after)}"


def _shown(name: str, value: object) -> object:
    """Return a value as a person may see it: what a `Secret` holds is in its only field."""
    return "***" if name.endswith(".value") else shown(value)


def _words(before: object, after: object, names: Sequence[str]) -> list[str]:
    pairs = ((name, getattr(before, name), getattr(after, name)) for name in names)
    return [f"{name}: {shown(one)} → {shown(other)}" for name, one, other in pairs if one != other]
