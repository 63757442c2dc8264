"""Whether the machine's clock stands where nanoseconds since 1970 can say it, looked at before all else is imported.

They have 63 bits and end in April 2262. Python itself falls over a later time, in the import of its logging, so this is
a first import like `lean`: a process that cannot tell the time ends with one line. Its exit code lets a service manager
try again, since time synchronisation may have put the clock right meanwhile.
"""

import sys
import time

_END_S = 9_214_646_400  # 2262-01-01, so that no deadline of the last months goes beyond the end
_FAILURE = 1


def out_of_range(now_s: float) -> str:
    """Return what is wrong with the time and what to do, in one line; "" for one that can be said."""
    if 0 <= now_s < _END_S:
        return ""
    where = "before the year 1970" if now_s < 0 else "after the year 2261"
    return f"the machine's clock stands {where}: set it, and set up time synchronisation"


try:
    time.time()
except OverflowError:
    sys.stderr.write(f"{out_of_range(_END_S)}\n")
    sys.exit(_FAILURE)
