"""ccxt's error classes without its hundred exchanges, which every process of the tests would compile and read."""

import importlib

from kangbot.venues import ccxt_lean

ccxt_lean.load("bybit")
errors = importlib.import_module("ccxt.base.errors")
