"""How a person or a script talks to a running daemon."""
