"""The markets of the simulated venue.

Rules are `spec` and `listing`, the price of each is `prices`, its book `book` and its candles `klines`; a `desk` is all
of one market, `calendar` says when it moves, and `arithmetic` keeps the digits the venue's own.
"""
