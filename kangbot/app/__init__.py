"""The composition root: the one room that names every concrete class, and the only one that reads settings.

`life` makes the parts and begins and ends them in order: read it first. `parameters` says what settings become, `books`
is what is written down, `remembered` who remembers by it, `beside` keeps going what trading does not need, `answers` is
what the daemon says and does when it is asked, `ending` when and for what it ends, `last_run` what stays then, and
`unstarted` tells of a start that came to nothing.
"""

from kangbot.app.life import App

__all__ = ["App"]
