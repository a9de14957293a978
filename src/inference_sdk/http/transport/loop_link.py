"""A connection for tasks: a protocol of the running event loop."""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from collections.abc import Awaitable
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any, TypeVar

from inference_sdk.http.transport.sockets import READ, set_options, wait
from inference_sdk.http.workers import beside_loop

if TYPE_CHECKING:
    import ssl

    from inference_sdk.http.transport.ways import Judge, Proxy

if sys.version_info >= (3, 11):
    from asyncio import timeout
else:
    from async_timeout import timeout

T = TypeVar("T")

HAPPY_EYEBALLS_SECONDS = 0.25
"""How long one address of a host is tried alone, as RFC 8305 recommends."""

_WRITTEN_BYTES = 2**18
"""What is given to asyncio at once: under TLS it takes one such piece beyond what it has sent."""


class LoopLink(asyncio.Protocol):
    """See `Link`."""

    kept_until = inf

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: Any = None
        self._received: list[bytes] = []
        self._ended = False
        self._error: Exception | None = None
        self._writing = False
        self._waiter: asyncio.Future[None] | None = None

    # -- what the event loop tells ---------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        # No buffer of its own: what counts as sent is what the system has taken.
        self._transport.set_write_buffer_limits(high=1, low=0)

    def data_received(self, data: bytes) -> None:
        self._received.append(data)
        self._wake()

    def eof_received(self) -> None:
        self._ended = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended, self._error, self._writing = True, exc, False
        self._wake()

    def pause_writing(self) -> None:
        self._writing = True

    def resume_writing(self) -> None:
        self._writing = False
        self._wake()

    # -- what a conversation asks for ------------------------------------------------------------

    async def send(self, parts: list[memoryview], due: float) -> bytes | None:
        while True:
            while self._writing and not (self._received or self._ended):
                await self._wait(due)
            if self._writing or self._ended:
                return self._take()
            if not parts[0]:
                del parts[0]
                return None
            self._transport.write(parts[0][:_WRITTEN_BYTES])
            parts[0] = parts[0][_WRITTEN_BYTES:]

    async def receive(self, due: float) -> bytes:
        while not self._received:
            if self._error is not None:
                raise self._error
            if self._ended:
                return b""
            await self._wait(due)
        return self._take()

    async def start_tls(self, context: ssl.SSLContext, host: str, due: float) -> LoopLink:
        starting = self._loop.start_tls(self._transport, self, context, server_hostname=host)
        secure = await _within(starting, due)
        if secure is None:
            raise ConnectionResetError("closed in the handshake")
        self.connection_made(secure)
        return self

    async def is_quiet(self) -> bool:
        if not self._is_disturbed() and wait(self._transport.get_extra_info("socket"), READ, 0):
            # The loop reads it in its next round, and then tells.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        return not self._is_disturbed()

    def _is_disturbed(self) -> bool:
        return bool(self._received) or self._ended or self._transport.is_closing()

    def close(self) -> None:
        # At once: a transport that is closed in an orderly way first sends what it has buffered.
        # A loop that was closed before has nobody left to tell.
        if self._transport is not None and not self._loop.is_closed():
            self._transport.abort()

    def _take(self) -> bytes:
        taken = self._received[0] if len(self._received) == 1 else b"".join(self._received)
        self._received.clear()
        return taken

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _wait(self, due: float) -> None:
        left = due - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._waiter = waiter = self._loop.create_future()
        timer = None if left == inf else self._loop.call_later(left, _time_out, waiter)
        try:
            await waiter
        finally:
            self._waiter = None
            if timer is not None:
                timer.cancel()


def _time_out(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_exception(TimeoutError("timed out"))


async def _within(awaitable: Awaitable[T], due: float) -> T:
    left = due - time.monotonic()
    try:
        # Not `wait_for`: until Python 3.12 it loses a cancellation that comes with the result.
        async with timeout(None if left == inf else left):
            return await awaitable
    except asyncio.TimeoutError:  # another class than the built-in one on 3.10
        raise TimeoutError("timed out") from None


class LoopNetwork:
    """Opens connections on the running event loop."""

    async def connect(
        self, host: str, port: int, due: float, judge: Judge | None = None
    ) -> LoopLink:
        return await _within(_linked(_connected(host, port, judge)), due)

    async def connect_by_socks(self, proxy: Proxy, host: str, port: int, due: float) -> LoopLink:
        from inference_sdk.http.transport import socks

        return await _linked(socks.connect_async(proxy, host, port, due))


async def _connected(host: str, port: int, judge: Judge | None) -> socket.socket:
    import aiohappyeyeballs

    addresses = await _addresses(host, port)
    if judge is not None:
        judge(host, (str(address[0]) for *_, address in addresses))
    return await aiohappyeyeballs.start_connection(
        addresses, happy_eyeballs_delay=HAPPY_EYEBALLS_SECONDS
    )


async def _addresses(host: str, port: int) -> list[Any]:
    look_up = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    try:
        return look_up(flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        # Not with asyncio: it has no threads left once the main thread has ended.
        return await beside_loop(look_up)


async def _linked(opening: Awaitable[socket.socket]) -> LoopLink:
    opened = await opening
    link = LoopLink()
    try:
        set_options(opened)
        await asyncio.get_running_loop().create_connection(lambda: link, sock=opened)
    except BaseException:
        link.close()
        opened.close()
        raise
    return link
