"""The simulated venue served on loopback in Bybit's wire protocol."""
