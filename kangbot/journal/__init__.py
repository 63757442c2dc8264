"""The daemon's memory on the local disk."""
