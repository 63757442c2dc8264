"""Where the library of the charts is, for the dashboard and for a report as a file; its package is never imported."""

import importlib.util
from pathlib import Path


def charts_library() -> Path | None:
    """Return where the installed package keeps its script; None where it is not installed."""
    spec = importlib.util.find_spec("plotly")
    places = [] if spec is None else spec.submodule_search_locations or []
    return next((path for place in places if (path := Path(place) / "package_data" / "plotly.min.js").is_file()), None)
