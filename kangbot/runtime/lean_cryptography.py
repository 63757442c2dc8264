"""Import packages that import cryptography without it, for processes that stay: it comes with its first use.

It is 7 MB of resident memory, and 9 on Python 3.14. ccxt has it for keys of RSA and of elliptic curves (Bybit signs by
RSA where the secret is a private key, else by the standard library's HMAC), PyMySQL for passwords that a server of
MySQL asks for in public without TLS. Most daemons need neither.

    with deferred("pymysql._auth"):
        import aiomysql
"""

import importlib.util
import pkgutil
import sys
import types
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from typing import Any

_DEFERRED = "cryptography"


@contextmanager
def deferred(importer: str) -> Iterator[None]:
    """Have stand-ins for cryptography in what is imported meanwhile, all of it by the module `importer`.

    With the first call of one of them cryptography is imported, and the real names take their places in `importer`.
    Nothing stands in where cryptography is imported already. Not for use beside other threads that import at the same
    moment.
    """
    if _DEFERRED in sys.modules or importlib.util.find_spec(_DEFERRED) is None:
        yield
        return
    finder = _Finder(importer)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if _is_deferred(name)]:
            del sys.modules[name]


class _Later:
    """Stands for a name of cryptography, or for what is asked of one, until it is called.

    ccxt keeps some in tables of its own while it is imported (`ec.SECP256K1`), and calls them later.
    """

    def __init__(self, path: str, importer: str) -> None:
        self._path = path
        self._importer = importer

    def __getattr__(self, name: str) -> "_Later":
        if name.startswith("__"):  # protocols that Python probes for
            raise AttributeError(f"{self._path} is not imported yet, and has no {name!r} until it is")
        return _Later(f"{self._path}.{name}", self._importer)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        # Constants among the names are asked for without a call: from here on they are the real ones.
        names = vars(sys.modules[self._importer])
        names.update({name: value.real() for name, value in names.items() if isinstance(value, _Later)})
        return self.real()(*args, **kwargs)

    def real(self) -> Any:
        """Return what this stands for."""
        return pkgutil.resolve_name(self._path)


class _Finder(MetaPathFinder, Loader):
    """Finds every module of cryptography, with a stand-in for whatever is asked of it."""

    def __init__(self, importer: str) -> None:
        self._importer = importer

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: object = None) -> ModuleSpec | None:
        """Return a package without files."""
        del path, target
        return ModuleSpec(fullname, self, is_package=True) if _is_deferred(fullname) else None

    def exec_module(self, module: types.ModuleType) -> None:
        """Have names of the module answered (PEP 562)."""
        vars(module)["__getattr__"] = lambda name: getattr(_Later(module.__name__, self._importer), name)


def _is_deferred(name: str) -> bool:
    return name.partition(".")[0] == _DEFERRED
