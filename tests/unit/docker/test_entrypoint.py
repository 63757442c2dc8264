"""What a container starts, with a `kangbot` on the path that only says how it was called."""

import subprocess
from pathlib import Path

import pytest

ENTRYPOINT = Path(__file__).parents[3] / "docker" / "entrypoint.sh"
LOOK, TABLES = "check --startup", "db upgrade --startup"


def started(folder: Path, *words: str, fails: str = "nothing") -> subprocess.CompletedProcess[str]:
    """Start it; the command `fails` ends with an error."""
    command = folder / "kangbot"
    command.write_text(f'#!/bin/sh\necho "$@"\ncase "$*" in "{fails}"*) exit 1 ;; esac\n')
    command.chmod(0o755)
    path = f"{folder}:/usr/bin:/bin"
    return subprocess.run([ENTRYPOINT, *words], env={"PATH": path}, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("words", [(), ("run",)])
def test_it_looks_brings_the_tables_up_to_date_and_runs(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Without a word as well; standard output is the daemon's alone."""
    done = started(tmp_path, *words)
    assert (done.returncode, done.stdout, done.stderr) == (0, "run\n", f"{LOOK}\n{TABLES}\n")


def test_the_options_of_run_are_for_the_look_and_the_tables_as_well(tmp_path: Path) -> None:
    """Another file is neither looked past nor run without."""
    done = started(tmp_path, "run", "--config", "/etc/my own.toml")
    options = "--config /etc/my own.toml"
    assert (done.stdout, done.stderr) == (f"run {options}\n", f"{LOOK} {options}\n{TABLES} {options}\n")


@pytest.mark.parametrize("fails", [LOOK, TABLES])
def test_what_stands_in_the_way_is_said_and_nothing_is_started(tmp_path: Path, fails: str) -> None:
    """By the exit code that says that trying again changes nothing."""
    done = started(tmp_path, fails=fails)
    assert (done.returncode, done.stdout) == (78, "")
    assert "kangbot does not start: " in done.stderr


def test_another_command_is_only_passed_on(tmp_path: Path) -> None:
    """Such as a backup of a container that does not run."""
    done = started(tmp_path, "backup", "--json")
    assert (done.stdout, done.stderr) == ("backup --json\n", "")
