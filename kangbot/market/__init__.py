"""One market: its task, its inbox, its place in the roster."""
