"""TLS to a real MariaDB server: every connection has it, and what is wrong with a certificate is said."""

import asyncio
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from kangbot.errors import NeedsHuman
from kangbot.storage import migrate
from kangbot.storage.dump import dump, fill
from kangbot.storage.glance import current
from kangbot.storage.link import Link
from kangbot.storage.mysql import MysqlHistory
from kangbot.storage.pool import Pool
from kangbot.storage.url import MysqlUrl, parse
from tests.support.certificates import Authority
from tests.support.databases import WORLD
from tests.support.mariadb import PASSWORD, USER, MariadbServer, is_mysql
from tests.support.records import TAG, noted, records

pytestmark = pytest.mark.mariadb

DRAW = WORLD.fork("tls").random


class Secured:
    """The server with TLS: `authority` signs what it shows."""

    def __init__(self, server: MariadbServer, folder: Path) -> None:
        self.server = server
        self.authority = Authority(folder)
        cert, key = self.authority.sign("server")
        server.stop()
        server.start(f"--ssl-ca={self.authority.ca}", f"--ssl-cert={cert}", f"--ssl-key={key}")

    def shows(self, host: str = "127.0.0.1", *, days: int = 5) -> None:
        """Give the server another certificate, as a renewal does."""
        self.authority.sign("server", host, days=days)
        self.server.sql("ALTER INSTANCE RELOAD TLS" if is_mysql() else "FLUSH SSL")

    def asks(self, for_what: str) -> None:
        """Have the account let in only so: NONE, SSL or X509."""
        self.server.sql(f"ALTER USER '{USER}'@'127.0.0.1' REQUIRE {for_what}")

    def url(self, database: str | None = None, **options: object) -> MysqlUrl:
        """Return the address of a database, with the authority unless something else is said."""
        options = options or {"ssl_ca": self.authority.ca}
        url = parse(self.server.url(database or self.server.database(), None, **options))
        assert isinstance(url, MysqlUrl)
        return url


@pytest.fixture
def secured(server: MariadbServer, tmp_path: Path) -> Iterator[Secured]:
    """The server, which afterwards is again as it was for everybody else."""
    one = Secured(server, tmp_path / "authority")
    yield one
    one.asks("NONE")
    server.stop()
    server.start()


async def cipher(url: MysqlUrl) -> str:
    """Return what the server says of the connection's encryption; "" where there is none."""
    link = await Link.open(url, connect_s=60, statement_s=60)
    try:
        return str((await link.query("SHOW STATUS LIKE 'Ssl_cipher'"))[0][1])
    finally:
        await link.aclose()


async def refusal(url: MysqlUrl) -> NeedsHuman:
    """Return why the server is not talked to, which both drivers agree on."""
    with pytest.raises(NeedsHuman) as ours:
        await cipher(url)
    with pytest.raises(NeedsHuman) as migrations:
        await asyncio.to_thread(migrate.check, url)
    assert (ours.value.message, ours.value.remedy) == (migrations.value.message, migrations.value.remedy)
    assert PASSWORD not in f"{ours.value!r} {ours.value.remedy}"
    return ours.value


async def test_every_connection_is_encrypted(secured: Secured, template: str, tmp_path: Path) -> None:
    """The account lets nobody else in: the pool, migrations in their own process, the glance, a copy and its return."""
    secured.asks("SSL")
    url, file = secured.url(), tmp_path / "rows.gz"
    history = MysqlHistory(Pool(url, DRAW, connect_s=60, statement_s=60), partial(migrate.upgrade_apart, url))
    await history.store(records([noted(1), noted(2)]))
    await history.aclose()
    assert await current(url)
    assert await dump(url, file) == {TAG: 2}
    assert await fill(secured.url(secured.server.copy(template)), file) > 0
    assert await cipher(url)
    assert await cipher(secured.url(ssl_mode="REQUIRED"))
    with pytest.raises(NeedsHuman, match="Access denied") as caught:
        await cipher(secured.url(ssl_mode="DISABLED"))
    assert "ssl-mode" in caught.value.remedy
    secured.asks("NONE")
    assert await cipher(secured.url(ssl_mode="DISABLED")) == ""


async def test_a_certificate_is_refused_with_the_reason(secured: Secured, tmp_path: Path) -> None:
    """A stranger's, an old one, another host's: what it is, and that the password has not been sent."""
    url = secured.url()
    stranger = Authority(tmp_path / "stranger", "stranger")
    error = await refusal(secured.url(ssl_ca=stranger.ca))
    assert re.search(r": the server's certificate is refused: .*certificate.*; no password was sent$", error.message)
    assert "ssl-ca" in error.remedy
    assert "ssl-ca" in (await refusal(secured.url(ssl_mode="VERIFY_IDENTITY"))).remedy  # the system's do not know it
    secured.shows(days=-1)
    error = await refusal(url)
    assert "certificate has expired" in error.message
    assert "renewed" in error.remedy
    secured.shows("database.example")
    error = await refusal(url)
    assert "not valid for '127.0.0.1'" in error.message
    assert "VERIFY_CA" in error.remedy
    assert await cipher(secured.url(ssl_mode="VERIFY_CA", ssl_ca=secured.authority.ca))


async def test_a_running_history_outlives_its_certificates(secured: Secured, template: str, tmp_path: Path) -> None:
    """It goes on with a server whose certificate was renewed, and with another authority in the same file."""
    ca = tmp_path / "ca.pem"
    ca.write_bytes(secured.authority.ca.read_bytes())
    url = secured.url(secured.server.copy(template), ssl_ca=ca)
    pool = Pool(url, DRAW, connect_s=60, statement_s=60, idle_s=0.01)  # a connection for each transaction
    history = MysqlHistory(pool, partial(migrate.upgrade_apart, url))
    await history.store(records([noted(1)]))
    secured.shows(days=-1)
    await gone(pool)
    with pytest.raises(NeedsHuman, match="certificate has expired"):
        await history.store(records([noted(2)], after=1))
    secured.authority = Authority(tmp_path / "authority")  # where the server reads what it shows
    secured.shows()
    with pytest.raises(NeedsHuman, match="certificate is refused"):
        await history.store(records([noted(2)], after=1))
    ca.write_bytes(secured.authority.ca.read_bytes())
    await history.store(records([noted(2)], after=1))
    assert await history.stored(TAG) == 2
    await history.aclose()


async def gone(pool: Pool) -> None:
    """Wait until the pool has let its connections go."""
    async with asyncio.timeout(120):
        while pool.use().open:
            await asyncio.sleep(0.01)


async def test_an_account_may_ask_for_a_certificate_of_ours(secured: Secured) -> None:
    """Shown where the address names one."""
    secured.asks("X509")
    cert, key = secured.authority.sign("kangbot", "kangbot.example")
    files: dict[str, Any] = {"ssl_ca": secured.authority.ca, "ssl_cert": cert, "ssl_key": key}
    assert await cipher(secured.url(**files))
    await asyncio.to_thread(migrate.check, secured.url(**files))
    with pytest.raises(NeedsHuman, match="Access denied"):
        await cipher(secured.url())
