"""What `KANGBOT_*` variables say is laid over the file, and a mistake in one names it."""

from collections.abc import Mapping
from decimal import Decimal

import pytest

from kangbot.settings.environment import read_environment
from kangbot.settings.sources import value_at

from .conftest import MARKET, Mistakes, Read, said


def test_a_variable_stands_above_the_file(read: Read) -> None:
    """KANGBOT_DATABASE__URL style, in any section, typed like the file."""
    settings = read(
        f"[database]\nbatch = 5\n{MARKET}",
        {
            "KANGBOT_MODE": "paper",
            "KANGBOT_DATABASE__BATCH": "7",
            "KANGBOT_DATABASE__URL": "mysql://u:p@localhost/kangbot",
            "KANGBOT_VENUES__BYBIT__REST_URL": "http://127.0.0.1:1/",
            "KANGBOT_DEFAULTS__PARAMETERS__FAST": "4",
            "KANGBOT_DEFAULTS__SIZE": "12.50",
            "KANGBOT_RISK__REQUIRE_STOP": "false",
        },
    )
    assert settings.mode == "paper"
    assert settings.database.batch == 7
    assert settings.bybit_rest_url == "http://127.0.0.1:1"
    assert settings.trading[0].parameters == {"fast": 4}
    assert settings.trading[0].size == Decimal("12.50")
    assert not settings.risk.require_stop


@pytest.mark.parametrize(
    ("value", "hosts"), [("kangbot", ("kangbot",)), ("kangbot, Bot.Example,", ("kangbot", "bot.example")), (" ", ())]
)
def test_host_names_can_come_from_a_variable(read: Read, value: str, hosts: tuple[str, ...]) -> None:
    """With commas between them, in the place of the file's."""
    assert read(f"[control]\nhosts = ['x.example']\n{MARKET}", {"KANGBOT_CONTROL__HOSTS": value}).control.hosts == hosts


@pytest.mark.parametrize(
    ("environ", "key", "word"),
    [
        ({}, "KANGBOT_CONTROL__HOST", "no name is allowed"),
        ({"KANGBOT_CONTROL__HOSTS": ","}, "KANGBOT_CONTROL__HOST", "no name is allowed"),
        ({"KANGBOT_CONTROL__HOSTS": "kangbot,*"}, "KANGBOT_CONTROL__HOSTS", "'*' is not a host name"),
        ({"KANGBOT_CONTROL__HOSTS": '["kangbot"]'}, "KANGBOT_CONTROL__HOSTS", "is not a host name"),
    ],
)
def test_a_variable_opens_no_door_without_names(
    mistakes: Mistakes, environ: Mapping[str, str], key: str, word: str
) -> None:
    """Another address than the loopback's is refused as in the file, and a name that is none as well."""
    (found,) = mistakes(MARKET, {"KANGBOT_CONTROL__HOST": "0.0.0.0", **environ})
    assert (found.file, found.key) == ("environment", key)
    assert word in found.message


def test_markets_can_come_from_a_variable(read: Read) -> None:
    """A list is JSON."""
    settings = read("", {"KANGBOT_MARKETS": '[{"symbol": "SOL/USDT:USDT", "size": 33.3}]'})
    assert [(market.symbol, market.size) for market in settings.trading] == [("SOL/USDT:USDT", Decimal("33.3"))]


def test_a_mistake_of_a_variable_names_the_variable(mistakes: Mistakes) -> None:
    """Neither a line nor a file is to blame."""
    found = mistakes(
        f"[database]\nbatch = 5\n{MARKET}", {"KANGBOT_DATABASE__BATCH": "many", "KANGBOT_DATABSE__URL": "x"}
    )
    assert {(problem.file, problem.key) for problem in found} == {
        ("environment", "KANGBOT_DATABASE__BATCH"),
        ("environment", "KANGBOT_DATABSE__URL"),
    }
    assert "KANGBOT_DATABASE__" in said(found)


@pytest.mark.parametrize("value", ["no json", "[1", '{"a": 1}', "[[" * 5000])
def test_a_list_that_is_no_list_is_a_mistake(mistakes: Mistakes, value: str) -> None:
    """JSON that is none does not come through as an exception."""
    assert "KANGBOT_MARKETS" in said(mistakes("", {"KANGBOT_MARKETS": value}))


def test_a_variable_is_ours_however_it_is_written_and_some_are_read_elsewhere(mistakes: Mistakes, read: Read) -> None:
    """A shell's habit is no mistake; the command line's and the tests' own are no settings."""
    assert read(MARKET, {"kangbot_mode": "paper", "Kangbot_Database__Batch": "7"}).mode == "paper"
    assert mistakes(MARKET, {"KANGBOT_CONFIG": "/x", "KANGBOT_RECORDED": "/y"}) == ()
    (found,) = mistakes(MARKET, {"kangbot_databse__url": "x"})
    assert (found.key, found.remedy) == ("kangbot_databse__url", "Did you mean KANGBOT_DATABASE__…?")


def test_a_parameter_from_a_variable_means_what_it_would_in_the_file() -> None:
    """A fraction is exact, a word is a text, and what is no value of a file is a text as well."""
    said = {
        "A": "2.10",
        "B": "7",
        "C": "true",
        "D": "plain words",
        "E": "1e",
        "F": "[1, 2.5]",
        "G": "1e9999999999999999999",
    }
    environ = {f"KANGBOT_DEFAULTS__PARAMETERS__{name}": value for name, value in said.items()}
    overlay, strangers = read_environment(environ)
    parameters = value_at(overlay, ("defaults", "parameters"))
    assert isinstance(parameters, dict)
    assert strangers == ()
    assert {name: str(value) for name, value in parameters.items()} == {
        "a": "2.10",
        "b": "7",
        "c": "True",
        "d": "plain words",
        "e": "1e",
        "f": "[1, Decimal('2.5')]",
        "g": "1e9999999999999999999",
    }
