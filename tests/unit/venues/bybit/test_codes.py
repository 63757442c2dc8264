"""The one table of codes: what each proves is judged by its sources in test_errors.py; here, that the table is one."""

import inspect
import re
from collections import Counter

import ccxt
import pytest

from kangbot.venues.bybit import codes
from kangbot.venues.bybit.codes import CLASSES, CODES, MESSAGES, OF_A_MARKET, STATUSES, Meaning


def test_no_code_stands_twice() -> None:
    """Python would take the last without a word."""
    written = Counter(re.findall(r'^    "(-?\d+)": ', inspect.getsource(codes), re.MULTILINE))
    assert [code for code, times in written.items() if times > 1] == []
    assert set(written) == set(CODES)


@pytest.mark.parametrize("table", [CODES, STATUSES, CLASSES, {row[:2]: row[2] for row in MESSAGES}])
def test_what_only_a_person_can_put_right_has_a_sentence(table: dict[object, Meaning | str]) -> None:
    """To be read in a message at night."""
    for key, meaning in table.items():
        assert isinstance(meaning, Meaning) or re.fullmatch(r"[A-Z].{20,}\.", meaning), key


def test_a_remedy_of_some_markets_is_one_that_a_code_has() -> None:
    """Else it would be taken for the whole account's, and all markets would stand still."""
    said = {meaning for meaning in (*CODES.values(), *CLASSES.values()) if isinstance(meaning, str)}
    assert said >= OF_A_MARKET
    assert said - OF_A_MARKET


def test_words_are_looked_for_as_messages_are_compared() -> None:
    """In small letters; the first that fits decides, so none may hide another of its code."""
    for place, (code, part, _) in enumerate(MESSAGES):
        assert part == part.lower()
        assert not any(other == code and words in part for other, words, _ in MESSAGES[:place])


def test_every_class_is_one_of_the_librarys() -> None:
    """One that was renamed there would prove nothing any more."""
    assert [name for name in CLASSES if not isinstance(getattr(ccxt, name, None), type)] == []
