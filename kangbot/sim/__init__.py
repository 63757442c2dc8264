"""The simulated venue, without I/O, and the world around it in virtual time.

Where to look:

- the exchange: `venue` first, then `matching`, `entry`, `checks`, `book`, `orders`, `store`, `protection` (stops),
  `account`, `position`; its markets are `spec`, `listing`, `prices`, `klines`, `desk`, `calendar`; its words are
  `events`, `ids`, `refusal`; `arithmetic` keeps its digits its own;
- the exchange behind our ports: `front` (requests in, reports out), then either `paper`, `paper_account` and `ledger`
  (live prices, simulated account) or `port`, `feeds` and `pump` (everything simulated);
- the unreliable world: `loop` (virtual time), `network`, `disk`, `history`, `process`; `faults` are drawn by the seed;
- the judges: `invariants` (what must hold after every step), `trace` (what happened, and its digest), `mutants` (each
  safeguard taken out, to see that it is missed).

`sandbox` serves the exchange in Bybit's wire protocol; `scenario` plays the whole daemon on it.
"""
