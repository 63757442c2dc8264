"""The page of all keys is what the declarations say today, and leaves none without words."""

import re

from tests.support.settings_page import PAGE, page


def test_the_page_is_as_the_declarations_are() -> None:
    """Whoever changes one renews the page: `python -m tests.support.settings_page`."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_key_says_what_it_is() -> None:
    """A key without words is read in the source, by those who can."""
    rows = re.findall(r"^\| `(\w+)` \| .* \| (.*) \|$", page().partition("By default:")[0], re.MULTILINE)
    assert len(rows) > 90
    assert [key for key, said in rows if not said] == []
