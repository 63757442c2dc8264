"""A real Prometheus, with the configuration that ships, scrapes a real daemon of 27 markets."""

import re
from collections.abc import Iterator

import pytest

from kangbot.cli.demo.processes import Sandbox
from tests.support.grafana import dashboard, metrics, questions
from tests.support.ports import own_port
from tests.support.processes import Life
from tests.support.prometheus import CONFIG, Prometheus, families, scrape, scraping

pytestmark = [pytest.mark.process]
MARKETS = 27
QUIET = {  # panels that have nothing to show where all is well, the history is a file, and the daemon is young
    "Errors by kind",
    "Troubles of feeds",
    "Growth of memory",
    "Connections to the database",
}


@pytest.fixture(scope="module")
def port() -> int:
    """The control API's."""
    return own_port()


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[Life]:
    """A daemon whose markets are live and trade."""
    folder = tmp_path_factory.mktemp("daemon")
    sandbox = Sandbox(seed=7, log=folder / "sandbox.log", options=("--history-minutes", "300"))
    environment = {
        "KANGBOT_CONTROL__PORT": str(port),
        "KANGBOT_VENUES__BYBIT__REST_URL": sandbox.rest_url,
        "KANGBOT_VENUES__BYBIT__WS_PUBLIC_URL": sandbox.ws_public_url,
        "KANGBOT_VENUES__BYBIT__WS_PRIVATE_URL": sandbox.ws_private_url,
    }
    life = Life(folder, (CONFIG / "demo.toml").read_text(), MARKETS, environment)
    try:
        life.start()
        life.live()
        life.until(lambda report: report.frame_to_order_ms["p50"] is not None)
        yield life
    finally:
        life.close()
        sandbox.close()


@pytest.fixture(scope="module")
def prometheus(life: Life, port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A server that scrapes it with the token that may look."""
    with scraping(tmp_path_factory.mktemp("prometheus"), port, life.state / "read.token") as server:
        yield server


def test_prometheus_scrapes_a_daemon_with_the_token_that_may_look(prometheus: Prometheus) -> None:
    """It is up, knows every market and the score, and takes the rules."""
    assert prometheus.asked("up == 1") == [1]
    assert prometheus.asked("count(kangbot_market_state)") == [MARKETS]
    assert 0 < prometheus.asked("kangbot_health_score")[0] <= 100
    assert prometheus.asked("kangbot_rest_call_seconds_count > 0")


def test_what_a_daemon_serves_is_understood_by_a_reader_that_is_not_ours(life: Life, port: int) -> None:
    """Nothing is lost on the way, histograms add up, and what must be measured by now is."""
    text = scrape(port, life.state / "read.token")
    read = families(text)
    assert sum(len(one.samples) for one in read.values()) == len(re.findall(r"^kangbot_", text, re.MULTILINE))
    for family in read.values():
        if family.type != "histogram":
            continue
        counts = {str(sorted(one.labels.items())): one.value for one in family.samples if one.name.endswith("_count")}
        running: dict[str, float] = {}
        for one in family.samples:
            if one.name.endswith("_bucket"):
                series = str(sorted((name, value) for name, value in one.labels.items() if name != "le"))
                assert one.value >= running.get(series, 0)
                running[series] = one.value  # the last is +Inf
        assert running == counts
        assert all(count > 0 for count in counts.values()), family.name
    assert read["kangbot_journal_records_total"].samples[0].value > MARKETS
    assert read["kangbot_journal_bytes"].samples[0].value > 4096
    assert read["kangbot_cpu_seconds_total"].samples[0].value > 0
    assert len(read["kangbot_market_realised"].samples) == MARKETS
    assert len(read["kangbot_breaker_open"].samples) >= MARKETS * 3


def test_series_are_bounded_by_markets_and_endpoints(life: Life, port: int) -> None:
    """What a label may say is known beforehand, so a scrape does not grow with the time that the daemon runs."""
    text = scrape(port, life.state / "read.token")
    assert len(text.splitlines()) < 40 * MARKETS
    labels = {name for one in families(text).values() for sample in one.samples for name in sample.labels}
    assert labels <= {"check", "currency", "market", "state", "lane", "kind", "severity", "endpoint", "task", "le"}


def test_what_dashboard_and_alerts_ask_for_is_served(life: Life, port: int) -> None:
    """By the daemon itself, not only by what writes the text."""
    served = set(families(scrape(port, life.state / "read.token")))
    assert metrics(str(dashboard())) <= served
    assert metrics((CONFIG / "prometheus" / "alerts.yml").read_text()) <= served


def test_every_panel_of_the_dashboard_shows_what_it_should(prometheus: Prometheus, port: int) -> None:
    """Prometheus understands each question, and answers all but those that a quiet daemon gives no answer to."""
    for question in questions():
        expr = question.asked(f"127.0.0.1:{port}")
        if question.panel in QUIET:
            prometheus.once(expr)
        else:
            values = prometheus.asked(f"{expr} >= -Inf")  # a quantile of nothing is no number
            assert values, question


def test_no_panel_is_called_quiet_that_does_not_exist() -> None:
    """The list above holds what it should."""
    assert {question.panel for question in questions()} > QUIET
