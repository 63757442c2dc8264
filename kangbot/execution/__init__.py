"""Intents to orders: the shell around machines/order.py."""
