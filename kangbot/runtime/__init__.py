"""asyncio for grown-ups: clock, chance, tasks with owners, supervision. Knows nothing of trading."""
