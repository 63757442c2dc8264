"""Runs seeds: one after the other in this process, or shared among several. What a session is, is `session.py`."""

import gc
import multiprocessing
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from kangbot.scenario.outcome import Outcome
from kangbot.scenario.plan import Options
from kangbot.scenario.session import played
from kangbot.sim.loop import run
from kangbot.sim.mutants import mutated


def simulate(seed: int, options: Options, mutant: str = "") -> Outcome:
    """Play the session of that seed; `mutant` names a safeguard to take out, "" none."""
    with mutated(mutant), _uncollected():
        return run(played(seed, options))


def sweep(seeds: Sequence[int], options: Options, *, mutant: str = "", jobs: int = 1) -> Iterator[Outcome]:
    """Yield the outcome of each seed, in their order."""
    one = partial(simulate, options=options, mutant=mutant)
    if jobs <= 1:
        yield from map(one, seeds)
        return
    with multiprocessing.get_context("spawn").Pool(jobs) as workers:
        yield from workers.imap(one, seeds, chunksize=max(1, min(20, len(seeds) // (jobs * 4))))


@contextmanager
def _uncollected() -> Iterator[None]:
    """Collect no garbage while a session lasts: it is short, and a tenth of its time would go there."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
            gc.collect()
