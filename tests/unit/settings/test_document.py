"""The configuration as pydantic validates it: every finding at once, and nothing read beside what it is given."""

from dataclasses import fields
from pathlib import Path

import pytest
from pydantic import ValidationError

from kangbot.settings.document import Document, validated
from kangbot.settings.kinds import Secret
from kangbot.settings.schema import Settings


def test_an_empty_table_is_every_default() -> None:
    """The document has the fields of the settings, and no other."""
    assert validated({}) == Settings()
    assert list(Document.model_fields) == [field.name for field in fields(Settings)]


def test_sections_become_the_daemons_own_classes() -> None:
    """Frozen, and without a trace of what has checked them."""
    table: dict[str, object] = {
        "state_dir": "/x",
        "markets": [{"symbol": "BTC/USDT:USDT"}],
        "database": {"url": "mysql://u:p@h/d"},
    }
    settings = validated(table)
    assert settings.state_dir == Path("/x")
    assert settings.database.url == Secret("mysql://u:p@h/d")
    assert type(settings) is Settings
    assert [type(market).__module__ for market in settings.markets] == ["kangbot.settings.trading"]


def test_variables_of_the_process_are_not_read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """They were laid over the file already, by whoever knows who said what."""
    monkeypatch.setenv("KANGBOT_MODE", "live")
    monkeypatch.setenv("KANGBOT_DATABASE__POOL_SIZE", "5")
    assert validated({}) == Settings()


def test_every_finding_is_told_and_no_value_of_a_file_is_in_the_words() -> None:
    """Unknown keys at any depth, wrong types, values out of bounds; a secret may be in the wrong place."""
    with pytest.raises(ValidationError) as caught:
        validated({
            "mod": "paper",
            "database": {"pool_size": 6, "pol": 1, "url": 5},
            "venues": {"bybit": {"secret": ["s3cret"]}},
            "risk": {"leverage": float("nan")},
        })  # fmt: skip
    found = {error["loc"] for error in caught.value.errors(include_url=False)}
    assert found >= {
        ("mod",),
        ("database", "pool_size"),
        ("database", "pol"),
        ("database", "url"),
        ("risk", "leverage"),
    }
    assert ("venues", "bybit", "secret") in found
    assert "s3cret" not in str(caught.value)
