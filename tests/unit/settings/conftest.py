"""Configurations written for a test, read in this process: the child that reads them in life has a test of its own."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from kangbot.errors import ConfigInvalid, Problem
from kangbot.settings.loading import load
from kangbot.settings.schema import Settings

MARKET = '[[markets]]\nsymbol = "BTC/USDT:USDT"\n'

Read = Callable[..., Settings]
Mistakes = Callable[..., tuple[Problem, ...]]


def said(problems: tuple[Problem, ...]) -> str:
    """Return the problems as a person reads them."""
    return "\n".join(str(problem) for problem in problems)


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Return a function that loads a text as a configuration file."""

    def read_text(text: str, environ: Mapping[str, str] | None = None) -> Settings:
        path = tmp_path / "kangbot.toml"
        path.write_text(text, encoding="utf-8")
        return load(path, environ or {})

    return read_text


@pytest.fixture
def mistakes(read: Read) -> Mistakes:
    """Return a function that loads a text and returns the mistakes in it; none where it is right."""

    def mistakes_of(text: str, environ: Mapping[str, str] | None = None) -> tuple[Problem, ...]:
        try:
            read(text, environ)
        except ConfigInvalid as error:
            return error.problems
        return ()

    return mistakes_of
