"""Secrets are in no line, wherever they stood; what is none is shown."""

import logging
from base64 import b64encode
from enum import Enum
from pathlib import Path
from urllib.parse import quote

import pytest
import structlog

from kangbot.logs.masking import MASK, Masker
from tests.support.logged import CANARY, fail, set_up


class Odd:
    """An object that shows a secret."""

    def __repr__(self) -> str:
        return f"<Odd {CANARY}>"


class Word(Enum):
    """An enum that holds one."""

    SECRET = CANARY


CARRIERS: tuple[object, ...] = (
    CANARY,
    f"before {CANARY} after",
    CANARY.encode(),
    quote(CANARY, safe=""),
    b64encode(CANARY.encode()).decode(),
    {"deep": [{"er": (CANARY,)}]},
    {CANARY: 1},
    ValueError(CANARY),
    Odd(),
    Word.SECRET,
    Path(CANARY),
    frozenset({CANARY}),
    [[[[[[[[[[CANARY]]]]]]]]]],
    "x" * 3990 + CANARY,
)


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_registered_secret_is_in_no_line(form: str) -> None:
    """As a value, in a value, encoded, in an error, as a key, by every way in: 0 leaks."""
    written = set_up(format=form, level="debug")
    log, library = structlog.get_logger(), logging.getLogger("ccxt")
    for carrier in CARRIERS:
        log.info("event", field=carrier)
        log.info("event " + CANARY)  # noqa: G003 -- a careless line
        log.bind(bound=carrier).warning("event")
        library.error("said %s", carrier)
        library.error(carrier)
        with structlog.contextvars.bound_contextvars(context=carrier):
            log.error("event")
        try:
            fail(f"{carrier}")
        except ValueError:
            log.exception("fell")
            library.exception("fell")
    leaks = (CANARY, quote(CANARY, safe=""), b64encode(CANARY.encode()).decode().rstrip("="))
    assert [leak for leak in leaks if leak in written.text] == []
    assert written.text.count(MASK) > 100


@pytest.mark.parametrize(
    "name",
    ["token", "api_key", "apiKey", "secret", "password", "signature", "Authorization", "X-BAPI-SIGN", "db.password"],
)
def test_a_field_named_like_a_secret_shows_nothing(name: str) -> None:
    """Also where nobody registered its value."""
    assert Masker().field(name, "whatever") == MASK
    assert Masker().value({"headers": {name: "whatever"}}) == {"headers": {name: MASK}}


def test_a_field_named_like_something_else_is_shown() -> None:
    """Masking everything would be no log."""
    masker = Masker()
    for name in ("market", "key", "signal", "design", "tokens_left", "sequence"):
        assert masker.field(name, "shown") == "shown"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("GET /v5?api_key=abc&sign=def&x=1", f"GET /v5?api_key={MASK}&sign={MASK}&x=1"),
        ("signature: abc, next", f"signature: {MASK}, next"),
        ('{"apiKey": "abc", "secret":"d e"}', f'{{"apiKey": "{MASK}", "secret":"{MASK} e"}}'),
        ("Authorization: Bearer abc.def", f"Authorization: Bearer {MASK}"),
        (
            "{'X-BAPI-API-KEY': 'k', 'X-BAPI-TIMESTAMP': '1'}",
            f"{{'X-BAPI-API-KEY': '{MASK}', 'X-BAPI-TIMESTAMP': '1'}}",
        ),
        ("mysql://user:p@ss:w0rd@host:3306/db", f"mysql://user:{MASK}@host:3306/db"),
        ("https://host:443/path@x", "https://host:443/path@x"),
        ("nothing to hide here", "nothing to hide here"),
    ],
)
def test_text_that_looks_like_a_secret_is_masked(text: str, expected: str) -> None:
    """Signed requests, headers, JSON, addresses: what a library would print of a call."""
    assert Masker().text(text) == expected


def test_a_short_secret_does_not_blot_out_the_log() -> None:
    """Three letters are in every second word."""
    masker = Masker(["abc"])
    assert masker.text("abc") == "abc"
    masker.add("abcd")
    assert masker.text("abcd") == MASK


def test_a_secret_is_masked_in_every_form_in_which_it_travels() -> None:
    """In an address, in a form's field, in a basic login, and as a program shows a text."""
    masker = Masker(["to ken/\\+\n"])
    for travelling in ("to ken/\\+\n", "to%20ken%2F%5C%2B%0A", "to+ken%2F%5C%2B%0A", "dG8ga2VuL1wrCg", r"to ken/\\+\n"):
        assert masker.text(f"<{travelling}>").rstrip("=>") == f"<{MASK}"


def test_nothing_is_left_of_a_secret_that_begins_with_another() -> None:
    """A key that was made anew by adding to it, say."""
    assert Masker(["abcd", "abcdefgh", "bcdefg"]).text("abcdefgh abcd") == f"{MASK} {MASK}"


class Broken:
    """An object that cannot be shown."""

    def __repr__(self) -> str:
        raise RuntimeError(CANARY)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ([10**5000], ["<int that cannot be shown: ValueError>"]),
        (-(2**63), -(2**63)),
        (2**63, "9223372036854775808"),
        (Broken(), "<Broken that cannot be shown: RuntimeError>"),
        (RuntimeError(Broken()), "RuntimeError: <RuntimeError that cannot be shown: RuntimeError>"),
        ({Broken(): 1}, {"<Broken that cannot be shown: RuntimeError>": 1}),
        ([[[[[[[1]]]]]]], [[[[[["[1]"]]]]]]),
        ("x" * 4000, "x" * 4000),
        ("x" * 4001, f"{'x' * 4000}… (4001 characters)"),
        ("\ud800", "\\ud800"),
    ],
)
def test_whatever_there_is_can_be_shown(value: object, shown: object) -> None:
    """As no more than a line holds, and as what every encoder takes; whoever logs it gets no error for it."""
    assert Masker().value(value) == shown
