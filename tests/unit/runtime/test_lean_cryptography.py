"""Each test runs in a process of its own: what stands in is decided by what is imported already."""

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.support.interpreter import run

_LOAD = """
import base64, sys
from urllib.parse import unquote
from kangbot.venues.ccxt_lean import load
bybit = load("bybit")
assert "cryptography" not in sys.modules
"""
# What a signature is checked by is imported after it was made.
_REAL = """
assert "cryptography" in sys.modules
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, utils
from cryptography.hazmat.primitives.serialization import load_pem_private_key
"""
_SIGNED = {
    "a request of Bybit": """
venue = bybit({"apiKey": "k", "secret": KEY})
signed = venue.sign("v5/order/create", ["private"], "POST", {"category": "linear"})
REAL
headers = signed["headers"]
what = headers["X-BAPI-TIMESTAMP"] + "k" + headers["X-BAPI-RECV-WINDOW"] + signed["body"]
signature = base64.b64decode(unquote(headers["X-BAPI-SIGN"]))
public = load_pem_private_key(KEY.encode(), None).public_key()
public.verify(signature, what.encode(), padding.PKCS1v15(), hashes.SHA256())
""",
    "rsa": """
signature = base64.b64decode(bybit.rsa("what", KEY, "sha384"))
REAL
load_pem_private_key(KEY.encode(), None).public_key().verify(signature, b"what", padding.PKCS1v15(), hashes.SHA384())
""",
    "eddsa": """
signature = base64.b64decode(bybit.eddsa(b"what", bytes(32)))
REAL
ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().verify(signature, b"what")
""",
    "ecdsa": """
signed = bybit.ecdsa("07" * 32, "11" * 32, "p256")
REAL
key = ec.derive_private_key(int("11" * 32, 16), ec.SECP256R1())
whole = utils.encode_dss_signature(int(signed["r"], 16), int(signed["s"], 16))
key.public_key().verify(whole, bytes([7] * 32), ec.ECDSA(utils.Prehashed(hashes.SHA256())))
""",
}


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    """Return a private key as an operator or a server makes one."""
    return rsa.generate_private_key(65537, 2048)


@pytest.mark.parametrize("way", _SIGNED)
def test_what_is_signed_first_imports_cryptography_and_is_a_signature(way: str, key: rsa.RSAPrivateKey) -> None:
    """Bybit's keys of one's own (RSA), and each other way of ccxt's to sign by it, some of them by its own tables."""
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    assert run(f"{_LOAD}KEY = {pem!r}\n{_SIGNED[way].replace('REAL', _REAL)}\nprint('good')") == "good"


def test_the_driver_has_it_for_a_password_that_is_sent_by_a_servers_key(key: rsa.RSAPrivateKey) -> None:
    """MySQL's sha256_password and caching_sha2_password without TLS; the import alone brings nothing."""
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    said = run(f"""
        import sys
        import kangbot.storage.link
        from pymysql import _auth
        before = "cryptography" in sys.modules
        sent = _auth.sha2_rsa_encrypt(b"password", b"x" * 20, {public!r})
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
        scheme = OAEP(mgf=MGF1(algorithm=hashes.SHA1()), algorithm=hashes.SHA1(), label=None)
        read = load_pem_private_key({private!r}, None).decrypt(sent, scheme)
        print(before, bytes(one ^ other for one, other in zip(read, b"x" * 20)))
    """)
    assert said == "False b'password\\x00'"


def test_after_the_first_use_the_importer_has_the_real_names() -> None:
    """Some of the names hold constants, which are asked for without a call."""
    said = run(f"""{_LOAD}
bybit.eddsa(b"what", bytes(32))
import ccxt.base.exchange as base
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
print(base.Encoding is Encoding, base.PublicFormat is PublicFormat, base.padding is padding)
""")
    assert said == "True True True"


def test_cryptography_that_is_there_already_is_used_as_it_is() -> None:
    """Who needs it before has it, and its importers with it."""
    said = run("""
        import sys
        from cryptography.hazmat.primitives import hashes
        from kangbot.venues.ccxt_lean import load
        load("bybit")
        import ccxt.base.exchange as base
        from cryptography.hazmat.primitives.asymmetric import ed25519
        print(base.hashes is hashes is sys.modules["cryptography.hazmat.primitives.hashes"], base.ed25519 is ed25519)
    """)
    assert said == "True True"


def test_a_later_import_is_the_real_package() -> None:
    """Nothing of the stand-ins is left where imports look."""
    said = run(f"""{_LOAD}
from cryptography.hazmat.primitives import hashes
print(hashes.SHA256().digest_size, [finder for finder in sys.meta_path if "lean_cryptography" in repr(finder)])
""")
    assert said == "32 []"


def test_what_python_probes_for_is_not_asked_of_what_is_not_there() -> None:
    """A stand-in that is shown, copied or inspected imports nothing, and does not pretend."""
    said = run(f"""{_LOAD}
import ccxt.base.exchange as base
print(hasattr(base.ec.SECP256R1, "__wrapped__"), "cryptography" in sys.modules)
""")
    assert said == "False False"


def test_without_cryptography_its_importers_say_so_as_ever() -> None:
    """PyMySQL does without it until a password asks for it."""
    said = run("""
        import sys
        from importlib.machinery import PathFinder
        found = PathFinder.find_spec
        PathFinder.find_spec = lambda name, *rest: None if name == "cryptography" else found(name, *rest)
        import kangbot.storage.link
        from pymysql import _auth
        print(_auth._have_cryptography)
    """)
    assert said == "False"
