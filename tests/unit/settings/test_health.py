"""What is set of health is what the checks get: a key that reaches nobody would be believed in all the same."""

from msgspec.structs import fields

from kangbot.machines.verdict import Bounds
from kangbot.settings.health import HealthSettings


def test_each_threshold_reaches_its_check() -> None:
    """The key has the name of the figure, with where it warns and where it is critical before the unit."""
    names = [field.name for field in fields(HealthSettings().thresholds)]

    def key(name: str, level: str) -> str:
        word, _, unit = name.partition("_")
        return "_".join(part for part in (word, level, unit) if part)

    asked = {key(name, "warning"): 10.0 + number for number, name in enumerate(names)}
    asked |= {key(name, "critical"): 100.0 + number for number, name in enumerate(names)}
    thresholds = HealthSettings(**asked).thresholds
    for number, name in enumerate(names):
        assert getattr(thresholds, name) == Bounds(warning=10.0 + number, critical=100.0 + number), name
