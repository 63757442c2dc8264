"""The composition root: the one room that names every concrete class, and the only one that reads settings.

`parameters` says what settings become, `life` makes the parts and begins and ends them in order, and `answers` is what
the daemon says and does when it is asked.
"""

from kangbot.app.life import LAST_RUN, App

__all__ = ["LAST_RUN", "App"]
