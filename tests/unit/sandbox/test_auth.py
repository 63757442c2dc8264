"""Signatures and windows."""

import pytest

from kangbot.sandbox.auth import check_request, sign, stream_accepted
from kangbot.sandbox.errors import ApiError

NOW_MS = 1_700_000_000_000


def headers(stamp: int = NOW_MS, window: str = "5000", payload: str = "a=1", **changes: str) -> dict[str, str]:
    """Return the headers of a request that is right unless changed."""
    material = f"{stamp}key{window}{payload}"
    right = {
        "X-BAPI-API-KEY": "key",
        "X-BAPI-TIMESTAMP": str(stamp),
        "X-BAPI-RECV-WINDOW": window,
        "X-BAPI-SIGN": sign("secret", material),
    }
    return right | changes


def test_the_signature_is_the_documented_one() -> None:
    """HMAC-SHA256 over timestamp, key, window and payload; the value was computed with openssl."""
    expected = "d026b6d817e30bf57f231da2f2e4c6cbb5b776a49bc545459332eaabf806ca3a"
    assert sign("secret", "1700000000000key5000a=1") == expected


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({}, 0),
        ({"window": ""}, 0),
        ({"stamp": NOW_MS - 5000}, 0),
        ({"stamp": NOW_MS - 5001}, 10002),
        ({"stamp": NOW_MS + 999}, 0),
        ({"stamp": NOW_MS + 1000}, 10002),
        ({"payload": "a=2"}, 10004),
        ({"X-BAPI-SIGN": "00"}, 10004),
        ({"X-BAPI-API-KEY": "other"}, 10003),
        ({"X-BAPI-API-KEY": ""}, 10001),
        ({"X-BAPI-TIMESTAMP": "soon"}, 10001),
        ({"X-BAPI-SIGN": ""}, 10001),
        ({"X-BAPI-RECV-WINDOW": "long"}, 10001),
        ({"X-BAPI-SIGN": headers()["X-BAPI-SIGN"].upper()}, 0),
    ],
)
def test_a_request_is_taken_or_refused_with_its_code(given: dict[str, object], code: int) -> None:
    """The window is open at its end and closed at its beginning."""
    refused = 0
    try:
        check_request("key", "secret", headers(**given), "a=1", NOW_MS)  # type: ignore[arg-type]
    except ApiError as error:
        refused = error.code
    assert refused == code


def test_a_stream_wants_a_signature_that_has_not_expired() -> None:
    """Over the word GET/realtime and the time of expiry."""
    expires = str(NOW_MS + 1)
    right = sign("secret", f"GET/realtime{expires}")
    assert stream_accepted("key", "secret", given="key", expires=expires, signature=right, now_ms=NOW_MS) == ""
    assert stream_accepted("key", "secret", given="key", expires=expires, signature=right.upper(), now_ms=NOW_MS) == ""
    for changes in ({"given": "x"}, {"expires": str(NOW_MS)}, {"signature": "00"}, {"expires": ""}):
        terms = {"given": "key", "expires": expires, "signature": right, **changes}
        assert stream_accepted("key", "secret", now_ms=NOW_MS, **terms)
