"""A client of a websocket that breaks off with its handshake or its ping, as one that is killed."""

import asyncio
import socket
import struct

_HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
_PING = b"\x89\x80\x00\x00\x00\x00"  # empty, with a mask of zeros
_PINGS = 100  # the first answer is refused, and the server learns of it before it has read them all


async def dialled(host: str, port: int, path: str) -> asyncio.StreamWriter:
    """Return a connection whose handshake is over."""
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(_HANDSHAKE.format(path=path, host=host).encode())
    await reader.readuntil(b"\r\n\r\n")
    return writer


def ping_and_break_off(writer: asyncio.StreamWriter) -> None:
    """Ping, and reset the connection."""
    writer.write(_PING * _PINGS)
    _break_off(writer)


async def ask_and_break_off(host: str, port: int, path: str) -> None:
    """Begin the handshake, and reset the connection."""
    _, writer = await asyncio.open_connection(host, port)
    writer.write(_HANDSHAKE.format(path=path, host=host).encode())
    _break_off(writer)


def _break_off(writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
