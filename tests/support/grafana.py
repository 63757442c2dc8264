"""The dashboard that ships, as the tests read it: its panels, and what they ask Prometheus."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.support.prometheus import CONFIG

FOLDER = CONFIG / "grafana"
_PARTS = re.compile(r"_(bucket|sum|count)$")
_METRIC = re.compile(r"\bkangbot_\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One expression of a panel."""

    panel: str
    expr: str

    def asked(self, instance: str) -> str:
        """Return the expression as Grafana sends it for one daemon, all markets, and a scrape every second."""
        values = {"$instance": instance, "$market": ".*", "$__rate_interval": "10s"}
        text = self.expr
        for name, value in values.items():
            text = text.replace(name, value)
        assert "$" not in text, text
        return text


def dashboard() -> dict[str, Any]:
    """Return the dashboard."""
    found: dict[str, Any] = json.loads((FOLDER / "dashboards" / "kangbot.json").read_text())
    return found


def panels() -> list[dict[str, Any]]:
    """Return its panels; rows, which only name what is below them, are none."""
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def questions() -> Iterator[Question]:
    """Yield what they ask."""
    for panel in panels():
        for target in panel["targets"]:
            yield Question(panel=panel["title"], expr=target["expr"])


def metrics(text: str) -> set[str]:
    """Return the names of our metrics in an expression, without what a histogram's series end with."""
    return {_PARTS.sub("", name) for name in _METRIC.findall(text)}
