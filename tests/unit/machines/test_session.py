"""The session of one connection: how topics come and go, and what leaves when."""

import msgspec
import pytest

from kangbot.machines.session_words import (
    Close,
    CloseKind,
    Ping,
    Stage,
    Subscribe,
    TopicAcked,
    TopicDown,
    TopicLive,
    TopicState,
    Trouble,
    Unsubscribe,
)
from tests.support.session_bench import ACCOUNT, QUOTE, RULES, Bench, kinds


# -------------------------------------------------------------------------------------------------------- becoming live
def test_a_topic_is_live_by_acknowledgement_and_data() -> None:
    """Asked, acknowledged, first data: each step is told, and only the last makes it live."""
    bench = Bench(topics="a")
    assert bench.run() == [Subscribe("1", ("a",))]
    assert bench.state("a") is TopicState.REQUESTED
    bench.session.acked("1", (), bench.now_ns)
    assert bench.drain() == [TopicAcked("a")]
    assert bench.state("a") is TopicState.ACKED
    assert bench.session.data("a", bench.now_ns, 5)
    assert bench.drain() == [TopicLive("a")]
    assert bench.session.live == 1
    assert not bench.session.data("a", bench.now_ns, 6)


def test_data_before_the_answer_is_not_enough() -> None:
    """A topic whose answer comes late is live with the answer, not with the data."""
    bench = Bench(topics="a")
    bench.run()
    assert not bench.session.data("a", bench.now_ns, 5)
    assert bench.state("a") is TopicState.REQUESTED
    bench.session.acked("1", ("a",), bench.now_ns)
    assert bench.drain() == [TopicAcked("a"), TopicLive("a")]


def test_an_account_is_live_by_its_acknowledgement() -> None:
    """Its silence means nothing, for ever."""
    bench = Bench()
    bench.session.want("wallet", ACCOUNT, bench.now_ns)
    bench.run()
    bench.session.acked("1", (), bench.now_ns)
    assert bench.drain() == [TopicAcked("wallet"), TopicLive("wallet")]
    for _ in range(20):
        bench.session.pong(bench.now_ns)
        bench.run(500)
    assert bench.state("wallet") is TopicState.LIVE


def test_what_is_wanted_in_one_turn_leaves_in_few_frames() -> None:
    """As many topics a frame as the venue takes."""
    assert Bench(topics="abcdefg").run() == [
        Subscribe("1", ("a", "b", "c")),
        Subscribe("2", ("d", "e", "f")),
        Subscribe("3", ("g",)),
    ]


def test_an_answer_may_name_some_of_its_topics() -> None:
    """Only those are acknowledged; a name that was not asked for is nothing."""
    bench = Bench(topics="abc")
    bench.run()
    bench.session.acked("1", ("b", "x"), bench.now_ns)
    assert [bench.state(topic) for topic in "abc"] == [TopicState.REQUESTED, TopicState.ACKED, TopicState.REQUESTED]


def test_a_late_answer_to_an_earlier_attempt_says_nothing() -> None:
    """Only the present request's answer is believed."""
    bench = Bench(topics="a")
    bench.run(100)
    bench.run()
    assert bench.said[-1] == Subscribe("3", ("a",))
    bench.session.acked("1", (), bench.now_ns)
    assert bench.state("a") is TopicState.REQUESTED


# ------------------------------------------------------------------------------------------------------------ wanting
def test_what_is_not_wanted_any_more_is_ended() -> None:
    """Once, in one frame; data still under way harm nobody."""
    bench = Bench(topics="ab")
    bench.live("ab")
    for topic in "abx":
        bench.session.unwant(topic, bench.now_ns)
    assert bench.run() == [Unsubscribe("2", ("a", "b"))]
    assert not bench.session.data("a", bench.now_ns)
    assert (bench.session.live, bench.session.wanted, bench.state("a")) == (0, (), None)


