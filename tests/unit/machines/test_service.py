"""What a service manager is told: READY once, more time while it recovers, and nothing while stuck."""

import hypothesis.strategies as st
from hypothesis import given

from kangbot.machines.service import Answer, Phase, Seen, Service

RECOVERING = Seen(phase=Phase.RECOVERING, status="recovering")
RUNNING = Seen(phase=Phase.RUNNING, status="27 of 27 markets live")
STOPPING = Seen(phase=Phase.STOPPING, status="27 of 27 markets live")


def told(*looks: Seen) -> list[Answer]:
    """Return the answers to looks, one after another."""
    service, answers = Service(), []
    for seen in looks:
        service, answer = service.looked(seen)
        answers.append(answer)
    return answers


def test_a_life_from_start_to_end() -> None:
    """Each phase has its word; what has not changed is not said again."""
    life = [answer.words for answer in told(RECOVERING, RECOVERING, RUNNING, RUNNING, STOPPING, STOPPING)]
    assert life == [
        ("EXTEND_TIMEOUT_USEC=60000000", "STATUS=recovering", "WATCHDOG=1"),
        ("EXTEND_TIMEOUT_USEC=60000000", "WATCHDOG=1"),
        ("READY=1", "STATUS=27 of 27 markets live", "WATCHDOG=1"),
        ("WATCHDOG=1",),
        ("STOPPING=1", "EXTEND_TIMEOUT_USEC=60000000", "WATCHDOG=1"),
        ("EXTEND_TIMEOUT_USEC=60000000", "WATCHDOG=1"),
    ]


def test_what_is_stuck_starves_the_watchdog_and_says_why() -> None:
    """Once; and what goes on again is fed again."""
    stuck = Seen(phase=Phase.RUNNING, status="27 of 27 markets live", stuck="journal for 40 s")
    _, first, second, mended = told(RUNNING, stuck, stuck, RUNNING)
    assert first == Answer(words=("STATUS=stuck: journal for 40 s",), alive=False)
    assert second == Answer(words=(), alive=False)
    assert mended == Answer(words=("STATUS=27 of 27 markets live", "WATCHDOG=1"), alive=True)


def test_a_recovery_that_is_stuck_gets_no_more_time() -> None:
    """Else a start that hangs would hang for ever."""
    (answer,) = told(Seen(phase=Phase.RECOVERING, status="recovering", stuck="journal for 40 s"))
    assert answer == Answer(words=("STATUS=stuck: journal for 40 s",), alive=False)


def test_while_it_stops_nothing_counts_as_stuck() -> None:
    """What is being taken down makes no progress."""
    answers = told(RUNNING, Seen(phase=Phase.STOPPING, status="s", stuck="journal for 40 s"))
    assert answers[1] == Answer(
        words=("STOPPING=1", "EXTEND_TIMEOUT_USEC=60000000", "STATUS=s", "WATCHDOG=1"), alive=True
    )


def test_a_stop_may_come_while_it_recovers() -> None:
    """It is then never ready."""
    words = [word for answer in told(RECOVERING, STOPPING, STOPPING) for word in answer.words]
    assert "READY=1" not in words
    assert words.count("STOPPING=1") == 1


SEEN = st.builds(Seen, phase=st.sampled_from(Phase), status=st.sampled_from("ab"), stuck=st.sampled_from(["", "x"]))


@given(st.lists(SEEN))
def test_the_watchdog_is_fed_exactly_while_alive(looks: list[Seen]) -> None:
    """And nobody is asked for more time between the recovery and the stop."""
    for seen, answer in zip(looks, told(*looks), strict=True):
        assert ("WATCHDOG=1" in answer.words) is answer.alive
        assert answer.alive is (not seen.stuck or seen.phase is Phase.STOPPING)
        asked = any(word.startswith("EXTEND") for word in answer.words)
        assert asked is (seen.phase is not Phase.RUNNING and answer.alive)
