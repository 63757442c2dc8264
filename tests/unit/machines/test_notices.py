"""Which of the things that happen become a message, and when."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kangbot.machines.notices import DAY_NS, HELD, HOUR_NS, MINUTE_NS, REMEMBERED, Message, Notice, Notices, NoticeTerms
from kangbot.model.events import Severity
from kangbot.model.ids import MarketId

S = 1_000_000_000
NOON = 20_000 * DAY_NS + 12 * HOUR_NS


def notice(kind: str = "feed.silent", severity: Severity = Severity.WARNING, *, at_ns: int = NOON) -> Notice:
    """Return something that happened."""
    return Notice(kind=kind, severity=severity, market=MarketId("v:A"), text="it happened", at_ns=at_ns)


def told(notices: Notices, now_ns: int) -> list[str]:
    """Return the kinds that are told now."""
    message = notices.message(now_ns)
    return [] if message is None else [one.kind for one in message.notices]


def test_what_happens_together_is_told_together() -> None:
    """After three seconds, once."""
    notices = Notices(NoticeTerms(), NOON)
    assert notices.deadline_ns(NOON) is None
    notices.take(notice("a"), NOON)
    notices.take(notice("b"), NOON + S)
    assert notices.deadline_ns(NOON) == NOON + 3 * S
    assert told(notices, NOON + 2 * S) == []
    assert told(notices, NOON + 3 * S) == ["a", "b"]
    assert told(notices, NOON + 4 * S) == []


def test_what_is_less_than_asked_for_is_not_told() -> None:
    """Nor counted."""
    notices = Notices(NoticeTerms(least=Severity.ERROR), NOON)
    notices.take(notice(), NOON)
    assert notices.deadline_ns(NOON) is None


@pytest.mark.parametrize(
    ("kind", "severity", "expected"),
    [
        ("config.applied", Severity.INFO, True),
        ("control.command", Severity.INFO, False),
        ("feed.down", Severity.CRITICAL, False),
        ("feed.up", Severity.INFO, True),
        ("feeder", Severity.WARNING, True),
    ],
)
def test_an_event_may_be_told_always_or_never_by_its_name(kind: str, severity: Severity, *, expected: bool) -> None:
    """`always` wins over `never`, and both over how bad it is; what is left out is not counted."""
    notices = Notices(NoticeTerms(always=("config.*", "feed.up"), never=("feed.*",)), NOON)
    notices.take(notice(kind, severity), NOON)
    assert told(notices, NOON + 3 * S) == [kind] * expected
    notices.take(notice("market.failed"), NOON + 4 * S)
    message = notices.message(NOON + 7 * S)
    assert message is not None
    assert message.left_out == 0


def test_the_same_again_within_an_hour_is_only_counted() -> None:
    """And told anew after that, with the count."""
    notices = Notices(NoticeTerms(), NOON)
    notices.take(notice(), NOON)
    assert told(notices, NOON + 3 * S) == ["feed.silent"]
    for number in range(5):
        notices.take(notice(at_ns=NOON + number * MINUTE_NS), NOON + number * MINUTE_NS)
    later = NOON + 61 * MINUTE_NS
    notices.take(notice(at_ns=later), later)
    message = notices.message(later + 3 * S)
    assert message is not None
    assert (len(message.notices), message.left_out, message.digest) == (1, 5, False)
    notices.take(notice("another", at_ns=later), later)
    message = notices.message(later + 3 * S)
    assert message is not None
    assert message.left_out == 0, "each is counted in one message"


def an_end(about: str = "", *, at_ns: int) -> Notice:
    """Return that it is over."""
    return msgspec.structs.replace(
        notice("feed.up", Severity.INFO, at_ns=at_ns), ends=("feed.silent", "feed.mute"), about=about
    )


def test_an_end_is_told_to_whoever_was_told_of_the_beginning_and_to_nobody_else() -> None:
    """However quiet it is; a night's alarm that nobody takes back is believed until the morning."""
    notices = Notices(NoticeTerms(), NOON)
    notices.take(an_end(at_ns=NOON), NOON)
    assert notices.deadline_ns(NOON) is None
    notices.take(notice(), NOON)
    notices.take(an_end("other", at_ns=NOON), NOON)
    assert told(notices, NOON + 3 * S) == ["feed.silent"]
    later = NOON + 9 * HOUR_NS
    notices.take(an_end(at_ns=later), later)
    notices.take(an_end(at_ns=later), later)
    assert told(notices, later + 3 * S) == ["feed.up"]


