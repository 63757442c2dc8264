"""What a connection is encrypted with: made once, made anew with its files, and said to be wrong in one line."""

import os
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from kangbot.errors import NeedsHuman
from kangbot.storage.tls import context
from kangbot.storage.url import MysqlUrl, Tls, TlsMode
from tests.support.certificates import Authority


def url(tls: Tls | None) -> MysqlUrl:
    """A database behind a network."""
    return MysqlUrl(user="trader", password="x", host="db.example", port=3306, database="history", tls=tls)


def made(mode: TlsMode, **files: Path) -> ssl.SSLContext:
    """Return the context that is asked for."""
    found = context(url(Tls(mode=mode, **files)))
    assert found is not None
    return found


def test_plain_text_has_none() -> None:
    """Said or not said."""
    assert context(url(None)) is None
    assert context(url(Tls(mode=TlsMode.DISABLED))) is None


def test_each_mode_looks_at_what_its_name_says(tmp_path: Path) -> None:
    """At nothing, at the authority, at the host as well; by the system's authorities where none is named."""
    ca = Authority(tmp_path).ca
    for mode, verified, host in (
        (TlsMode.REQUIRED, ssl.CERT_NONE, False),
        (TlsMode.VERIFY_CA, ssl.CERT_REQUIRED, False),
        (TlsMode.VERIFY_IDENTITY, ssl.CERT_REQUIRED, True),
    ):
        one = made(mode)
        assert (one.verify_mode, one.check_hostname) == (verified, host)
        assert one.minimum_version >= ssl.TLSVersion.TLSv1_2
    (trusted,) = made(TlsMode.VERIFY_CA, ca=ca).get_ca_certs()
    assert trusted["subject"] == ((("commonName", "authority"),),)


def test_it_is_made_once_and_again_where_a_file_has_changed(tmp_path: Path) -> None:
    """Not for each connection; and a renewed certificate asks for no restart."""
    authority = Authority(tmp_path)
    cert, key = authority.sign("kangbot")
    files = {"ca": authority.ca, "cert": cert, "key": key}
    first = made(TlsMode.VERIFY_CA, **files)
    assert made(TlsMode.VERIFY_CA, **files) is first
    for path in files.values():
        os.utime(path, ns=(1, path.stat().st_mtime_ns + 1))
        again = made(TlsMode.VERIFY_CA, **files)
        assert again is not first
        first = again


def _no_file(folder: Path) -> dict[str, Path]:
    return {"ca": folder / "none.pem"}


def _no_certificate(folder: Path) -> dict[str, Path]:
    (folder / "empty.pem").write_text("")
    return {"ca": folder / "empty.pem"}


def _a_folder(folder: Path) -> dict[str, Path]:
    return {"ca": folder}


def _no_key(folder: Path) -> dict[str, Path]:
    return {"cert": Authority(folder).sign("ours")[0]}


def _another_key(folder: Path) -> dict[str, Path]:
    authority = Authority(folder)
    return {"cert": authority.sign("ours")[0], "key": authority.sign("theirs")[1]}


def _a_locked_key(folder: Path) -> dict[str, Path]:
    cert, key = Authority(folder).sign("ours", password="never asked for")
    return {"cert": cert, "key": key}


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (_no_file, r"none\.pem cannot be used for TLS: No such file or directory$"),
        (_no_certificate, r"empty\.pem cannot be used for TLS: it holds no certificate$"),
        (_a_folder, r" cannot be used for TLS: "),
        (_no_key, r"ours-cert\.pem cannot be used for TLS: it is no PEM, or its key is elsewhere or locked"),
        (_another_key, r"ours-cert\.pem cannot be used for TLS: the key is that of another certificate$"),
        (_a_locked_key, r"ours-cert\.pem cannot be used for TLS: it is no PEM, or its key is elsewhere or locked"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(
    files: Callable[[Path], dict[str, Path]], words: str, tmp_path: Path
) -> None:
    """Which, why, and what its options are; a locked key asks nobody for its password."""
    with pytest.raises(NeedsHuman, match=words) as caught:
        made(TlsMode.VERIFY_CA, **files(tmp_path))
    assert "ssl-ca, ssl-cert and ssl-key" in caught.value.remedy
