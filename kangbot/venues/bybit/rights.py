"""What an API key may do at Bybit, asked with the key itself.

The daemon never needs it: a right that is missing shows in the refusal of the first call. It is for whoever looks at an
installation before it trades, and above all for a right that should not be there.

Source: Bybit v5, "Get API Key Information"; any key may ask.
"""

from datetime import datetime

import msgspec

from kangbot.errors import Retryable
from kangbot.venues.bybit.client import Client

_EVERYWHERE = frozenset({"*", ""})
_PAYS = ("FiatP2P", "FiatBitPay", "FiatBybitPay")  # the last is what Bybit called the second one until May 2026


class _KeyRow(msgspec.Struct, frozen=True, rename="camel"):
    read_only: int
    permissions: dict[str, list[str] | None]
    ips: list[str] | None = None
    expired_at: str | None = None


class KeyRights(msgspec.Struct, frozen=True, kw_only=True):
    """What the key may do. What Bybit will name in future is not here, so it is never mistaken for less."""

    reads_only: bool
    contracts: bool  # may place orders in contracts, and stops on their positions
    spot: bool
    withdraws: bool
    transfers: bool  # may move money between accounts of the same owner, or pay with it
    addresses: tuple[str, ...]  # that it is bound to; empty: it works from everywhere
    expires_ns: int | None  # None: it does not, or that is not told


async def key_rights(client: Client) -> KeyRights:
    """Ask for the rights of the client's own key. NeedsHuman: the venue does not take the key."""
    row = (await client.ask("privateGetV5UserQueryApi", {}, _KeyRow)).result
    granted = {name: frozenset(rights or ()) for name, rights in row.permissions.items()}
    nothing: frozenset[str] = frozenset()
    wallet = granted.get("Wallet", nothing)
    return KeyRights(
        reads_only=row.read_only == 1,
        contracts="Order" in granted.get("ContractTrade", nothing)
        or "DerivativesTrade" in granted.get("Derivatives", nothing),
        spot="SpotTrade" in granted.get("Spot", nothing),
        withdraws="Withdraw" in wallet,
        transfers=bool(wallet & {"AccountTransfer", "SubMemberTransfer"}) or any(granted.get(name) for name in _PAYS),
        addresses=() if _EVERYWHERE.intersection(row.ips or ("*",)) else tuple(row.ips or ()),
        expires_ns=_expires_ns(row.expired_at or ""),
    )


def _expires_ns(text: str) -> int | None:
    if not text:
        return None
    try:
        return int(datetime.fromisoformat(text).timestamp()) * 1_000_000_000
    except ValueError as error:
        raise Retryable(f"bybit sent a day that cannot be read: {error}", code="unreadable") from error