def test_what_begins_anew_after_its_end_is_news_and_what_comes_and_goes_is_not() -> None:
    """An hour has one of each, and one more of what stands in between; the last word is how things stand."""
    for minutes, last in ((8, ["feed.up"]), (9, [])):
        notices = Notices(NoticeTerms(), NOON)
        said = []
        for minute in range(minutes):
            at_ns = NOON + minute * MINUTE_NS
            notices.take(an_end(at_ns=at_ns) if minute % 2 else notice(at_ns=at_ns), at_ns)
            said += told(notices, at_ns + 3 * S)
        assert said == ["feed.silent", "feed.up", "feed.silent"]
        told_ns = NOON + MINUTE_NS + HOUR_NS
        assert notices.deadline_ns(at_ns + 3 * S) == (told_ns if last else None)
        assert told(notices, told_ns - 1) == []
        assert told(notices, told_ns) == last


def test_an_end_that_is_never_to_be_told_is_not() -> None:
    """`never` holds for it too."""
    notices = Notices(NoticeTerms(never=("feed.up",)), NOON)
    notices.take(notice(), NOON)
    assert told(notices, NOON + 3 * S) == ["feed.silent"]
    notices.take(an_end(at_ns=NOON), NOON + 4 * S)
    assert notices.deadline_ns(NOON + 4 * S) is None


def test_what_goes_by_one_name_and_is_about_another_thing_is_told() -> None:
    """A clock that is wrong is no repetition of a disk that is full."""
    notices = Notices(NoticeTerms(), NOON)
    for about in ("disk", "clock", "disk"):
        notices.take(msgspec.structs.replace(notice("health.critical"), about=about), NOON)
    message = notices.message(NOON + 3 * S)
    assert message is not None
    assert ([one.about for one in message.notices], message.left_out) == (["disk", "clock"], 1)


@pytest.mark.parametrize(("quiet", "ends"), [((11 * 60, 13 * 60), 13), ((23 * 60, 13 * 60), 13)])
def test_quiet_hours_hold_back_all_but_what_is_critical(quiet: tuple[int, int], ends: int) -> None:
    """Over midnight too; at their end what waited is told."""
    notices = Notices(NoticeTerms(quiet=quiet), NOON)
    notices.take(notice("a"), NOON)
    end_ns = NOON // DAY_NS * DAY_NS + ends * HOUR_NS
    assert notices.deadline_ns(NOON) == end_ns
    assert told(notices, end_ns - 1) == []
    notices.take(notice("b", Severity.CRITICAL), NOON)
    assert told(notices, NOON + 3 * S) == ["a", "b"]


@pytest.mark.parametrize(
    ("quiet", "minute", "held"),
    [
        ((11 * 60, 13 * 60), 11 * 60 - 1, False),
        ((11 * 60, 13 * 60), 11 * 60, True),
        ((11 * 60, 13 * 60), 13 * 60 - 1, True),
        ((11 * 60, 13 * 60), 13 * 60, False),
        ((22 * 60, 7 * 60), 22 * 60 - 1, False),
        ((22 * 60, 7 * 60), 22 * 60, True),
        ((22 * 60, 7 * 60), 7 * 60 - 1, True),
        ((22 * 60, 7 * 60), 7 * 60, False),
    ],
)
def test_quiet_hours_begin_and_end_on_their_minute(quiet: tuple[int, int], minute: int, *, held: bool) -> None:
    """The first minute is quiet, and that at which they end is not."""
    at_ns = NOON // DAY_NS * DAY_NS + minute * MINUTE_NS
    notices = Notices(NoticeTerms(quiet=quiet, gather_ns=0), at_ns)
    notices.take(notice(at_ns=at_ns), at_ns)
    assert told(notices, at_ns) == ([] if held else ["feed.silent"])


def test_outside_the_quiet_hours_nothing_is_held() -> None:
    """Noon is not between ten in the evening and seven."""
    notices = Notices(NoticeTerms(quiet=(22 * 60, 7 * 60)), NOON)
    notices.take(notice(), NOON)
    assert notices.deadline_ns(NOON) == NOON + 3 * S


def test_no_more_than_so_many_an_hour_and_as_many_critical_ones_again() -> None:
    """The next waits until the oldest is an hour old."""
    notices = Notices(NoticeTerms(an_hour=2), NOON)
    at_ns = NOON
    for number in range(2):
        notices.take(notice(f"n{number}", at_ns=at_ns), at_ns)
        at_ns += 10 * S
        assert told(notices, at_ns) == [f"n{number}"]
    notices.take(notice("third", at_ns=at_ns), at_ns)
    assert notices.deadline_ns(at_ns) == NOON + 10 * S + HOUR_NS
    notices.take(notice("urgent", Severity.CRITICAL, at_ns=at_ns), at_ns)
    assert told(notices, at_ns + 3 * S) == ["third", "urgent"]


