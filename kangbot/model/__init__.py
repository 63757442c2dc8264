"""The words of the trade: frozen values without behaviour that needs the world.

Everything here is a `msgspec.Struct` or an enum: created in a tenth of the time of a frozen dataclass, and encoded to
the journal without a line of mapping. Money is `Decimal`, times are integer nanoseconds since the epoch in UTC and say
so in their name.
"""