def test_what_was_never_asked_for_needs_no_end() -> None:
    """Wanted and let go within one turn: nothing is said."""
    bench = Bench(topics="a")
    bench.session.unwant("a", bench.now_ns)
    assert bench.run() == []


def test_what_is_let_go_and_wanted_again_is_ended_before_it_is_asked_for() -> None:
    """The venue still holds the old subscription."""
    bench = Bench(topics="ab")
    bench.live("ab")
    bench.session.unwant("a", bench.now_ns)
    bench.session.want("a", QUOTE, bench.now_ns)
    assert bench.run() == [Unsubscribe("2", ("a",)), Subscribe("3", ("a",))]


def test_a_refused_topic_that_is_let_go_is_ended_too() -> None:
    """A refusal is the venue's word only; it may hold part of the request."""
    bench = Bench(topics="a")
    bench.run()
    bench.session.denied("1", "", "no", bench.now_ns)
    bench.session.unwant("a", bench.now_ns)
    bench.drain()
    assert bench.run() == [Unsubscribe("2", ("a",))]


def test_wanting_twice_asks_once_and_takes_the_new_terms() -> None:
    """Several sinks share a topic."""
    bench = Bench(topics="a")
    bench.session.want("a", ACCOUNT, bench.now_ns)
    assert bench.run() == [Subscribe("1", ("a",))]
    bench.session.acked("1", (), bench.now_ns)
    assert bench.state("a") is TopicState.LIVE


def test_a_connection_without_topics_is_closed_after_a_while() -> None:
    """Not at once: a market that restarts wants its topics back."""
    bench = Bench(topics="a")
    bench.live("a")
    bench.session.unwant("a", bench.now_ns)
    assert kinds(bench.run(400)) == [Unsubscribe, Ping]
    bench.session.pong(bench.now_ns)
    assert bench.run(190) == []
    assert bench.run(10) == [Close(CloseKind.IDLE, "nothing is wanted")]


# ------------------------------------------------------------------------------------------------------------- login
def test_nothing_is_asked_for_before_the_login_is_accepted() -> None:
    """A private venue refuses it."""
    bench = Bench(topics="a", login=True)
    assert bench.run(50) == []
    bench.session.logged_in(bench.now_ns)
    assert bench.run() == [Subscribe("1", ("a",))]
    bench.session.logged_in(bench.now_ns)
    assert bench.session.stage is Stage.READY


def test_a_refused_login_closes() -> None:
    """With the venue's words; a person must look at the key."""
    bench = Bench(topics="a", login=True)
    bench.session.login_denied("bad key", bench.now_ns)
    bench.session.login_denied("bad key", bench.now_ns)
    assert bench.drain() == [Close(CloseKind.LOGIN, "login refused: bad key")]


def test_a_login_is_not_late_because_we_were_away() -> None:
    """Its answer waits unread."""
    bench = Bench(topics="a", login=True)
    bench.now_ns += 15_000
    assert bench.run(10) == []
    bench.session.logged_in(bench.now_ns)
    assert bench.run() == [Subscribe("1", ("a",))]


def test_an_unanswered_login_closes() -> None:
    """It says nothing of the key."""
    bench = Bench(topics="a", login=True)
    assert bench.run(500)[-1] == Close(CloseKind.DEAF, "login was not answered")


# ------------------------------------------------------------------------------------------------------------ messages
def test_messages_leave_under_a_strict_rate() -> None:
    """A venue that counts messages never sees more than it allows; the deadline says when the next may leave."""
    bench = Bench(msgspec.structs.replace(RULES, messages=2, messages_span_ns=100), topics="abcdefghij")
    assert kinds(bench.run()) == [Subscribe, Subscribe]
    assert bench.session.deadline() == bench.now_ns + bench.tick_ns
    assert kinds(bench.run(90)) == []
    assert bench.session.deadline() == bench.now_ns + 10
    assert kinds(bench.run(10)) == [TopicDown] * 6 + [Unsubscribe, Unsubscribe]


