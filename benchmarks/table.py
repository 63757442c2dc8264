"""The figures of every benchmark as rows that a person reads: ours, beside what, how many times, against which target.

The report file has everything; this picks what answers a question. A module that is not known here is shown by its
numbers as they are, so that a new benchmark needs nothing to appear.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

Figures = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure. `target` is the most that is allowed; `rising`: more of it is better."""

    figure: str
    unit: str
    ours: float
    baseline: str = ""
    theirs: float | None = None
    target: float | None = None
    rising: bool = False

    @property
    def times(self) -> float | None:
        """How many times better than the baseline ours is; None without one, or where one of them is nothing."""
        if not self.theirs or not self.ours:
            return None
        return self.ours / self.theirs if self.rising else self.theirs / self.ours

    @property
    def met(self) -> bool | None:
        """Whether ours is within the target; None without one."""
        return None if self.target is None else self.ours <= self.target


def rows(module: str, figures: Figures) -> list[Row]:
    """Return the rows of one benchmark's result."""
    return list(_KNOWN.get(module, _plain)(figures))


def table(results: Mapping[str, Figures]) -> Table:
    """Return the table of all results, which a terminal of 80 columns has room for; what failed says why."""
    drawn = Table(
        title="kangbot benchmarks", title_justify="left", box=SIMPLE_HEAD, padding=(0, 0, 0, 0), show_edge=False
    )
    drawn.add_column("", width=29)
    for name, width in (("ours", 10), ("beside", 22), ("better", 7), ("target", 8)):
        drawn.add_column(name, width=width, justify="right")
    for module, figures in results.items():
        drawn.add_row(f"[bold]{module}")
        if "failed" in figures:
            drawn.add_row(f"[red]failed: {figures['failed']}")
        else:
            for row in rows(module, figures):
                drawn.add_row(*_cells(row))
        drawn.add_section()
    return drawn


def _cells(row: Row) -> list[str]:
    """Return what a row says: the figure, ours, theirs and whose, how many times better ours is, and the target."""
    target = "" if row.target is None else f"[{'green' if row.met else 'red'}]≤ {_number(row.target)}"
    return [
        row.figure,
        f"{_number(row.ours)} {row.unit}".rstrip(),
        "" if row.theirs is None else f"{row.baseline}: {_number(row.theirs)}",
        "" if row.times is None else f"{row.times:.1f} x",
        target,
    ]


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.3g}"


# ------------------------------------------------------------------------------------------------- module by module
def _daemon(figures: Figures) -> Iterator[Row]:
    for markets, size in figures["daemon"].items():
        busy, idle, target = size["busy"], size["idle"], size["target"] or {}
        rate = f"{markets}, {busy['frames_per_second']:,} frames/s"
        yield Row(figure=f"{rate}: RSS", unit="MB", ours=busy["rss_mb"], target=target.get("rss_mb"))
        yield Row(figure="  peak", unit="MB", ours=busy["rss_peak_mb"])
        yield Row(figure="  CPU of a core", unit="%", ours=busy["cpu_percent"], target=target.get("cpu_percent"))
        lag = busy["loop_lag_ms"]
        yield Row(figure="  loop lag p50", unit="ms", ours=lag["p50"])
        yield Row(figure="  loop lag p99", unit="ms", ours=lag["p99"], target=target.get("loop_lag_ms_p99"))
        yield Row(figure="  loop lag, longest", unit="ms", ours=lag["longest"])
        yield Row(figure="  CPU of a core, idle", unit="%", ours=idle["cpu_percent"])
        if idle["database_statements"] is not None:
            yield Row(figure="  statements, idle", unit="", ours=idle["database_statements"], target=0)
        yield Row(figure="  all live after", unit="s", ours=size["seconds_to_all_live"])


def _threads(figures: Figures) -> Iterator[Row]:
    ours = figures["kangbot"]
    names = (("rss_mb", "RSS", "MB"), ("cpu_percent", "CPU of a core", "%"), ("threads", "threads", ""))
    served = (
        ("database_connections_per_second", "connections a second", ""),
        ("database_statements_per_second", "statements a second", ""),
        ("database_cpu_percent", "database's CPU", "%"),
    )
    for baseline in ("threads", "threads_with_ccxt"):
        theirs = figures[baseline]
        for key, figure, unit in (*names, *served):
            if key in theirs:
                said = baseline.replace("_", " ")
                yield Row(figure=figure, unit=unit, ours=ours[key], baseline=said, theirs=theirs[key])


def _latency(figures: Figures) -> Iterator[Row]:
    for place, one in figures["latency"].items():
        bounds = figures["target_ms"]
        for share in ("p50", "p99"):
            yield Row(
                figure=f"frame to order, {place}, {share}",
                unit="ms",
                ours=one["frame_to_order_ms"][share],
                baseline="a bare commit",
                theirs=one["bare_ms"][share],
                target=bounds[share],
            )
        yield Row(figure=f"frame to decision, {place}, p50", unit="ms", ours=one["frame_to_decision_ms"]["p50"])


