"""When most markets fail within one moment, it is one fault, and it is ours."""

from kangbot.machines.local_fault import SURE_NS, LocalFault
from kangbot.model.ids import MarketId

S = 1_000_000_000
NOW = 1_000 * S


def failing(count: int, *, of: int, every_s: float = 0.1) -> LocalFault:
    """Return what is known after so many of the markets failed one after another."""
    fault = LocalFault(markets=of)
    for number in range(count):
        fault = fault.failed(MarketId(f"v:{number}"), NOW + int(number * every_s * S), 0.5)
    return fault


def test_more_than_half_within_ten_seconds_is_a_local_fault() -> None:
    """Fourteen of twenty-seven are, thirteen are not."""
    assert not failing(13, of=27).there
    assert failing(14, of=27).there
    assert not failing(3, of=6).there
    assert failing(4, of=6).there
    assert failing(3, of=3, every_s=5).there
    assert not failing(3, of=3, every_s=5.01).there


def test_one_market_that_fails_again_and_again_is_not() -> None:
    """It counts once."""
    fault = LocalFault(markets=3)
    for number in range(20):
        fault = fault.failed(MarketId("v:A"), NOW + number, 0.5)
    assert not fault.there


def test_two_markets_that_fail_together_are_a_coincidence() -> None:
    """A daemon of two markets has no majority to speak of, nor has one of a single market."""
    assert not failing(2, of=2).there
    assert not failing(1, of=1).there


def test_failures_over_a_longer_time_are_not_one_fault() -> None:
    """Six seconds apart, no more than two are of the same moment."""
    assert not failing(10, of=5, every_s=6).there


def test_a_market_that_succeeds_is_not_among_those_that_fail() -> None:
    """Somebody gets through: the way out is there."""
    fault = failing(2, of=3).succeeded(MarketId("v:0"))
    assert not fault.failed(MarketId("v:2"), NOW, 0.5).there
    assert fault.succeeded(MarketId("v:7")) is fault
    fault = failing(4, of=8).succeeded(MarketId("v:0"))
    for market in ("v:4", "v:5"):
        assert not fault.there
        fault = fault.failed(MarketId(market), NOW + S, 0.5)
    assert fault.there, "the others have failed all the same"


def test_it_is_probed_later_each_time_until_a_probe_succeeds() -> None:
    """One backoff for all of them; further failures do not begin it anew."""
    fault = failing(3, of=3)
    waits = [fault.retry_ns - fault.since_ns]
    fault = fault.failed(MarketId("v:0"), NOW + S, 0.5)
    for number in range(6):
        now_ns = NOW + number * S
        fault = fault.probed(now_ns, 0.999999, well=False)
        waits.append(fault.retry_ns - now_ns)
    assert [round(wait / S) for wait in waits] == [4, 10, 15, 15, 15, 15, 15]
    over = fault.probed(NOW, 0.5, well=True)
    assert not over.there
    assert over.probed(NOW, 0.5, well=True) is over


def test_a_resolver_that_once_did_not_answer_is_no_fault() -> None:
    """The next dial a second later found its way; the one that failed last week does not count."""
    fault = LocalFault(markets=27).lost(NOW, 0.5).found(NOW + S)
    assert not fault.there
    assert not fault.lost(NOW + SURE_NS, 0.5).there


def test_dials_that_find_no_way_out_for_a_while_are_one_fault() -> None:
    """However few markets there are, and however many dials fail."""
    fault = LocalFault(markets=1).lost(NOW, 0.5)
    assert not fault.there
    assert fault.found(NOW).retry_ns == 0
    fault = fault.lost(NOW + SURE_NS, 0.5)
    assert fault.since_ns == NOW + SURE_NS
    assert fault.lost(NOW + 2 * SURE_NS, 0.5) == fault


def test_it_is_not_over_before_a_dial_found_its_way() -> None:
    """Requests over remembered names succeed all the while; then the next probe is due at once."""
    fault = LocalFault(markets=27).lost(NOW, 0.5).lost(NOW + SURE_NS, 0.5)
    fault = fault.probed(NOW + 10 * S, 0.5, well=True)
    assert fault.there
    assert fault.retry_ns > NOW + 10 * S
    fault = fault.found(NOW + 20 * S)
    assert fault.retry_ns == NOW + 20 * S
    assert not fault.probed(NOW + 20 * S, 0.5, well=True).there
    assert fault.found(NOW + 21 * S) is fault
