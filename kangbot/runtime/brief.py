"""Look for no garbage in a process that answers once and ends: it ends before there is any worth looking for.

Import this module in the first line of a process' main module: most of what it makes, it makes by its imports.
"""

import gc

import kangbot.runtime.ending  # noqa: F401 -- nor is any looked for then

gc.disable()