def _startup(figures: Figures) -> Iterator[Row]:
    helped, memory = figures["help_s"], figures["import_mb"]
    floor = helped["python -c pass"]["p50"]
    yield Row(
        figure="kangbot --help, p50",
        unit="s",
        ours=helped["kangbot --help"]["p50"],
        baseline="python -c pass",
        theirs=floor,
        target=helped["target"],
    )
    whole = memory["ccxt.async_support"]
    yield Row(figure="daemon imported", unit="MB", ours=memory["daemon"], baseline="ccxt.async_support", theirs=whole)


def _decode(figures: Figures) -> Iterator[Row]:
    for kind, one in figures["decode_us"].items():
        yield Row(figure=kind, unit="µs", ours=one["kangbot"], baseline="json", theirs=one["json"])


def _frames(figures: Figures) -> Iterator[Row]:
    costs = figures["frame_to_inbox_us"]
    ours = costs["kangbot"]["cpu_us_p50"]
    for name, one in costs.items():
        if name != "kangbot":
            yield Row(
                figure="socket to inbox",
                unit="µs",
                ours=ours,
                baseline=name,
                theirs=one["cpu_us_p50"],
                target=figures["target_us"],
            )


def _journal(figures: Figures) -> Iterator[Row]:
    ours, theirs = figures["group_commit"], figures["one_commit_an_event"]
    for writers in theirs:
        for key, unit in (("p50_ms", "ms"), ("p99_ms", "ms"), ("events_per_second", "")):
            said = f"{writers.replace('_', ' ')}, {key.removesuffix('_ms').replace('_', ' ')}"
            yield Row(
                figure=said,
                unit=unit,
                ours=ours[writers][key],
                baseline="one by one",
                theirs=theirs[writers][key],
                rising=key == "events_per_second",
            )


def _orders(figures: Figures) -> Iterator[Row]:
    costs = figures["orders_ms"]
    for name, one in costs.items():
        if name != "kangbot":
            for share in ("p50", "p99"):
                said = f"intent to wire, {share}"
                yield Row(figure=said, unit="ms", ours=costs["kangbot"][share], baseline=name, theirs=one[share])


def _control(figures: Figures) -> Iterator[Row]:
    looked = figures["control"]
    for key, figure in (("loop_lag_ms", "loop lag"), ("frame_to_order_ms", "frame to order")):
        for share in ("p50", "p99"):
            alone, ours = looked["nobody"][key][share], looked["here"][key][share]
            said = f"{figure}, watched, {share}"
            yield Row(figure=said, unit="ms", ours=ours, baseline="alone", theirs=alone, target=round(alone * 1.1, 3))
    for key, figure, unit in (("rss_mb", "RSS", "MB"), ("cpu_percent", "CPU of a core", "%")):
        said = f"{figure}, watched"
        yield Row(figure=said, unit=unit, ours=looked["here"][key], baseline="alone", theirs=looked["nobody"][key])


def _storm(figures: Figures) -> Iterator[Row]:
    for markets, one in figures["storm"].items():
        yield Row(figure=f"{markets} markets, sockets cut", unit="", ours=one["cut"])
        yield Row(figure="  dials until all are back", unit="", ours=one["attempts"])
        yield Row(figure="  dials, most in a second", unit="", ours=one["peak_a_second"])
        yield Row(figure="  until live again, median", unit="s", ours=one["seconds_to_all_live"]["median"])
        yield Row(figure="  until live again, worst", unit="s", ours=one["seconds_to_all_live"]["worst"])


def _supervision(figures: Figures) -> Iterator[Row]:
    names = (("cpu_percent", "CPU of a core", "%"), ("cpu_us_a_frame", "  a frame", "µs"), ("rss_mb", "  RSS", "MB"))
    for markets, one in figures["supervision"].items():
        for key, figure, unit in names:
            said = f"{markets} markets: {figure}" if key == "cpu_percent" else figure
            ours, theirs = one["supervised"][key], one["bare"][key]
            yield Row(figure=said, unit=unit, ours=ours, baseline="unsupervised", theirs=theirs)


def _plain(figures: Figures, path: str = "") -> Iterator[Row]:
    for name, value in figures.items():
        said = f"{path}{name}".replace("_", " ")
        if isinstance(value, Mapping) and name != "machine":
            yield from _plain(value, f"{said}, ")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield Row(figure=said, unit="", ours=value)


_KNOWN: Mapping[str, Callable[[Figures], Iterator[Row]]] = {
    "daemon": _daemon,
    "threads": _threads,
    "latency": _latency,
    "startup": _startup,
    "decode": _decode,
    "frames": _frames,
    "journal": _journal,
    "orders": _orders,
    "control": _control,
    "storm": _storm,
    "supervision": _supervision,
}
