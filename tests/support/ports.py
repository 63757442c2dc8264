"""A port of the loopback for a server that begins to listen later, perhaps in a process of its own, perhaps twice."""

import socket


def own_port() -> int:
    """Return a port that nobody else is given for as long as this process lasts.

    One that is only found free may be another test's before the server has it: workers bind some hundred ports a minute
    beside each other. So it is held by a socket that does not listen, and that whoever names the port may share: man 7
    socket, SO_REUSEADDR, which servers set. The kernel itself gives out no port that somebody has bound.
    """
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        port: int = made.getsockname()[1]
        made.detach()  # the process' end closes it
    return port
