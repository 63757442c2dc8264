"""End a process without looking for garbage: a fifth of what a short one computes.

At its end the interpreter collects garbage, twice, among everything that was ever imported, to give back what the
system takes back anyway. Frozen, it is not looked at. What is closed at the end is closed as ever, and so is whatever
loses its last reference; only a cycle of objects is not taken apart any more.

Import this module in a process' main module.
"""

import atexit
import gc

atexit.register(gc.freeze)
