"""The TLS of a connection to MariaDB or MySQL: its context, and what a connection that failed over it asks for.

A context is made once for all connections, and again where one of its files has changed: a daemon that runs for months
outlives the certificates that it was started with.
"""

import contextlib
import ssl
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from kangbot.errors import KangbotError, NeedsHuman, Retryable
from kangbot.storage.url import MysqlUrl, Tls, TlsMode

NOT_OFFERED = 2026  # CR_SSL_CONNECTION_ERROR, a client library's own number: the server has no TLS
_FILES = "see that ssl-ca, ssl-cert and ssl-key in database.url name files in PEM that the daemon's user may read"
_REASONS = {
    "NO_CERTIFICATE_OR_CRL_FOUND": "it holds no certificate",
    "KEY_VALUES_MISMATCH": "the key is that of another certificate",
}
_AUTHORITY = "have ssl-ca in database.url name the authority's certificate, which whoever runs the server hands out"
_HOST = "have database.url name the host as the certificate does; ssl-mode=VERIFY_CA where the certificate names none"
# X509_V_ERR_…, openssl's x509_vfy.h. Whatever else is wrong with a certificate, its authority is the one to be asked.
_REMEDIES = {
    9: "set this machine's clock; or have the server's certificate made anew",  # not yet valid
    10: "have the server's certificate renewed, or the authority's that ssl-ca names; see this machine's clock",
    62: _HOST,
    64: _HOST,  # of a host that is an address
}


def context(url: MysqlUrl) -> ssl.SSLContext | None:
    """Return how connections are encrypted; None for plain text. NeedsHuman where a file cannot be used."""
    tls = url.encrypted
    if tls is None:
        return None
    changed_ns: list[int] = []
    for path in tls.files.values():
        with _explained(path):
            changed_ns.append(path.stat().st_mtime_ns)
    return _made(tls, tuple(changed_ns))


@lru_cache(maxsize=1)
def _made(tls: Tls, _changed_ns: tuple[int, ...]) -> ssl.SSLContext:
    # Not `create_default_context`: from Python 3.13 on it refuses authorities that MySQL itself and some hosters make.
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2  # Debian's Python leaves that to the system's openssl.cnf
    made.check_hostname = tls.mode is TlsMode.VERIFY_IDENTITY
    if tls.mode is TlsMode.REQUIRED:
        made.verify_mode = ssl.CERT_NONE
    elif tls.ca is None:
        made.load_default_certs()
    else:
        with _explained(tls.ca):
            made.load_verify_locations(tls.ca)
    if tls.cert is not None:
        with _explained(tls.cert):
            made.load_cert_chain(tls.cert, tls.key, password="")  # else a locked key would ask the terminal
    return made


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except ssl.SSLError as error:
        why = _REASONS.get(error.reason or "", "it is no PEM, or its key is elsewhere or locked with a password")
        raise NeedsHuman(f"{path} cannot be used for TLS: {why}", remedy=_FILES) from error
    except OSError as error:
        raise NeedsHuman(f"{path} cannot be used for TLS: {error.strerror}", remedy=_FILES) from error


def failure(url: MysqlUrl, code: int, cause: object) -> KangbotError | None:
    """Translate a driver's error where it is one of TLS: its number, and what the system said below it; else None.

    NeedsHuman for a certificate that is refused, and for a server without TLS, or whoever stands before it and says so.
    """
    if code == NOT_OFFERED:
        return NeedsHuman(
            f"{url}: TLS is asked for, and the server offers none; no password was sent",
            remedy="switch TLS on in the server, or write ssl-mode=DISABLED in database.url where nobody can listen",
        )
    if isinstance(cause, ssl.SSLCertVerificationError):
        return NeedsHuman(
            f"{url}: the server's certificate is refused: {cause.verify_message.rstrip('.')}; no password was sent",
            remedy=_REMEDIES.get(cause.verify_code, _AUTHORITY),
        )
    if isinstance(cause, ssl.SSLError):
        why = (cause.reason or "the connection ended").lower().replace("_", " ")
        return Retryable(f"{url}: TLS (1.2 or later) failed: {why}")
    return None
