"""Whether a socket still lives: the last frame heard, the heartbeat asked for, and the doubt between them.

A heartbeat proves the socket, never a topic; any frame proves the socket as well as a heartbeat does. A missing answer
is therefore a death only where nothing else was heard either.
"""


class Heartbeat:
    """One connection's clock, started when it opens. `probe_ns`: silence after which a heartbeat is asked for."""

    __slots__ = ("_asked", "_data_ns", "_every_ns", "_pong_ns", "_probe_ns", "_sent_ns", "heard_ns")

    def __init__(self, *, every_ns: int, probe_ns: int, pong_ns: int, now_ns: int) -> None:
        self._every_ns = every_ns
        self._probe_ns = probe_ns
        self._pong_ns = pong_ns
        self._sent_ns = now_ns
        self._asked = False
        self._data_ns = 0
        self.heard_ns = now_ns

    def data(self, now_ns: int) -> None:
        """Learn that data came."""
        self.heard_ns = self._data_ns = now_ns

    def pong(self, now_ns: int) -> None:
        """Learn that the heartbeat was answered."""
        self.heard_ns = now_ns
        self._asked = False

    def sent(self, now_ns: int) -> None:
        """Learn that a heartbeat was asked for."""
        self._asked, self._sent_ns = True, now_ns

    def slept(self, for_ns: int, now_ns: int) -> None:
        """Learn that we ourselves were away for so long until now."""
        self.heard_ns = min(self.heard_ns + for_ns, now_ns)
        self._data_ns = min(self._data_ns + for_ns, now_ns)
        self._sent_ns = min(self._sent_ns + for_ns, now_ns)

    @property
    def in_doubt(self) -> bool:
        """Whether a heartbeat was asked for and nothing at all was heard since."""
        return self._asked and self.heard_ns <= self._sent_ns

    def due(self, now_ns: int) -> bool:
        """Return whether a heartbeat is to be asked for.

        At the venue's interval; and at once where data flowed since the last one and has stopped. A quiet account is
        not asked all the time.
        """
        if self._asked:
            return False
        stopped = now_ns - self.heard_ns >= self._probe_ns and self._data_ns > self._sent_ns
        return stopped or now_ns - self._sent_ns >= self._every_ns

    def dead(self, now_ns: int) -> bool:
        """Return whether no frame of any kind came in the time for an answer.

        An answer that alone is missing is waited for no longer: some venues are late with it.
        """
        if now_ns - self._sent_ns < self._pong_ns:
            return False
        self._asked = self.in_doubt
        return self._asked
