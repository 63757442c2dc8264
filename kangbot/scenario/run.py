"""Runs seeds: one after the other in this process, or shared among several. What a session is, is `session.py`."""

import gc
import multiprocessing
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from kangbot.scenario.outcome import Outcome
from kangbot.scenario.plan import Options
from kangbot.scenario.session import played
from kangbot.sim.proof.mutants import mutated
from kangbot.sim.world.loop import run

_COLLECT_EVERY = 10  # sessions


def simulate(seed: int, options: Options, mutant: str = "") -> Outcome:
    """Play the session of that seed; `mutant` names a safeguard to take out, "" none."""
    with mutated(mutant):
        return run(played(seed, options))


def sweep(seeds: Sequence[int], options: Options, *, mutant: str = "", jobs: int = 1) -> Iterator[Outcome]:
    """Yield the outcome of each seed, in their order."""
    one = partial(simulate, options=options, mutant=mutant)
    if jobs <= 1:
        with _collected_seldom():
            for number, seed in enumerate(seeds, 1):
                yield one(seed)
                if not number % _COLLECT_EVERY:
                    gc.collect()
        return
    spawn = multiprocessing.get_context("spawn")
    with spawn.Pool(jobs, initializer=_collect_seldom, maxtasksperchild=20) as workers:
        yield from workers.imap(one, seeds, chunksize=max(1, min(20, len(seeds) // (jobs * 4))))


def caught_by(mutant: str, seeds: Sequence[int], options: Options) -> Outcome | None:
    """Return the first session that notices that the safeguard is missing; None where none does.

    A task that falls is no notice: it is the mutant then that does not fit what it replaces.
    """
    outcomes = sweep(seeds, options, mutant=mutant)
    return next((one for one in outcomes if one.violation is not None and one.violation.invariant != "fall"), None)


def _collect_seldom() -> None:
    """Collect garbage in large steps: a session leaves cycles behind, and finds a fifth of its time in looking."""
    gc.freeze()
    gc.set_threshold(200_000, 5, 5)


@contextmanager
def _collected_seldom() -> Iterator[None]:
    before = gc.get_threshold()
    _collect_seldom()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
