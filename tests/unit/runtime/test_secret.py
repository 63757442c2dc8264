"""What nobody may guess."""

import random
import string

from kangbot.runtime.secret import new_secret


def test_a_secret_fits_a_header_an_address_and_a_file() -> None:
    """32 bytes of chance in letters that nothing has to escape."""
    secret = new_secret()
    assert len(secret) == 43
    assert set(secret) <= set(string.ascii_letters + string.digits + "-_")


def test_no_seed_brings_one_back() -> None:
    """Chance that is made to be repeated makes none."""
    made = set()
    for _ in range(100):
        random.seed(1)
        made.add(new_secret())
    assert len(made) == 100
