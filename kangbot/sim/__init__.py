"""The simulated venue, without I/O, and the world around it in virtual time.

Where to look:

- `markets`: what is traded: rules, seeded prices, books, candles, and digits of their own;
- `exchange`: the venue itself and its one account; `front` puts it behind our port of a venue;
- `paper`: the same account on a real venue's prices, and what it comes to by the journal;
- `world`: the unreliable world of a simulation: virtual time, network, disk, processes that die, and faults;
- `proof`: the judges: what must hold after every step, what happened and its digest, and each safeguard taken out.

`sandbox` serves the exchange in Bybit's wire protocol; `scenario` plays the whole daemon on it.
"""
