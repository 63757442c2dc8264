"""Plays mutants until they are noticed: `python -m tests.support.mutant_sweep '{"name": [["kind", …], seeds, first]}'`.

A process of its own, so that a coverage tracer does not multiply its time. Prints one object: the seed that noticed
each mutant, null where none did. No kinds: every kind of fault. What a spot market's stop lacks, spot pairs show,
and edits of the configuration what an edit lacks. The seed `first` is played before the others.
"""

import json
import sys

from kangbot.scenario.plan import Options
from kangbot.scenario.run import caught_by
from kangbot.sim.world.faults import Kind


def main() -> None:
    """Play what the command line says."""
    noticed = {}
    for name, (kinds, seeds, first) in json.loads(sys.argv[1]).items():
        spot, edits = name.startswith("spot_"), name.startswith("edit_")
        options = Options(minutes=5, kinds=tuple(map(Kind, kinds)) or None, spot=spot, edits=edits)
        others = (seed for seed in range(1, seeds + 1) if seed != first)
        outcome = caught_by(name, (first, *others), options)
        noticed[name] = None if outcome is None else outcome.seed
    print(json.dumps(noticed))


if __name__ == "__main__":
    main()
