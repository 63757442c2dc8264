"""How long frames may wait in the kernel while nobody decides by them.

To wake a core that sleeps costs more than to read a frame: of 27 markets with 300 frames a second, each of which wakes
it, two thirds of the processor's time went into waking (`docs/benchmarks.md`). Network cards have the remedy, interrupt
coalescing: what comes within a moment is read together. Here it costs no decision its time. Markets on bars of minutes
decide when a bar closes, and around the turn of each minute every frame is read as it comes.
"""

_SECOND_NS = 1_000_000_000
REST_S = 0.05  # quotes are that much older at most, where nobody decides by them
_MINUTE_NS = 60 * _SECOND_NS  # every longer bar closes at the turn of one
_CLOSES_NS = 5 * _SECOND_NS  # after the turn: venues confirm a closed candle within seconds
_EARLY_NS = _SECOND_NS  # before it: what was measured of the venue's clock may be wrong by less


def rest_s(venue_now_ns: int) -> float:
    """Return for how many seconds frames of bars of minutes may wait from now on; 0 around the turn of a minute."""
    into_ns = venue_now_ns % _MINUTE_NS
    return REST_S if _CLOSES_NS <= into_ns < _MINUTE_NS - _EARLY_NS else 0.0
