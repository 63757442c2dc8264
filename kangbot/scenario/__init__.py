"""The simulated world: a seed becomes a session of the whole daemon in virtual time, with faults, and a verdict.

`plan` draws everything that differs between seeds; `life` is one life of the daemon, composed as `app/` composes the
real one; `people` act on it and `mishaps` befall it; `session` plays a plan and holds it to the promises; `outcome` is
what is told of it.
"""
