"""What a key may do, read from Bybit's answer."""

from typing import Any

import msgspec
import pytest

from kangbot.errors import Retryable
from kangbot.venues.bybit.client import Answer
from kangbot.venues.bybit.rights import KeyRights, key_rights

TRADES = {"ContractTrade": ["Order", "Position"], "Spot": ["SpotTrade"], "Wallet": [], "Derivatives": []}


class Bybit:
    """Answers the one question with a row in Bybit's own form."""

    def __init__(self, **row: object) -> None:
        self._row = {"readOnly": 0, "permissions": TRADES, "ips": ["*"], "expiredAt": "2099-01-01T00:00:00Z", **row}

    async def ask(self, endpoint: str, params: object, shape: Any) -> Answer[Any]:
        assert endpoint == "privateGetV5UserQueryApi"
        return Answer(msgspec.convert(self._row, shape, strict=False), 0)


async def rights(**row: object) -> KeyRights:
    return await key_rights(Bybit(**row))  # type: ignore[arg-type] # the one question that is asked of the client


async def test_a_key_that_trades_and_no_more() -> None:
    """It works from everywhere until its day."""
    found = await rights()
    assert (found.contracts, found.spot, found.withdraws, found.transfers) == (True, True, False, False)
    assert (found.reads_only, found.addresses) == (False, ())
    assert found.expires_ns == 4_070_908_800 * 10**9


@pytest.mark.parametrize(
    ("wallet", "withdraws", "transfers"),
    [
        (["Withdraw"], True, False),
        (["AccountTransfer", "SubMemberTransfer"], False, True),
        (["SubMemberTransferList"], False, False),
        (None, False, False),
    ],
)
async def test_what_moves_money_is_told_apart(wallet: list[str] | None, *, withdraws: bool, transfers: bool) -> None:
    """A list of transfers moves nothing."""
    found = await rights(permissions={**TRADES, "Wallet": wallet})
    assert (found.withdraws, found.transfers) == (withdraws, transfers)


@pytest.mark.parametrize("name", ["FiatBitPay", "FiatBybitPay", "FiatP2P"])
async def test_payments_move_money_too(name: str) -> None:
    """They are rights of their own, beside the wallet's; Bybit has renamed one of them."""
    assert (await rights(permissions={**TRADES, name: ["FaitPayOrder"]})).transfers


async def test_a_key_of_a_unified_account_trades_contracts_by_another_name() -> None:
    """DerivativesTrade stands for both."""
    found = await rights(permissions={"Derivatives": ["DerivativesTrade"]}, readOnly=1)
    assert (found.contracts, found.spot, found.reads_only) == (True, False, True)


async def test_a_key_that_is_bound_names_its_addresses() -> None:
    """Bybit then tells an empty day, or none."""
    found = await rights(ips=["192.0.2.7", "192.0.2.8"], expiredAt="")
    assert (found.addresses, found.expires_ns) == (("192.0.2.7", "192.0.2.8"), None)


async def test_a_day_that_cannot_be_read_is_no_answer() -> None:
    """Rather than a key that never ends."""
    with pytest.raises(Retryable, match="cannot be read"):
        await rights(expiredAt="soon")
