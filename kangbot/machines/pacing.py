"""How soon the next order of a kind may follow one that came to nothing.

A target that is not reached is wanted again on the very next turn. Where the venue refuses the order, has no offers for
it or cannot be reached, the same order would leave again and again, as fast as the request budget lets it: hundreds
within a minute that change nothing, cost every other market its turn and end as a ban. So what came to nothing is tried
again after a growing wait; whatever moved the position, or was withdrawn by ourselves, leaves no wait behind.

What the venue refuses for the same reason again and again may be so for weeks (a balance too small, a contract that may
only be reduced). There the wait grows on, beyond the ceiling of the rest: it is never much longer than the refusals
have lasted, and is forgotten with whatever may have changed the answer: `renewed`.
"""

import msgspec


class Pacing(msgspec.Struct, frozen=True, kw_only=True):
    """The waits between orders of one market and purpose; returns its successor. Times are of our clock."""

    first_ns: int
    ceiling_ns: int
    refused_ceiling_ns: int  # of what is refused for the same reason again
    failures: int = 0
    refusal: str = ""  # of the last order,
    alike: int = 0  # and of so many in a row
    failed_ns: int = 0
    not_before_ns: int = 0

    def ended(self, now_ns: int, *, moved: bool, withdrawn: bool, slow: bool = False, refusal: str = "") -> "Pacing":
        """Return it after an order's end: whether the position moved meanwhile, and whether we took the order back.

        `slow`: the venue is known to be in trouble, so that the wait is the ceiling at once. `refusal`: the venue's
        code for it; "" where it did not refuse the order.
        """
        if moved:
            return msgspec.structs.replace(self, failures=0, refusal="", alike=0, failed_ns=0, not_before_ns=0)
        if withdrawn:
            return self
        alike = bool(refusal) and refusal == self.refusal
        before = self if alike else self.renewed()
        most_ns = self.refused_ceiling_ns if alike else self.ceiling_ns
        wait_ns = self.ceiling_ns if slow else min(self.first_ns << min(before.failures, 40), most_ns)
        return msgspec.structs.replace(
            before,
            failures=before.failures + 1,
            refusal=refusal,
            alike=before.alike + 1 if refusal else 0,
            failed_ns=now_ns,
            not_before_ns=now_ns + wait_ns,
        )

    def renewed(self) -> "Pacing":
        """Return it after news that may change the venue's answer: no wait is longer than the ceiling, at first."""
        few = (self.ceiling_ns // self.first_ns).bit_length()  # after so many the wait is the ceiling
        not_before_ns = min(self.not_before_ns, self.failed_ns + self.ceiling_ns)
        return msgspec.structs.replace(
            self, failures=min(self.failures, few), refusal="", alike=0, not_before_ns=not_before_ns
        )

    def repeats(self, before: "Pacing") -> bool:
        """Whether the order that made this of `before` came to nothing, and as the one before it did: it is no news."""
        failed = self is not before and bool(self.failures and before.failures)
        return failed and self.refusal == before.refusal

    def due_ns(self, now_ns: int) -> int | None:
        """Return when the next order may leave; None where it may leave now."""
        return self.not_before_ns if now_ns < self.not_before_ns else None
