"""What nobody may guess: tokens and session names, from the kernel's own generator.

Apart from `World`, whose chance is made to be repeated: a secret that a seed could bring back would be none.
"""

import secrets

_BYTES = 32


def new_secret() -> str:
    """Return 32 random bytes as 43 characters of [A-Za-z0-9_-]."""
    return secrets.token_urlsafe(_BYTES)
