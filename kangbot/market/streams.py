"""Which of a market's streams flow, and why the others do not: what stands between an entry and stale data.

A stream that must speak by itself (quotes, candles) counts as lost from the moment it is asked for until its first
data; trades only where they flowed and ended, for a quiet market has none by right.
"""

from collections.abc import Iterable

from kangbot.ports import Channel


class Streams:
    """The streams of one market, told by its feed."""

    def __init__(self) -> None:
        self._lost: dict[Channel, str] = {}
        self._unheard: dict[Channel, None] = {}  # asked for, and silent by right so far

    def asked(self, channels: Iterable[Channel]) -> None:
        """Learn what is being subscribed."""
        self._lost, self._unheard = {}, {}
        for channel in channels:
            if channel is Channel.TRADE:
                self._unheard[channel] = None
            else:
                self._lost[channel] = "no data yet"

    def ended(self) -> None:
        """Learn that nothing is subscribed any more."""
        self._lost.clear()
        self._unheard.clear()

    def changed(self, channel: Channel, *, live: bool, reason: str) -> None:
        """Learn that a stream flows or does not."""
        if live:
            self._lost.pop(channel, None)
            self._unheard.pop(channel, None)
        else:
            self._lost[channel] = reason

    def cut(self, reason: str) -> None:
        """Learn that a connection of the market ended: what was not heard yet may be missed, until it is heard."""
        for channel in self._unheard:
            self._lost.setdefault(channel, reason)

    def lost(self, channel: Channel) -> bool:
        """Whether the stream was asked for and does not flow."""
        return channel in self._lost

    @property
    def bars_lost(self) -> bool:
        """Whether what bars are made of does not flow."""
        return Channel.BAR in self._lost or Channel.TRADE in self._lost

    @property
    def why_stale(self) -> str:
        """Why no entry may rely on the data, in words; "" where each stream flows."""
        return "; ".join(f"the {channel.value} stream is down: {reason}" for channel, reason in self._lost.items())
