"""Connections: kept, bounded in time, and closed by whoever opened them.

A `Transport` holds the connections of all threads, and those of each event loop. It sends one
request once; tries, and what an answer means, are decided above it.
"""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from inference_sdk.http import faults, interruption
from inference_sdk.http.answers import Answer
from inference_sdk.http.observing import Phase, timed
from inference_sdk.http.transport import interception
from inference_sdk.http.transport.blocking_link import BlockingNetwork
from inference_sdk.http.transport.connection_settings import ConnectionSettings, environment
from inference_sdk.http.transport.conversation import Lines
from inference_sdk.http.transport.limits import Limits
from inference_sdk.http.transport.links import run_blocking
from inference_sdk.http.transport.loop_lines import LoopLines
from inference_sdk.http.transport.outgoing import Address, outgoing
from inference_sdk.http.transport.redirects import follow
from inference_sdk.http.transport.ways import Way

if TYPE_CHECKING:
    from inference_sdk.http.entities import InferenceConfiguration, RequestMethod
    from inference_sdk.http.utils.request_building import RequestData

_MOST_WAYS = 1024
"""Remembered for one client, which mostly has one; they are cheap to make again."""


def _nothing() -> None:
    """There is nothing to close."""


class Transport:
    """The connections of a client and of its `with_options` copies. Safe to share.

    Threads share one pool; each event loop has its own, closed when the loop shuts down. In a
    forked child both start empty: a socket must not be spoken to from two processes.

    Args:
        sleep: how to pause a thread, for tests.
        sleep_async: how to pause a task.
    """

    def __init__(
        self,
        sleep: Callable[[float], None] = interruption.sleep,
        sleep_async: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.sleep = sleep
        self.sleep_async = sleep_async
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._threads: Lines | None = None
        self._close_threads: Callable[[], object] = _nothing
        self._loops = LoopLines()
        self._ways: dict[tuple[Any, ...], Way] = {}

    def exchange(
        self, request: RequestData, method: RequestMethod, configuration: InferenceConfiguration
    ) -> Answer:
        """Send one request and read its answer, blocking.

        Raises:
            HTTPClientError: there was no complete answer.
        """

        def send(request: RequestData) -> Answer:
            lines = self.lines_of_threads()
            return run_blocking(self._exchange(lines, request, method, configuration))

        if not interception.requests_is_intercepted():
            return send(request)
        from inference_sdk.http.transport import through_requests

        timeout = (configuration.connect_timeout, configuration.read_timeout)
        settings = ConnectionSettings.of(request.url, configuration).for_requests()
        try:
            with timed(Phase.WAITING):
                return through_requests.send(request, method, timeout, settings, send)
        except through_requests.ERRORS as error:
            failure = faults.translate(error, request.url, configuration.read_timeout)
        # Outside the handler: the library's error quotes the whole URL and must not be chained.
        raise failure

    async def exchange_async(
        self, request: RequestData, method: RequestMethod, configuration: InferenceConfiguration
    ) -> Answer:
        """The twin of `exchange`, on the running event loop."""
        if not interception.aiohttp_is_intercepted():
            lines = await self.lines_of_loop()
            return await self._exchange(lines, request, method, configuration)
        from inference_sdk.http.transport import through_aiohttp

        async with through_aiohttp.new_session() as session:
            with timed(Phase.WAITING):
                return await through_aiohttp.exchange(session, request, method, configuration)

    async def _exchange(
        self,
        lines: Lines,
        request: RequestData,
        method: RequestMethod,
        configuration: InferenceConfiguration,
    ) -> Answer:
        def way_to(address: Address) -> Way:
            return self._way_to(address, configuration)

        limits = Limits.of(configuration, method)
        url, reply = await follow(lines, outgoing(request, method), limits, way_to)
        return Answer(reply.status, reply.reason, url, reply.headers, reply.content)

    def close(self) -> None:
        """Close the connections kept for threads; a later call opens new ones."""
        if self._process == os.getpid():
            with self._lock:
                self._threads = None
                self._close_threads()

    async def aclose(self) -> None:
        """Close all kept connections: those of the running loop, and those of threads."""
        await self._loops.close_current()
        self.close()

    def lines_of_threads(self) -> Lines:
        """The connections that threads share."""
        lines = self._threads
        if lines is not None and self._process == os.getpid():
            return lines
        with self._lock:
            if self._threads is None or self._process != os.getpid():
                self._process, self._threads = os.getpid(), Lines(BlockingNetwork())
                # Also when the client is only dropped, or the program ends.
                self._close_threads = weakref.finalize(self, self._threads.kept.close)
            return self._threads

    async def lines_of_loop(self) -> Lines:
        """The connections of the running event loop."""
        return await self._loops.current()

    def _way_to(self, address: Address, configuration: InferenceConfiguration) -> Way:
        """The way under these settings and the environment of now; made once, since reading
        certificates costs 20 ms.
        """
        c = configuration
        settings = (c.proxy, c.verify, c.client_certificate)
        key = (address.origin, settings, environment(address.scheme, address.host))
        way = self._ways.get(key)
        if way is None:
            if len(self._ways) >= _MOST_WAYS:
                self._ways.clear()
            way = Way.to(address, ConnectionSettings.of(address.origin, configuration))
            self._ways[key] = way
        return way
