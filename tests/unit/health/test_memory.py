"""The limit that really applies, and giving memory back."""

import resource
from pathlib import Path

import psutil
import pytest

from kangbot.health.memory import Limit, available_mb, limit, relieve

MIB = 1024 * 1024
MACHINE = Limit(round(psutil.virtual_memory().total / MIB, 1), "machine")


def groups(tmp_path: Path, own: str, files: dict[str, str]) -> tuple[Path, Path]:
    """Return a tree of control groups, and the file that names ours."""
    for name, said in files.items():
        file = tmp_path / "cgroup" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{said}\n")
    (tmp_path / "own").write_text(own)
    return tmp_path / "cgroup", tmp_path / "own"


@pytest.mark.parametrize(
    ("own", "files", "mb"),
    [
        ("0::/system.slice/kangbot.service\n", {"system.slice/kangbot.service/memory.max": str(320 * MIB)}, 320),
        (
            "0::/a/b\n",
            {"a/b/memory.max": "max", "a/memory.max": str(200 * MIB), "memory.max": str(400 * MIB)},
            200,
        ),
        ("0::/u\n", {"u/memory.high": str(256 * MIB), "u/memory.max": str(320 * MIB)}, 256),
        ("0::/u\n", {"u/memory.high": "max", "u/memory.max": str(320 * MIB)}, 320),
        ("0::/u\n", {"u/memory.high": str(400 * MIB), "u/memory.max": str(320 * MIB)}, 320),
        ("0::/a/b\n", {"a/b/memory.max": str(320 * MIB), "a/memory.high": str(200 * MIB)}, 200),
        ("0::/../elsewhere\n", {"memory.max": str(64 * MIB)}, 64),
        ("0::/u\n", {"u/memory.high": "0", "u/memory.max": str(320 * MIB)}, 0.1),
        ("0::/u\n", {"u/memory.high": "4096"}, 0.1),
        (
            "5:cpu:/x\n4:memory:/docker/1\n0::/\n",
            {"memory/docker/1/memory.limit_in_bytes": str(100 * MIB), "memory/memory.limit_in_bytes": str(2**63 - 1)},
            100,
        ),
    ],
)
def test_the_lowest_limit_on_the_way_up_applies(tmp_path: Path, own: str, files: dict[str, str], mb: float) -> None:
    """Of our own control group or of one above it, of either version; where the process is slowed down before ended.

    A limit of nothing slows it down as well, and is one that a share can be told of.
    """
    assert limit(*groups(tmp_path, own, files)) == Limit(mb, "cgroup")


@pytest.mark.parametrize(
    ("own", "files"),
    [
        ("0::/a\n", {"a/memory.max": "max"}),
        ("4:memory:/\n", {"memory/memory.limit_in_bytes": "9223372036854771712"}),
        ("0::/gone\n", {}),
    ],
)
def test_without_a_limit_it_is_the_machine(tmp_path: Path, own: str, files: dict[str, str]) -> None:
    """A group that says "max", version 1's huge number, a group that is not to be seen."""
    assert limit(*groups(tmp_path, own, files)) == MACHINE


def test_without_control_groups_it_is_the_machine(tmp_path: Path) -> None:
    """Another kernel."""
    assert limit(tmp_path, tmp_path / "none") == MACHINE
    assert 0 < (available_mb() or 0) <= MACHINE.mb


def test_without_a_page_of_the_machines_memory_its_size_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A unit with `ProcSubset=pid` sees processes and nothing else there; how much is free is then not made up."""
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))
    size = limit(tmp_path, tmp_path / "none")
    assert size.source == "machine"
    assert size.mb == pytest.approx(MACHINE.mb, rel=0.01)
    assert available_mb() is None


@pytest.mark.parametrize(
    ("which", "counted", "source"),
    [
        (resource.RLIMIT_AS, "vms", "address space (ulimit -v)"),
        (resource.RLIMIT_DATA, "data", "data segment (ulimit -d)"),
    ],
)
def test_a_limit_of_the_process_is_told_by_what_it_leaves(
    tmp_path: Path, which: int, counted: str, source: str
) -> None:
    """It counts what is mapped: a share of it would say nothing of what is used. The lowest limit counts here too."""
    process, before = psutil.Process(), resource.getrlimit(which)
    now = process.memory_info()
    resource.setrlimit(which, (getattr(now, counted) + 200 * MIB, before[1]))
    try:
        told = limit(tmp_path, tmp_path / "none")
        lower = limit(*groups(tmp_path, "0::/u\n", {"u/memory.max": str(2 * MIB)}))
    finally:
        resource.setrlimit(which, before)
    assert told.source == source
    assert told.mb == pytest.approx(now.rss / MIB + 200, abs=20)
    assert lower == Limit(2, "cgroup")


def test_what_the_c_library_keeps_is_given_back() -> None:
    """A hundred thousand small objects that are gone weigh nothing any more."""
    process = psutil.Process()
    kept = [bytes(600) for _ in range(150_000)]
    pins = [bytes(600) for _ in range(50)]  # at the end of the heap, so that it does not shrink by itself
    full = process.memory_info().rss
    del kept
    relieve()
    assert process.memory_info().rss < full - 60 * MIB
    assert pins
