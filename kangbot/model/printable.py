"""Text as a line of a terminal or of a log may have it: what would move a cursor or end the line stands for itself.

A strategy's reason, an answer of whatever stands between us and the venue, the words of a kill: none of them is ours.
"""


def printable(text: str) -> str:
    r"""Return the text, each character that cannot be printed as an escape that can: `\n`, `\x1b`."""
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
