"""The thread that a stream runs on: an event loop of its own, from the first request to the last.

Starts the stream, watches over it, starts it again where that is wanted, and gives everything
back at the end. It knows the intake, and nothing of the session: a session that nobody holds any
more can be collected while its stream still runs, and then ends it.
"""

from __future__ import annotations

import asyncio
import logging
import random
import threading
import time
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Optional

from inference_sdk.utils.logging import get_logger
from inference_sdk.webrtc.errors import (
    DataBacklogError,
    FirstFrameTimeoutError,
    WebRTCError,
    WebRTCStartError,
)
from inference_sdk.webrtc.intake import StreamPlan
from inference_sdk.webrtc.signalling import (
    Server,
    build_offer_body,
    find_ice_servers,
    is_near,
    request_worker,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import aiohttp
    from aiortc import RTCConfiguration

    from inference_sdk.webrtc.config import StreamConfig
    from inference_sdk.webrtc.intake import Intake
    from inference_sdk.webrtc.peer import Peer
    from inference_sdk.webrtc.signalling import IceServer
    from inference_sdk.webrtc.sources.base import StreamSource
    from inference_sdk.webrtc.stats import Counters, Transport

logger = get_logger("webrtc.connection")

_EXIT_CHECK_SECONDS = 1.0


@dataclass(frozen=True)
class StreamRequest:
    """What a session asks a server for.

    Attributes:
        workflow_configuration: as it goes over the wire.
        first_frame_timeout: seconds.
    """

    server: Server
    workflow_configuration: dict[str, Any] = field(repr=False)
    config: StreamConfig
    first_frame_timeout: float


class Connection:
    """A stream, on a thread of its own.

    Args:
        request: what to ask for, and where.
        source: what to stream.
        intake: gets what comes, and the end.
        counters: counts what is sent.
    """

    def __init__(
        self, request: StreamRequest, source: StreamSource, intake: Intake, counters: Counters
    ) -> None:
        self.started: Future[None] = Future()
        self._request = request
        self._source = source
        self._intake = intake
        self._counters = counters
        self._stop_lock = threading.RLock()
        self._stopping = False
        self._critical = 0
        self._loop: Optional[asyncio.AbstractEventLoop] = None
        self._main_task: Optional[asyncio.Task[None]] = None
        self._peer: Optional[Peer] = None
        self._last_transport: Optional[Transport] = None
        self._last_active = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="inference-webrtc", daemon=True)

    def start(self) -> None:
        """Begin; `started` tells when the worker has answered, or why it did not."""
        self._intake.start()
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end; from any thread, any number of times. Does not wait."""
        with self._stop_lock:
            if self._stopping:
                return
            self._stopping = True
            loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):  # it ended by itself meanwhile
                loop.call_soon_threadsafe(self._cancel)

    def join(self, timeout: float) -> bool:
        """Wait for the thread, unless called from it. Returns whether it ended."""
        if self._thread is not threading.current_thread() and self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def transport_stats(self, timeout: float) -> Optional[Transport]:
        """What the connection counted, or had counted when it closed; None before it stood."""
        loop, peer = self._loop, self._peer
        if loop is None or peer is None or loop.is_closed():
            return self._last_transport
        asked = asyncio.run_coroutine_threadsafe(peer.transport_stats(), loop)
        try:
            return asked.result(timeout)
        except (FutureTimeoutError, CancelledError):  # it closes just now
            asked.cancel()
            return self._last_transport

    # What the source reports, from any thread.

    def active(self) -> None:
        self._last_active = time.monotonic()

    def sent(self, ticks: int, at: float) -> None:
        self._counters.sent(ticks, at)

    def skipped(self) -> None:
        self._counters.frame_skipped()

    def ended(self, error: Optional[BaseException] = None) -> None:
        def end() -> None:
            if self._peer is not None:
                self._peer.finish(error) if error is not None else self._peer.drain()

        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):  # the loop closed meanwhile
                loop.call_soon_threadsafe(end)

    # The thread.

    def _cancel(self) -> None:
        """Cut short what runs, but not where half of it would leave sockets open."""
        if self._main_task is not None and not self._critical:
            self._main_task.cancel()

    @contextmanager
    def _uninterrupted(self) -> Iterator[None]:
        """Finish what is inside, also when it should stop meanwhile; it stops right after."""
        self._critical += 1
        try:
            yield
        finally:
            self._critical -= 1
        if self._stopping:
            raise asyncio.CancelledError

    def _run(self) -> None:
        error: Optional[BaseException] = None
        try:
            asyncio.run(self._main())
        except asyncio.CancelledError:
            if not (self._stopping and self.started.done()):  # else whoever closed it knows
                error = WebRTCStartError(
                    f"The session was closed while the stream at {self._url} started."
                )
        except Exception as failure:  # noqa: BLE001 - handed to whoever started or reads
            error = failure
        # A source of the user's own may raise anything, and anywhere.
        if not self.started.done():
            self.started.set_exception(self._start_error(error))
            error = None
        self._intake.end(error)

    async def _main(self) -> None:
        with self._stop_lock:
            self._loop = asyncio.get_running_loop()
            self._main_task = asyncio.current_task()
            if self._stopping:  # closed before it began
                raise asyncio.CancelledError
        self._source.monitor = self
        watch = asyncio.ensure_future(self._stop_with_the_program())
        try:
            await self._stream()
        finally:
            watch.cancel()
            self._source.monitor = None

    async def _stop_with_the_program(self) -> None:
        """End with the main thread: aiortc's decoder threads would keep the process alive."""
        # Nothing tells of the end of the main thread, so this looks once a second.
        while threading.main_thread().is_alive():  # noqa: ASYNC110
            await asyncio.sleep(_EXIT_CHECK_SECONDS)
        self.stop()

    async def _stream(self) -> None:
        """Run the stream; start it again after a loss, where the configuration says so."""
        policy = self._request.config.reconnect_policy if self._source.live else None
        attempt = 0
        while True:
            error: Optional[WebRTCError] = None
            try:
                if not await self._run_once() or policy is None:
                    return
            except DataBacklogError:
                raise  # a handler that is too slow stays so
            except WebRTCError as failure:
                if not self.started.done() or policy is None:
                    raise
                error = failure
            attempt = 1 if self._intake.began.is_set() else attempt + 1
            if not policy.allows(attempt):
                break
            delay = policy.delay(attempt, random.random())  # noqa: S311 - no secret
            reason = error or "The worker closed the connection."
            logger.warning("The stream is started again in %.1f s: %s", delay, reason)
            self._counters.reconnects += 1
            self._intake.began.clear()
            await asyncio.sleep(delay)
        if error is not None:
            raise error

    async def _run_once(self) -> bool:
        """One connection to one worker, from the source's opening to its closing.

        Returns:
            Whether it was the worker that ended it.
        """
        try:
            await self._prepare_source()
            return await self._stream_to_worker()
        finally:
            with self._uninterrupted():
                await self._source.cleanup()

    async def _prepare_source(self) -> None:
        try:
            await self._source.prepare()
        except WebRTCError as error:
            raise type(error)(f"{error} Nothing was sent to {self._url}.") from error.__cause__

    async def _stream_to_worker(self) -> bool:
        import aiohttp

        from inference_sdk.webrtc.peer import Peer

        server, peer = self._request.server, None
        try:
            async with aiohttp.ClientSession(trust_env=True) as http:
                ice_servers = await find_ice_servers(http, server, self._request.config)
                configuration = await _rtc_configuration(ice_servers, server)
                peer = Peer(configuration, self._source, self._intake)
                await self._negotiate(http, peer, ice_servers)
            self._peer = peer
            if not self.started.done():
                self.started.set_result(None)
            return await self._watched(peer)
        finally:
            self._peer = None
            if peer is not None:
                with self._uninterrupted():
                    self._last_transport = await peer.transport_stats()
                    await peer.close()

    async def _negotiate(
        self, http: aiohttp.ClientSession, peer: Peer, ice_servers: list[IceServer]
    ) -> None:
        server, config = self._request.server, self._request.config
        try:
            await peer.configure()
            with self._uninterrupted():  # aioice forgets sockets that it is just opening
                offer = await peer.offer()
            body = build_offer_body(
                server,
                offer,
                self._request.workflow_configuration,
                config,
                ice_servers,
                self._source.get_initialization_params(config),
            )
            self._intake.expect(StreamPlan.of_request(body, config.stream_output))
            answer = await request_worker(http, server, body)
            with self._uninterrupted():
                await peer.accept(answer)
        except WebRTCStartError as error:
            if self._url in str(error):
                raise
            raise type(error)(f"No stream at {self._url}: {error}.") from error
        except WebRTCError:
            raise
        except Exception as error:
            raise self._start_error(error) from error

    def _start_error(self, error: Optional[BaseException]) -> WebRTCError:
        """Why the stream did not start."""
        if isinstance(error, WebRTCError):
            return error
        reason = f"{error} ({type(error).__name__})" if error else "it ended at once"
        told = WebRTCStartError(
            f"Could not start the stream at {self._url}: {self._request.server.mask(reason)}."
        )
        told.__cause__ = error
        return told

    async def _watched(self, peer: Peer) -> bool:
        """Wait for the end of the stream, and for its beginning no longer than is allowed."""
        watchdog = asyncio.ensure_future(self._require_first_frame(peer))
        try:
            ended_by_worker = await peer.until_end()
        finally:
            watchdog.cancel()
        if ended_by_worker:
            self._log_end_by_worker()
        # A worker's own time-out, where one was asked for, is no loss.
        return ended_by_worker and self._request.config.processing_timeout is None

    def _log_end_by_worker(self) -> None:
        came = self._intake.began.is_set()
        level = logging.INFO if came else logging.WARNING
        what = "the stream" if came else "the stream before anything came of it"
        reported = self._intake.recent_errors() or "no error"
        logger.log(level, "The worker ended %s. It reported: %s.", what, reported)

    async def _require_first_frame(self, peer: Peer) -> None:
        timeout = self._request.first_frame_timeout
        begun = self._last_active = time.monotonic()
        while not self._intake.began.is_set():
            now = time.monotonic()
            if not self._source.has_input():
                begun = now
            due = max(begun, self._last_active) + timeout
            if now >= due:
                peer.finish(self._nothing_came(timeout))
                return
            await asyncio.sleep(due - now)

    def _nothing_came(self, timeout: float) -> FirstFrameTimeoutError:
        return FirstFrameTimeoutError(
            f"The worker of {self._url} sent no frame within {timeout:g} s "
            f"(WEBRTC_INITIAL_FRAME_TIMEOUT), and no message either. Check the workflow, the names "
            "in stream_output and data_output, and that the source has video."
        )

    @property
    def _url(self) -> str:
        return self._request.server.shown


async def _rtc_configuration(
    ice_servers: list[IceServer], server: Server
) -> Optional[RTCConfiguration]:
    """What aiortc shall use: TURN as given, nothing nearby, else its default (public STUN)."""
    from aiortc import RTCConfiguration, RTCIceServer

    from inference_sdk.webrtc.turn_probe import prefer_reachable_turn

    if ice_servers:
        servers = [
            RTCIceServer(list(ice.urls), username=ice.username, credential=ice.credential)
            for ice in ice_servers
        ]
        return await prefer_reachable_turn(RTCConfiguration(iceServers=servers))
    return RTCConfiguration(iceServers=[]) if await is_near(server.api_url) else None
