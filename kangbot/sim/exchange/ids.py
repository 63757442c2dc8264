"""Ids in the shape of a UUID, unique across restarts: functions of seed, start and a count, never draws."""

from hashlib import sha256


class Ids:
    """The ids of one venue. Two venues with another seed or another start share none."""

    def __init__(self, seed: bytes, start_ns: int) -> None:
        self._salt = seed + start_ns.to_bytes(12, "big", signed=True)
        self._counts: dict[str, int] = {}

    def next(self, kind: str) -> str:
        """Return the next id of that kind ("order", "execution")."""
        number = self._counts.get(kind, 0) + 1
        self._counts[kind] = number
        return _uuid(self._salt + kind.encode() + number.to_bytes(8, "big"))

    def prefix(self, name: str) -> str:
        """Return the first four groups of a UUID; twelve hexadecimal digits of a count complete it."""
        return _uuid(self._salt + b"prefix" + name.encode()).rpartition("-")[0]


def _uuid(material: bytes) -> str:
    text = sha256(material).hexdigest()
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-a{text[17:20]}-{text[20:32]}"
