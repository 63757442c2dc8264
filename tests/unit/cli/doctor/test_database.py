"""The look for the history database."""

import asyncio

import pytest

from kangbot.cli.doctor.database import database, plain_text
from kangbot.cli.doctor.finding import Mark
from kangbot.settings import Settings
from kangbot.settings.daemon import Database
from kangbot.settings.kinds import Secret
from tests.support.impostor import Impostor


def with_database(url: str) -> Settings:
    """Settings with this address and nothing else."""
    return Settings(database=Database(url=Secret(url)))


async def test_a_database_without_the_tls_that_is_asked_for_is_wrong() -> None:
    """A person must decide; the password has stayed here."""
    with Impostor(tls=False) as there:
        look = await database(with_database(f"mysql://u:canary-9f3c@127.0.0.1:{there.port}/k?ssl-mode=REQUIRED"))
        assert await asyncio.to_thread(there.heard) == b""
    assert look.mark is Mark.WRONG
    assert "the server offers none" in look.says
    assert "switch TLS on in the server" in look.remedy


@pytest.mark.parametrize(
    ("options", "warned"), [("", True), ("?ssl-mode=REQUIRED", False), ("?ssl-mode=DISABLED", False)]
)
def test_a_database_in_plain_text_across_a_network_is_a_warning(options: str, warned: bool) -> None:
    """Until the address says that it is encrypted, or that it is meant so. What it costs to say nothing is shown."""
    looks = list(plain_text(with_database(f"mysql://u:canary-9f3c@db.example/k{options}")))
    assert [look.mark for look in looks] == [Mark.WARNING] * warned
    for look in looks:
        assert "the login and every row cross the network in plain text" in look.says
        assert "ssl-mode=VERIFY_IDENTITY" in look.remedy
        assert "canary" not in str(look)
    assert not list(plain_text(Settings()))
