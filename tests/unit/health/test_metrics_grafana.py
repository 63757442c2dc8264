"""The Grafana dashboard asks for what is served, and each panel says what it shows and in which unit."""

from itertools import combinations
from typing import Any

from kangbot.health.checks import health_of
from kangbot.health.latency import Latencies
from kangbot.health.metrics import exposition
from kangbot.settings.health import HealthSettings
from tests.support.grafana import dashboard, metrics, panels, questions
from tests.support.prometheus import families
from tests.support.reporting import a_report

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
HISTOGRAMS = ("frame_to_decision", "frame_to_order", "loop_lag")


def test_every_panel_has_a_number_of_its_own_a_unit_and_a_datasource() -> None:
    """And words for whoever sees it for the first time."""
    numbers = [panel["id"] for panel in dashboard()["panels"]]
    assert len(numbers) == len(set(numbers))
    for panel in panels():
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["description"].endswith("."), panel["title"]
        assert [panel["datasource"], *(target["datasource"] for target in panel["targets"])] == [DATASOURCE] * (
            1 + len(panel["targets"])
        )


def test_no_panel_lies_upon_another() -> None:
    """Within the 24 columns of the grid."""
    places = [panel["gridPos"] for panel in dashboard()["panels"]]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    assert not any(_overlap(one, other) for one, other in combinations(places, 2))


def _overlap(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(one[at] < other[at] + other[size] and other[at] < one[at] + one[size] for at, size in ("xw", "yh"))


def test_every_metric_of_the_dashboard_is_served() -> None:
    """No panel waits for one that does not exist."""
    report, none = a_report(), Latencies().histogram()
    health = health_of(report, HealthSettings().thresholds)
    served = set(families(exposition(report, health, dict.fromkeys(HISTOGRAMS, none), {"GET /a": none})))
    asked = metrics(str(dashboard()))
    assert asked <= served
    assert len(asked) > 30


def test_every_question_is_of_one_daemon() -> None:
    """One Prometheus may watch several: paper beside live, say."""
    for question in questions():
        assert question.expr.count('instance="$instance"') == question.expr.count("kangbot_"), question
