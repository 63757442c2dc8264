"""What the long runs found, for the README to quote: `build/reports/*.json`."""

import json
from collections.abc import Mapping
from pathlib import Path

REPORTS = Path(__file__).resolve().parents[2] / "build" / "reports"


def write_report(name: str, found: Mapping[str, object]) -> None:
    """Write what a run found, whole: a reader never sees half of it."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    fresh = REPORTS / f".{name}.new"
    fresh.write_text(json.dumps(found, indent=2) + "\n")
    fresh.replace(REPORTS / f"{name}.json")
