"""The simulated venue, without I/O."""
