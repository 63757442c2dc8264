"""One line for a person."""

from kangbot.health.headline import headline


def test_what_is_well_is_not_in_it() -> None:
    """The markets are, always."""
    said = headline(live=27, total=27, waiting="", tripped=0, killed="", journal="", history_away="")
    assert said == "27 of 27 markets live"


def test_what_is_wrong_is_and_it_stays_one_line() -> None:
    """A line break would end the message to the service manager."""
    said = headline(
        live=0,
        total=27,
        waiting="the venue\nanswers 502",
        tripped=3,
        killed="by hand",
        journal="takes only exits: disk I/O error",
        history_away="refused",
    )
    assert said == (
        "0 of 27 markets live, waiting: the venue answers 502, 3 with a breaker open, kill switch set: by hand, "
        "journal takes only exits: disk I/O error, history away: refused"
    )
