"""Where the library of the charts is, without loading it."""

import sys
from pathlib import Path

import pytest

from kangbot.control.dashboard.charts import charts_library


def test_the_librarys_script_is_found_and_its_package_stays_out_of_memory() -> None:
    """It would take more than the daemon does."""
    before = "plotly" in sys.modules
    found = charts_library()
    assert found is not None
    assert (found.name, found.is_file()) == ("plotly.min.js", True)
    assert ("plotly" in sys.modules) == before


def test_a_package_that_is_not_there_or_has_no_script_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An extra that was not installed, or one of another make."""
    monkeypatch.delitem(sys.modules, "plotly", raising=False)
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert charts_library() is None
    (tmp_path / "plotly").mkdir()
    (tmp_path / "plotly" / "__init__.py").write_text("raise RuntimeError('it is loaded')")
    sys.path_importer_cache.clear()
    assert charts_library() is None
    (tmp_path / "plotly" / "package_data").mkdir()
    (tmp_path / "plotly" / "package_data" / "plotly.min.js").touch()
    assert charts_library() == tmp_path / "plotly" / "package_data" / "plotly.min.js"
