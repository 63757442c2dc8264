"""Who may ask: Bybit v5's HMAC signatures and the window in which a request is taken.

A request is signed over timestamp, key, receive window and payload; the payload is the raw query of a GET and the raw
body of a POST. It is taken while server_time - recv_window <= timestamp < server_time + 1000.
"""

import hmac
from collections.abc import Mapping

from kangbot.sandbox.errors import API_KEY, PARAMS, SIGNATURE, TIMESTAMP, ApiError

_DEFAULT_WINDOW_MS = 5000
_AHEAD_MS = 1000


def sign(secret: str, material: str) -> str:
    """Return the signature of `material`, hexadecimal."""
    return hmac.new(secret.encode(), material.encode(), "sha256").hexdigest()


def check_request(key: str, secret: str, headers: Mapping[str, str], payload: str, now_ms: int) -> None:
    """Raise ApiError unless the request is signed by our key, and in time."""
    given, signature = headers.get("X-BAPI-API-KEY", ""), headers.get("X-BAPI-SIGN", "")
    stamp, window = headers.get("X-BAPI-TIMESTAMP", ""), headers.get("X-BAPI-RECV-WINDOW", "")
    if not given or not signature or not stamp:
        message = f"empty value: apiTimestamp[{stamp}] apiKey[{given}] apiSignature[{signature}]"
        raise ApiError(PARAMS, message)
    if given != key:
        raise ApiError(API_KEY, "API key is invalid.")
    if not stamp.isdecimal() or not (window or "0").isdecimal():
        raise ApiError(PARAMS, "invalid timestamp or recv_window")
    window_ms = int(window) if window else _DEFAULT_WINDOW_MS
    if not now_ms - window_ms <= int(stamp) < now_ms + _AHEAD_MS:
        raise ApiError(
            TIMESTAMP,
            "invalid request, please check your server timestamp or recv_window param. "
            f"req_timestamp[{stamp}],server_timestamp[{now_ms}],recv_window[{window_ms}]",
        )
    material = f"{stamp}{given}{window}{payload}"
    if not hmac.compare_digest(sign(secret, material), signature.lower()):
        raise ApiError(SIGNATURE, f"error sign! origin_string[{material}]")


def stream_accepted(key: str, secret: str, *, given: str, expires: str, signature: str, now_ms: int) -> str:
    """Return "" where a websocket's `auth` is right, else what is wrong with it."""
    if given != key:
        return "error:API key is invalid."
    if not expires.isdecimal() or int(expires) <= now_ms:
        return "Params Error"
    if not hmac.compare_digest(sign(secret, f"GET/realtime{expires}"), signature.lower()):
        return "error:USVC1111"
    return ""
