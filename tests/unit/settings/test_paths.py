"""Where what ships with kangbot is: in a checkout beside the package, installed below the prefix."""

from pathlib import Path

import pytest

from kangbot.settings import paths
from kangbot.settings.paths import SERVICE, shipped, shipped_config


def test_a_checkout_has_its_own() -> None:
    """Configurations, and the folders that go with a release."""
    assert shipped_config("kangbot.toml").is_file()
    assert shipped("migrations").is_dir()
    assert shipped("config").parent == Path(paths.__file__).parents[2]


def test_without_them_beside_the_package_they_are_the_installations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Folder by folder."""
    monkeypatch.setattr(paths, "CHECKOUT", tmp_path)
    monkeypatch.setattr(paths, "INSTALLED", tmp_path / "share")
    (tmp_path / "migrations").mkdir()
    assert shipped("migrations") == tmp_path / "migrations"
    assert shipped_config("demo.toml") == tmp_path / "share" / "config" / "demo.toml"


def test_the_services_configuration_is_where_its_unit_has_it() -> None:
    """A message sends people there."""
    unit = (shipped("config") / "systemd" / "kangbot.service").read_text(encoding="utf-8")
    assert f"--config {SERVICE}" in unit
