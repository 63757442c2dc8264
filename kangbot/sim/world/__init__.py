"""The world of a simulated session, and everything that goes wrong in it.

`loop` is virtual time; `pump` moves the venue through it; `port` and `feeds` are what the daemon sees of the venue,
through `network`; `disk` and `history` store, `process` lives and dies. `faults` are drawn by the seed.
"""
