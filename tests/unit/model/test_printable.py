"""Text that is shown to a person is what it looks like."""

import pytest

from kangbot.model.printable import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("EMA 5 crossed above EMA 20 (1 > 0), é €", "EMA 5 crossed above EMA 20 (1 > 0), é €"),
        ("", ""),
        ("two\nlines\r\tand a tab", r"two\nlines\r\tand a tab"),
        ("\x1b[2J\x07cleared", r"\x1b[2J\x07cleared"),
        ("from right \u202eto left", r"from right \u202eto left"),
    ],
)
def test_what_cannot_be_printed_stands_for_itself(text: str, shown: str) -> None:
    """Nothing of it moves a cursor, ends a line, or turns what follows round."""
    assert printable(text) == shown
