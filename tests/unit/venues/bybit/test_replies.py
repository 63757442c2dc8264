"""Bybit's answers, in all the forms it has for them."""

import pytest

from kangbot.model.ids import MarketId
from kangbot.ports import Acked, Channel, Denied, Ignored, LoggedIn, LoginDenied, Message, Pong, Topic
from kangbot.venues.bybit.replies import Requests, read_envelope
from tests.support.bybit_frames import (
    ALREADY_SUBSCRIBED,
    AUTH_ACCEPTED,
    AUTH_REFUSED,
    PONG_LINEAR,
    PONG_PRIVATE,
    PONG_SPOT,
    SUBSCRIBED_LINEAR,
    SUBSCRIBED_PRIVATE,
    SUBSCRIBED_SPOT,
    TOO_MANY_ARGUMENTS,
    UNKNOWN_TOPIC,
)

TOPIC = Topic(market=MarketId("bybit:BTC-USDT:USDT"), channel=Channel.TRADE, native="publicTrade.BTCUSDT")


def answer(frame: bytes, *waiting: tuple[str, str]) -> Message:
    """Return the one thing that the frame means while these (op, request) wait."""
    requests = Requests()
    for op, request in waiting:
        requests.frame(op, request, (TOPIC,))
    (said,) = requests.answer(read_envelope(frame))
    return said


def test_a_request_names_its_topics_and_its_id() -> None:
    """The documented form."""
    assert (
        Requests().frame("subscribe", "10001", (TOPIC,))
        == '{"req_id":"10001","op":"subscribe","args":["publicTrade.BTCUSDT"]}'
    )


@pytest.mark.parametrize("frame", [PONG_SPOT, PONG_LINEAR, PONG_PRIVATE])
def test_each_form_of_pong_is_a_pong(frame: bytes) -> None:
    """Public connections answer with the op `ping`, private ones with `pong`."""
    assert answer(frame) == Pong()


def test_an_answer_belongs_to_the_request_that_it_names() -> None:
    """Spot's acknowledgement says "subscribe" where linear says nothing."""
    assert answer(SUBSCRIBED_SPOT, ("subscribe", "9"), ("subscribe", "10001")) == Acked(request="10001")


@pytest.mark.parametrize("frame", [SUBSCRIBED_LINEAR, SUBSCRIBED_PRIVATE])
def test_an_answer_without_a_name_belongs_to_the_oldest_of_its_kind(frame: bytes) -> None:
    """Bybit answers the requests of a connection in order."""
    assert answer(frame, ("unsubscribe", "1"), ("subscribe", "2"), ("subscribe", "3")) == Acked(request="2")


def test_each_request_is_answered_once() -> None:
    """A second nameless answer belongs to the next request, and one too many to none."""
    requests = Requests()
    requests.frame("subscribe", "1", (TOPIC,))
    requests.frame("subscribe", "2", (TOPIC,))
    told = [said for _ in range(3) for said in requests.answer(read_envelope(SUBSCRIBED_LINEAR))]
    assert told == [Acked(request="1"), Acked(request="2"), Acked(request="")]


def test_requests_of_an_old_connection_are_forgotten() -> None:
    """Their answers will never come."""
    requests = Requests()
    requests.frame("subscribe", "1", (TOPIC,))
    requests.reset()
    assert requests.answer(read_envelope(SUBSCRIBED_LINEAR)) == (Acked(request=""),)


def test_a_login_is_accepted_or_refused() -> None:
    """The refusal carries the venue's words."""
    assert answer(AUTH_ACCEPTED) == LoggedIn()
    assert answer(AUTH_REFUSED) == LoginDenied(message="Params Error")
    denied = answer(b'{"op":"auth","success":false,"retCode":10003,"retMsg":"Invalid apikey"}')
    assert denied == LoginDenied(message="Invalid apikey (retCode 10003)")
    assert answer(b'{"retCode":10004,"op":"auth"}') == LoginDenied(message="retCode 10004")
    assert answer(b'{"retCode":0,"op":"auth"}') == LoggedIn()


def test_an_unknown_topic_is_denied_by_name() -> None:
    """The topic is in the text of the refusal."""
    assert answer(UNKNOWN_TOPIC, ("subscribe", "7")) == Denied(
        request="7",
        native="publicTrade.NAS100USDT",
        message="error:handler not found,topic:publicTrade.NAS100USDT",
    )


def test_a_refusal_without_a_topic_is_of_the_whole_request() -> None:
    """Such as more arguments than spot takes."""
    assert answer(TOO_MANY_ARGUMENTS, ("subscribe", "4")) == Denied(request="4", native="", message="args size >10")


def test_already_subscribed_is_as_good_as_acknowledged() -> None:
    """For the topic that it names; the others of the request were refused with it."""
    assert Requests().answer(read_envelope(ALREADY_SUBSCRIBED)) == (
        Acked(request="7", natives=("kline.1.BTCUSDT",)),
        Denied(request="7", native="", message="error:already subscribed"),
    )


def test_an_op_that_we_never_asked_for_is_ignored() -> None:
    """Counted by its name."""
    assert answer(b'{"op":"cancel","success":true}') == Ignored(kind="op.cancel")


def test_what_answers_nothing_is_an_error() -> None:
    """Neither a topic nor an op."""
    with pytest.raises(ValueError, match="neither"):
        answer(b"{}")
