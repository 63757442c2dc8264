"""The words of the trade: frozen values without behaviour that needs the world.

Everything here is a `msgspec.Struct` or an enum: created in less than a tenth of the time of a frozen dataclass, and
encoded to the journal without a line of mapping. Money is `Decimal`, times are integer nanoseconds since the epoch in
UTC and say so in their name. What holds nothing but texts, numbers and other such values can be part of no cycle and is
kept out of the collector's sight (`gc=False`): a busy daemon holds thousands of trades and orders that it need not look
through.
"""
