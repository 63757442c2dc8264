"""A private stream that is acknowledged and mute, told from one that has nothing to say."""

from kangbot.machines.told import SECOND_NS, Told
from kangbot.model.orders import Fill
from tests.support.trade_words import START, fill


def at(second: float, name: str = "") -> Fill:
    """Return an execution so many seconds after the start."""
    return fill(name or f"e{second}", 1, at_ns=START + round(second * SECOND_NS))


def asked(told: Told, second: float, *fills: Fill) -> bool:
    """Have the venue answer with these to a question of that second."""
    return told.mute(fills, START + round(second * SECOND_NS))


def listening() -> Told:
    """Return one whose stream is acknowledged from the start on."""
    told = Told()
    told.listens(START)
    return told


def test_two_executions_that_it_has_not_told_of_make_it_mute() -> None:
    """One may be lost; each counts once, however often it is answered."""
    told = listening()
    assert not asked(told, 20, at(10))
    assert not asked(told, 21, at(10))
    assert asked(told, 22, at(10), at(11))
    assert not asked(told, 100, at(10), at(11))


def test_what_it_has_told_is_not_missed() -> None:
    """And it is well again by the first execution that it tells of."""
    told = listening()
    for second in (10, 11):
        told.heard(at(second))
    assert not asked(told, 20, at(10), at(11))
    assert not asked(told, 22, at(12))
    told.heard(at(14))
    assert not asked(told, 24, at(13), at(14))
    assert asked(told, 26, at(15))


def test_it_has_a_few_seconds_and_owes_nothing_from_before_it_was_there() -> None:
    """Executions that are fresh are looked at in the next round, those of the connection before never."""
    told = listening()
    assert not asked(told, 20, at(-3), at(2), at(4.9), at(15.1), at(16))
    assert asked(told, 30, at(15.1), at(16))
    told.listens(START + 40 * SECOND_NS)
    assert not asked(told, 120, at(41), at(42), at(60))


def test_it_is_not_complained_of_again_before_a_minute_is_over() -> None:
    """A new connection needs its time."""
    told = listening()
    assert asked(told, 20, at(10), at(11))
    assert not asked(told, 79, at(30), at(31))
    assert asked(told, 80)


def test_few_executions_are_kept() -> None:
    """A round asks for those of a minute again, and for no older ones."""
    told = listening()
    told.heard(at(10, "old"))
    for number in range(5000):
        told.heard(at(10, f"e{number}"))
    assert not asked(told, 20, at(10, "e4999"), at(10, "old"))
    assert asked(told, 21, at(10, "e1"))
