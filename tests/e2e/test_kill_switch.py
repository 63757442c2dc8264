"""The kill switch, in real processes, when nothing else works."""

import time

import pytest

from tests.support.processes import World, known, net

pytestmark = pytest.mark.process


def entries_since(world: World, at_s: float) -> list[str]:
    """Return the client ids of the entries that the exchange took in after that moment."""
    return [
        row["orderLinkId"]
        for row in world.sandbox.orders()
        if not row["reduceOnly"] and row["orderLinkId"] and int(row["createdTime"]) > at_s * 1000
    ]


def later(world: World) -> float:
    """Return a moment, by the epoch, by which the exchange has all that had left: it has answered us since."""
    for _ in range(2):
        world.sandbox.truth()
    return time.time()


def test_it_flattens_without_a_database_and_with_half_a_venue(world: World) -> None:
    """Every second answer an error page, the database away: no entry, all flat, over `kill -9`, until released."""
    world.environment["KANGBOT_DATABASE__URL"] = "mysql://nobody@127.0.0.1:1/nothing"
    world.start()
    world.live()
    world.orders(more_than=4)
    world.sandbox.fault({"fault": "http_5xx", "chance": 0.5, "count": 1_000_000})
    said = world.kangbot("kill", "--flatten", "--reason", "half a venue")
    killed_s = later(world)
    assert "half a venue" in said
    report = world.client.report()
    assert (report.killed, report.flatten) == ("half a venue", True)
    assert report.history_away
    world.until(lambda _: not any(float(net) for net in world.sandbox.truth()["positions"].values()), timeout_s=120)
    assert entries_since(world, killed_s) == []
    world.daemon.kill()
    world.start()
    world.sandbox.heal()
    report = world.live()
    assert (report.killed, report.flatten) == ("half a venue", True)
    world.decided(3)  # bars of a second close, and strategies want in
    assert entries_since(world, killed_s) == []
    assert (world.state / "KILL").read_text() == "half a venue\nflatten\n"
    assert "KILL SWITCH" in world.kangbot("status")
    released_s = time.time()
    world.kangbot("release")
    assert not (world.state / "KILL").exists()
    world.orders(more_than=0)
    assert entries_since(world, released_s)
    assert world.stop()["duplicates"]["accepted"] == 0


def test_an_end_waits_until_all_is_flat(world: World) -> None:
    """Told to flatten and to stop in one breath: exits that came to nothing are tried again before the daemon ends."""
    world.config.write_text(world.config.read_text().replace("grace_s = 90", "grace_s = 300"))
    world.start()
    world.live()
    world.until(lambda report: sum(bool(market.net) for market in report.markets) >= 3)
    held = len(net(world.at_rest()["positions"]))
    world.sandbox.fault({"fault": "http_5xx", "path": "/v5/order/create", "count": 1_000_000})
    world.client.kill("the end", flatten=True)
    world.daemon.hurry()
    world.until(lambda report: report.orders.not_accepted >= held)
    world.sandbox.heal()
    deadline = time.monotonic() + 310
    while world.daemon.ended is None and time.monotonic() < deadline:
        time.sleep(0.1)
    assert world.daemon.ended == 0, world.daemon.last_lines()
    assert not net(world.sandbox.truth()["positions"])


def test_a_file_is_enough(world: World) -> None:
    """Made by hand it stops entries, removed by hand it lets them through."""
    world.start()
    world.live()
    world.orders(more_than=0)
    (world.state / "KILL").write_text("by hand\n")
    world.until(lambda report: report.killed == "by hand" and known(report.orders) == report.orders.sent)
    seen_s = later(world)
    world.decided(3)
    assert entries_since(world, seen_s) == []
    (world.state / "KILL").unlink()
    world.until(lambda report: report.killed == "")
    world.until(lambda _: bool(entries_since(world, seen_s)))


def test_without_a_daemon_the_command_leaves_the_file(world: World) -> None:
    """The next start finds it before it trades."""
    world.state.mkdir()
    assert "no daemon answers" in world.kangbot("kill", "--reason", "not now")
    world.kangbot("kill", "--flatten")
    assert (world.state / "KILL").read_text() == "not now\nflatten\n"
    world.start()
    report = world.live()
    assert (report.killed, report.flatten) == ("not now", True)
    world.decided(3)
    assert world.sandbox.truth()["orders"]["total"] == 0
