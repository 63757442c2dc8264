"""Pacing of orders that come to nothing."""

from kangbot.machines.pacing import Pacing

FRESH = Pacing(first_ns=10, ceiling_ns=35, refused_ceiling_ns=300)


def test_the_first_order_waits_for_nothing() -> None:
    """Without a failure there is no wait."""
    assert FRESH.due_ns(0) is None


def test_each_failure_doubles_the_wait_up_to_the_ceiling() -> None:
    """10, 20, then 35 for ever."""
    pacing, waits = FRESH, []
    for _ in range(4):
        pacing = pacing.ended(1000, moved=False, withdrawn=False)
        due_ns = pacing.due_ns(1000)
        assert due_ns is not None
        waits.append(due_ns - 1000)
    assert waits == [10, 20, 35, 35]
    assert pacing.due_ns(1035) is None


def test_an_order_that_moved_the_position_ends_the_wait() -> None:
    """Progress forgives every failure."""
    failed = FRESH.ended(0, moved=False, withdrawn=False).ended(0, moved=False, withdrawn=False)
    assert failed.ended(5, moved=True, withdrawn=True) == FRESH


def test_an_order_that_we_took_back_is_no_failure() -> None:
    """A limit order that is placed anew at a better price is no refusal; nor does it forgive one."""
    failed = FRESH.ended(0, moved=False, withdrawn=False)
    assert failed.ended(5, moved=False, withdrawn=True) == failed


def test_very_many_failures_do_not_overflow() -> None:
    """The shift is bounded."""
    pacing = FRESH
    for _ in range(100):
        pacing = pacing.ended(0, moved=False, withdrawn=False)
    assert pacing.due_ns(0) == 35


def test_while_the_venue_is_in_trouble_the_first_wait_is_the_longest() -> None:
    """And no longer than that, however often it fails; progress ends it as ever."""
    pacing = FRESH
    for _ in range(3):
        pacing = pacing.ended(1000, moved=False, withdrawn=False, slow=True)
        assert pacing.due_ns(1000) == 1035
    assert pacing.ended(1000, moved=True, withdrawn=False, slow=True) == FRESH


def refused(pacing: Pacing, times: int, code: str = "110023") -> tuple[Pacing, list[int]]:
    """Refuse an order for that reason so many times, each when it is due; return the waits too."""
    waits = []
    for _ in range(times):
        now_ns = max(pacing.not_before_ns, 1000)
        pacing = pacing.ended(now_ns, moved=False, withdrawn=False, refusal=code)
        waits.append(pacing.not_before_ns - now_ns)
    return pacing, waits


def test_what_is_refused_alike_waits_longer_and_longer() -> None:
    """As long as the refusals have lasted by then, up to a ceiling of its own."""
    assert refused(FRESH, 8)[1] == [10, 20, 40, 80, 160, 300, 300, 300]


def test_another_reason_or_none_ends_the_long_waits() -> None:
    """They are of one answer; the failures before it count as ever."""
    pacing, _ = refused(FRESH, 8)
    assert refused(pacing, 2, "110007")[1] == [35, 80]
    missed = pacing.ended(5000, moved=False, withdrawn=False)
    assert missed.due_ns(5000) == 5035


def test_refusals_are_counted_by_their_reason() -> None:
    """Whoever reads a code and a count reads how often the venue answered with it, in a row."""
    pacing, _ = refused(FRESH, 5)
    assert pacing.alike == 5
    other, _ = refused(pacing, 2, "110007")
    assert (other.alike, other.failures) == (2, 4)
    assert other.ended(5000, moved=False, withdrawn=False).alike == 0
    assert refused(other.renewed(), 1, "110007")[0].alike == 1


def test_news_leave_no_wait_beyond_the_ordinary_one() -> None:
    """What may be accepted by now is tried within the ceiling, and once more in an hour is not the next wait."""
    pacing, _ = refused(FRESH, 8)
    renewed = pacing.renewed()
    assert renewed.not_before_ns == pacing.failed_ns + 35
    assert refused(renewed, 3)[1] == [35, 80, 160]
    assert FRESH.renewed() == FRESH
    young, _ = refused(FRESH, 1)
    assert young.renewed().not_before_ns == young.not_before_ns


def test_progress_forgets_the_refusals() -> None:
    """As it does every failure."""
    pacing, _ = refused(FRESH, 8)
    assert pacing.ended(9000, moved=True, withdrawn=False) == FRESH


def test_a_venue_in_trouble_has_the_ordinary_ceiling() -> None:
    """An exit waits no longer for a reason than without one."""
    pacing, _ = refused(FRESH, 8)
    assert pacing.ended(9000, moved=False, withdrawn=False, slow=True, refusal="110023").due_ns(9000) == 9035


def test_what_comes_to_nothing_again_for_the_same_reason_is_no_news() -> None:
    """The first time it is, and so is another reason, an order that was taken back, and one that came to something."""
    first, _ = refused(FRESH, 1)
    assert not first.repeats(FRESH)
    many, _ = refused(first, 20)
    again, _ = refused(many, 1)
    assert again.repeats(many)
    assert not refused(many, 1, "110007")[0].repeats(many)
    missed = many.ended(10**6, moved=False, withdrawn=False)
    assert not missed.repeats(many)
    assert missed.ended(10**6, moved=False, withdrawn=False).repeats(missed)
    for moved in (True, False):
        assert not many.ended(10**6, moved=moved, withdrawn=not moved).repeats(many)
