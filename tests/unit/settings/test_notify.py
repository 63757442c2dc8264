"""Who is told, of what, and when: what may be written, and what the machine gets of it."""

import pytest

from kangbot.machines.notices import NoticeTerms
from kangbot.model.events import Severity
from kangbot.settings.notify import Notify

from .conftest import MARKET, Mistakes, Read


def test_each_key_reaches_the_notices(read: Read) -> None:
    """Times as minutes of the day, in UTC; what is absent is none."""
    text = (
        '[notify]\nleast = "error"\nalways = ["config.*", "feed.up"]\nnever = ["demo.?"]\n'
        'quiet = "22:30-07:05"\ndigest = "00:00"\nan_hour = 7\n'
    )
    assert read(text + MARKET).notify.terms == NoticeTerms(
        least=Severity.ERROR,
        always=("config.*", "feed.up"),
        never=("demo.?",),
        quiet=(22 * 60 + 30, 7 * 60 + 5),
        digest=0,
        an_hour=7,
    )
    plain = Notify().terms
    assert (plain.quiet, plain.digest, plain.least, plain.an_hour) == (None, None, Severity.WARNING, 12)


@pytest.mark.parametrize(
    ("key", "good", "bad"),
    [
        ("digest", ["00:00", "23:59", ""], ["24:00", "8:00", "08:60", "08", "08:00:00", "x"]),
        (
            "quiet",
            ["22:00-07:00", "00:00-23:59", ""],
            ["22:00", "22:00-22:00", "-", "22:00-", "7:00-8:00", "22:00-24:00"],
        ),
        ("least", ["info", "critical"], ["loud", ""]),
    ],
)
def test_a_time_or_a_span_that_is_none_is_a_mistake(
    mistakes: Mistakes, key: str, good: list[str], bad: list[str]
) -> None:
    """A message that never leaves would be missed by nobody until it is."""
    for value in good:
        assert mistakes(f'[notify]\n{key} = "{value}"\n{MARKET}') == (), value
    for value in bad:
        found = mistakes(f'[notify]\n{key} = "{value}"\n{MARKET}')
        assert [(one.key, one.line) for one in found] == [(f"notify.{key}", 2)], value


@pytest.mark.parametrize("list_", ["always", "never"])
def test_a_pattern_can_match_what_an_event_is_called(mistakes: Mistakes, list_: str) -> None:
    """Else it would be believed to."""
    assert mistakes(f'[notify]\n{list_} = ["feed.*", "a_b.c?", "*"]\n{MARKET}') == ()
    for bad in ("Feed", "feed/*", "feed down", "", "[a-z]"):
        (found,) = mistakes(f'[notify]\n{list_} = ["ok", "{bad}"]\n{MARKET}')
        assert found.key == f"notify.{list_}[1]"
        assert "a pattern such as" in found.message
