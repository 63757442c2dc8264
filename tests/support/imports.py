"""Configurations of other bots, imported, and the secrets that stand in them."""

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

from kangbot.cli.importing import import_config
from kangbot.settings import load

SECRETS = (
    "kEy-9f8e7d6c5b4a",
    "sEcReT-0a1b2c3d4e",
    "sk-proj-abcdef123456",
    "123456:telegram-token",
    "jwt-Zz99",
    "pw-77aa",
)


def taken(tmp_path: Path, *texts: str, code: int = 0) -> tuple[str, dict[str, Any]]:
    """Import the texts as files; return the text that was written and what it says."""
    sources = [tmp_path / f"{number}.json" for number in range(len(texts))]
    for source, text in zip(sources, texts, strict=True):
        source.write_text(text)
    config = tmp_path / "new" / "kangbot.toml"
    assert import_config(sources, config) == code
    text = config.read_text()
    load(config, {})  # as `kangbot check` reads it
    return text, tomllib.loads(text, parse_float=Decimal)
