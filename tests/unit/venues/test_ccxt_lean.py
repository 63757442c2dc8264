"""Each test runs in a process of its own: what is measured is what an import leaves behind."""

from pathlib import Path

import pytest

from tests.support.interpreter import run


def test_one_exchange_is_at_least_thirty_megabytes_lighter_than_the_package() -> None:
    """Beyond asyncio, aiohttp and the loader itself, the lean load must earn its complexity."""
    common = "import asyncio, aiohttp, structlog\nfrom kangbot.venues.ccxt_lean import load\nbefore = mb()\n"
    lean = float(run(common + "load('bybit')\nprint(mb() - before)"))
    plain = float(run(common + "import ccxt.async_support\nprint(mb() - before)"))
    print(f"lean {lean:.1f} MB, plain {plain:.1f} MB")
    assert lean < plain - 30


def test_the_lean_class_is_the_exchange_and_nothing_else_is_loaded() -> None:
    """The class can be made and signs; no other exchange and no HTTP client of the synchronous world came along."""
    said = run("""
        import sys
        from kangbot.venues.ccxt_lean import load
        venue = load("bybit")({"apiKey": "k", "secret": "s"})
        signed = venue.sign("v5/order/create", ["private"], "POST", {"category": "linear"})
        print(venue.id, "X-BAPI-SIGN" in signed["headers"],
              "ccxt.async_support.binance" in sys.modules, "requests" in sys.modules, "cryptography" in sys.modules)
    """)
    assert said == "bybit True False False False"


def test_a_second_exchange_loads_beside_the_first() -> None:
    """Lean loads share the base modules."""
    said = run("""
        import sys
        from kangbot.venues.ccxt_lean import load
        print(load("bybit").__mro__[1] is load("okx").__mro__[1], "ccxt.async_support.binance" in sys.modules)
    """)
    assert said == "True False"


@pytest.mark.parametrize(
    "use",
    [
        "import ccxt; print(ccxt.binance().id, len(ccxt.exchanges) > 50)",
        "import ccxt; made = ccxt.bybit(); print(type(made.session).__name__ == 'Session' and 'binance', True)",
        "import ccxt.async_support as c; print(c.binance().id, c.bybit is lean)",
        "import ccxt.pro as c; print(c.binance().id, issubclass(c.bybit, lean))",
        "from ccxt.async_support import binance, bybit; print(binance().id, bybit is lean)",
    ],
)
def test_a_later_plain_import_finds_the_whole_of_ccxt(use: str) -> None:
    """The bare packages fill themselves when somebody asks for what the lean load did not bring."""
    assert run(f"from kangbot.venues.ccxt_lean import load\nlean = load('bybit')\n{use}") == "binance True"


def test_an_earlier_plain_import_is_used_as_it_is() -> None:
    """Nothing is replaced where the whole package is there already."""
    said = run(
        """
        import ccxt, ccxt.async_support
        whole = ccxt.async_support
        from kangbot.venues.ccxt_lean import load
        print(load("bybit") is whole.bybit, sys.modules["ccxt.async_support"] is whole, ccxt.Exchange is not None)
    """.replace("import ccxt,", "import sys, ccxt,")
    )
    assert said == "True True True"


def test_a_synchronous_class_behind_the_package_says_what_it_needs() -> None:
    """The stand-in for the session of requests fails where it is called, in words."""
    said = run("""
        from kangbot.venues.ccxt_lean import load
        load("bybit")
        from ccxt.bybit import bybit
        try:
            bybit()
        except RuntimeError as error:
            print(error)
    """)
    assert "import ccxt" in said


def test_another_layout_of_ccxt_falls_back_to_the_plain_import(tmp_path: Path) -> None:
    """A ccxt whose exchange needs what only the package's own `__init__` brings is imported whole, and logged."""
    package = tmp_path / "ccxt" / "async_support"
    package.mkdir(parents=True)
    (tmp_path / "ccxt" / "__init__.py").write_text("moved = 'here'\n")
    (package / "__init__.py").write_text("from ccxt.async_support.bybit import bybit\n")
    (package / "bybit.py").write_text("from ccxt import moved\nclass bybit:\n    where = moved\n")
    said = run("from kangbot.venues.ccxt_lean import load\nprint(load('bybit').where)", tmp_path)
    assert "ccxt.lean_failed" in said
    assert said.endswith("here")


def test_an_unknown_exchange_is_an_import_error() -> None:
    """A name that ccxt does not know is not found by falling back either."""
    said = run("""
        from kangbot.venues.ccxt_lean import load
        try:
            load("nowhere")
        except ImportError as error:
            print(error)
    """)
    assert said.endswith("ccxt knows no exchange 'nowhere'")
