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
    assert "2.0 x" in said.get()


def test_a_terminal_of_eighty_columns_has_room_for_every_column() -> None:
    """The target stands last, and whatever is wider than its column goes on in the next line."""
    figures = {"frame_to_inbox_us": {"kangbot": {"cpu_us_p50": 8.5}, "websockets, untyped": {"cpu_us_p50": 1234.5}}}
    console = Console(width=80)
    with console.capture() as said:
        console.print(table({"frames": {**figures, "target_us": 8.0}}))
    assert max(map(len, said.get().splitlines())) <= 80
    said_of_it = "socket to inbox 8.5 µs websockets, untyped: 145.2 x ≤ 8 1,234"
    assert " ".join(said.get().split()).endswith(f"better target {'─' * 80} frames {said_of_it}")


def test_a_storm_and_the_price_of_supervision_are_told_in_words() -> None:
    """Not by the names of their keys."""
    again = {"median": 3.4, "worst": 8.9}
    storm = {"27": {"cut": 2, "attempts": 3, "peak_a_second": 1, "seconds_to_all_live": again}}
    assert [(row.figure.strip(), row.ours) for row in rows("storm", {"storm": storm})] == [
        ("27 markets, sockets cut", 2),
        ("dials until all are back", 3),
        ("dials, most in a second", 1),
        ("until live again, median", 3.4),
        ("until live again, worst", 8.9),
    ]
    costs = {"cpu_percent": 5.0, "cpu_us_a_frame": 170.0, "rss_mb": 65.0}
    watched = {"27": {"supervised": costs, "bare": {name: value / 2 for name, value in costs.items()}}}
    assert [(row.figure, row.ours, row.theirs) for row in rows("supervision", {"supervision": watched})] == [
        ("27 markets: CPU of a core", 5.0, 2.5),
        ("  a frame", 170.0, 85.0),
        ("  RSS", 65.0, 32.5),
    ]
