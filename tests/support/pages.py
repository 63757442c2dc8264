"""What a page or a module of the dashboard asks for."""

import re

_NAMED = re.compile(r"""(?:/static/|from\s+"\./)([a-z]+\.(?:css|js|svg))""")
_OUT_OF_A_PACKAGE = {"plotly.js"}


def modules(text: str) -> set[str]:
    """Return the names of the files of ours that `text` asks for."""
    return set(_NAMED.findall(text)) - _OUT_OF_A_PACKAGE
