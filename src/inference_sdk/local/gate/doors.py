"""Connections: so many at once, and none that waits for its headers for ever.

Each protocol of aiohttp stands behind one of these. aiohttp itself ends connections that are idle
after a request; those that never get to one would stay.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from aiohttp import web

from inference_sdk.local.gate.limits import Limits

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

_FULL = b'{"message": "This server has no room for another connection."}'
FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 1\r\n"
    b"Connection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(_FULL), _FULL)
)
SLOW = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Doors:
    """Makes the protocol of each connection.

    Args:
        make: makes aiohttp's.
        limits: for `connections` and `header_seconds`.
    """

    def __init__(self, make: Callable[[], asyncio.Protocol], limits: Limits) -> None:
        self.make = make
        self.limits = limits
        self.open: set[Door] = set()

    def __call__(self) -> asyncio.Protocol:
        return Door(self)


class Door(asyncio.Protocol):
    """Passes on what comes, and looks at the clock until the headers are there."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._behind = doors.make()
        self._transport: asyncio.Transport
        self._timer: asyncio.TimerHandle | None = None
        self._tail = b""
        self._is_idle = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if len(self._doors.open) >= self._doors.limits.connections:
            self._transport.write(FULL)
            self._transport.close()
            return
        self._doors.open.add(self)
        self._behind.connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        if self not in self._doors.open:
            return
        if self._is_idle:
            self._is_idle = False
            self._wait()
        if self._timer is not None and self._has_headers(data):
            self._timer.cancel()
            self._timer = None
        self._behind.data_received(data)

    def answered(self) -> None:
        """The next that comes is another request."""
        self._is_idle = True

    def _has_headers(self, data: bytes) -> bool:
        """Whether an empty line has come since the clock began: all of a request but its body."""
        seen = self._tail + data
        self._tail = seen[-3:]
        return b"\r\n\r\n" in seen or b"\n\n" in seen

    def _wait(self) -> None:
        self._tail = b""
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._doors.limits.header_seconds, self._end)

    def _end(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(SLOW)
            self._transport.close()

    def eof_received(self) -> bool | None:
        return self._behind.eof_received() if self in self._doors.open else None

    def connection_lost(self, error: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self in self._doors.open:
            self._doors.open.discard(self)
            self._behind.connection_lost(error)

    def pause_writing(self) -> None:
        self._behind.pause_writing()

    def resume_writing(self) -> None:
        self._behind.resume_writing()


@web.middleware
async def opens_again(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Tells a request's door when it is answered."""
    transport = request.transport
    try:
        return await handler(request)
    finally:
        door = None if transport is None else transport.get_protocol()
        if isinstance(door, Door):
            door.answered()
