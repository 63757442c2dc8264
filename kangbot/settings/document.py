"""The configuration as pydantic-settings validates it: the fields of `Settings`, strict about what it does not know.

Loaded only where a file is read; see `apart.py` for why the daemon does not.
"""

import dataclasses
from typing import Any

from pydantic import create_model
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from kangbot.settings.schema import Settings
from kangbot.settings.sources import ENV_DELIMITER, ENV_PREFIX


class _Base(BaseSettings):
    model_config = SettingsConfigDict(
        extra="forbid",
        allow_inf_nan=False,
        hide_input_in_errors=True,
        validate_default=False,
        env_prefix=ENV_PREFIX,
        env_nested_delimiter=ENV_DELIMITER,
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what `loading` merged: it must know of every value whether the file or the environment said it."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)


def _as_pydantic(field: dataclasses.Field[Any]) -> tuple[Any, FieldInfo]:
    if field.default_factory is not dataclasses.MISSING:
        return field.type, FieldInfo(default_factory=field.default_factory)
    return field.type, FieldInfo(default=field.default)


_FIELDS: dict[str, Any] = {field.name: _as_pydantic(field) for field in dataclasses.fields(Settings)}
Document = create_model("Document", __base__=_Base, **_FIELDS)


def validated(table: dict[str, object]) -> Settings:
    """Return the settings that `table` says; pydantic's ValidationError with every finding."""
    document = Document.model_validate(table)
    return Settings(**{field.name: getattr(document, field.name) for field in dataclasses.fields(Settings)})