def test_the_deadline_is_the_next_tick_or_the_next_message() -> None:
    """What is wanted is said in the same turn."""
    bench = Bench(topics="a")
    assert bench.session.deadline() == bench.now_ns
    bench.run()
    assert bench.session.deadline() == bench.now_ns + bench.tick_ns
    bench.session.want("b", QUOTE, bench.now_ns)
    assert bench.session.deadline() == bench.now_ns


# -------------------------------------------------------------------------------------------------------------- closing
def test_a_closed_connection_takes_every_topic_down_and_asks_again_on_the_next() -> None:
    """Nothing of the old connection is believed; a refusal still rests."""
    bench = Bench(topics="abc")
    bench.live("abc")
    bench.session.want("d", QUOTE, bench.now_ns)
    bench.run()
    bench.session.denied("2", "d", "no", bench.now_ns)
    bench.session.want("e", QUOTE, bench.now_ns)
    bench.drain()
    assert bench.session.flowing_ns(bench.now_ns + 5) == 5
    bench.session.closed("reset by peer")
    assert bench.drain() == [TopicDown(topic, Trouble.CLOSED, "reset by peer") for topic in "abc"]
    assert (bench.session.stage, bench.session.deadline(), bench.session.live) == (Stage.CLOSED, None, 0)
    assert bench.session.flowing_ns(bench.now_ns) == 0
    bench.session.tick(bench.now_ns)
    assert bench.drain() == []
    bench.session.opened(bench.now_ns + 50, logging_in=False)
    bench.now_ns += 50
    assert bench.run() == [Subscribe("3", ("a", "b", "c")), Subscribe("4", ("e",))]


def test_what_was_under_way_on_the_old_connection_is_neither_ended_nor_believed_on_the_next() -> None:
    """Data from before say nothing, an end is no longer needed, and a first failure there is the first."""
    bench = Bench(topics="ab")
    bench.live("ab")
    bench.run(200, data="a")
    assert bench.state("b") is TopicState.REQUESTED
    bench.session.data("b", bench.now_ns, bench.now_ns)
    bench.session.unwant("a", bench.now_ns)
    bench.session.closed("cut")
    bench.drain()
    bench.session.opened(bench.now_ns, logging_in=False)
    assert bench.run() == [Subscribe("4", ("b",))]
    bench.session.acked("4", (), bench.now_ns)
    assert bench.drain() == [TopicAcked("b")]
    assert bench.run(140) == []
    assert kinds(bench.run(10)) == [TopicDown, Unsubscribe, Subscribe], "it is asked for again at once"


def test_data_flows_while_any_topic_is_live() -> None:
    """The measure by which failures are forgiven: broken off only when the last topic falls silent."""
    bench = Bench(topics="ab")
    bench.live("ab")
    bench.run(300, data="a")
    assert bench.session.flowing_ns(bench.now_ns) == 300
    bench.session.unwant("a", bench.now_ns)
    assert bench.session.flowing_ns(bench.now_ns) == 0


def test_a_topic_that_comes_later_begins_nothing_anew() -> None:
    """What flows has flowed since the first."""
    bench = Bench(topics="a")
    bench.live("a")
    bench.run(100, data="a")
    bench.session.want("b", QUOTE, bench.now_ns)
    bench.live("b")
    assert bench.session.flowing_ns(bench.now_ns) == 110


@pytest.mark.parametrize("stage", ["closed", "closing"])
def test_inputs_out_of_season_are_harmless(stage: str) -> None:
    """What was under way when the connection ended changes nothing."""
    bench = Bench(topics="a")
    bench.run()
    if stage == "closing":
        bench.session.login_denied("why now", bench.now_ns)
    else:
        bench.session.closed("gone")
    bench.drain()
    bench.session.logged_in(bench.now_ns)
    bench.session.login_denied("again", bench.now_ns)
    bench.session.pong(bench.now_ns)
    bench.session.tick(bench.now_ns)
    assert bench.drain() == []
    assert bench.session.stage.value == stage
