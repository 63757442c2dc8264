"""aiohttp without the system's authorities."""

import ssl
import subprocess
import sys

import pytest

AUTHORITIES = """
import ssl
{imports}
from aiohttp import connector
verified, unverified = connector._SSL_CONTEXT_VERIFIED, connector._SSL_CONTEXT_UNVERIFIED
print(verified.cert_store_stats()["x509_ca"], verified.verify_mode.name, verified.check_hostname)
print(unverified.cert_store_stats()["x509_ca"])
print(ssl.create_default_context().cert_store_stats()["x509_ca"])
"""


def said(imports: str) -> list[str]:
    """Run it in a fresh interpreter and return the lines it prints."""
    command = [sys.executable, "-c", AUTHORITIES.format(imports=imports)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.fixture
def authorities() -> int:
    """How many the system trusts; a system that has none shows nothing here."""
    count = ssl.create_default_context().cert_store_stats()["x509_ca"]
    if not count:
        pytest.skip("this system trusts nobody")
    return count


@pytest.mark.parametrize("main", ["kangbot.daemon", "kangbot.sandbox.__main__", "kangbot.cli.doctor.examination"])
def test_aiohttp_trusts_nobody_by_itself(main: str, authorities: int) -> None:
    """Two megabytes less; a certificate and its name are asked for all the same, and whom others trust stays."""
    assert said(f"import {main}") == ["0 CERT_REQUIRED True", "0", str(authorities)]


def test_nothing_happens_where_aiohttp_is_there_already(authorities: int) -> None:
    """Too late is harmless."""
    lines = said("import aiohttp, kangbot.runtime.lean_tls")
    assert lines == [f"{authorities} CERT_REQUIRED True", str(authorities), str(authorities)]
