"""What an error means can be said in the file, kind by kind; what is not said stays."""

from collections.abc import Callable
from dataclasses import fields

import pytest

from kangbot.errors import Problem
from kangbot.machines.faults import DEFAULTS, Action, Gravity, Kind, Rule
from kangbot.settings.errors import ErrorSettings
from kangbot.settings.schema import Settings

Read = Callable[..., Settings]
Mistakes = Callable[..., tuple[Problem, ...]]
MARKET = '[[markets]]\nsymbol = "BTC/USDT:USDT"\n'


def test_every_kind_has_a_section() -> None:
    """And no section names a kind that is not there."""
    assert {field.name for field in fields(ErrorSettings)} == {kind.value for kind in Kind}
    assert ErrorSettings().policy == DEFAULTS


def test_a_kind_is_overridden_key_by_key(read: Read) -> None:
    """What is absent stays as it is by default, and so does every other kind."""
    settings = read(
        MARKET + '[errors.rate_limit]\nwait_s = 90\n[errors.unknown]\naction = "shutdown"\nseverity = "critical"\n'
        "[errors.connection]\ntries = 2\n"
    )
    policy = settings.errors.policy
    assert policy[Kind.RATE_LIMIT] == Rule(severity=Gravity.MEDIUM, action=Action.BACKOFF, wait_ns=90 * 10**9)
    assert (policy[Kind.UNKNOWN].action, policy[Kind.UNKNOWN].severity) == (Action.SHUTDOWN, Gravity.CRITICAL)
    assert policy[Kind.CONNECTION].tries == 2
    changed = {Kind.RATE_LIMIT, Kind.UNKNOWN, Kind.CONNECTION}
    assert all(policy[kind] == DEFAULTS[kind] for kind in Kind if kind not in changed)


@pytest.mark.parametrize(
    "text",
    ["[errors.rate_limt]\nwait_s = 1\n", '[errors.timeout]\naction = "panic"\n', "[errors.timeout]\nwait_s = -1\n"],
)
def test_a_kind_or_an_action_that_is_not_there_is_a_mistake(mistakes: Mistakes, text: str) -> None:
    """With its place in the file."""
    (problem,) = mistakes(MARKET + text)
    assert problem.line in (3, 4)
