"""Binance USD-M futures: public streams."""
