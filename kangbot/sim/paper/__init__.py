"""Paper trading: `ports` puts a simulated `account` on a real venue's markets; `ledger` is it by the sum of fills."""
