"""The runbook names whatever may call a person: every alert, and every fault that only a person can put right."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import kangbot
from kangbot.machines.session_words import Trouble
from kangbot.model.events import BreakerState, RunState
from kangbot.notify.wording import ENDS

PACKAGE = Path(kangbot.__file__).parent
DOCS = PACKAGE.parent / "docs"
RUNBOOK, ALERTS, MESSAGES = ((DOCS / f"{page}.md").read_text() for page in ("operations", "alerts", "messages"))
SIMULATED = ("sim", "sandbox", "scenario")  # no daemon of an operator's runs these
LOUD = ("warning", "error", "critical")
NOTES = ("note", "_note", "tell", "_tell", "on_note", "_on_note")
MARK = "✉"  # of an event that people are sent a message of
TWICE = {"journal.behind"}  # its name stands for two things, and one of them is only logged


@cache
def nodes() -> list[ast.Call | ast.Tuple]:
    """Return every call and tuple of the daemon's modules, read once."""
    paths = [path for path in sorted(PACKAGE.rglob("*.py")) if path.relative_to(PACKAGE).parts[0] not in SIMULATED]
    every = (node for path in paths for node in ast.walk(ast.parse(path.read_text())))
    return [node for node in every if isinstance(node, ast.Call | ast.Tuple)]


def calls() -> Iterator[ast.Call]:
    """Yield every call in the package."""
    return (node for node in nodes() if isinstance(node, ast.Call))


def name(call: ast.Call) -> str:
    """Return the last part of what is called."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def alerts() -> set[str]:
    """Return the dotted names of all events that are told louder than INFO."""
    logged = {kind for kind, call in _kinds() if name(call) in LOUD and isinstance(call.func, ast.Attribute)}
    return noted() | logged | set(_told_together())


def noted() -> set[str]:
    """Return those of them that stand in the journal, and so are sent as messages."""
    found = {kind for kind, call in _kinds() if name(call) in NOTES and any(_loud(arg) for arg in call.args[1:2])}
    return {"market.failed"} | found | set(_in_tables())  # the one name that is put together: see the roster


def _kinds() -> Iterator[tuple[str, ast.Call]]:
    """Yield each call whose first argument is a dotted name, with that name."""
    for call in calls():
        first = call.args[0] if call.args else None
        if isinstance(first, ast.Constant) and isinstance(first.value, str) and re.fullmatch(r"\S+\.\S+", first.value):
            yield first.value, call


def _told_together() -> Iterator[str]:
    """Yield the names that are passed on with a level of the log: `say(log.warning, "market.bars_interrupted")`."""
    for call in calls():
        match call.args:
            case [ast.Attribute(attr=level), ast.Constant(value=str(kind)), *_] if level in LOUD:
                yield kind


def _loud(severity: ast.AST) -> bool:
    words = ast.unparse(severity)
    return words.startswith("severity") or (words.startswith("Severity.") and words != "Severity.INFO")


def _in_tables() -> Iterator[str]:
    """Yield the names that stand beside a severity, as in `("position.by_hand", Severity.WARNING)`."""
    for node in nodes():
        if isinstance(node, ast.Tuple) and len(node.elts) == 2:
            kind, severity = node.elts
            if isinstance(kind, ast.Constant) and isinstance(kind.value, str) and _loud(severity):
                yield kind.value


def faults() -> set[str]:
    """Return the longest unchanging words of each message that is raised as NeedsHuman."""
    found = set()
    for call in calls():
        if name(call) != "NeedsHuman" or not call.args:
            continue
        parts = [n.value for n in ast.walk(call.args[0]) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
        longest = max(parts, key=len, default="").strip(" :;,()")
        if len(longest) > 8:  # else its words come from the outside: a venue's, a database's
            found.add(longest)
    return found


def test_every_alert_has_an_entry() -> None:
    """Named as in the log."""
    named = alerts()
    assert len(named) > 100
    assert {kind for kind in named if f"`{kind}`" not in ALERTS} == set()


def entries() -> list[tuple[str, bool]]:
    """Return the dotted names that the first cells of the alerts' tables have, and whether they bear the mark."""
    rows = ALERTS.partition("\n## ")[2].splitlines()
    cells = [line.split("|")[1] for line in rows if re.match(rf"\| ({MARK} )?`", line)]
    return [(name, MARK in cell) for cell in cells for name in re.findall(r"`([a-z_]+\.[a-z_]+)`", cell)]


