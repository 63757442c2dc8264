"""What a caller may do."""

from kangbot.control.access import Access


def test_whoever_may_command_may_look_and_nobody_the_other_way() -> None:
    """Guards compare; and a session keeps the number, so that what it opened yesterday it opens today."""
    assert Access.OPEN < Access.READ < Access.CONTROL
    assert [Access(number).word for number in range(3)] == ["open", "read", "control"]
