"""What was taken from another bot, as a configuration's text."""

import tomllib
from decimal import Decimal

import pytest

from kangbot.cli.importing.draft import draft
from kangbot.cli.importing.taken import Taken


def test_what_was_not_taken_has_its_default() -> None:
    """Only what another bot said stands there."""
    table = tomllib.loads(draft(Taken(symbols=["BTC/USDT"]), ["a.json"]))
    assert table == {
        "mode": "paper",
        "state_dir": "state",
        "defaults": {"venue": "bybit", "strategy": "ema_cross", "leverage": 1},
        "markets": [{"symbol": "BTC/USDT"}],
    }


def test_what_was_taken_stands_there() -> None:
    """Exactly; a name as text, whatever is in it."""
    taken = Taken(
        venue="binance_usdm",
        timeframe="5m",
        size=Decimal("1E+2"),
        stop_percent=Decimal("7.50"),
        balance=Decimal(900),
        name='m"ill',
        symbols=["BTC/USDT:USDT", "ETH/USDT:USDT"],
    )
    table = tomllib.loads(draft(taken, ["a.json"]), parse_float=Decimal)
    assert (table["defaults"]["venue"], table["defaults"]["timeframe"]) == ("binance_usdm", "5m")
    assert (table["defaults"]["size"], table["defaults"]["parameters"]) == (100, {"stop_percent": Decimal("7.50")})
    assert (table["paper"], table["notify"]) == ({"balance": 900}, {"name": 'm"ill'})
    assert len(table["markets"]) == 2


@pytest.mark.parametrize(
    ("size", "positions", "limits"),
    [
        (None, None, None),
        (None, 3, {"open_positions": 3}),
        (100, None, {"market_notional": 110, "total_notional": 2000}),
        (9000, None, {"market_notional": 9900, "total_notional": 9900}),
        (100, 3, {"market_notional": 110, "total_notional": 330, "open_positions": 3}),
        (100, 0, {"market_notional": 110, "total_notional": 2000, "open_positions": 0}),
    ],
)
def test_limits_let_in_what_the_source_would(
    size: int | None, positions: int | None, limits: dict[str, int] | None
) -> None:
    """So many positions of that size, each counted at its worst; 0 is no limit."""
    taken = Taken(size=None if size is None else Decimal(size), open_positions=positions)
    assert tomllib.loads(draft(taken, ["a.json"]), parse_float=Decimal).get("risk") == limits


def test_a_balance_is_of_paper_alone() -> None:
    """Elsewhere it is the exchange's to tell."""
    assert "paper" not in tomllib.loads(draft(Taken(mode="sandbox", balance=Decimal(900)), ["a.json"]))


def test_notes_and_names_are_remarks_and_nothing_else() -> None:
    """A file's name may have anything in it."""
    text = draft(Taken(notes=["the key was not taken"]), ['a\nmode = "live"', "b.json"])
    assert "# - the key was not taken\n" in text
    assert text.splitlines()[0] == '# Written by `kangbot config import` from a?mode = "live", b.json.'
