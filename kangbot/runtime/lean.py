"""Import structlog without rich, for processes that stay.

structlog's development console imports rich where it is installed, and rich pygments: 3.5 MB of the 4.8 that structlog
costs beside what the daemon imports anyway, for tracebacks in colours that nobody asks of it. structlog has a branch
for systems without rich; while it is imported first, rich is not to be found. A later `import rich` works as ever.

Import this module before anything that imports structlog, in the first line of a process' main module.
"""

import importlib
import sys

_SHUNNED = "rich"

if "structlog" not in sys.modules and _SHUNNED not in sys.modules:
    sys.modules[_SHUNNED] = None  # type: ignore[assignment]  # the import system's own word for "not to be found"
    try:
        importlib.import_module("structlog")
    finally:
        del sys.modules[_SHUNNED]
