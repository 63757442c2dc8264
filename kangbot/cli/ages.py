"""How long something lasted or is ago, for people: in days, once hours say nothing any more."""

_MINUTE_NS = 60_000_000_000
_HOUR_MIN, _DAY_MIN = 60, 1_440


def lasted(duration_ns: int) -> str:
    """Return the duration in two units: `0h 07m`, `47h 59m`, `134d 02h`."""
    minutes = max(0, duration_ns) // _MINUTE_NS
    if minutes < 2 * _DAY_MIN:
        return f"{minutes // _HOUR_MIN}h {minutes % _HOUR_MIN:02d}m"
    return f"{minutes // _DAY_MIN}d {minutes % _DAY_MIN // _HOUR_MIN:02d}h"
