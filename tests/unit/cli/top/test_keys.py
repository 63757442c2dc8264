"""Keys as a terminal sends them."""

from kangbot.cli.top.keys import named


def test_keys_have_names() -> None:
    """Several at once too; what means nothing is passed over."""
    assert named("j\x1b[Ax\x1b[6~") == ["down", "up", "page down"]
    assert [named(key) for key in ("q", "Q", "\x03", "\x04")] == [["q"]] * 4
    assert named("\x1b[1;5C") == []
