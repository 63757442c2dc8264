"""What is held against the kill switch."""

from collections import Counter
from decimal import Decimal

import msgspec

from kangbot.model.ids import ClientId, MarketId
from kangbot.model.orders import Intent, OrderKind, Purpose, Side, TimeInForce
from kangbot.sim.proof.killing import KillWatch

ENTRY = Intent(
    client_id=ClientId("kb-1"),
    number=1,
    market=MarketId("bybit:BTC/USDT:USDT"),
    purpose=Purpose.ENTRY,
    side=Side.BUY,
    kind=OrderKind.MARKET,
    quantity=Decimal(1),
    price=None,
    time_in_force=TimeInForce.GTC,
    reduce_only=False,
    stop=None,
    reference=Decimal(1),
    reason="a test",
    at_ns=1,
    deadline_ns=2,
)
EXIT = msgspec.structs.replace(ENTRY, purpose=Purpose.EXIT)


class Story:
    """A watch, and what it objected to."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.deeds: Counter[str] = Counter()
        self.watch = KillWatch(self.said.append, self.deeds)


def test_no_entry_leaves_first_once_it_is_set_and_none_again_a_turn_later() -> None:
    """Exits do, and a second copy may within the turn in which nobody could have heard of it."""
    story = Story()
    story.watch.changed("stop", flatten=False)
    story.watch.sends(EXIT, again=False)
    story.watch.sends(ENTRY, again=True)
    assert story.said == []
    story.watch.sends(ENTRY, again=False)
    story.watch.turned()
    story.watch.sends(ENTRY, again=True)
    assert len(story.said) == 2


def test_a_restart_must_find_what_was_kept_and_all_of_it() -> None:
    """What its caller was not told of may be forgotten, and what somebody wants released too."""
    story = Story()
    story.watch.changed("stop", flatten=True)
    story.watch.resumed("", flatten=False)
    story.watch.changed("stop", flatten=True)
    story.watch.keeps()
    story.watch.resumed("stop", flatten=True)
    assert story.said == []
    story.watch.resumed("stop", flatten=False)
    story.watch.resumed("", flatten=False)
    assert len(story.said) == 2
    story.watch.gives_up()
    story.watch.resumed("", flatten=False)
    assert len(story.said) == 2


def test_entries_after_the_release_are_counted() -> None:
    """So that a sweep shows that markets trade again."""
    story = Story()
    story.watch.sends(ENTRY, again=False)
    story.watch.changed("stop", flatten=False)
    story.watch.changed("", flatten=False)
    story.watch.turned()
    story.watch.sends(ENTRY, again=False)
    assert story.said == []
    assert story.deeds == {"kill_set": 1, "kill_released": 1, "entry_after_release": 1}
