"""The benchmarks' table."""

from rich.console import Console

from benchmarks.__main__ import modules
from benchmarks.table import Row, rows, table


def test_every_module_with_a_run_is_a_benchmark_and_helpers_are_not() -> None:
    """A new benchmark is found without being entered anywhere."""
    assert {"daemon", "threads", "latency", "startup", "decode", "journal", "orders", "control"} <= set(modules())
    assert not {"audience", "house", "load", "table", "__main__"} & set(modules())


def test_a_cost_is_better_where_it_is_less_and_a_rate_where_it_is_more() -> None:
    """Both ratios say how many times better ours is."""
    assert Row(figure="cost", unit="ms", ours=2, baseline="x", theirs=6).times == 3
    assert Row(figure="rate", unit="1/s", ours=6, baseline="x", theirs=2, rising=True).times == 3
    assert Row(figure="nothing", unit="1/s", ours=0, baseline="x", theirs=2).times is None


def test_a_target_is_the_most_that_is_allowed() -> None:
    """Exactly at the target is met; without a target nothing is said."""
    assert Row(figure="rss", unit="MB", ours=80, target=80).met is True
    assert Row(figure="rss", unit="MB", ours=80.1, target=80).met is False
    assert Row(figure="rss", unit="MB", ours=80).met is None


def test_a_benchmark_that_the_table_does_not_know_is_shown_by_its_numbers() -> None:
    """Nested names become one; words and the machine's description are left out."""
    figures = {"speed": {"p50_ms": 1.5, "name": "x", "ok": True}, "machine": {"cores": 2}}
    assert [(row.figure, row.ours) for row in rows("new", figures)] == [("speed, p50 ms", 1.5)]


def test_a_benchmark_that_failed_says_why_and_the_others_are_shown() -> None:
    """One failure hides nothing."""
    drawn = table({"daemon": {"failed": "it ended"}, "decode": {"decode_us": {"book": {"kangbot": 3.5, "json": 7}}}})
    console = Console(width=160)
    with console.capture() as said:
        console.print(drawn)
    assert "failed: it ended" in said.get()
    assert "2.0" in said.get()
