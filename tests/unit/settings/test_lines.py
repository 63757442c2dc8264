"""On which line each key stands."""

import tomllib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kangbot.settings.lines import Key, locate

DOCUMENT = '''\
mode = "sandbox"  # a comment with = and [brackets]

[venues.bybit]
"rest_url" = 'http://x/#not-a-comment'
text = """
[not.a.table]
key = 1
"""

[[markets]]
symbol = "BTC/USDT:USDT"
parameters = { fast = 5, deep.er = [1, 2] }
[markets.extra]
a.b = 1

[[markets]]
symbol = "ETH/USDT:USDT"
list = [
  1, # one ]
  { x = "]" },
  3,
]
last = true
'''


def test_every_key_is_on_the_line_where_it_is_written() -> None:
    """Strings, comments, arrays and inline tables do not mislead the scanner."""
    lines = locate(DOCUMENT)
    expected: dict[Key, int] = {
        ("mode",): 1,
        ("venues", "bybit"): 3,
        ("venues", "bybit", "rest_url"): 4,
        ("venues", "bybit", "text"): 5,
        ("markets",): 10,
        ("markets", 0): 10,
        ("markets", 0, "symbol"): 11,
        ("markets", 0, "parameters", "fast"): 12,
        ("markets", 0, "parameters", "deep", "er", 1): 12,
        ("markets", 0, "extra"): 13,
        ("markets", 0, "extra", "a", "b"): 14,
        ("markets", 1): 16,
        ("markets", 1, "symbol"): 17,
        ("markets", 1, "list", 0): 19,
        ("markets", 1, "list", 1, "x"): 20,
        ("markets", 1, "list", 2): 21,
        ("markets", 1, "last"): 23,
    }
    assert {key: lines.get(key) for key in expected} == expected
    assert ("not", "a", "table") not in lines


@pytest.mark.parametrize(
    "text",
    [
        'a = """x""""\nb = 1',
        "a = '''x''''\nb = 1",
        'a = """\\""""\nb = 1',
        'a = ""\nb = 1',
        "a = ''''''\nb = 1",
        'a = "\\\\"\nb = 1',
        'a = [[["]"], []], {}]\nb = 1',
        "a = 1979-05-27 07:32:00 # [\nb = 1",
        '"a.b" . c = 1\nb = 1',
        "a = [\n]\nb=1",
    ],
)
def test_odd_values_do_not_hide_the_key_after_them(text: str) -> None:
    """Whatever stands in a value, the next key has its own line."""
    assert "b" in tomllib.loads(text)
    assert locate(text)[("b",)] == text.count("\n", 0, text.rindex("b")) + 1


def paths(value: object, at: Key = ()) -> Iterator[Key]:
    """Yield the path of everything in a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in inner:
        yield (*at, key)
        yield from paths(child, (*at, key))


words = st.text(st.sampled_from("ab[]{}=#,.'\" \\\n\té"), max_size=6)
leaves = st.integers() | st.booleans() | words
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3))


def quoted(text: str) -> str:
    """Return a TOML basic string."""
    escaped = "".join(f"\\U{ord(c):08x}" if c in '"\\\n\t' else c for c in text)
    return f'"{escaped}"'


def written(value: object) -> str:
    """Return a value in TOML."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return quoted(value)
        case list():
            return f"[\n{', '.join(written(inner) for inner in value)}\n]"
        case dict():
            return "{" + ", ".join(f"{quoted(key)} = {written(inner)}" for key, inner in value.items()) + "}"
        case _:
            return str(value)


@given(st.dictionaries(words, values, max_size=4))
def test_every_key_that_tomllib_reads_is_located(document: dict[str, object]) -> None:
    """Generated documents: no key is missed, none is invented."""
    text = "\n".join(f"{quoted(key)} = {written(value)} # x = [" for key, value in document.items())
    assert set(locate(text)) == set(paths(tomllib.loads(text)))
