"""One control group for several containers or processes: what a whole server of a given size gives them together."""

from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")
_PERIOD_US = 100_000


class Server:
    """A group of `cores` and `memory` bytes; containers join it by `cgroup_parent`. Needs root and cgroupfs."""

    def __init__(self, name: str, *, cores: float, memory: int) -> None:
        self._unified = (_ROOT / "cgroup.controllers").exists()
        self._name = name
        quota = int(cores * _PERIOD_US)
        if self._unified:
            self._write("", "cgroup.subtree_control", "+cpu +memory +pids", group="")
            self._folder("").mkdir(exist_ok=True)
            self._write("", "cgroup.subtree_control", "+cpu +memory +pids")
            self._write("", "cpu.max", f"{quota} {_PERIOD_US}")
            self._write("", "memory.max", str(memory))
            self._write("", "memory.swap.max", "0")
            return
        for controller in ("memory", "cpu", "cpuacct"):
            self._folder(controller).mkdir(exist_ok=True)
        self._write("cpu", "cpu.cfs_period_us", str(_PERIOD_US))
        self._write("cpu", "cpu.cfs_quota_us", str(quota))
        self._write("memory", "memory.limit_in_bytes", str(memory))
        self._write("memory", "memory.memsw.limit_in_bytes", str(memory))

    def join(self, pid: int) -> None:
        """Move a process into the group."""
        for controller in ("",) if self._unified else ("memory", "cpu", "cpuacct"):
            self._write(controller, "cgroup.procs", str(pid))

    def remove(self) -> None:
        """Remove the group; nothing may run in it any more."""
        controllers = ("",) if self._unified else ("memory", "cpu", "cpuacct")
        for folder in {self._folder(controller).resolve() for controller in controllers}:  # two may be one hierarchy
            folder.rmdir()

    @property
    def parent(self) -> str:
        """What a container names as its parent."""
        return f"/{self._name}"

    def used(self, container: str = "") -> int:
        """Return the memory that cannot be given back, in bytes, of a container (0 while it is down) or of all."""
        if not self._folder("memory", container).exists():
            return 0
        stat = dict(line.split() for line in self._read("memory", container, "memory.stat").splitlines())
        if self._unified:
            return int(stat["anon"]) + int(stat["kernel"])
        return int(stat["total_rss"])

    def whole(self) -> int:
        """Return the memory of the server, its page cache included, in bytes."""
        return int(self._read("memory", "", "memory.current" if self._unified else "memory.usage_in_bytes"))

    def busy_s(self) -> float:
        """Return the processor time so far, in seconds."""
        if self._unified:
            stat = dict(line.split() for line in self._read("", "", "cpu.stat").splitlines())
            return int(stat["usage_usec"]) / 1e6
        return int(self._read("cpuacct", "", "cpuacct.usage")) / 1e9

    def ends(self) -> int:
        """Return how often the kernel ended something for want of memory."""
        name = "memory.events" if self._unified else "memory.oom_control"
        stat = dict(line.split() for line in self._read("memory", "", name).splitlines())
        return int(stat["oom_kill"])

    def _folder(self, controller: str, container: str = "", group: str | None = None) -> Path:
        base = _ROOT if self._unified else _ROOT / controller
        return base / (self._name if group is None else group) / container

    def _write(self, controller: str, file: str, text: str, group: str | None = None) -> None:
        (self._folder(controller, group=group) / file).write_text(text)

    def _read(self, controller: str, container: str, file: str) -> str:
        return (self._folder(controller, container) / file).read_text()
