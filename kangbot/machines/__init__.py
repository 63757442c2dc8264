"""Decisions without I/O, clock or chance: time is an argument, a deadline is an answer."""
