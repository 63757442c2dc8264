"""What the command line makes of an answer, of none, and of somebody else's."""

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest

from kangbot.cli.answer import no_daemon
from kangbot.control.client import ControlClient, NoDaemonError
from kangbot.errors import Retryable


async def apart(call: Any, *arguments: Any) -> Any:
    """Call the client, which blocks, beside the loop."""
    return await asyncio.get_running_loop().run_in_executor(None, call, *arguments)


async def test_an_answer_that_is_not_ours_is_one_line(tmp_path: Path) -> None:
    """Something else listens there, or a daemon of another version."""
    replies = iter((b"HTTP/1.0 500 Oops\r\n\r\n<html>", b"HTTP/1.0 200 OK\r\n\r\n{}", b"nonsense\r\n\r\n"))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(next(replies))
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_unix_server(serve, tmp_path / "other.sock")
    client = ControlClient(tmp_path / "other.sock")
    with pytest.raises(ValueError, match="HTTP 500, without a word"):
        await apart(client.report)
    with pytest.raises(ValueError, match="of another version"):
        await apart(client.report)
    with pytest.raises(NoDaemonError, match="nonsense"):
        await apart(client.report)
    server.close()
    await server.wait_closed()


async def test_a_socket_that_nobody_serves_is_no_daemon(tmp_path: Path) -> None:
    """Said with the path."""
    with pytest.raises(NoDaemonError, match=r"nowhere\.sock"):
        ControlClient(tmp_path / "nowhere.sock").release()


def test_a_daemon_that_says_nothing_is_there_all_the_same(tmp_path: Path) -> None:
    """It begins, or hangs: nobody is told to start a second one."""
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(tmp_path / "control.sock"))
        mute.listen()
        with pytest.raises(NoDaemonError, match="timed out") as caught:
            ControlClient(tmp_path / "control.sock", timeout_s=0.05).release()
    assert "One is there" in no_daemon(caught.value, tmp_path)
    assert "kangbot run" not in no_daemon(caught.value, tmp_path)
    assert not caught.value.shut


async def test_answers_that_are_none_are_told_apart_by_what_they_ask_for(tmp_path: Path) -> None:
    """A daemon that begins is there; a history that is away may be asked again; a refusal has its own words."""
    replies = iter(
        (
            b'HTTP/1.0 503 Later\r\nRetry-After: 1\r\n\r\n{"error": "it begins"}',
            b'HTTP/1.0 503 Later\r\n\r\n{"error": "the history is away"}',
            b'HTTP/1.0 503 Later\r\n\r\n{"error": "no disk took it"}',
            b'HTTP/1.0 409 No\r\n\r\n{"error": "the daemon is stopping"}',
            b'HTTP/1.0 503 Critical\r\n\r\n{"status": "critical"}',
        )
    )

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(next(replies))
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_unix_server(serve, tmp_path / "control.sock")
    client = ControlClient(tmp_path / "control.sock")
    with pytest.raises(NoDaemonError, match="it begins") as begins:
        await apart(client.ask, "/orders")
    assert (begins.value.silent, begins.value.shut) == (True, False)
    with pytest.raises(Retryable, match="the history is away"):
        await apart(client.ask, "/orders")
    with pytest.raises(ValueError, match="no disk took it"):
        await apart(client.tell, "/stop-all")
    with pytest.raises(ValueError, match="the daemon is stopping"):
        await apart(client.tell, "/stop-all")
    assert await apart(client.health) == b'{"status": "critical"}', "which is an answer"
    server.close()
    await server.wait_closed()
