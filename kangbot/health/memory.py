"""What memory there is, what limit really applies, and giving some of it back.

The limit is that of the control group, or of one above it: a container's or a unit's, versions 1 and 2. In version 2 it
is `memory.high` where that is set, for above it the kernel slows the process down, and `memory.max` otherwise, where it
ends it; see https://docs.kernel.org/admin-guide/cgroup-v2.html. Without one it is the machine's memory, which the C
library knows where /proc shows processes alone (systemd's `ProcSubset=pid`).

A limit of the process itself (`ulimit -v`, `ulimit -d`) counts what is mapped, several times what is resident, so it is
told by what it leaves: that much more, and the process has no memory. The lowest of all these applies.

Given back is what can be made again: caches of the standard library, garbage, and what the C library keeps for later
(glibc alone; others give it back by themselves).
"""

import ctypes
import gc
import os
import re
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil

_MIB = 1024 * 1024
_GROUPS = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")
_VERSION_1, _VERSION_2 = ("memory.limit_in_bytes",), ("memory.high", "memory.max")
_ULIMITS = (
    (resource.RLIMIT_AS, "vms", "address space (ulimit -v)"),
    (resource.RLIMIT_DATA, "data", "data segment (ulimit -d)"),
)
_NONE = 1 << 60  # version 1 says "no limit" by a number near 2**63
_LEAST_MB = 0.1  # memory.high may be 0, which no share can be told of


class Limit(NamedTuple):
    """How much this process may take, in MB, and whose limit it is: that of the "cgroup", the "machine", a ulimit."""

    mb: float
    source: str


def limit(groups: Path = _GROUPS, own: Path = _OWN) -> Limit:
    """Return the lowest limit that applies to this process, at least a tenth of an MB."""
    of_groups = (Limit(size / _MIB, "cgroup") for size in _limits(groups, own))
    mb, source = min([Limit(_machine_mb(), "machine"), *of_groups, *_of_process()], key=lambda one: one.mb)
    return Limit(max(_LEAST_MB, round(mb, 1)), source)


def available_mb() -> float | None:
    """Return what the machine could still give to anybody; None where it does not tell."""
    try:
        return round(psutil.virtual_memory().available / _MIB, 1)
    except OSError:
        return None


def _machine_mb() -> float:
    try:
        return psutil.virtual_memory().total / _MIB
    except OSError:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / _MIB


def _of_process() -> Iterator[Limit]:
    """Yield what would be resident where a limit of the process was reached by memory that is used."""
    limits = [(resource.getrlimit(which)[0], name, source) for which, name, source in _ULIMITS]
    if all(most == resource.RLIM_INFINITY for most, _, _ in limits):
        return
    now = psutil.Process().memory_info()
    for most, name, source in limits:
        if most != resource.RLIM_INFINITY:
            yield Limit((now.rss + max(0, most - getattr(now, name))) / _MIB, source)


def _limits(groups: Path, own: Path) -> Iterator[int]:
    """Yield the limits of our control group and of those above it, in bytes."""
    for file in _files(groups, own):
        try:
            said = file.read_text(encoding="utf-8").strip()
        except OSError:
            continue  # of a container that sees its own group alone, as the root
        if said.isdecimal() and int(said) < _NONE:
            yield int(said)


def _files(groups: Path, own: Path) -> Iterator[Path]:
    try:
        lines = own.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        root, names = (groups / "memory", _VERSION_1) if controllers else (groups, _VERSION_2)
        folder = root / path.lstrip("/")
        places = [place for place in (folder, *folder.parents) if place.is_relative_to(root)]
        yield from (place / name for place in places for name in names)


def relieve() -> None:
    """Give back what can be made again. A full collection: some milliseconds for what is not frozen."""
    re.purge()
    gc.collect()
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return  # not glibc
    trim(0)
