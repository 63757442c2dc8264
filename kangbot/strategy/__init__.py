"""What to want of a market: pure functions from a view to a target."""
