"""The session of one connection: each way in which a topic, or the socket itself, goes wrong, and what heals it."""

from collections.abc import Callable

import msgspec
import pytest

from kangbot.machines.session import Session
from kangbot.machines.session_words import (
    Close,
    CloseKind,
    Ping,
    Reply,
    Stage,
    Subscribe,
    Terms,
    TopicAcked,
    TopicDown,
    TopicGivenUp,
    TopicLive,
    TopicState,
    Trouble,
    Unsubscribe,
)
from kangbot.machines.watchdog import Patience
from tests.support.session_bench import ACCOUNT, QUOTE, RULES, TRADES, Bench, kinds


# --------------------------------------------------------------------------------------------------------- going wrong
def test_an_unanswered_subscription_is_ended_and_asked_again() -> None:
    """The venue may hold it all the same: unsubscribe first, then subscribe."""
    bench = Bench(topics="a")
    said = bench.run(100)
    assert said[1:] == [
        TopicDown("a", Trouble.UNACKNOWLEDGED, "the subscription was not answered"),
        Unsubscribe("2", ("a",)),
        Subscribe("3", ("a",)),
    ]
    assert bench.troubles() == {Trouble.UNACKNOWLEDGED: 1}


def test_acknowledged_without_data_is_told_from_unanswered() -> None:
    """The answer came, the data did not."""
    bench = Bench(topics="a")
    bench.run()
    bench.ack()
    said = bench.run(150)
    assert said[0] == TopicDown("a", Trouble.MUTE, "acknowledged, but no data came")
    assert bench.troubles() == {Trouble.MUTE: 1}


def test_one_silent_topic_is_asked_for_again_alone() -> None:
    """Its neighbours do not notice."""
    bench = Bench(topics="ab")
    bench.live("ab")
    said = bench.run(200, data="a")
    assert said == [
        TopicDown("b", Trouble.SILENT, "no new data for 0.0 s"),
        Unsubscribe("2", ("b",)),
        Subscribe("3", ("b",)),
    ]
    assert bench.session.live == 1
    bench.session.acked("3", (), bench.now_ns)
    bench.session.data("b", bench.now_ns, 1)
    assert bench.drain() == [TopicAcked("b"), TopicLive("b")]


def test_a_topic_whose_time_stands_still_is_stuck() -> None:
    """Data comes, but always the same old data; that does not bring it back either."""
    bench = Bench(topics="ab")
    bench.live("ab")
    stamp = bench.now_ns
    for _ in range(21):
        bench.run(10, data="a")
        bench.session.data("b", bench.now_ns, stamp)
    bench.run()
    assert bench.troubles() == {Trouble.STUCK: 1}
    assert not bench.session.data("b", bench.now_ns, stamp)


def test_the_first_data_of_a_topic_have_a_time_too() -> None:
    """What only repeats them is stuck from the first on, not from its first repetition."""
    bench = Bench(topics="a")
    bench.live("a")
    began_ns = bench.now_ns
    bench.run(150)
    bench.session.data("a", bench.now_ns, began_ns)
    bench.run(began_ns + 200 - bench.now_ns)
    assert bench.troubles() == {Trouble.STUCK: 1}


def test_data_before_the_answer_have_a_time_too() -> None:
    """What only repeats them is no sign of life, though it is the first to come once the topic is live."""
    bench = Bench(topics="a")
    bench.run()
    began_ns = bench.now_ns
    bench.session.data("a", began_ns, began_ns)
    bench.ack()
    assert bench.state("a") is TopicState.LIVE
    bench.run(150)
    bench.session.data("a", bench.now_ns, began_ns)
    bench.run(began_ns + 200 - bench.now_ns)
    assert bench.troubles() == {Trouble.STUCK: 1}


def test_data_whose_answers_are_lost_are_unacknowledged_never_mute() -> None:
    """Each attempt is ended and made anew, and the topic is moved like one that says nothing."""
    bench = Bench(topics="ab")
    bench.live("b")
    bench.session.unwant("a", bench.now_ns)
    bench.session.want("a", QUOTE, bench.now_ns)
    said = bench.run(1000, data="ab")
    assert set(bench.troubles()) == {Trouble.UNACKNOWLEDGED}
    assert TopicGivenUp("a", Trouble.UNACKNOWLEDGED) in said
    assert TopicLive("a") not in said


