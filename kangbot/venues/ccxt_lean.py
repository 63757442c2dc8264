"""Load one exchange class of ccxt without the hundred others.

`import ccxt.async_support` reads every exchange it knows: about 70 MB of resident memory beyond asyncio and aiohttp, of
which one exchange needs 4. A daemon for a 1 GB server cannot pay that for a signature. Here the two packages are
entered into `sys.modules` with their paths but without running their `__init__`, which is what imports everything;
submodules are then found as usual. cryptography is imported once a key needs it (`runtime/lean_cryptography.py`).

What a later `import ccxt` in the same process finds is promised, and tested:

- A package that was imported in full before is used as it is.
- A package that was entered bare fills itself: the first name asked of it that it does not have runs its real
  `__init__` in place. `ccxt.binance` or `ccxt.pro` work as ever, and cost their memory then.
- ccxt's synchronous classes need `requests`, 6 MB that no asynchronous class uses. During the lean load stand-ins take
  its place, and filling a package puts the real names in. Only who imports the submodule `ccxt.<exchange>` past the
  package meets a stand-in; it says so when it is called.

Where any of this fails (another layout of ccxt, most likely), the plain import is made instead, and logged.
Not for use beside other threads that import at the same moment: load venues while the daemon starts.
"""

import importlib
import importlib.util
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from typing import Any, NoReturn

import structlog

from kangbot.runtime.lean_cryptography import deferred

log = structlog.get_logger(__name__)

_PACKAGES = ("ccxt", "ccxt.async_support")
_BASE = "ccxt.base.exchange"
_REQUESTS = {  # what ccxt's base module takes from requests, and from where
    "Session": "requests",
    "default_user_agent": "requests.utils",
    "HTTPError": "requests.exceptions",
    "Timeout": "requests.exceptions",
    "TooManyRedirects": "requests.exceptions",
    "RequestException": "requests.exceptions",
    "ConnectionError": "requests.exceptions",
}
_RENAMED = {"ConnectionError": "requestsConnectionError"}  # the name it has there, where that differs


def load(name: str) -> type[Any]:
    """Return the class `ccxt.async_support.<name>`. ImportError where ccxt has no such exchange."""
    before = frozenset(sys.modules)
    try:
        return _lean(name)
    except Exception as error:  # noqa: BLE001 -- whatever a changed ccxt raises, the plain import is the answer
        for added in [key for key in sys.modules if key.partition(".")[0] == "ccxt" and key not in before]:
            del sys.modules[added]
        log.warning("ccxt.lean_failed", exchange=name, error=repr(error))
        return _plain(name)


def _plain(name: str) -> type[Any]:
    found: type[Any] | None = getattr(importlib.import_module("ccxt.async_support"), name, None)
    if found is None:
        raise ImportError(f"ccxt knows no exchange {name!r}")
    return found


def _lean(name: str) -> type[Any]:
    for package in _PACKAGES:
        if package not in sys.modules:
            _Bare.enter(package)
    with _Bare.loading(), _without_requests(), deferred(_BASE):
        module = importlib.import_module(f"ccxt.async_support.{name}")
    found: type[Any] = getattr(module, name)
    # The import system has bound the submodule to the package; the full package binds the class to that name.
    setattr(sys.modules["ccxt.async_support"], name, found)
    return found


# ------------------------------------------------------------------------------------------------------ bare packages
class _Bare:
    """A package in `sys.modules` that finds its submodules and fills itself on demand (PEP 562)."""

    _lean_loads = 0  # under way: ccxt's own modules ask the packages for base names, which must not fill them

    def __init__(self, module: types.ModuleType, spec: ModuleSpec) -> None:
        self._module = module
        self._spec = spec

    @classmethod
    def enter(cls, package: str) -> None:
        """Put `package` into `sys.modules` bare."""
        spec = importlib.util.find_spec(package)
        if spec is None:
            raise ImportError(f"{package} is not installed")
        module = importlib.util.module_from_spec(spec)
        vars(module)["__getattr__"] = cls(module, spec).missing
        sys.modules[package] = module
        parent, _, child = package.rpartition(".")
        if parent:
            setattr(sys.modules[parent], child, module)

    @classmethod
    @contextmanager
    def loading(cls) -> Iterator[None]:
        """Answer base names while a lean load is under way."""
        cls._lean_loads += 1
        try:
            yield
        finally:
            cls._lean_loads -= 1

    def missing(self, name: str) -> Any:
        """Return an attribute that the package does not have yet; fill the package where it must."""
        if name.startswith("__"):  # the import system probes for these
            raise AttributeError(f"module {self._spec.name!r} has no attribute {name!r}")
        if self._lean_loads:
            return _base_name(name)
        self._fill()
        return getattr(self._module, name)

    def _fill(self) -> None:
        del vars(self._module)["__getattr__"]
        _restore_requests()
        if self._spec.loader is not None:
            self._spec.loader.exec_module(self._module)


def _base_name(name: str) -> Any:
    """Return what ccxt's base modules import from the package itself: `Exchange` and the error classes."""
    if name == "Exchange":
        return sys.modules[_BASE].Exchange
    return getattr(sys.modules["ccxt.base.errors"], name)


# ----------------------------------------------------------------------------------------------------------- requests
class _NeverRaised(Exception):
    """Stands for an error class of requests: without requests nothing can raise it."""


def _no_session() -> NoReturn:
    raise RuntimeError("ccxt was loaded for one asynchronous exchange: `import ccxt` before using a synchronous one")


@contextmanager
def _without_requests() -> Iterator[None]:
    """Keep ccxt's base module from importing requests, where neither is imported yet."""
    if "requests" in sys.modules or _BASE in sys.modules:
        yield
        return
    stand_ins = {home: types.ModuleType(home) for home in _REQUESTS.values()}
    for attribute, home in _REQUESTS.items():
        setattr(stand_ins[home], attribute, _NeverRaised)
    vars(stand_ins["requests"]).update(Session=_no_session, __path__=[])
    vars(stand_ins["requests.utils"]).update(default_user_agent=lambda: "ccxt")
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for home in stand_ins:
            del sys.modules[home]


def _restore_requests() -> None:
    """Give ccxt's base module the real names of requests, where it holds stand-ins."""
    base = sys.modules.get(_BASE)
    if base is None or vars(base).get("Session") is not _no_session:
        return
    for attribute, home in _REQUESTS.items():
        setattr(base, _RENAMED.get(attribute, attribute), getattr(importlib.import_module(home), attribute))
