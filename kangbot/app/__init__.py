"""The composition root: the one room that names every concrete class, and the only one that reads settings.

`parameters` says what settings become, `life` makes the parts and begins and ends them in order, `beside` keeps going
what trading does not need, `answers` is what the daemon says and does when it is asked, and `last_run` what stays
when it has ended.
"""

from kangbot.app.last_run import LAST_RUN
from kangbot.app.life import App

__all__ = ["LAST_RUN", "App"]
