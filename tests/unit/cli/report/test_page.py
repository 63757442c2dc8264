"""A report as one file for a browser."""

from pathlib import Path

from kangbot.cli.report import command


def test_the_page_needs_nothing_else(config: Path, tmp_path: Path) -> None:
    """Plots and table in one file, without an address of another."""
    target = tmp_path / "report.html"
    assert command(config, start=None, end=None, html=target, as_json=False) == 0
    text = target.read_text()
    assert 'id="equity"' in text
    for name, figure in (("time", "all time"), ("money", "USDT"), ("profit factor", "2.57"), ("funding", "-0.88")):
        assert f"<dt>{name}</dt><dd>{figure}</dd>" in text
    assert "+44.00" in text
    assert "<script src" not in text
    assert command(config, start=None, end=None, html=tmp_path / "no" / "folder.html", as_json=False) == 1
