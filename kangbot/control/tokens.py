"""The two tokens: made at the first start, kept in files that only the daemon's user may read, never written elsewhere.

A file that is there is used as it is, so that a person may put a token of their own into it. One that others can read
is no secret any more, and the daemon does not start with it.
"""

import hmac
import os
import stat
from hashlib import sha256
from pathlib import Path

import msgspec

from kangbot.control.access import Access
from kangbot.errors import NeedsHuman
from kangbot.runtime.secret import new_secret

SHORTEST = 32  # characters: less can be guessed
_LONGEST = 4096


class Tokens(msgspec.Struct, frozen=True):
    """Both; `repr` shows neither."""

    _digests: tuple[tuple[bytes, Access], ...]
    secrets: tuple[str, ...]

    def __repr__(self) -> str:
        return "Tokens(…)"

    @property
    def session_key(self) -> bytes:
        """What signs sessions: another one with other tokens, and no way back to either."""
        return _digest("\n".join(("session", *self.secrets)))

    def access(self, token: str) -> Access:
        """Return what the token opens, OPEN where it is none, in a time that says nothing about either."""
        given = _digest(token)
        access = Access.OPEN
        for known, opens in self._digests:
            if hmac.compare_digest(known, given):
                access = opens
        return access


def tokens_in(control: Path, read: Path) -> Tokens:
    """Return the tokens of these files; a file that is not there is made.

    NeedsHuman where one cannot be read or made, is open to others, or holds no token.
    """
    commands, looks = _token(control), _token(read)
    if commands == looks:
        raise NeedsHuman(
            f"the token files {control} and {read} hold the same token",
            remedy="remove one of them: the next start makes it anew",
        )
    return Tokens(((_digest(commands), Access.CONTROL), (_digest(looks), Access.READ)), (commands, looks))


def _digest(token: str) -> bytes:
    return sha256(token.encode(errors="surrogateescape")).digest()  # of one length, whatever was sent


def _token(path: Path) -> str:
    try:
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return _kept(path)
        token = new_secret()
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(f"{token}\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            path.unlink()  # an empty one would stand in the way of every start, with room or without
            raise
    except (OSError, UnicodeDecodeError) as error:
        words = error.strerror if isinstance(error, OSError) else "it is no text"
        raise NeedsHuman(
            f"the token file {path} cannot be used: {words}",
            remedy="make its folder writable for the daemon's user, or name another file in [control]",
        ) from None
    return token


def _kept(path: Path) -> str:
    with path.open(encoding="utf-8") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        token = file.read(_LONGEST).strip()
    if mode & 0o027:
        raise NeedsHuman(
            f"the token file {path} is open to others (mode {mode:04o})",
            remedy=f"whoever read it may command the daemon: remove {path}, and the next start makes a new token",
        )
    if len(token) < SHORTEST or not token.isascii() or not token.isprintable() or " " in token:
        raise NeedsHuman(
            f"the token file {path} holds no token of at least {SHORTEST} characters",
            remedy="remove it, and the next start makes a new one",
        )
    return token
