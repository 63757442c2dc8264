"""What may be done: limits, exposure, rules and the gate."""