def test_a_topic_of_which_data_are_missing_begins_anew() -> None:
    """It is ended and asked for at once, alone; data of the old subscription do not bring it back."""
    bench = Bench(topics="ab")
    bench.live("ab")
    bench.session.gap("b", 7, bench.now_ns)
    assert not bench.session.data("b", bench.now_ns, bench.now_ns + 5)
    assert bench.run() == [
        TopicDown("b", Trouble.GAP, "7 of its events are missing"),
        Unsubscribe("2", ("b",)),
        Subscribe("3", ("b",)),
    ]
    bench.session.gap("b", 1, bench.now_ns)
    bench.session.gap("nobody", 1, bench.now_ns)
    assert bench.drain() == []
    bench.session.acked("3", (), bench.now_ns)
    bench.session.data("b", bench.now_ns, bench.now_ns + 6)
    assert bench.drain() == [TopicAcked("b"), TopicLive("b")]
    assert bench.troubles() == {Trouble.GAP: 1}


def test_a_stale_topic_that_speaks_before_it_was_ended_is_live_again() -> None:
    """Its subscription stands; nothing needs to be asked."""
    bench = Bench(msgspec.structs.replace(RULES, messages=1, messages_span_ns=300), topics="ab")
    bench.run()
    bench.session.acked("1", (), bench.now_ns)
    for topic in "ab":
        bench.session.data(topic, bench.now_ns, 1)
    bench.session.data("b", bench.now_ns, 2)
    bench.drain()
    bench.run(250, data="a")
    assert bench.state("b") is TopicState.STALE
    assert not bench.session.data("b", bench.now_ns, 2), "the same old data prove nothing"
    assert bench.session.data("b", bench.now_ns, 3)
    assert bench.drain() == [TopicLive("b")]


def test_a_refused_topic_rests_before_it_is_asked_for_again() -> None:
    """A definitive no is told; asking again at once would only annoy."""
    bench = Bench(topics="a")
    bench.run()
    bench.session.denied("1", "a", "no such symbol", bench.now_ns)
    assert bench.drain() == [TopicDown("a", Trouble.DENIED, "no such symbol")]
    assert bench.troubles() == {Trouble.DENIED: 1}
    bench.session.pong(bench.now_ns)
    assert kinds(bench.run(900)) == []
    assert kinds(bench.run(100)) == [Unsubscribe, Subscribe]


def test_a_refused_request_that_names_no_topic_is_asked_topic_by_topic() -> None:
    """So the bad one shows, and the good ones live."""
    bench = Bench(topics="abc")
    bench.run()
    bench.session.denied("1", "", "bad request", bench.now_ns)
    assert bench.drain() == []
    assert bench.run() == [
        Unsubscribe("2", ("a", "b", "c")),
        Subscribe("3", ("a",)),
        Subscribe("4", ("b",)),
        Subscribe("5", ("c",)),
    ]
    bench.session.denied("4", "", "no such symbol", bench.now_ns)
    assert bench.drain() == [TopicDown("b", Trouble.DENIED, "no such symbol")]
    bench.session.acked("3", (), bench.now_ns)
    assert bench.state("a") is TopicState.ACKED


def test_the_neighbours_of_a_topic_that_is_refused_by_name_are_asked_for_again_at_once() -> None:
    """The venue subscribed none of them: they need not wait until an answer is overdue."""
    bench = Bench(topics="abc")
    bench.run()
    bench.session.denied("1", "b", "no such symbol", bench.now_ns)
    assert bench.drain() == [TopicDown("b", Trouble.DENIED, "no such symbol")]
    assert bench.run() == [Unsubscribe("2", ("a", "c")), Subscribe("3", ("a", "c"))]
    bench.session.acked("3", (), bench.now_ns)
    assert (bench.state("a"), bench.state("b"), bench.state("c")) == (
        TopicState.ACKED,
        TopicState.DENIED,
        TopicState.ACKED,
    )


@pytest.mark.parametrize("others", ["b", "bc"])
def test_what_was_refused_beside_an_acknowledged_topic_is_asked_for_again(others: str) -> None:
    """The venue holds one of the request and refused the rest for its sake: these come one by one, at once."""
    bench = Bench(topics=f"a{others}")
    bench.run()
    bench.session.acked("1", ("a",), bench.now_ns)
    bench.session.denied("1", "", "already subscribed", bench.now_ns)
    assert bench.drain() == [TopicAcked("a")]
    asked = [effect.natives for effect in bench.run() if isinstance(effect, Subscribe)]
    assert asked == [(topic,) for topic in others]
    assert bench.state("a") is TopicState.ACKED


@pytest.mark.parametrize("named", ["", "b"])
def test_nobody_is_refused_for_a_topic_that_was_let_go(named: str) -> None:
    """The one that is left of a refused request is asked for once more; refused then, it is the bad one."""
    bench = Bench(topics="ab")
    bench.run()
    bench.session.unwant("b", bench.now_ns)
    bench.session.denied("1", named, "no such symbol", bench.now_ns)
    assert bench.drain() == []
    assert bench.run() == [Unsubscribe("2", ("b",)), Unsubscribe("3", ("a",)), Subscribe("4", ("a",))]
    bench.session.denied("4", named, "no such symbol", bench.now_ns)
    assert bench.drain() == [TopicDown("a", Trouble.DENIED, "no such symbol")]


