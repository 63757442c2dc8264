"""What a connection says next, and when: few frames, what is to end before what is to begin."""

import msgspec

from kangbot.machines.heartbeat import Heartbeat
from kangbot.machines.session_requests import NEVER, Requests
from kangbot.machines.session_words import Effect, Ping, Subscribe, TopicLife, TopicState, Unsubscribe
from tests.support.session_bench import QUOTE, RULES

NOW = 1_000_000


def pulse() -> Heartbeat:
    """Return that of a connection which was opened a moment ago."""
    return Heartbeat(every_ns=RULES.ping_ns, probe_ns=RULES.probe_ns, pong_ns=RULES.pong_ns, now_ns=NOW)


def topics(names: str, **fields: object) -> list[TopicLife]:
    """Return topics of these names."""
    return [TopicLife(native=name, terms=QUOTE, **fields) for name in names]  # type: ignore[arg-type]


def said(requests: Requests, among: list[TopicLife], now_ns: int = NOW, beat: Heartbeat | None = None) -> list[Effect]:
    """Return what may be said now on a connection that is ready."""
    effects, again_ns = requests.say(among, beat or pulse(), now_ns, ready=True)
    assert again_ns == NEVER
    return list(effects)


def test_as_many_topics_as_one_request_may_name_are_asked_for_by_each() -> None:
    """Under the number that the answer will bear; each knows its request, its time, and whether it is alone in it."""
    wanted = topics("abcd", heard=True)
    requests = Requests(RULES)
    assert said(requests, wanted) == [Subscribe("1", ("a", "b", "c")), Subscribe("2", ("d",))]
    assert [topic.request for topic in wanted] == ["1", "1", "1", "2"]
    assert [topic.sole for topic in wanted] == [False, False, False, True]
    assert {(topic.state, topic.due_ns, topic.heard) for topic in wanted} == {
        (TopicState.REQUESTED, NOW + RULES.ack_ns, False)
    }
    assert said(requests, wanted) == []


def test_what_may_still_be_held_is_ended_before_anything_is_asked_for() -> None:
    """First what is wanted no longer, then what is asked for anew: a venue refuses a second subscription."""
    wanted = [*topics("a", state=TopicState.STALE, dirty=True), *topics("b")]
    requests = Requests(RULES)
    for name in "wxyz":
        requests.end(name)
    assert requests.ending
    assert said(requests, wanted) == [
        Unsubscribe("1", ("w", "x", "y")),
        Unsubscribe("2", ("z",)),
        Unsubscribe("3", ("a",)),
        Subscribe("4", ("a", "b")),
    ]
    assert not requests.ending


def test_a_connection_that_is_gone_has_nothing_to_end() -> None:
    """Its subscriptions went with it; numbers go on, so that no late answer is taken for another one's."""
    requests = Requests(RULES)
    requests.end("a")
    assert said(requests, topics("b")) == [Unsubscribe("1", ("a",)), Subscribe("2", ("b",))]
    requests.end("b")
    requests.closed()
    assert not requests.ending
    assert said(requests, topics("c")) == [Subscribe("3", ("c",))]


def test_a_topic_that_rests_is_not_asked_for_yet() -> None:
    """To the very instant; nor is one that has its answer, or waits for it."""
    resting = topics("a", state=TopicState.DENIED, due_ns=NOW + 1)
    others = [topic for state in ("requested", "acked", "live") for topic in topics("x", state=TopicState(state))]
    requests = Requests(RULES)
    assert said(requests, [*resting, *others]) == []
    assert said(requests, [*resting, *others], NOW + 1) == [Subscribe("1", ("a",))]


def test_a_topic_that_is_to_be_asked_for_alone_has_a_request_of_its_own() -> None:
    """Where one request of many was refused and nobody knows for whose sake: it shows by who is refused again."""
    wanted = [*topics("a"), *topics("bc", alone=True)]
    assert said(Requests(RULES), wanted) == [Subscribe("1", ("b",)), Subscribe("2", ("c",)), Subscribe("3", ("a",))]
    again = [*topics("a", dirty=True), *topics("b", dirty=True, alone=True)]
    assert said(Requests(RULES), again)[0] == Unsubscribe("1", ("a", "b"))  # to end them together harms nobody


def test_a_heartbeat_goes_before_all_else_and_alone_before_the_venue_is_ready() -> None:
    """While it is in doubt whether anybody hears, nothing is asked for."""
    beat, requests = pulse(), Requests(RULES)
    due_ns = NOW + RULES.ping_ns
    effects, _ = requests.say(topics("a"), beat, due_ns, ready=False)
    assert effects == [Ping("1")]
    assert said(requests, topics("a"), due_ns, beat) == []
    beat.pong(due_ns + 1)
    assert said(requests, topics("a"), due_ns + 1, beat) == [Subscribe("2", ("a",))]
    assert requests.say(topics("a"), pulse(), NOW, ready=False) == ([], NEVER)


def test_no_more_leaves_than_the_venue_takes_and_when_there_may_be_more_is_told() -> None:
    """By a strict window: what was said once is not said again, and nothing that waits is recorded as said."""
    requests = Requests(msgspec.structs.replace(RULES, messages=2, messages_span_ns=100, topics_a_request=1))
    wanted, beat = topics("abc"), pulse()
    assert requests.say(wanted, beat, NOW, ready=True) == (
        [Subscribe("1", ("a",)), Subscribe("2", ("b",))],
        NOW + 100,
    )
    assert wanted[2].state is TopicState.WANTED
    assert requests.say(wanted, beat, NOW + 99, ready=True) == ([], NOW + 100)
    assert requests.say(wanted, beat, NOW + 100, ready=True) == ([Subscribe("3", ("c",))], NEVER)
