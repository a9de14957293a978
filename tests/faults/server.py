"""A server that does one thing wrong, and all else right: it echoes which picture it was sent.

So that a wrong answer shows, whoever gets it. On asyncio sockets, in a thread of its own.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import struct
import threading
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from math import inf
from typing import Any

LIMIT = 10.0
"""Seconds after which a test gives up."""

_PICTURE = re.compile(rb"R0lGODlhcGljdHVyZS[A-Za-z0-9+/]{6}")


def picture(number: int, *, poisoned: bool = False, size: int = 0) -> str:
    """A base64 picture; the server treats a poisoned one wrongly.

    Args:
        size: letters to add to it.
    """
    text = b64encode(f"GIF89apicture-{number}-{'no' if poisoned else 'ok'}".encode()).decode()
    return text + "AAAA" * (size // 4)


POISONED = {picture(number, poisoned=True).encode() for number in range(10)}


@dataclass(frozen=True)
class Fault:
    """What a server does wrong, and what the caller gets.

    Attributes:
        error: None for the right result.
        at_accept: done to each new connection, before a request is read; else to requests with the
            poisoned picture, or for a tunnel.
        times: how often it is done.
        options: of the client.
        size: letters that the poisoned picture has.
        is_last: whether no picture comes after the poisoned one, so that the connection is idle.
    """

    script: Script
    error: type[Exception] | None = None
    at_accept: bool = False
    times: float = inf
    options: dict[str, Any] = field(default_factory=dict)
    size: int = 0
    is_last: bool = False


class FaultServer:
    """Accepts connections, and does what its `fault` says.

    Attributes:
        open: connections that stand now.
        striking: those to which the fault is being done.
    """

    def __init__(self) -> None:
        self.fault: Fault | None = None
        self.healed = asyncio.Event()
        self.open = 0
        self.striking: set[Peer] = set()
        self._times = 0.0
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> FaultServer:
        self._thread.start()
        assert self._ready.wait(LIMIT)
        return self

    def drop(self) -> None:
        """Break off with those to which the fault is still being done."""

        def abort() -> None:
            for peer in self.striking:
                peer.reset()

        self._loop.call_soon_threadsafe(abort)

    def __exit__(self, *exception: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(LIMIT)
        assert not self._thread.is_alive()

    def infect(self, fault: Fault | None) -> None:
        """Behave wrongly from now on; None: rightly again."""

        def change() -> None:
            self.fault, self._times = fault, 0 if fault is None else fault.times
            if fault is None:
                self.healed.set()
            else:
                self.healed = asyncio.Event()
            done.set()

        done = threading.Event()
        self._loop.call_soon_threadsafe(change)
        assert done.wait(LIMIT)

    def wait_until_left(self, threads: float = inf) -> None:
        """Until no connection is open any more, and no more threads are than these."""
        deadline = time.monotonic() + LIMIT
        while self.open or threading.active_count() > threads:
            left = f"{self.open} connections are still open, {threading.enumerate()}"
            assert time.monotonic() < deadline, left
            time.sleep(0.001)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        serving = self._loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", 0, limit=2**25)
        )
        self.port = serving.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._ready.set()
        self._loop.run_forever()
        serving.close()
        self._loop.run_until_complete(self._end())
        self._loop.close()

    async def _end(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0)

    def _strikes(self, *, at_accept: bool) -> bool:
        if self.fault is None or self.fault.at_accept is not at_accept or self._times <= 0:
            return False
        self._times -= 1
        return True

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        peer = Peer(reader, writer, self)
        try:
            await self._talk(peer)
            writer.close()
            await writer.wait_closed()
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client has gone, which some of these faults are about
        finally:
            writer.transport.abort()
            self.open -= 1
            self.striking.discard(peer)

    async def _talk(self, peer: Peer) -> None:
        if self._strikes(at_accept=True):
            await self._strike(peer)
            return
        while await peer.read_request():
            if not (peer.is_poisoned and self._strikes(at_accept=False)):
                await peer.send(peer.right())
            elif not await self._strike(peer):
                return

    async def _strike(self, peer: Peer) -> bool:
        assert self.fault is not None
        self.striking.add(peer)
        goes_on = await self.fault.script(peer)
        if goes_on:
            self.striking.discard(peer)
        return bool(goes_on)


class Peer:
    """One connection, from the server's side."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, server: FaultServer
    ) -> None:
        self._reader, self._writer = reader, writer
        self._server = server
        self._request = b""
        self.healed = server.healed

    @property
    def is_poisoned(self) -> bool:
        is_for_tunnel = self._request.startswith(b"CONNECT ")
        return is_for_tunnel or not POISONED.isdisjoint(_PICTURE.findall(self._request))

    @property
    def target(self) -> str:
        """Path and query of the request."""
        return self._request.split(b" ", 2)[1].decode()

    async def read_request(self) -> bool:
        """The next request, whole; False where the client has closed."""
        try:
            head = await self._reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return False
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        self._request = head + await self._reader.readexactly(int(length[1]) if length else 0)
        return True

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    def right(self, status: str = "200 OK", **headers: str) -> bytes:
        """The right answer to the request that was read."""
        return message(self.right_body(), status, **headers)

    def right_body(self) -> bytes:
        echo = [found.decode() for found in _PICTURE.findall(self._request)]
        result: dict[str, Any] = {"echo": echo, "predictions": []}
        if b"/workflows/" in self._request.partition(b"\r\n")[0]:
            result = {"outputs": [result]}
        return json.dumps(result).encode()

    async def hold(self) -> None:
        """Do nothing until the test goes on."""
        await self.healed.wait()

    def reset(self) -> None:
        """Close with a TCP reset in place of an orderly end."""
        connected = self._writer.get_extra_info("socket")
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()


Script = Callable[[Peer], Awaitable[bool | None]]
"""What is done to a connection; the connection goes on where it returns True."""


def message(body: bytes, status: str = "200 OK", **headers: str) -> bytes:
    """An answer as bytes; whole."""
    fields = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body
