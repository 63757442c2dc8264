"""Certificates made on the spot: an authority of a test's own, and what it signs."""

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

_DAY = timedelta(days=1)
# Since Python 3.13 an authority must say that it is one, and a certificate whose it is (VERIFY_X509_STRICT).
_CERTIFIES = x509.KeyUsage(
    key_cert_sign=True,
    crl_sign=True,
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)


class Authority:
    """Signs certificates, and has its own in `ca`."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._name = _named(name)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.ca = folder / f"{name}.pem"
        own = _certificate(self._name, self._name, self._key.public_key(), days=10)
        own = own.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        own = own.add_extension(_CERTIFIES, critical=True)
        known = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        own = own.add_extension(known, critical=False)
        self._issuer = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(known)
        self.ca.write_bytes(own.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM))

    def sign(
        self, name: str, host: str = "127.0.0.1", *, since: int = 9, days: int = 5, password: str = ""
    ) -> tuple[Path, Path]:
        """Return a certificate for the host, and its key, in files of that name; those that were there are replaced.

        It has been good for so many days, and is for so many to come; negative numbers turn that round.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        made = _certificate(_named(name), self._name, key.public_key(), since=since, days=days)
        made = made.add_extension(x509.SubjectAlternativeName([_host(host)]), critical=False)
        made = made.add_extension(self._issuer, critical=False)
        cert, private = self._folder / f"{name}-cert.pem", self._folder / f"{name}-key.pem"
        cert.write_bytes(made.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM))
        lock = BestAvailableEncryption(password.encode()) if password else NoEncryption()
        private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock))
        return cert, private


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, *, since: int = 9, days: int
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=key,
        serial_number=x509.random_serial_number(),
        not_valid_before=now - since * _DAY,
        not_valid_after=now + days * _DAY,
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
