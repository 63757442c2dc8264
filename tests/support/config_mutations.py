"""Hundreds of ways to break a configuration's file, by name: each puts something in the file's place."""

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

Put = Callable[[Path], None]

ODD_VALUES = (
    '""', '"x"', "-1", "0", "1.5", "1e999999999999", "nan", "inf", "true", "[]", "{}", "[[1]]", "{a = 1}",
    "1979-05-27", "999999999999999999999999", '"\\u0000"', '"é😀"', '"http://["', "'a\"b'",
)  # fmt: skip
ODD_LINES = (
    "surprise = 1", "[surprise]", "[markets]", "[[risk]]", "[risk.leverage.x]", "= 1", "risk", '"a', "[[markets]]",
    'mode = "sandbox"', "\x00", "# é😀 \u202e", "[defaults.parameters.fast]", 'key = "k"',
    "[venues.bybit]\nsecret = 's'",
    "\ufeff", "a.b.c = 1", "[database]\nurl = 'mysql://u:p@127.0.0.1/d'",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mutation:
    """One thing done to the file."""

    name: str
    put: Put
    text: bytes | None = None  # what stands in the file then, where it is one


def clear(path: Path) -> None:
    """Take away whatever stands at the path."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def save(path: Path, text: bytes) -> None:
    """Put a whole file in its place, as editors do."""
    fresh = path.with_name(f".{path.name}.saving")
    fresh.write_bytes(text)
    if path.is_dir():
        clear(path)
    fresh.replace(path)


def write_in_place(path: Path, text: bytes) -> None:
    """Write over the file that is there, in two pieces, as some editors and `scp` do."""
    half = len(text) // 2
    with path.open("wb") as file:
        file.write(text[:half])
        file.flush()
        time.sleep(0.05)
        file.write(text[half:])


def mutations(text: str) -> Iterator[Mutation]:
    """Yield them: of places first, then of values and lines, then the file cut off at each byte."""
    whole = text.encode()
    yield from _places()
    lines = text.splitlines()
    for number, line in enumerate(lines):
        key, equals, _ = line.partition(" = ")
        if equals:
            for odd in ODD_VALUES:
                yield _text(
                    f"line {number + 1}: {key} = {odd}", [*lines[:number], f"{key} = {odd}", *lines[number + 1 :]]
                )
            yield _text(
                f"line {number + 1}: {key}x", [*lines[:number], line.replace(key, f"{key}x", 1), *lines[number + 1 :]]
            )
    for odd in ODD_LINES:
        for number in (0, len(lines) // 2, len(lines)):
            yield _text(f"{odd!r} before line {number + 1}", [*lines[:number], odd, *lines[number:]])
    for byte in (b"\xff\xfe", b"\xc3", b"\x00", b"\r", b"\x1b[2J"):
        for at in (0, len(whole) // 2, len(whole)):
            yield _bytes(f"{byte!r} at byte {at}", whole[:at] + byte + whole[at:])
    yield _bytes("UTF-16", text.encode("utf-16"))
    yield _bytes("Latin-1", ("# é\n" + text).encode("latin-1"))
    for length in range(len(whole)):
        yield _bytes(f"cut off at byte {length}", whole[:length])


def _places() -> Iterator[Mutation]:
    yield Mutation("deleted", clear)

    def folder(path: Path) -> None:
        clear(path)
        path.mkdir()

    def loop(path: Path) -> None:
        clear(path)
        path.symlink_to(path)

    def nowhere(path: Path) -> None:
        clear(path)
        path.symlink_to(path.with_name("nowhere.toml"))

    def denied(path: Path) -> None:
        path.chmod(0)

    yield Mutation("a directory in its place", folder)
    yield Mutation("a link to itself", loop)
    yield Mutation("a link to nothing", nowhere)
    yield Mutation("permission denied", denied)
    yield _bytes("empty", b"")
    yield _bytes("five megabytes", b"# \n" * 1_700_000)
    yield _bytes("nested too deeply", b"a = " + b"[" * 20_000 + b"]" * 20_000)


def _text(name: str, lines: list[str]) -> Mutation:
    return _bytes(name, ("\n".join(lines) + "\n").encode("utf-8", "surrogatepass"))


def _bytes(name: str, text: bytes) -> Mutation:
    return Mutation(name, lambda path: save(path, text), text)
