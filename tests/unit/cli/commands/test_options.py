"""The options that many commands share."""

from pathlib import Path
from typing import get_args, get_type_hints

from kangbot.cli import exit_codes
from kangbot.cli.commands.configure import validate
from kangbot.cli.commands.options import Config
from kangbot.settings.paths import shipped_config
from tests.support.typed import kangbot

SHIPPED = str(shipped_config("kangbot.toml"))


def test_the_file_can_be_named_by_a_variable() -> None:
    """For containers and services."""
    assert kangbot("check", cwd=Path("/"), KANGBOT_CONFIG=SHIPPED).returncode == exit_codes.OK


def test_a_configuration_that_may_not_be_read_is_no_wrong_usage() -> None:
    """Its loader says so, with the exit code of a configuration. Root reads any file, so none is tried."""
    looked = (Config, get_type_hints(validate, include_extras=True)["file"])
    assert [get_args(kind)[1].readable for kind in looked] == [False, False]
