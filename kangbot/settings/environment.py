"""What the `KANGBOT_*` variables say, as pydantic-settings reads them; loaded only where a file is read."""

import difflib
import tomllib
from collections.abc import Mapping
from decimal import Decimal

from pydantic.fields import FieldInfo
from pydantic_settings import EnvSettingsSource

from kangbot.errors import Problem
from kangbot.settings.document import Document
from kangbot.settings.lines import Key
from kangbot.settings.sources import ENV_DELIMITER, ENV_PREFIX, Table, merged, nested, value_at

NOT_SETTINGS = frozenset({"KANGBOT_CONFIG", "KANGBOT_RECORDED"})  # read elsewhere: the command line, the tests
# Lists; in a variable with commas between what is in them, as in a compose file.
LISTS: tuple[Key, ...] = (("control", "hosts"), ("telegram", "chats"))


class Environment(EnvSettingsSource):
    """pydantic-settings' own reading of `KANGBOT_DATABASE__URL`, from the variables it is given.

    A value that should be JSON and is not stays text, so that it is reported like any other value of the wrong type.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._given = {name.lower(): value for name, value in environ.items()}
        super().__init__(Document)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return self._given

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: object) -> object:
        """Return the JSON's value, or the text itself."""
        try:
            return super().decode_complex_value(field_name, field, value)
        except (ValueError, RecursionError):
            return value


def read_environment(environ: Mapping[str, str]) -> tuple[Table, tuple[Problem, ...]]:
    """Return what the `KANGBOT_*` variables say, nested like the file, and those that say nothing we know."""
    ours = {
        name: value
        for name, value in environ.items()
        if name.upper().startswith(ENV_PREFIX) and name not in NOT_SETTINGS
    }
    sections = Document.model_fields
    problems = []
    for name in sorted(ours):
        head = name.upper().removeprefix(ENV_PREFIX).lower().split(ENV_DELIMITER)[0]
        if head not in sections:
            near = difflib.get_close_matches(head, sections, n=1, cutoff=0.6)
            remedy = f"Did you mean {ENV_PREFIX}{near[0].upper()}{ENV_DELIMITER}…?" if near else ""
            problems.append(Problem(message="is no setting", key=name, file="environment", remedy=remedy))
    overlay = dict(Environment(ours)())
    parameters = value_at(overlay, ("defaults", "parameters"))
    if isinstance(parameters, dict):
        typed = {name: _as_in_file(value) for name, value in parameters.items()}
        overlay = merged(overlay, nested(("defaults", "parameters"), typed))
    for key in LISTS:
        text = value_at(overlay, key)
        if isinstance(text, str):
            overlay = merged(overlay, nested(key, [part.strip() for part in text.split(",") if part.strip()]))
    return overlay, tuple(problems)


def _as_in_file(value: object) -> object:
    """Return what a variable's text would mean in the file: a strategy's parameters have no type before it is known."""
    if not isinstance(value, str):
        return value
    try:
        return tomllib.loads(f"value = {value}", parse_float=Decimal)["value"]
    except (ValueError, ArithmeticError, RecursionError):
        return value