def test_the_daily_message_comes_on_every_day() -> None:
    """Also where nothing happened, and with whatever waits."""
    notices = Notices(NoticeTerms(digest=8 * 60), NOON)
    due_ns = (NOON // DAY_NS + 1) * DAY_NS + 8 * HOUR_NS
    assert notices.deadline_ns(NOON) == due_ns
    assert notices.message(due_ns - 1) is None
    notices.take(notice(), NOON)
    assert notices.deadline_ns(NOON) == NOON + 3 * S, "what happens does not wait for it"
    assert told(notices, NOON + 3 * S) == ["feed.silent"]
    message = notices.message(due_ns)
    assert message is not None
    assert (message.digest, message.notices, message.severity) == (True, (), Severity.INFO)
    assert notices.deadline_ns(due_ns) == due_ns + DAY_NS


def test_a_message_is_as_loud_as_its_loudest_notice() -> None:
    """So that a phone rings for what is critical."""
    message = Message(notices=(notice(), notice("x", Severity.CRITICAL), notice()), left_out=0)
    assert message.severity is Severity.CRITICAL


def test_what_is_critical_has_room_in_a_night_in_which_much_waits() -> None:
    """It takes the place of the quietest, which is counted, and told where it comes again; the next one does too."""
    terms = NoticeTerms(least=Severity.INFO, quiet=(11 * 60, 13 * 60), gather_ns=0)
    notices = Notices(terms, NOON)
    for number in range(HELD):
        notices.take(notice(f"n{number}", Severity.INFO if number == 7 else Severity.WARNING), NOON)
    for kind in ("stop.failed", "market.failed"):
        notices.take(notice(kind, Severity.CRITICAL), NOON)
    notices.take(notice("one more", Severity.WARNING), NOON)
    assert notices.deadline_ns(NOON) == NOON
    message = notices.message(NOON)
    assert message is not None
    kinds = [one.kind for one in message.notices]
    assert (len(kinds), kinds[-2:], message.left_out) == (HELD, ["stop.failed", "market.failed"], 3)
    assert not {"n0", "n7"} & {*kinds}
    notices.take(notice("n7", Severity.CRITICAL), NOON)
    assert told(notices, NOON) == ["n7"]
    notices.take(notice("n0"), NOON)
    assert told(notices, NOON + HOUR_NS) == ["n0"], "nobody was told of it"


def test_the_same_again_but_louder_is_told() -> None:
    """A stop that could not be moved is one thing, a position without any another."""
    notices = Notices(NoticeTerms(gather_ns=0), NOON)
    for severity, expected in (
        (Severity.WARNING, ["stop.failed"]),
        (Severity.CRITICAL, ["stop.failed"]),
        (Severity.WARNING, []),
        (Severity.CRITICAL, []),
    ):
        notices.take(notice("stop.failed", severity), NOON)
        assert told(notices, NOON) == expected


@given(st.lists(st.tuples(st.integers(0, 2000), st.sampled_from(Severity)), max_size=300))
def test_nothing_that_is_loud_enough_is_lost_without_being_counted(happened: list[tuple[int, Severity]]) -> None:
    """Told or counted, and never more kept than the bounds."""
    notices = Notices(NoticeTerms(an_hour=1000), NOON)
    for number, severity in happened:
        notices.take(notice(f"kind {number}", severity), NOON)
    message = notices.message(NOON + 10 * S)
    loud = sum(severity is not Severity.INFO for _, severity in happened)
    assert loud == (0 if message is None else len(message.notices) + message.left_out)
    assert message is None or len(message.notices) <= HELD
    urgent = {f"kind {number}" for number, severity in happened if severity is Severity.CRITICAL}
    assert len(urgent) > HELD or urgent <= {one.kind for one in (message.notices if message else ())}


def test_what_was_told_is_remembered_within_bounds() -> None:
    """The oldest of a thousand kinds is told again; that costs a message, not memory."""
    notices = Notices(NoticeTerms(an_hour=10_000), NOON)
    for number in range(REMEMBERED + 1):
        notices.take(notice(f"kind {number}"), NOON)
        notices.message(NOON + 10 * S)
    notices.take(notice("kind 0"), NOON)
    assert told(notices, NOON + 10 * S) == ["kind 0"]


def test_what_an_earlier_life_had_to_tell_comes_first_and_is_not_told_again() -> None:
    """It waits like what happens now, up to the bound of what is kept; when it ends untold, it is left once more."""
    notices = Notices(NoticeTerms(gather_ns=0), NOON, left=[notice("a"), notice("b")])
    notices.take(notice("c"), NOON)
    notices.take(notice("a"), NOON)
    assert [one.kind for one in notices.waiting] == ["a", "b", "c"]
    assert told(notices, NOON) == ["a", "b", "c"]
    assert notices.waiting == ()
    many = [notice(f"kind {number}") for number in range(HELD + 1)]
    assert Notices(NoticeTerms(), NOON, left=many).waiting == tuple(many[:HELD])
