"""Binance USD-M futures: public data, by streams and REST."""
