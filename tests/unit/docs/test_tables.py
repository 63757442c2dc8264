"""The tables of health.md and history.md say what the code has, and the queries can be typed."""

import re
import sqlite3
from pathlib import Path

from kangbot.health.checks import health_of
from kangbot.settings.health import HealthSettings
from kangbot.storage.migrate import upgrade
from kangbot.storage.url import parse
from tests.support.reporting import a_market, a_report

ROOT = Path(__file__).parents[3]
HEALTH, HISTORY = ((ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("health.md", "history.md"))


def rows(text: str, heading: str) -> list[list[str]]:
    """Return the cells of the table that begins with this row."""
    lines = text.partition(heading)[2].splitlines()[2:]
    table = lines[: next((place for place, line in enumerate(lines) if not line.startswith("|")), len(lines))]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def test_every_check_has_its_row_with_the_bounds_that_hold() -> None:
    """An operator who reads 60 s waits for 60 s."""
    settings = HealthSettings()
    checks = {check.name for check in health_of(a_report(a_market()), settings.thresholds).checks}
    table = rows(HEALTH, "| check | figure | warns at | critical above | keys |")
    assert {row[0].strip("`") for row in table} == checks
    for name, _, *bounds, keys in table:
        for key in re.findall(r"`(.+?)`", keys):
            for said, level in zip(bounds, ("warning", "critical"), strict=True):
                figure = float(said.replace(",", "").partition(" ")[0])
                held = getattr(settings, key.replace("*", level) if "*" in key else f"{key}_{level}")
                assert figure == held, f"{name} {level}"


def test_every_alert_that_ships_has_its_row() -> None:
    """And none is explained that does not ship."""
    shipped = re.findall(r"- alert: (\w+)", (ROOT / "config" / "prometheus" / "alerts.yml").read_text())
    assert [row[0].strip("`") for row in rows(HEALTH, "| alert | means | do |")] == shipped


def test_every_table_of_the_history_has_its_row_and_every_query_can_be_typed(tmp_path: Path) -> None:
    """Against the schema as it is made today."""
    file = tmp_path / "history.sqlite"
    upgrade(parse(f"sqlite:///{file}"))
    with sqlite3.connect(file) as database:
        made = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert {row[0].strip("`") for row in rows(HISTORY, "| table | a row is | found by |")} == made - {
            "alembic_version"
        }
        (queries,) = re.findall(r"```sql\n(-- profit.*?)```", HISTORY, re.DOTALL)
        asked = [query for query in queries.split(";") if "SELECT" in query]
        assert len(asked) == 5
        for query in asked:
            database.execute(query)
    database.close()
