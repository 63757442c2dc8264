"""Adapters of real venues; they do not see each other."""