def test_a_topic_rests_longer_after_each_failure() -> None:
    """The first is asked again at once; then the rests double up to their bound."""
    rules = msgspec.structs.replace(RULES, attempts=100)
    bench = Bench(rules, topics="a")
    asked = []
    for _ in range(250):
        before = len(bench.said)
        bench.session.heard(bench.now_ns)
        bench.run(10)
        if any(isinstance(effect, Subscribe) for effect in bench.said[before:]):
            asked.append(bench.now_ns - 1_000_000)
    assert asked[1:5] == [100, 230, 390, 610]  # ack_ns apart, plus rests of 0, 30, 60 and 120


def test_a_topic_that_was_live_for_long_starts_anew() -> None:
    """Its old failures are forgiven: it is asked again at once."""
    bench = Bench(topics="ab")
    bench.live("ab")
    bench.run(200, data="a")
    bench.ack()
    bench.run(2_000, data="ab")
    assert bench.run(200, data="a")[-2:] == [Unsubscribe("4", ("b",)), Subscribe("5", ("b",))]


def test_a_topic_that_was_live_for_a_moment_only_has_proved_nothing() -> None:
    """It rests as one does that fails again."""
    bench = Bench(topics="ab")
    bench.live("ab")
    bench.run(200, data="a")
    bench.ack()
    bench.session.data("b", bench.now_ns, bench.now_ns)
    assert bench.run(200, data="a")[-1] == TopicDown("b", Trouble.SILENT, "no new data for 0.0 s")
    assert kinds(bench.run(30, data="a")) == [Unsubscribe, Subscribe]


def test_a_topic_that_stays_mute_is_given_up_to_another_connection() -> None:
    """After so many attempts, while its neighbours are well."""
    bench = Bench(topics="abc")
    bench.live("abc")
    bench.session.unwant("c", bench.now_ns)
    for _ in range(60):
        bench.run(10, data="a")
    assert TopicGivenUp("b", Trouble.UNACKNOWLEDGED) in bench.said
    assert bench.session.stage is Stage.READY


def test_a_connection_most_of_whose_topics_fail_is_closed() -> None:
    """It is the connection that is deaf, not the topics."""
    bench = Bench(topics="abc")
    bench.live("abc")
    for _ in range(60):
        bench.run(10, data="a")
    assert bench.said[-1] == Close(CloseKind.DEAF, "2 of 3 topics are unacknowledged")
    assert bench.session.stage is Stage.CLOSING
    assert bench.session.deadline() is None
    bench.session.tick(bench.now_ns + 10_000)
    assert bench.drain() == []


def test_a_market_without_trades_accuses_nobody() -> None:
    """Its topic is asked for again and again, but is neither given up nor held against the connection."""
    bench = Bench(topics="a")
    bench.session.want("b", TRADES, bench.now_ns)
    bench.session.want("c", TRADES, bench.now_ns)
    bench.live("a")
    for _ in range(150):
        bench.run(10, data="a")
        bench.ack()
    assert bench.troubles()[Trouble.MUTE] >= 6
    assert not any(isinstance(effect, TopicGivenUp | Close) for effect in bench.said)


def test_first_data_is_missed_sooner_where_the_usual_gap_is_known() -> None:
    """After a reconnect a busy topic that is acknowledged and mute is noticed by its own budget."""
    quick = Terms(patience=Patience(least_ns=30, most_ns=500, factor=1, enough=3), first_ns=400)
    bench = Bench()
    bench.session.want("a", quick, bench.now_ns)
    bench.live("a")
    bench.run(100, data="a")
    bench.session.closed("cut")
    bench.session.opened(bench.now_ns, logging_in=False)
    bench.run()
    bench.ack()
    bench.run(30)
    assert bench.troubles() == {Trouble.MUTE: 1}


def test_first_data_is_waited_for_no_longer_where_the_usual_gap_is_long() -> None:
    """A quiet topic's first data are a snapshot, whatever its pace."""
    quiet = Terms(patience=Patience(least_ns=400, most_ns=500), first_ns=150)
    bench = Bench()
    bench.session.want("a", quiet, bench.now_ns)
    bench.live("a")
    bench.session.closed("cut")
    bench.session.opened(bench.now_ns, logging_in=False)
    bench.run()
    bench.ack()
    bench.run(140)
    assert bench.troubles() == {}
    bench.run(10)
    assert bench.troubles() == {Trouble.MUTE: 1}


