"""Import aiohttp without the system's authorities: for processes that name their own TLS with every connection.

While it is imported aiohttp makes two contexts, and both read whom the system trusts, the one that judges nobody too:
two megabytes for as long as the process lives and a tenth of its start, beside the context that we make for ourselves
where a connection needs one (`reach.trusted`). Here they know no authority. Whoever forgot to name ours would be
refused by every host, not let in: a certificate, and the host's name in it, is judged as ever.

Import this module before anything that imports aiohttp, in the first lines of a process' main module.
"""

import importlib
import ssl
import sys


def _nobody(_: ssl.SSLContext) -> None:
    """Stand for `set_default_verify_paths`, which the standard library asks for the system's."""


if "aiohttp" not in sys.modules:
    ssl.SSLContext.set_default_verify_paths = _nobody  # type: ignore[assignment, method-assign]
    try:
        importlib.import_module("aiohttp")
    finally:
        del ssl.SSLContext.set_default_verify_paths  # what it has inherited is there again
