"""The name of a daemon's place."""

from pathlib import Path
from socket import gethostname

from kangbot.storage.opening import place_of


def test_servers_of_one_name_are_two_places(tmp_path: Path) -> None:
    """By the id that each machine has, which is not shown; without one the host's name says it."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text("0123456789abcdef0123456789abcdef\n")
    second.write_text("fedcba9876543210fedcba9876543210\n")
    state = tmp_path / "state"
    assert place_of(state, first) == place_of(state, first) != place_of(state, second)
    assert "012345" not in place_of(state, first)
    assert place_of(state, tmp_path / "none") == f"{gethostname()}:{state}"
