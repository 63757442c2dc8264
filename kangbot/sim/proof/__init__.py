"""The judges of a simulation.

`invariants` must hold after every step, `trace` is what happened and its digest, `mutants` take each safeguard out, to
see that it is missed.
"""
