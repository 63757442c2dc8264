"""Whatever becomes of the configuration's file under a daemon that trades: it goes on, and says what is wrong.

Each mutation is judged by a second reading of the same file: what that refuses must have changed nothing, and what it
accepts must be what runs, whole.
"""

import os
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kangbot.errors import ConfigInvalid
from kangbot.settings.change import difference
from kangbot.settings.loading import load
from kangbot.settings.schema import Settings
from kangbot.settings.shown import shown
from tests.support.config_mutations import Mutation, mutations, save, write_in_place
from tests.support.processes import CONFIG, MARKETS, World
from tests.support.reports import write_report
from tests.support.unprivileged import interpreter

pytestmark = pytest.mark.process
LEAST = 500
_BY_ITSELF = 10  # every so many are written in place, for the daemon to find
_FINDS_S = 120.0  # it looks once a second, and a busy machine takes long to read


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A daemon to which permissions apply, also where root runs it."""
    monkeypatch.setattr(sys, "executable", interpreter(tmp_path))
    one = World(tmp_path, seed=11)
    yield one
    one.close()


def _read(world: World) -> Settings | tuple[str, ...]:
    try:
        return load(world.config, {**os.environ, **world.environment, "KANGBOT_CONTROL__PORT": "0"})
    except ConfigInvalid as error:
        return tuple(str(problem) for problem in error.problems)


def _unclear(said: Iterable[str], config: Path) -> list[str]:
    """Return the messages that do not say where, or speak like a program."""
    return [
        words
        for words in said
        if not (words.startswith((str(config), "environment")) and len(words) > len(str(config)) + 8)
        or any(odd in words for odd in ("Traceback", "Error(", "Errno", "exit code"))
    ]


def _amiss(said: dict[str, Any], good: Settings, wanted: Settings) -> str:
    """Return what of an accepted file does not run by what the daemon says; "" where it runs whole."""
    if said["markets"] != shown(wanted.markets) or said["defaults"] != shown(wanted.defaults):
        return "something else runs"
    if said["risk"] != shown(difference(good, wanted).settings.risk):
        return "other limits hold"
    return ""


def _found_by_itself(world: World, good: Settings, wanted: Settings | tuple[str, ...]) -> tuple[str, ...]:
    """Wait until the daemon has found what was saved; return why it refused that, nothing where it did not."""
    deadline = time.monotonic() + _FINDS_S
    while time.monotonic() < deadline:
        problem = world.client.report().config.problem
        if problem:
            return (problem,)
        if isinstance(wanted, Settings) and not _amiss(world.client.ask("/config"), good, wanted):
            return ()
        time.sleep(0.2)
    raise AssertionError("the daemon did not find what was saved")


def right(world: World) -> None:
    """Have the right file read."""
    save(world.config, CONFIG.encode())
    world.client.tell("/config/reload")


def suffer(world: World, chosen: list[Mutation]) -> dict[str, object]:
    """Put each mutation in the file's place, have it read, and return what was found."""
    world.start()
    world.live()
    pid = world.daemon.pid
    good = _read(world)
    assert isinstance(good, Settings)
    refused = found = 0
    accepted: list[str] = []
    half: list[str] = []
    unclear: list[str] = []
    begun = time.monotonic()
    for number, mutation in enumerate(chosen):
        before = world.client.ask("/config")
        if mutation.text is not None and number % _BY_ITSELF == 0:
            found += 1
            right(world)  # else what is wrong with the last one would be taken for what is wrong with this one
            write_in_place(world.config, mutation.text)
            wanted = _read(world)
            problems = _found_by_itself(world, good, wanted)
        else:
            mutation.put(world.config)
            wanted = _read(world)
            problems = tuple(world.client.tell("/config/reload")["problems"])
        after = world.client.ask("/config")
        if problems:
            refused += 1
            unclear += [f"{mutation.name}: {words}" for words in _unclear(problems, world.config)]
            if after != before:
                half.append(f"{mutation.name}: refused, and changed something")
        else:
            accepted.append(mutation.name)
            if not isinstance(wanted, Settings):
                half.append(f"{mutation.name}: accepted, and wrong: {wanted}")
            elif amiss := _amiss(after, good, wanted):
                half.append(f"{mutation.name}: accepted, and {amiss}")
        if problems:
            save(world.config, CONFIG.encode())  # what was refused runs nowhere: the next one is read in its place
        else:
            right(world)
    right(world)
    took_s = time.monotonic() - begun
    report = world.until(lambda report: report.live == len(MARKETS))
    traded = world.orders(more_than=report.orders.filled)
    assert _read(world) == good
    return {
        "files": len(chosen),
        "refused": refused,
        "accepted": len(accepted),
        "found_by_itself": found,
        "denied": "permission denied" not in accepted,
        "stops": int(traded.pid != pid),
        "half_applied": half,
        "unclear": unclear,
        "falls": sum(market.falls for market in traded.markets),
        "problem_left": traded.config.problem,
        "versions_kept": len(list((world.state / "config").iterdir())),
        "rss_mb": traded.rss_mb,
        "seconds": round(took_s, 1),
    }


def some() -> list[Mutation]:
    """Return those of places, and every so many of the others."""
    known = list(mutations(CONFIG))
    return [*known[:8], *known[8::88]]


def _hurt_nobody(found: dict[str, object]) -> None:
    assert (found["stops"], found["half_applied"], found["unclear"], found["falls"]) == (0, [], [], 0), found
    assert found["denied"], "a file that may not be read was taken for one that is right"


def test_some_broken_files_hurt_nobody(world: World) -> None:
    """Those of places, and a part of the others."""
    found = suffer(world, some())
    _hurt_nobody(found)
    assert not found["problem_left"]


@pytest.mark.sweep
def test_hundreds_of_broken_files_hurt_nobody(world: World) -> None:
    """0 stops, 0 half-applied, and each refusal in words that say where; cut off at every byte among them."""
    found = suffer(world, list(mutations(CONFIG)))
    write_report("config", found)
    _hurt_nobody(found)
    assert len(list(mutations(CONFIG))) >= LEAST
