"""A thousand markets that lose their connections at once."""

import time
from pathlib import Path

import pytest

from benchmarks.daemon import config
from benchmarks.house import load_venue, running
from benchmarks.storm import MOST, ask, storm
from tests.faults.conftest import Expect

pytestmark = [pytest.mark.process, pytest.mark.sweep]

MARKETS = 1000


def test_a_thousand_markets_reconnect_within_the_venues_limit(tmp_path: Path, expect: Expect) -> None:
    """A venue that closes whoever says more than five messages within a second has no reason to."""
    row = expect(
        f"{MARKETS} markets reconnect at once under a limit of {MOST} messages a second",
        "0 closes by the venue, all live",
    )
    with (
        load_venue(MARKETS, 1.0, MOST) as (addresses, _),
        running(tmp_path, config(MARKETS), addresses) as house,
    ):
        house.until(lambda report: report.live == MARKETS)
        time.sleep(10)
        seen = storm(house, addresses["rest_url"])
        closes = ask(addresses["rest_url"], "seen")["closes"]
    row.measured(
        f"{seen['cut']} connections cut, {seen['attempts']} attempts, at most {seen['peak_a_second']} within a second, "
        f"at most {seen['messages_peak']} messages a second and connection, {closes} closes, "
        f"all live after {seen['seconds_to_all_live']:.1f} s",
        ok=not closes,
    )
