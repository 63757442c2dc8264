"""The port of a demo's dashboard: another's is left alone, whoever that is, and its own daemon gets it."""

import asyncio
import socket

from kangbot.cli.demo.processes import hold_port


def place(held: socket.socket) -> int:
    """Return its port."""
    return int(held.getsockname()[1])


async def test_demos_of_one_moment_have_a_port_each() -> None:
    """Neither daemon listens yet; each gets the port that was held for it, also when it is started again."""
    with hold_port(0) as free:
        usual = place(free)
    with hold_port(usual) as first, hold_port(usual) as second:
        assert place(first) == usual != place(second)
        for held in (first, second, first):
            server = await asyncio.start_server(lambda *_: None, "127.0.0.1", place(held), reuse_address=True)
            server.close()
            await server.wait_closed()


def test_a_port_on_which_somebody_listens_is_left_to_them() -> None:
    """A daemon with its dashboard, or anything else; on every address as well."""
    for address in ("127.0.0.1", "0.0.0.0"):
        with socket.create_server((address, 0)) as taken, hold_port(place(taken)) as held:
            assert place(held) != place(taken)
