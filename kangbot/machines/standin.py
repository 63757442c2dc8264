"""When REST stands in for a stream that fell silent: not at once, slowly, and never beside a stream that flows.

::

    flows                  nothing is asked
    lost for `after_ns`    ask: by then the topic was subscribed anew, and perhaps moved to another socket
    answered               ask again after `every_ns`, or when the caller says that there is something new
    failed                 ask again after a wait that doubles up to `most_ns`, and never before the venue says
    flows again            nothing is asked, and an answer that is still under way is not needed

What is asked, and what an answer means, is left to the shells (`market/prices.py`, `market/backfill.py`).
"""

import msgspec

SECOND_NS = 1_000_000_000


class StandIn(msgspec.Struct, frozen=True, kw_only=True):
    """The questions in one stream's stead; returns its successor. Times are of our clock."""

    after_ns: int = 10 * SECOND_NS
    every_ns: int = 5 * SECOND_NS
    most_ns: int = 60 * SECOND_NS
    lost_ns: int | None = None  # when the stream fell silent; None while it flows
    due_ns: int = 0
    asking: bool = False  # a question is under way
    failures: int = 0  # in a row

    def lost(self, now_ns: int) -> "StandIn":
        """Learn that the stream fell silent; again while it is changes nothing."""
        if self.lost_ns is not None:
            return self
        return msgspec.structs.replace(self, lost_ns=now_ns, due_ns=now_ns + self.after_ns)

    def back(self) -> "StandIn":
        """Learn that the stream flows."""
        return msgspec.structs.replace(self, lost_ns=None, asking=False, failures=0)

    def asked(self) -> "StandIn":
        """Learn that a question left."""
        return msgspec.structs.replace(self, asking=True)

    def answered(self, now_ns: int, *, next_ns: int | None = None) -> "StandIn":
        """Learn of an answer; `next_ns` is when there can be something new, `every_ns` from now where nobody knows."""
        due_ns = now_ns + self.every_ns if next_ns is None else next_ns
        return msgspec.structs.replace(self, asking=False, failures=0, due_ns=due_ns)

    def failed(self, now_ns: int, *, at_least_ns: int = 0) -> "StandIn":
        """Learn that there was no answer; `at_least_ns` is how long the venue asked to be left alone."""
        wait_ns = min(self.every_ns << min(self.failures, 40), self.most_ns)
        due_ns = now_ns + max(wait_ns, at_least_ns)
        return msgspec.structs.replace(self, asking=False, failures=self.failures + 1, due_ns=due_ns)

    def deadline(self) -> int | None:
        """Return when to ask; None while the stream flows or an answer is awaited."""
        return None if self.lost_ns is None or self.asking else self.due_ns
