"""Bodies, read once, before any work is taken on: of bounded size, unpacked or not, and not too slowly.

Packed bodies are unpacked on a worker thread, piece by piece: a bomb is refused before it is large.
"""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from typing import TYPE_CHECKING

from aiohttp import ClientPayloadError, http_exceptions, web

from inference_sdk.http.transport import body_decoding
from inference_sdk.local.faults import (
    BrokenBodyError,
    BusyError,
    SlowBodyError,
    TooLargeError,
)
from inference_sdk.local.gate.limits import Limits

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler, Middleware

WATCH_SECONDS = 10
"""Over which the rate of a body is taken: a phone that changes its mast is not slow."""

_UNREADABLE = (ValueError, OSError, ClientPayloadError, http_exceptions.BadHttpMessage)
"""What aiohttp raises where chunks are none, or the client is gone."""


class Bodies:
    """Reads bodies for as long as there is room for them."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._held = 0

    def middleware(self) -> Middleware:
        """Gives each request its reader, and takes the room back when it is answered."""

        @web.middleware
        async def hold(request: web.Request, handler: Handler) -> web.StreamResponse:
            reader = _Reader(request, self)
            _reader.set(reader)
            try:
                return await handler(request)
            finally:
                self._held -= reader.held
                reader.held = 0

        return hold

    def take(self, reader: _Reader, size: int) -> None:
        """Give a body room.

        Raises:
            TooLargeError: it is too large.
            BusyError: others hold too much.
        """
        if reader.held + size > self.limits.body_bytes:
            raise TooLargeError(
                f"A body may have {self.limits.body_bytes} bytes (limit: body_bytes), and this one "
                "has more. Send fewer pictures at once."
            )
        if self._held + size > self.limits.bodies_bytes:
            raise BusyError(
                f"The requests under way have {self._held} bytes, and this server takes no more "
                f"than {self.limits.bodies_bytes} (limit: bodies_bytes). Try again in a moment."
            )
        self._held += size
        reader.held += size


class _Reader:
    """The body of one request."""

    def __init__(self, request: web.Request, bodies: Bodies) -> None:
        self.held = 0
        self._request = request
        self._bodies = bodies
        self._body: bytes | None = None

    async def read(self) -> bytes:
        if self._body is None:
            packed = await self._packed()
            encoding = self._request.headers.get("Content-Encoding")
            if encoding is None or not packed:
                self._body = packed
            else:
                loop = asyncio.get_running_loop()
                self._body = await loop.run_in_executor(None, self._unpacked, packed, encoding)
                self._bodies.take(self, max(0, len(self._body) - self.held))
        return self._body

    async def _packed(self) -> bytes:
        """What comes over the line."""
        request = self._request
        if (request.content_length or 0) > self._bodies.limits.body_bytes:
            self._bodies.take(self, request.content_length or 0)
        body = bytearray()
        watch = _Watch(request, self._bodies.limits, body)
        try:
            while part := await request.content.readany():
                self._bodies.take(self, len(part))
                body += part
        except _UNREADABLE as error:
            raise BrokenBodyError(f"The body cannot be read: {error}") from error
        finally:
            watch.end()
        return bytes(body)

    def _unpacked(self, packed: bytes, encoding: str) -> bytes:
        largest = self._bodies.limits.body_bytes
        try:
            sink = body_decoding.sink_for(encoding, largest)
            sink.add(packed)
            return sink.content()
        except body_decoding.TooLargeError:
            raise TooLargeError(
                f"A body may have {largest} bytes when unpacked (limit: body_bytes)."
            ) from None
        except body_decoding.UnreadableBodyError as error:
            raise BrokenBodyError(f"The body is not {encoding[:50]!r}: {error}.") from error


class _Watch:
    """Ends the reading of a body that comes too slowly."""

    def __init__(self, request: web.Request, limits: Limits, body: bytearray) -> None:
        self._content = request.content
        self._body = body
        self._least = limits.body_bytes_a_second * WATCH_SECONDS
        self._seen = 0
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(WATCH_SECONDS, self._look)

    def _look(self) -> None:
        came = len(self._body) - self._seen
        if came < self._least:
            self._content.set_exception(
                SlowBodyError(
                    f"Of the body came {came} bytes in {WATCH_SECONDS} s, which is too slow."
                )
            )
            return
        self._seen = len(self._body)
        self._timer = self._loop.call_later(WATCH_SECONDS, self._look)

    def end(self) -> None:
        self._timer.cancel()


async def read_body() -> bytes:
    """The body of the request under way, unpacked; read when it is first asked for.

    Raises:
        TooLargeError: it is larger than this server takes.
        SlowBodyError: it does not come.
        BrokenBodyError: it is not packed as it says.
    """
    return await _reader.get().read()


_reader: ContextVar[_Reader] = ContextVar("body_reader")
"""That of the request under way."""
