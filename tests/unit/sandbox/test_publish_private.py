"""Private frames: what happened in the account, in its order, to those who asked for it."""

from decimal import Decimal
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from kangbot.model.orders import Balance, VenuePosition
from kangbot.sandbox.faults import Faults, MutePrivateEvents, MuteTopic
from kangbot.sandbox.hub import Hub
from kangbot.sandbox.publish_private import STREAM, TOPICS, PrivatePublisher
from kangbot.sandbox.rest_trade import create
from kangbot.sim.exchange.events import Executed, Funded, OrderChanged
from tests.support.sandbox_bench import Heard, SandboxBench

D = Decimal
PRIVATE = (OrderChanged, Executed, Funded, VenuePosition, Balance)


class Story:
    """A publisher in front of an exchange, and a listener."""

    def __init__(self) -> None:
        self.bench = SandboxBench()
        self.hub, self.faults = Hub(), Faults(lambda: 0.0)
        self.private = PrivatePublisher(self.bench.exchange, self.hub, self.faults, Random(1))
        self.heard = Heard()

    def listen(self, *topics: str, heard: Heard | None = None) -> None:
        """Subscribe these."""
        for topic in topics:
            self.hub.add(STREAM, topic, heard or self.heard)

    def trade(self, *quantities: str, **terms: Any) -> None:
        """Buy so often, and publish what came of it in one run."""
        for quantity in quantities:
            asked = {"side": "Buy", "orderType": "Market", "qty": quantity, "marketUnit": "baseCoin", **terms}
            self.bench.ask(create, **asked)
        self.private.publish([event for event in self.bench.venue.drain() if isinstance(event, PRIVATE)])

    def topics(self) -> list[str]:
        """Return the topics of the frames, in their order."""
        return [frame["topic"] for frame in self.heard.frames]


@pytest.fixture
def story() -> Story:
    """One in which nobody listens yet."""
    return Story()


def test_the_topics_are_those_of_the_account_and_of_its_categories() -> None:
    """There is one wallet."""
    assert sorted(TOPICS) == sorted(
        [f"{name}{tail}" for name in ("order", "execution", "position") for tail in ("", ".linear", ".spot")]
        + ["wallet"]
    )


def test_what_happened_is_told_in_its_order(story: Story) -> None:
    """Neighbours of one topic share a frame; a position and the wallet are told as they are, once in it."""
    story.listen("order", "execution", "position", "wallet")
    story.trade("0.02", stopLoss="80000")
    topics = story.topics()
    assert topics.index("execution") < topics.index("order") < topics.index("wallet")
    assert not any(one == other for one, other in pairwise(topics))
    positions = [frame["data"] for frame in story.heard.frames if frame["topic"] == "position"]
    assert all(len(rows) == 1 for rows in positions)
    assert (positions[-1][0]["size"], positions[-1][0]["stopLoss"]) == ("0.02", "80000")
    wallets = [frame["data"] for frame in story.heard.frames if frame["topic"] == "wallet"]
    assert all(len(rows) == 1 for rows in wallets)


def test_neighbours_share_a_frame_and_the_last_of_a_position_stays(story: Story) -> None:
    """Of two that are told with nothing between them; orders are told each."""
    story.listen("position")
    story.trade("0.02", "0.03")
    (frame,) = story.heard.frames
    assert [(row["symbol"], row["size"]) for row in frame["data"]] == [("BTCUSDT", "0.05")]
    story.heard.frames.clear()
    story.hub.remove(STREAM, "position", story.heard)
    story.listen("order")
    story.trade("0.02", "0.03")
    (frame,) = story.heard.frames
    assert [row["qty"] for row in frame["data"]] == ["0.02", "0.03"]


def test_a_category_hears_its_own_markets(story: Story) -> None:
    """Whoever asked for all hears both; each frame is named as it was asked for."""
    linear, spot = Heard(), Heard()
    story.listen("execution")
    story.listen("execution.linear", heard=linear)
    story.listen("execution.spot", heard=spot)
    story.trade("0.02")
    story.trade("0.03", category="spot")
    assert [row["execQty"] for row in story.heard.rows()] == ["0.02", "0.03"]
    assert ([row["category"] for row in linear.rows()], [row["category"] for row in spot.rows()]) == (
        ["linear"],
        ["spot"],
    )
    assert (linear.frames[0]["topic"], spot.frames[0]["topic"]) == ("execution.linear", "execution.spot")


def test_what_nobody_asked_for_is_not_told(story: Story) -> None:
    """Nor does it stand between neighbours."""
    story.trade("0.02")
    assert story.heard.frames == []
    story.listen("execution")
    story.trade("0.02", "0.03")
    assert [len(frame["data"]) for frame in story.heard.frames] == [2]


def test_each_frame_has_an_id_and_the_venues_time(story: Story) -> None:
    """No two the same."""
    story.listen("order", "wallet")
    story.trade("0.02", "0.03")
    ids = [frame["id"] for frame in story.heard.frames]
    assert len(set(ids)) == len(ids) > 2
    assert {frame["creationTime"] for frame in story.heard.frames} == {story.bench.exchange.now_ms()}


def test_frames_may_be_lost_by_chance_or_by_topic(story: Story) -> None:
    """A share of all, or every one of the topic that is muted; the others come."""
    story.listen("execution", "wallet")
    story.faults.add(MuteTopic(topic="wallet"), story.bench.now_ns)
    story.trade("0.01")
    assert story.topics() == ["execution"]
    story.faults.clear()
    story.faults.add(MutePrivateEvents(fraction=1.0), story.bench.now_ns)
    story.trade("0.01")
    assert story.topics() == ["execution"]
    story.faults.clear()
    story.heard.frames.clear()
    story.faults.add(MutePrivateEvents(fraction=0.5), story.bench.now_ns)
    for _ in range(40):
        story.trade("0.001")
    assert 20 < len(story.heard.frames) < 60
