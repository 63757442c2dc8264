"""`kangbot simulate`: which seeds are played, and how a broken promise is told. What it plays is in tests/sim."""

import json

import pytest

from kangbot.cli import exit_codes
from kangbot.cli.simulate import EVERY, simulate
from kangbot.sim.proof.mutants import MUTANTS


def played(capsys: pytest.CaptureFixture[str], **options: object) -> tuple[int, str, str]:
    """Return the exit code, what was printed, and what was told beside it."""
    usual = {"seed": None, "seeds": None, "minutes": 3.0, "markets": 1, "spot": False, "edits": False}
    code = simulate(**{**usual, "mutant": "", "jobs": 1, "as_json": True, **options})  # type: ignore[arg-type]
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"seed": 1, "seeds": "1..2"}, "give one of the two"),
        ({"seeds": "1"}, "a range such as 1..100"),
        ({"seeds": "2..1"}, "a range such as 1..100"),
        ({"seeds": "a..b"}, "a range such as 1..100"),
        ({"seeds": "-1..2"}, "a range such as 1..100"),
        ({"seeds": f"1..{10**30}"}, "a range such as 1..100"),
        ({"seed": 1, "mutant": "jurnal"}, f"--mutant is {EVERY}, or one of: {next(iter(MUTANTS))}, "),
    ],
)
def test_what_is_no_seed_is_told(capsys: pytest.CaptureFixture[str], options: dict[str, object], words: str) -> None:
    """As wrong usage, with what is taken."""
    code, out, err = played(capsys, **options)
    assert (code, out) == (exit_codes.USAGE, "")
    assert words in err


def test_both_ends_of_a_range_are_played(capsys: pytest.CaptureFixture[str]) -> None:
    """And one that is named alone; without a word the first."""
    assert json.loads(played(capsys, seeds="3..4")[1])["seeds"] == 2
    assert json.loads(played(capsys)[1])["seeds"] == 1


def test_a_person_reads_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    """With how much was played, and that nothing was broken."""
    code, out, err = played(capsys, as_json=False)
    assert (code, err) == (exit_codes.OK, "")
    rows = dict(line.split("  ", 1) for line in map(str.rstrip, out.splitlines()) if "  " in line)
    assert (rows["seeds"].strip(), rows["violations"].strip()) == ("1", "0")


@pytest.mark.parametrize(
    ("options", "typed"),
    [
        ({"minutes": 4.0, "markets": 2, "spot": True}, " --minutes 4 --markets 2 --spot"),
        ({"minutes": 10.0, "markets": 5, "edits": True}, " --edits"),
    ],
)
def test_a_broken_promise_is_told_with_the_command_that_plays_it_again(
    capsys: pytest.CaptureFixture[str], options: dict[str, object], typed: str
) -> None:
    """With every option that made the session what it was, and none that has its default."""
    code, out, err = played(capsys, seed=1, mutant="journal_after_send", **options)
    assert code == exit_codes.FAILURE
    (one,) = json.loads(out)["violations"]
    assert f"({one['invariant']}) {one['message']}" in err
    assert err.endswith(f"again: kangbot simulate --seed 1{typed} --mutant journal_after_send\n")


def test_of_many_broken_promises_the_first_are_told_with_how_it_came_to_them(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others by one line each, and the command: nobody reads a thousand of them."""
    monkeypatch.setattr("kangbot.cli.simulate._TOLD", 1)
    _, out, err = played(capsys, seeds="1..2", mutant="journal_after_send")
    assert len(json.loads(out)["violations"]) == 2
    first, second, end = err.split("again: kangbot simulate --seed ")
    assert len(first.splitlines()) > 5
    assert len(second.splitlines()) == 2
    assert end == "2 --minutes 3 --markets 1 --mutant journal_after_send\n"


def test_a_mutant_that_no_seed_notices_is_a_failure(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is told by its name, with the seed that noticed it."""
    noticed, unnoticed = "journal_after_send", "spot_stop_left_behind"
    monkeypatch.setattr("kangbot.cli.simulate.MUTANTS", {name: MUTANTS[name] for name in (noticed, unnoticed)})
    code, out, err = played(capsys, seeds="1..1", minutes=4.0, markets=2, mutant=EVERY)
    assert (code, json.loads(out)) == (exit_codes.FAILURE, {"mutants": {noticed: 1, unnoticed: None}})
    assert [line.split()[1] for line in err.splitlines()] == ["seed", "NOT"]