@cache
def said(but: str = "") -> set[str]:
    """Return every text that stands in the package, in all modules but one."""
    trees = (ast.parse(path.read_text()) for path in PACKAGE.rglob("*.py") if path.name != but)
    constants = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {node.value for node in constants if isinstance(node.value, str)}


def test_no_entry_is_of_what_nobody_says_any_more() -> None:
    """An event that was renamed leaves its old name behind, and an operator looks for it in vain."""
    composed = {f"feed.{trouble}" for trouble in Trouble} | {f"market.{state}" for state in RunState}
    composed |= {f"breaker.{state}" for state in BreakerState}
    named = {name for name, _ in entries()}
    assert len(named) > 100
    assert not named - said() - composed


def test_what_is_sent_as_a_message_bears_its_mark() -> None:
    """Else whoever got one looks for it among what is only logged."""
    unmarked = {name for name, marked in entries() if not marked}
    assert len(noted()) > 50
    assert noted() & unmarked == TWICE


def test_what_ends_something_and_what_it_ends_are_said_by_somebody() -> None:
    """Else people wait for an end that has another name."""
    named = {*ENDS, *(kind for kinds in ENDS.values() for kind in kinds)}
    assert not named - said(but="wording.py") - {f"feed.{trouble}" for trouble in Trouble}


def test_every_fault_that_needs_a_person_has_an_entry() -> None:
    """Found by the words that an operator reads, in docs/messages.md or docs/alerts.md."""
    flowing, raised = " ".join((MESSAGES + ALERTS).split()), faults()
    assert len(raised) > 50
    assert {words for words in raised if words not in flowing} == set()


def test_the_first_word_of_a_name_leads_to_its_entry() -> None:
    """Whoever was woken by a name reads one table to find its section, and not all of them."""
    top, *sections = re.split(r"^## (.+)$", ALERTS, flags=re.MULTILINE)
    leads = {word: row[1] for row in _rows(top) for word in re.findall(r"`([a-z_.]+)`", row[0])}
    entry = {row[0]: title for title, text in zip(sections[::2], sections[1::2], strict=True) for row in _rows(text)}
    found = {word: title for cell, title in entry.items() for word in re.findall(r"`([a-z_]+(?:\.[a-z_]+)?)`", cell)}
    assert len(found) > 100
    led = {word: leads.get(word) or leads.get(word.partition(".")[0], "") for word in found}
    assert {word for word, title in found.items() if f"[{title}](" not in led[word]} == set()


def _rows(text: str) -> list[list[str]]:
    """Return the cells of the rows of a text that begin with a name."""
    return [line.strip("| ").split(" | ") for line in text.splitlines() if re.match(rf"\| ({MARK} )?`", line)]


def test_whatever_the_status_says_in_capitals_is_in_the_table_of_it() -> None:
    """It is what an operator sees first."""
    nodes_ = [*ast.walk(ast.parse((PACKAGE / "cli" / "status.py").read_text()))]
    texts = [ast.unparse(node) for node in nodes_ if isinstance(node, ast.JoinedStr)]
    texts += [repr(node.value) for node in nodes_ if isinstance(node, ast.Constant) and ": " in str(node.value)]
    begun = (re.match(r"""f?['"](?:{said}\\n)?([A-Z]{2,}(?: [A-Z]{2,})*)\b""", text) for text in texts)
    loud = {found[1] for found in begun if found}
    assert {"NO STOP", "NOTHING ENTERS", "QUARANTINED", "THE KILL SWITCH IS SET", "OUR CLOCK IS"} <= loud
    table = RUNBOOK.partition("### What the status says")[2].partition("\n### ")[0]
    assert {words for words in loud if words not in table} == set()