def test_the_silence_of_an_outage_is_not_learned() -> None:
    """A topic that comes back after a long cut is as closely watched as before."""
    quick = Terms(patience=Patience(least_ns=30, most_ns=5_000, factor=1, enough=3))
    bench = Bench()
    bench.session.want("a", quick, bench.now_ns)
    bench.live("a")
    bench.run(100, data="a")
    bench.session.closed("cut")
    bench.now_ns += 3_000
    bench.session.opened(bench.now_ns, logging_in=False)
    bench.said.clear()
    bench.live("a")
    bench.run(30)
    assert bench.troubles() == {Trouble.SILENT: 1}


# ------------------------------------------------------------------------------------------------------------ heartbeat
def test_a_socket_that_says_nothing_at_all_is_closed() -> None:
    """Half-open: a heartbeat is asked for when the flow stops, and its absence is a death."""
    bench = Bench(topics="ab")
    bench.live("ab")
    said = bench.run(500)
    assert kinds(said) == [TopicDown, TopicDown, Unsubscribe, Subscribe, TopicDown, TopicDown, Ping, Close]
    assert said[-1] == Close(CloseKind.DEAF, "no frame and no pong for 0.0 s")


def test_while_the_socket_is_in_doubt_its_topics_are_not_asked_for() -> None:
    """They fell silent with it: told down, but asking would only fill a dead pipe."""
    bench = Bench(msgspec.structs.replace(RULES, probe_ns=100), topics="ab")
    bench.live("ab")
    assert kinds(bench.run(250)) == [Ping, TopicDown, TopicDown]
    bench.session.pong(bench.now_ns)
    assert kinds(bench.run()) == [Unsubscribe, Subscribe]


FRAMES: dict[str, Callable[[Session, int], object]] = {
    "another": lambda session, now_ns: session.heard(now_ns),
    "a heartbeat": lambda session, now_ns: session.ping_asked("pong 7", now_ns),
    "a login": lambda session, now_ns: session.logged_in(now_ns),
    "an answer": lambda session, now_ns: session.acked("9", (), now_ns),
    "a refusal": lambda session, now_ns: session.denied("9", "", "no", now_ns),
    "a gap": lambda session, now_ns: session.gap("nobody", 1, now_ns),
    "data": lambda session, now_ns: session.data("nobody", now_ns),
}


@pytest.mark.parametrize("frame", FRAMES)
def test_every_frame_proves_the_socket(frame: str) -> None:
    """Whatever it says, and whoever asked for it."""
    bench = Bench()
    bench.session.want("wallet", ACCOUNT, bench.now_ns)
    bench.run()
    bench.ack()
    while Ping not in kinds(bench.run(10)):
        pass
    FRAMES[frame](bench.session, bench.now_ns + 1)
    bench.run(250)
    assert bench.session.stage is Stage.READY


def test_a_missing_pong_while_frames_come_changes_nothing() -> None:
    """Some venues answer late; the socket is alive."""
    bench = Bench(msgspec.structs.replace(RULES, ping_ns=1_000), topics="a")
    bench.live("a")
    bench.run(1_300, data="a")
    assert not bench.session.troubles
    assert bench.session.stage is Stage.READY


def test_the_venues_own_heartbeat_is_answered_with_its_words() -> None:
    """At once."""
    bench = Bench()
    bench.session.ping_asked("pong 7", bench.now_ns)
    assert bench.drain() == [Reply("pong 7")]


def test_a_loop_that_stood_still_blames_nobody() -> None:
    """After a long block the frames wait unread: no topic is silent, no answer late, no socket dead."""
    bench = Bench(topics="abc")
    bench.live("ab")
    bench.session.want("d", QUOTE, bench.now_ns)
    bench.run(50, data="ab")
    bench.now_ns += 15_000
    assert bench.run() == []
    assert bench.run(30, data="ab") == []
    assert bench.troubles() == {}
    bench.run(100, data="ab")
    assert bench.troubles() == {Trouble.UNACKNOWLEDGED: 1, Trouble.MUTE: 1}, "what does not come then is missed"


def test_a_loop_that_stood_still_has_not_learned_a_longer_silence() -> None:
    """Whether the reader or the keeper comes first: what is silent afterwards is noticed as soon as before."""
    quick = Terms(patience=Patience(least_ns=200, most_ns=20_000, factor=2, enough=3), first_ns=150)
    for reader_first in (True, False):
        bench = Bench()
        bench.session.want("a", quick, bench.now_ns)
        bench.session.want("b", QUOTE, bench.now_ns)
        bench.live("ab")
        bench.run(100, data="ab")
        bench.now_ns += 15_000
        if reader_first:
            bench.session.data("a", bench.now_ns, bench.now_ns)
        assert bench.run(100, data="ab") == []
        assert bench.run(190, data="b") == []
        bench.run(30, data="b")
        assert bench.troubles() == {Trouble.SILENT: 1}
