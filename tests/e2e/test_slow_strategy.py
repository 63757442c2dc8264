"""A strategy that never returns, in a real daemon beside four that do."""

import time

import pytest

from kangbot.runtime.world import SECOND_NS
from tests.support.processes import CONFIG, MARKETS, World
from tests.support.steady import Steady

pytestmark = pytest.mark.process

IMPORTS_S = 10
HANGS = '''
from decimal import Decimal

from kangbot.strategy.base import Parameters, Strategy, Target, View


class Nothing(Parameters, frozen=True, kw_only=True):
    pass


class Counted:
    def __init__(self):
        self.bars = 0

    def update(self, bar):
        self.bars += 1


class Hangs(Strategy[Nothing, Counted]):
    """Enters, and never returns from its sixth decision."""

    name = "hangs"
    parameters_type = Nothing
    __slots__ = ("decisions",)

    def __init__(self, parameters):
        super().__init__(parameters)
        self.decisions = 0

    @property
    def lookback(self):
        return 2

    def indicators(self):
        return Counted()

    def decide(self, view: View[Counted]):
        self.decisions += 1
        while self.decisions >= 6:
            pass
        stop = view.bar.close * Decimal("0.98")
        return Target(exposure=Decimal(1), stop=view.instrument.tick * (stop // view.instrument.tick), reason="test")
'''


def test_a_strategy_that_never_returns_costs_its_own_market_only(world: World) -> None:
    """Its market is FAILED within seconds, its position keeps its stop, and the other four go on trading.

    Nor do they wait for an edit that names a strategy which takes its time to be imported.
    """
    (world.folder / "hangs.py").write_text(HANGS)
    one = f'[[markets]]\nsymbol = "{MARKETS[0]}/USDT:USDT"\n'
    config = CONFIG.replace(one, f'{one}strategy = "hangs.py"\nparameters = {{}}\n')
    assert config != CONFIG
    world.config.write_text(config)
    world.start()
    with Steady() as steady:
        began_s = time.time()
        report = world.until(lambda report: any(market.state == "failed" for market in report.markets))
        assert steady.since(began_s, report.at_ns / SECOND_NS) < 60
    (failed,) = [market for market in report.markets if market.state == "failed"]
    assert failed.symbol.startswith(MARKETS[0])
    assert "did not return within" in failed.reason
    before = report.decisions
    after = world.until(lambda report: report.decisions > before + 20)
    assert [market.state for market in after.markets].count("live") == len(MARKETS) - 1
    (world.folder / "heavy.py").write_text(f"import time\n{HANGS}\ntime.sleep({IMPORTS_S})\n")
    world.config.write_text(config.replace("hangs.py", "heavy.py"))
    edited = world.until(lambda report: report.config.version == 2)
    assert (edited.loop_lag_recent_ms["longest"] or 0.0) < 1000 * IMPORTS_S * 0.8
    truth = world.stop()
    symbol = f"{MARKETS[0]}USDT"
    if symbol in truth["positions"]:
        assert symbol in truth["stops"]
