"""Connections: kept, bounded in time, and closed by whoever opened them.

A `Transport` holds one pool for all threads (`requests`) and one for each event loop (aiohttp).
It sends one request once; tries, and what an answer means, are decided above it. Errors of the
two libraries end here: what leaves is the package's own, and holds no key.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from inference_sdk.http import faults, interruption
from inference_sdk.http.answers import Answer
from inference_sdk.http.transport.connection_settings import ConnectionSettings
from inference_sdk.http.transport.loop_sessions import LoopSessions

if TYPE_CHECKING:
    import aiohttp
    import requests

    from inference_sdk.http.entities import InferenceConfiguration
    from inference_sdk.http.steps import Exchange


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
        self._session: requests.Session | None = None
        self._loop_sessions = LoopSessions(_new_loop_session)
        self._settings: dict[tuple[Any, ...], dict[str, Any]] = {}

    def exchange(self, step: Exchange) -> Answer:
        """Send one request and read its answer, blocking.

        Raises:
            HTTPClientError: there was no complete answer.
        """
        from inference_sdk.http.transport import sync_sender

        configuration = step.configuration
        session = self._threads_session()
        timeout = (configuration.connect_timeout, configuration.read_timeout)
        try:
            settings = self._settings_for(step.request.url, configuration, _for_requests)
            response = sync_sender.send(session, step.request, step.method, timeout, settings)
        except sync_sender.ERRORS as error:
            failure = faults.translate(error, step.request.url, configuration.read_timeout)
        else:
            return sync_sender.answer(response)
        # Outside the handler: the library's error quotes the whole URL and must not be chained.
        raise failure

    async def exchange_async(self, step: Exchange) -> Answer:
        """The twin of `exchange`, on the running event loop."""
        from inference_sdk.http.transport import async_sender

        configuration = step.configuration
        session = await self._loop_sessions.current()
        timeout = (configuration.connect_timeout, configuration.read_timeout)
        try:
            settings = self._settings_for(step.request.url, configuration, _for_aiohttp)
            return await async_sender.send(session, step.request, step.method, timeout, settings)
        except async_sender.ERRORS as error:
            failure = faults.translate(error, step.request.url, configuration.read_timeout)
        raise failure

    def close(self) -> None:
        """Close the connections kept for threads; a later call opens new ones."""
        with self._lock:
            session, self._session = self._session, None
        if session is not None and self._process == os.getpid():
            session.close()

    async def aclose(self) -> None:
        """Close all kept connections: those of the running loop, and those of threads."""
        await self._loop_sessions.close_current()
        self.close()

    def _threads_session(self) -> requests.Session:
        from inference_sdk.http.transport import sync_sender

        session = self._session
        if session is not None and self._process == os.getpid():
            return session
        with self._lock:
            if self._session is None or self._process != os.getpid():
                self._process, self._session = os.getpid(), sync_sender.new_session()
            return self._session

    def _settings_for(
        self,
        url: str,
        configuration: InferenceConfiguration,
        arguments: Callable[[ConnectionSettings, str], dict[str, Any]],
    ) -> dict[str, Any]:
        """Arguments for a sender; made once for a host, since that costs 0.2 ms, with TLS 20."""
        host = faults.host_of(url)
        c = configuration
        key = (arguments, host, c.proxy, c.verify, c.client_certificate)
        made = self._settings.get(key)
        if made is None:
            made = arguments(ConnectionSettings.of(host, configuration), host)
            self._settings[key] = made
        return made


def _for_requests(settings: ConnectionSettings, host: str) -> dict[str, Any]:  # noqa: ARG001
    return settings.for_requests()


def _for_aiohttp(settings: ConnectionSettings, host: str) -> dict[str, Any]:
    return settings.for_aiohttp(tls=host.startswith("https:"))


def _new_loop_session() -> aiohttp.ClientSession:
    from inference_sdk.http.transport import async_sender

    return async_sender.new_session()
