"""`kangbot simulate`: the whole daemon in virtual time, seed by seed, with faults; violated promises are told."""

import sys
from collections.abc import Iterator, Sequence
from time import perf_counter

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from kangbot.cli.exit_codes import FAILURE, OK, USAGE
from kangbot.scenario.outcome import Outcome, Summary, empty_summary
from kangbot.scenario.plan import Options
from kangbot.scenario.run import caught_by, sweep
from kangbot.sim.proof.mutants import MUTANTS

EVERY = "all"  # in the place of a mutant: each of them, until it is noticed
_TOLD = 5  # violations with their timeline; the others by one line each


def simulate(
    *,
    seed: int | None,
    seeds: str | None,
    minutes: float,
    markets: int,
    spot: bool,
    edits: bool,
    mutant: str,
    jobs: int,
    as_json: bool,
) -> int:
    """Play the seeds and return the exit code: 1 where a promise was broken."""
    if seed is not None and seeds is not None:
        typer.echo("--seed is one and --seeds a range: give one of the two", err=True)
        return USAGE
    wanted = _seeds(seed, seeds)
    if wanted is None or mutant not in ("", EVERY, *MUTANTS):
        known = "" if wanted is None else f"--mutant is {EVERY}, or one of: {', '.join(MUTANTS)}"
        typer.echo(known or "--seeds is a range such as 1..100, the last one included", err=True)
        return USAGE
    options = Options(minutes=minutes, markets=markets, spot=spot, edits=edits)
    if mutant == EVERY:
        return _every_mutant(wanted, options, as_json=as_json)
    console, summary, began_s = Console(stderr=True), empty_summary(), perf_counter()
    for outcome in _shown(console, sweep(wanted, options, mutant=mutant, jobs=jobs), len(wanted)):
        summary.add(outcome)
        if outcome.violation is not None:
            _tell(console, outcome, options, mutant, whole=len(summary.violations) <= _TOLD)
    summary.seeds_per_second = round(summary.seeds / (perf_counter() - began_s), 2)
    if as_json:
        typer.echo(msgspec.json.encode(summary).decode())
    else:
        Console().print(_table(summary))
    return FAILURE if summary.violations else OK


def _every_mutant(seeds: Sequence[int], options: Options, *, as_json: bool) -> int:
    """Play each mutant until a seed notices it; fail where none does."""
    noticed: dict[str, int | None] = {}
    for name in MUTANTS:
        outcome = caught_by(name, seeds, options)
        noticed[name] = None if outcome is None else outcome.seed
        typer.echo(f"{name:26} {_noticed(outcome)}", err=as_json)  # each takes a while
    if as_json:
        typer.echo(msgspec.json.encode({"mutants": noticed}).decode())
    return FAILURE if None in noticed.values() else OK


def _noticed(outcome: Outcome | None) -> str:
    if outcome is None or outcome.violation is None:
        return "NOT NOTICED"
    return f"seed {outcome.seed}: ({outcome.violation.invariant}) {outcome.violation.message}"


def _seeds(seed: int | None, seeds: str | None) -> Sequence[int] | None:
    """Return the seeds that are asked for; None where the range cannot be read."""
    if seeds is None:
        return [1 if seed is None else seed]
    first, dots, last = seeds.partition("..")
    if not dots or not first.isdecimal() or not last.isdecimal() or int(first) > int(last):
        return None
    return range(int(first), int(last) + 1) if int(last) < sys.maxsize else None


def _shown(console: Console, outcomes: Iterator[Outcome], total: int) -> Iterator[Outcome]:
    """Pass the outcomes on, with a bar where somebody watches."""
    if total == 1 or not sys.stderr.isatty():
        yield from outcomes
        return
    columns = (TextColumn("simulating"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("seeds", total=total)
        for outcome in outcomes:
            progress.advance(bar)
            yield outcome


def _tell(console: Console, outcome: Outcome, options: Options, mutant: str, *, whole: bool) -> None:
    """Tell of a violation: how it came to it, and the command that plays it again."""
    violation = outcome.violation
    if violation is None:
        return
    if whole:
        for line in outcome.timeline:
            console.print(line, markup=False, highlight=False, soft_wrap=True)
    default = Options()
    again = f"kangbot simulate --seed {outcome.seed}"
    again += f" --minutes {options.minutes:g}" if options.minutes != default.minutes else ""
    again += f" --markets {options.markets}" if options.markets != default.markets else ""
    again += " --spot" if options.spot else ""
    again += " --edits" if options.edits else ""
    again += f" --mutant {mutant}" if mutant else ""
    told = f"seed {outcome.seed}, {violation.at_ns / 1e9:.3f} s: ({violation.invariant}) {violation.message}"
    console.print(told, markup=False, style="bold red", soft_wrap=True)
    console.print(f"again: {again}", markup=False, highlight=False, soft_wrap=True)


def _table(summary: Summary) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim")
    table.add_column()
    struck = ", ".join(f"{kind} {count:,}" for kind, count in summary.faults.items())
    for name, value in (
        ("seeds", f"{summary.seeds:,}"),
        ("virtual time", f"{summary.virtual_seconds / 3600:,.1f} h"),
        ("orders, fills, records", f"{summary.orders:,}, {summary.fills:,}, {summary.records:,}"),
        ("crashes", f"{summary.crashes:,}"),
        ("faults that struck", struck),
        ("violations", str(len(summary.violations))),
        ("seeds a second", f"{summary.seeds_per_second:.1f}"),
    ):
        table.add_row(name, value)
    return table
