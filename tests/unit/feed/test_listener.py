"""What a stream counts, and what several have counted together."""

from msgspec.structs import fields

from kangbot.feed.listener import StreamCounters
from kangbot.machines.session_words import Trouble


def test_what_several_streams_have_seen_is_summed_figure_by_figure() -> None:
    """Each with its own; of when data came last it is the latest."""
    names = ["frames", "events", "garbled", "dials", "connects", "reconnects", "faults"]
    assert {field.name for field in fields(StreamCounters)} == {*names, "ignored", "last_data_ns", "troubles"}
    one = StreamCounters(**{name: number for number, name in enumerate(names, 1)})  # type: ignore[arg-type]
    one.ignored, one.last_data_ns = {"chatter": 2, "other": 1}, 50
    one.troubles[Trouble.MUTE] += 1
    both = StreamCounters()
    for _ in range(2):
        both.add(one)
    later = StreamCounters(last_data_ns=70, ignored={"chatter": 5})
    later.troubles[Trouble.GAP] += 3
    both.add(later)
    assert [getattr(both, name) for name in names] == [2 * number for number in range(1, len(names) + 1)]
    assert both.ignored == {"chatter": 9, "other": 2}
    assert both.troubles == {Trouble.MUTE: 2, Trouble.GAP: 3}
    assert both.last_data_ns == 70
    both.add(one)
    assert both.last_data_ns == 70


def test_what_was_counted_elsewhere_is_left_as_it_is() -> None:
    """A stream that is closed is added once, and no sum is its own."""
    one, both = StreamCounters(ignored={"chatter": 1}), StreamCounters()
    both.add(one)
    both.ignored["chatter"] += 1
    both.troubles[Trouble.GAP] += 1
    assert (one.ignored, dict(one.troubles)) == ({"chatter": 1}, {})
