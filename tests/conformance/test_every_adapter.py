"""Every class of the package that has a port's methods is in that port's suite, or says here why not.

The package is read, not imported: that takes a tenth of the time.
"""

import ast
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple, TypeGuard

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "kangbot"

# port → adapter → where its suite puts it on the bench
SUITES: Mapping[str, Mapping[str, str]] = {
    "Venue": {
        "BybitVenue": "tests/support/venue_bench.py",
        "PaperVenue": "tests/support/venue_bench.py",
        "SimPort": "tests/support/venue_sim_bench.py",
        "BinanceVenue": "tests/support/binance_rest.py",
    },
    "Feeds": {
        "FeedHub": "tests/support/feed_bench.py",
        "PaperFeeds": "tests/support/feed_bench.py",
        "SimFeeds": "tests/support/feed_bench.py",
    },
    "Dialect": {
        "BinancePublic": "tests/support/feed_bench.py",
        "BybitPrivate": "tests/support/feed_bench.py",
        "BybitPublic": "tests/support/feed_bench.py",
    },
    "Journal": {
        "AnnouncedJournal": "tests/conformance/journal/conftest.py",
        "JournalWriter": "tests/conformance/journal/conftest.py",
        "SimJournal": "tests/conformance/journal/conftest.py",
    },
    "History": {
        "MysqlHistory": "tests/support/databases.py",
        "SimHistory": "tests/conformance/history/conftest.py",
        "SqliteHistory": "tests/support/databases.py",
    },
    "Shelf": {
        "MysqlHistory": "tests/support/databases.py",
        "SqliteHistory": "tests/support/databases.py",
    },
    "Sink": {
        "Account": "tests/conformance/test_sink.py",
        "Inbox": "tests/conformance/test_sink.py",
        "PaperAccount": "tests/conformance/test_sink.py",
    },
    "Notifier": {
        "Notifier": "tests/conformance/test_notifier.py",
    },
    # Not among the ports, for nothing outside is asked; each has more than one who implements it all the same.
    "Archive": {
        "MysqlHistory": "tests/support/databases.py",
        "SqliteHistory": "tests/support/databases.py",
    },
    "Remembers": {
        "AccountRisk": "tests/conformance/test_remembers.py",
        "Breakers": "tests/conformance/test_remembers.py",
        "EntryHolds": "tests/conformance/test_remembers.py",
        "Ledger": "tests/conformance/test_remembers.py",
        "Lives": "tests/conformance/test_remembers.py",
        "Margin": "tests/conformance/test_remembers.py",
        "Past": "tests/conformance/test_remembers.py",
        "Pauses": "tests/conformance/test_remembers.py",
        "Transfers": "tests/conformance/test_remembers.py",
    },
    "Shrinking": {
        "JournalWriter": "tests/conformance/journal/conftest.py",
        "SimJournal": "tests/conformance/journal/conftest.py",
    },
}
IN_ANOTHER: Mapping[str, str] = {
    "Readable": "History, Shelf and Archive in one",
    "Subscription": "nobody but a feed hands one out: the suite of the feeds asks what it promises",
}
# Protocols that say which part of something is needed, or that one class implements: there is nothing to compare.
NO_PORT: Mapping[str, str] = {
    "Bars": "two sources that close bars differently: tests/unit/market/test_bars.py",
    "Bench": "where the configuration's editor works: a thread beside the loop, and in a session the loop itself",
    "Candled": "a row of a venue's candles, which its adapter's own tests read",
    "Carrier": "the simulated network, and one process' way into it",
    "Controlled": "the daemon itself, as its control API sees it",
    "Departures": "who watches a simulated process",
    "Indicators": "of a strategy, and no two know the same",
    "Listener": "whom a stream tells, here and in the sandbox",
    "Place": "what is used of `pathlib.Path`, and of what stands for one",
    "Say": "a way into the log, for one event or for many that are told together: tests/unit/market/test_together.py",
    "Sender": "the one way out to people's services; the suite of the notifier plays what it may do",
    "Stamps": "anything that tells the time",
    "StatePath": "what is used of `pathlib.Path`",
    "_LogSection": "what is used of the settings",
    "_Series": "what is used of talipp",
    "_Settings": "what is used of the settings",
}
TAKES: Mapping[str, str] = {"Notifier": "Event"}  # many a class can `tell`: what it takes tells which of them is meant
NO_ADAPTER: Mapping[str, str] = {
    "Answers": "the port of control: it hands the pages of a shelf on",
    "DataOnly": "the part of a venue without orders that its heirs share; they are in the suite",
    "_WatchedPort": "SimPort with somebody who looks on",
}


class Found(NamedTuple):
    """A class of the package."""

    name: str
    methods: frozenset[str]  # its own; properties are not among them, since an adapter may have attributes instead
    bases: frozenset[str]
    takes: frozenset[str]  # the types of its methods' first arguments, as they are written


@cache
def classes() -> tuple[Found, ...]:
    """Return every class of the package, protocols too."""
    trees = (ast.parse(file.read_text()) for file in sorted(PACKAGE.rglob("*.py")))
    return tuple(
        Found(
            node.name,
            frozenset(one.name for one in node.body if _is_method(one)),
            frozenset(base.id for base in node.bases if isinstance(base, ast.Name)),
            frozenset(ast.unparse(said) for one in node.body if _is_method(one) if (said := _takes(one)) is not None),
        )
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    )


def _is_method(node: ast.stmt) -> TypeGuard[ast.FunctionDef | ast.AsyncFunctionDef]:
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    return not any(isinstance(one, ast.Name) and one.id == "property" for one in node.decorator_list)


def _takes(node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.expr | None:
    return node.args.args[1].annotation if len(node.args.args) > 1 else None


def whole(name: str) -> set[str]:
    """Return the methods of a class, inherited ones included; a name that comes twice has those of both."""
    same = [one for one in classes() if one.name == name]
    return set().union(*(one.methods for one in same), *(whole(base) for one in same for base in one.bases))


@pytest.mark.parametrize("port", sorted(SUITES))
def test_every_adapter_of_a_port_is_in_its_suite(port: str) -> None:
    """A new adapter has to be put there, and one that goes has to be taken out."""
    asked = whole(port)
    taken = TAKES.get(port)
    meant = [one for one in classes() if "Protocol" not in one.bases and (taken is None or taken in one.takes)]
    concrete = {one.name for one in meant} - NO_ADAPTER.keys()
    assert {name for name in concrete if asked <= whole(name)} == SUITES[port].keys()


@pytest.mark.parametrize("port", sorted(SUITES))
def test_the_suites_name_their_adapters(port: str) -> None:
    """What is written above is so."""
    for adapter, file in SUITES[port].items():
        assert adapter in (ROOT / file).read_text(), (adapter, file)


def protocols(*files: Path) -> set[str]:
    """Return the protocols of these files."""
    nodes = (node for file in files for node in ast.walk(ast.parse(file.read_text())))
    return {
        node.name
        for node in nodes
        if isinstance(node, ast.ClassDef)
        and any(isinstance(base, ast.Name) and base.id == "Protocol" for base in node.bases)
    }


def test_no_port_is_without_a_suite() -> None:
    """A new one has to be put there too: no reason excuses it."""
    assert protocols(PACKAGE / "ports.py") <= SUITES.keys() | IN_ANOTHER.keys()


def test_every_other_protocol_has_a_suite_or_needs_none() -> None:
    """Whoever writes one says which, and one that goes is taken out."""
    assert protocols(*PACKAGE.rglob("*.py")) == SUITES.keys() | IN_ANOTHER.keys() | NO_PORT.keys()
