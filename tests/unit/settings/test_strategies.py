"""Each market's strategy is made with its parameters before the daemon is, and its mistakes are the configuration's."""

from pathlib import Path

import pytest

from kangbot.settings.schema import Settings
from kangbot.settings.sources import Origin
from kangbot.settings.strategies import check_strategies
from kangbot.settings.trading import Defaults, Market
from kangbot.strategy import registry
from kangbot.strategy.ema_cross import EmaCross, EmaCrossParameters

from .conftest import MARKET, Mistakes, Read, said


def test_a_wrong_parameter_of_the_defaults_is_told_once(mistakes: Mistakes) -> None:
    """Twenty-seven markets share one mistake."""
    text = "[defaults]\nparameters = { fst = 5 }\n" + MARKET + MARKET.replace("BTC", "ETH")
    (found,) = mistakes(text)
    assert (found.line, found.key) == (2, "defaults.parameters.fst")
    assert "Did you mean fast?" in found.remedy


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        (f'{MARKET}strategy = "mine.py"\n', 3, "markets[0].strategy"),
        (f'[defaults]\nstrategy = "mine.py"\n{MARKET}', 2, "defaults.strategy"),
    ],
)
def test_a_strategy_of_ones_own_is_loaded_from_the_folder_of_the_file(
    mistakes: Mistakes, tmp_path: Path, text: str, line: int, key: str
) -> None:
    """Its mistakes carry the place in its own file."""
    (tmp_path / "mine.py").write_text("raise RuntimeError('on purpose')\n")
    (found,) = mistakes(text)
    assert (found.line, found.key) == (line, key)
    assert f"{tmp_path}/mine.py:1" in found.message
    assert "on purpose" in found.message


def test_a_strategy_that_cannot_be_made_is_a_mistake(mistakes: Mistakes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a strategy raises on odd parameters, the configuration is to blame and nothing falls."""

    class Falls(EmaCross):
        def __init__(self, parameters: EmaCrossParameters) -> None:
            raise ArithmeticError("on purpose")

    monkeypatch.setitem(registry.SHIPPED, "falls", Falls)
    assert "cannot be made: ArithmeticError: on purpose" in said(mistakes(f'{MARKET}strategy = "falls"\n'))


def test_a_parameter_that_is_no_finite_number_is_told_by_its_name(mistakes: Mistakes) -> None:
    """TOML has such numbers, and no rule of a strategy could compare one."""
    (found,) = mistakes(f"{MARKET}parameters = {{ stop_percent = nan }}\n")
    assert (found.key, found.line) == ("markets[0].parameters.stop_percent", 3)


@pytest.mark.parametrize(
    ("method", "line", "words"),
    [
        ("@property\n    def lookback(self):\n        return 1 // 0", 6, "ZeroDivisionError: "),
        ("def indicators(self):\n        return None.x", 5, "AttributeError: 'NoneType'"),
        (
            "def indicators(self):\n        return None",
            0,
            "class Mine: what `indicators` returns has no method `update`",
        ),
    ],
)
def test_what_the_daemon_first_asks_of_a_strategy_is_asked_by_the_check(
    mistakes: Mistakes, tmp_path: Path, method: str, line: int, words: str
) -> None:
    """Its market would fall again and again; the mistake has its line in the strategy's own file."""
    head = "from kangbot.strategy.ema_cross import EmaCross\nclass Mine(EmaCross):\n    name = 'mine'\n"
    (tmp_path / "mine.py").write_text(f"{head}    {method}\n")
    (found,) = mistakes(f'{MARKET}strategy = "mine.py"\n')
    assert (found.line, found.key) == (3, "markets[0].strategy")
    assert words in found.message
    assert (f"{tmp_path}/mine.py:{line}: " in found.message) == bool(line)


def test_the_longest_parameters_that_ship_are_right(read: Read) -> None:
    """What their table allows is what a market can begin with."""
    table = MARKET + "parameters = { slow = 500 }\n" + MARKET.replace("BTC", "ETH") + 'strategy = "rsi_reversion"\n'
    assert len(read(f"{table}parameters = {{ period = 500 }}\n").trading) == 2


def test_a_strategy_that_looks_back_too_far_is_a_mistake(mistakes: Mistakes, tmp_path: Path) -> None:
    """Told before the start, with its line; of bars that are built here it is only slow to begin."""
    (tmp_path / "far.py").write_text(
        "from kangbot.strategy.ema_cross import EmaCross\nclass Far(EmaCross):\n    name = 'far'\n    lookback = 5001\n"
    )
    text = f'{MARKET}strategy = "far.py:Far"\n'
    (found,) = mistakes(text)
    assert (found.line, found.key) == (3, "markets[0].strategy")
    assert "looks back 5001 bars, and a market begins with at most 5000" in found.message
    assert mistakes(f'{text}timeframe = "30s"\n') == ()


def test_what_many_markets_share_is_yielded_once(tmp_path: Path) -> None:
    """Whoever asks."""
    wrong = Defaults(parameters={"fst": 5})
    settings = Settings(defaults=wrong, markets=tuple(Market(symbol=f"{coin}/USDT:USDT") for coin in "ABC"))
    (found,) = check_strategies(settings, Origin(file=str(tmp_path)))
    assert found.key == "defaults.parameters.fst"


def test_a_parameter_is_placed_where_the_one_that_counts_was_written(mistakes: Mistakes) -> None:
    """The market's own where it has one; those of the defaults are not another strategy's."""
    defaults = "[defaults]\nparameters = { fast = 0 }\n"
    (found,) = mistakes(f"{defaults}{MARKET}parameters = {{ fast = -1 }}\n")
    assert (found.key, found.line) == ("markets[0].parameters.fast", 5)
    (found,) = mistakes(f"{defaults}{MARKET}")
    assert (found.key, found.line) == ("defaults.parameters.fast", 2)
    assert mistakes(f'{defaults}{MARKET}strategy = "rsi_reversion"\n') == ()
