"""The daemon in one line: what `systemctl status` shows beside its name."""


def headline(*, live: int, total: int, waiting: str, tripped: int, killed: str, journal: str, history_away: str) -> str:
    """Return the line; what is well is not in it, but for the markets.

    `tripped` are markets with a breaker that is not closed, `journal` what it takes still, and why no more.
    """
    parts = [f"{live} of {total} markets live"]
    if waiting:
        parts.append(f"waiting: {waiting}")
    if tripped:
        parts.append(f"{tripped} with a breaker open")
    if killed:
        parts.append(f"kill switch set: {killed}")
    if journal:
        parts.append(f"journal {journal}")
    if history_away:
        parts.append(f"history away: {history_away}")
    return ", ".join(" ".join(part.split()) for part in parts)
