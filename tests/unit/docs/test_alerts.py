"""Each alert of `config/prometheus` fires when it should, not before, and not where all is well."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.prometheus import CONFIG, promtool

ALERTS = CONFIG / "prometheus" / "alerts.yml"
(GROUP,) = yaml.safe_load(ALERTS.read_text())["groups"]
RULES: dict[str, Any] = {rule["alert"]: rule for rule in GROUP["rules"]}
WELL: dict[str, float] = {
    'up{job="kangbot"}': 1,
    "kangbot_unprotected_positions": 0,
    "kangbot_stuck": 0,
    "kangbot_ready": 1,
    'kangbot_check_level{check="disk"}': 1,
    "kangbot_kill_switch_set": 0,
    "kangbot_memory_bytes": 79,
    "kangbot_memory_limit_bytes": 100,
    "kangbot_history_away": 0,
}
ILL = {  # alert: which series says it, what it says, the labels that the alert takes from it, and its words
    "KangbotDown": ('up{job="kangbot"}', 0, {"job": "kangbot"}, "nobody answers on the control API"),
    "KangbotUnprotected": ("kangbot_unprotected_positions", 2, {}, "2 positions have no stop at the venue"),
    "KangbotStuck": ("kangbot_stuck", 1, {}, "a part that must never die makes no progress"),
    "KangbotNotReady": ("kangbot_ready", 0, {}, "the daemon does not do its work"),
    "KangbotCheckCritical": (
        'kangbot_check_level{check="disk"}',
        2,
        {"check": "disk"},
        "the check disk is critical",
    ),
    "KangbotKillSwitch": ("kangbot_kill_switch_set", 1, {}, "the kill switch is set: nothing is entered"),
    "KangbotMemory": ("kangbot_memory_bytes", 85, {}, "memory is at 85% of its limit"),
    "KangbotHistoryAway": (
        "kangbot_history_away",
        1,
        {},
        "the history database is away; nothing is lost, the journal keeps it",
    ),
}


def judge(folder: Path, figures: dict[str, float], expected: list[dict[str, Any]]) -> None:
    """Have promtool play an hour of these figures and compare which alerts fire."""
    test = {
        "interval": "15s",
        "input_series": [{"series": name, "values": f"{value}x240"} for name, value in figures.items()],
        "alert_rule_test": expected,
    }
    file = folder / "test.yml"
    file.write_text(yaml.safe_dump({"rule_files": [str(ALERTS)], "tests": [test]}))
    promtool("test", "rules", str(file))


def test_every_alert_is_tried() -> None:
    """A new one needs its figures here."""
    assert RULES.keys() == ILL.keys()


def test_nothing_fires_where_all_is_well(tmp_path: Path) -> None:
    """In an hour."""
    judge(tmp_path, WELL, [{"eval_time": "1h", "alertname": name} for name in RULES])


@pytest.mark.parametrize("alert", RULES)
def test_an_alert_fires_after_its_time_and_says_what_is_wrong(tmp_path: Path, alert: str) -> None:
    """Not a quarter of a minute earlier, and no other beside it."""
    series, value, labels, words = ILL[alert]
    rule = RULES[alert]
    minutes = int(rule.get("for", "0m").removesuffix("m"))
    fires = {"exp_labels": {**rule["labels"], **labels}, "exp_annotations": {"summary": words}}
    expected: list[dict[str, Any]] = [{"eval_time": f"{minutes}m", "alertname": alert, "exp_alerts": [fires]}]
    if minutes:
        expected.append({"eval_time": f"{minutes * 60 - 15}s", "alertname": alert})
    expected += [{"eval_time": "1h", "alertname": other} for other in RULES if other != alert]
    judge(tmp_path, {**WELL, series: value}, expected)
