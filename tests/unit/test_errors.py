"""Errors in words: one line each, whoever raised them, and every mistake of a configuration with its place."""

import asyncio

import pytest

from kangbot.errors import Ambiguous, ConfigInvalid, NeedsHuman, PartlyRead, Problem, Retryable, named, words


class Broken(Exception):
    """One whose words fail."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Ambiguous("no answer to order 7", code="10016"), "no answer to order 7"),
        (NeedsHuman("the key is refused", remedy="make another"), "the key is refused"),
        (TimeoutError("whatever"), "no answer in time"),
        (ValueError("7 is no price"), "ValueError: 7 is no price"),
        (MemoryError(), "MemoryError"),
        (Broken(), "Broken: it cannot be put into words"),
        (OSError("no such file: \udcff.csv"), r"OSError: no such file: \udcff.csv"),
        (Retryable("/data/\udcff/history.sqlite is busy"), r"/data/\udcff/history.sqlite is busy"),
        (ValueError("Kurs zu groß"), "ValueError: Kurs zu groß"),
        (ValueError("x" * 1000), f"ValueError: {'x' * 1000}"),
        (ValueError("x" * 1001), f"ValueError: {'x' * 1000}…"),
    ],
)
def test_an_error_is_told_in_words(error: Exception, said: str) -> None:
    """Ours by their own; another's with its class, and no more of it than a report holds, which a file takes.

    A file's name that is no UTF-8 stands in the system's errors as what no encoder takes.
    """
    assert words(error) == said


async def test_a_time_that_was_up_is_told_by_what_was_going_on() -> None:
    """Where that has noted itself on its cancellation."""

    async def answer() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError as cancelled:
            cancelled.add_note("127.0.0.1:3306: no answer in 8.0 s")
            raise

    with pytest.raises(TimeoutError) as caught:
        await asyncio.wait_for(answer(), 0.01)
    assert words(caught.value) == "127.0.0.1:3306: no answer in 8.0 s"
    assert named(caught.value) == "TimeoutError"


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (Problem(message="is no mode"), "is no mode"),
        (Problem(message="is no mode", key="mode"), "mode: is no mode"),
        (Problem(message="is no mode", key="mode", file="a.toml"), "a.toml: mode: is no mode"),
        (Problem(message="is no mode", key="mode", file="a.toml", line=3), "a.toml:3: mode: is no mode"),
        (Problem(message="is no mode", key="mode", remedy="Write paper."), "mode: is no mode. Write paper."),
    ],
)
def test_a_mistake_is_told_with_its_place(problem: Problem, said: str) -> None:
    """As far as it is known, as an editor takes it: file and line."""
    assert str(problem) == said


def test_every_mistake_is_told_at_once() -> None:
    """A line each, in their order; and a person is asked for."""
    error = ConfigInvalid((Problem(message="is wrong", key="a"), Problem(message="is wrong", key="b")))
    assert error.message == str(error) == "a: is wrong\nb: is wrong"
    assert isinstance(error, NeedsHuman)
    assert error.remedy == "correct these and try again"


def test_what_could_be_read_of_an_answer_is_nobodys_by_accident() -> None:
    """It is an error that may be tried again, to whoever does not look into it."""
    error = PartlyRead("one row is odd", unread={"bybit:BTC-USDT:USDT": "no price"}, rest=[1, 2])
    assert isinstance(error, Retryable)
    assert (error.code, error.retry_after_ns, error.rest) == ("unreadable", 0, [1, 2])
