"""A stream as its user sees it: started on first use, read in one of several ways, closed once.

A session is a small state machine around a connection, which runs on a thread of its own, and an
intake, which holds what came. Every way of reading, sync or async, takes from the same queue.
Knows nothing of aiortc.
"""

from __future__ import annotations

import asyncio
import threading
import time
import warnings
from collections.abc import Callable
from concurrent.futures import TimeoutError as FutureTimeoutError
from enum import Enum
from typing import TYPE_CHECKING, Any, Optional, TypeVar, Union, overload

from inference_sdk import config as settings
from inference_sdk.config import (
    WEBRTC_EVENT_LOOP_SHUTDOWN_TIMEOUT,
    WEBRTC_INITIAL_FRAME_TIMEOUT,
    WEBRTC_VIDEO_QUEUE_MAX_SIZE,
)
from inference_sdk.http.entities import ApiKeyTransport
from inference_sdk.webrtc.backlog import Backlog
from inference_sdk.webrtc.errors import WebRTCError, WebRTCStartError, require_aiortc
from inference_sdk.webrtc.handlers import Handler, Handlers, call_safely, call_safely_async
from inference_sdk.webrtc.handover import EndOfStream
from inference_sdk.webrtc.intake import Intake
from inference_sdk.webrtc.messages import VideoMetadata
from inference_sdk.webrtc.picture_outputs import choose_stream_output
from inference_sdk.webrtc.signalling import Server, build_workflow_configuration, secrets_of_turn
from inference_sdk.webrtc.sources.adapter import as_source
from inference_sdk.webrtc.sources.base import secrets_of_source
from inference_sdk.webrtc.stats import Counters, StreamStats

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from types import TracebackType

    from inference_sdk.webrtc.config import StreamConfig
    from inference_sdk.webrtc.connection import Connection
    from inference_sdk.webrtc.frames import Frame, Picture
    from inference_sdk.webrtc.sources import StreamSource

__all__ = ["SessionState", "VideoMetadata", "WebRTCSession"]

F = TypeVar("F", bound=Handler)


class SessionState(Enum):
    """Where a session is in its life; it only moves forward."""

    NOT_STARTED = "not_started"
    STARTED = "started"
    CLOSED = "closed"


class WebRTCSession:
    """A stream of video to a worker, and of frames and data back.

    Made by `client.webrtc.stream(...)`. It starts on first use: `run`, `wait`, `video`, or one of
    their async twins, whichever comes first.

    Example:
        >>> with client.webrtc.stream(source, workflow=workflow, config=config) as session:
        ...     @session.on_data("predictions")
        ...     def show(predictions, metadata): ...
        ...     session.run()
    """

    def __init__(
        self,
        api_url: str,
        api_key: Optional[str],
        source: StreamSource,
        image_input_name: str,
        workflow_config: dict[str, Any],
        stream_config: StreamConfig,
        model_mode: bool = False,
        predictions_output: Optional[str] = None,
        api_key_transport: str = "legacy",
    ) -> None:
        self._source = as_source(source)
        self._server = Server(
            api_url,
            api_key,
            ApiKeyTransport.parse(api_key_transport),
            (*secrets_of_source(self._source), *secrets_of_turn(stream_config)),
        )
        self._image_input_name = image_input_name
        self._workflow_config = workflow_config
        self._config = stream_config
        self._model_mode = model_mode
        self._predictions_output = predictions_output
        self._frames_wanted = False
        self._handlers = Handlers()
        self._counters = Counters()
        self._state = SessionState.NOT_STARTED
        self._state_lock = threading.Lock()
        self._start_lock = threading.Lock()
        self._connection: Optional[Connection] = None
        self._intake: Optional[Intake] = None

    @property
    def state(self) -> SessionState:
        return self._state

    def __repr__(self) -> str:
        source = type(self._source).__name__
        return f"<WebRTCSession {self._state.value}: {source} to {self._server.shown}>"

    # Handlers.

    def on_frame(self, callback: F) -> F:
        """Register `callback(frame, metadata)`, called by `run` on its thread.

        The frame is a uint8 array of shape (H, W, 3) in BGR order. In a stream of a model, the
        second argument is the model's predictions for the frame, None when there are none.

        Args:
            callback: called as f(frame, metadata).

        Returns:
            The callback, so that this is a decorator.
        """
        self._handlers.frame.append(callback)
        return callback

    @overload
    def on_data(self, field_name: F) -> F: ...

    @overload
    def on_data(self, field_name: Optional[str] = None) -> Callable[[F], F]: ...

    def on_data(self, field_name: Union[F, str, None] = None) -> Union[F, Callable[[F], F]]:
        """Register a handler of data: `@on_data`, `@on_data()` or `@on_data("field")`.

        It is called as f(value, metadata) or f(value), as its signature says, on a thread of its
        own; the value is a dict of all fields, or the one field.

        Args:
            field_name: the one field to be told of; the handler itself, or None, for all of them.

        Returns:
            The handler, so that this is a decorator.
        """
        if callable(field_name):
            self._handlers.add_data(None, field_name)
            return field_name

        def register(callback: F) -> F:
            self._handlers.add_data(field_name, callback)
            return callback

        return register

    def on_error(self, callback: F) -> F:
        """Register f(errors, metadata) or f(errors), called when the worker reports any.

        The errors are a list of texts: what failed in the workflow for one frame. The stream
        goes on.

        Args:
            callback: called as f(errors, metadata) or f(errors).

        Returns:
            The callback, so that this is a decorator.
        """
        self._handlers.add_error(callback)
        return callback

    # Reading.

    def run(self) -> None:
        """Start, call the frame handlers for each frame until the stream ends, then close.

        Raises:
            WebRTCError: the stream could not be started, or broke off.
        """
        try:
            for frame, metadata in self._pictures():
                self._call_frame_handlers(frame, metadata)
        finally:
            self.close()

    async def arun(self) -> None:
        """As `run`, for async programs; handlers may be coroutine functions.

        Plain handlers are called on the event loop, and hold it up while they run.
        """
        try:
            async for frame, metadata in self._pictures_async():
                await self._call_frame_handlers_async(frame, metadata)
        finally:
            await self.aclose()

    def video(self) -> Iterator[tuple[Picture, Optional[VideoMetadata]]]:
        """Start, and iterate over (frame, metadata) until the stream ends.

        The frame is a uint8 array of shape (H, W, 3) in BGR order.

        Returns:
            An iterator of (frame, metadata); metadata is None where the worker sent none.

        Raises:
            RuntimeError: the session is closed, or the stream could not be started.
            WebRTCError: the stream broke off.
        """
        self._frames_wanted = True
        self._ensure_started()
        return ((frame, item.metadata) for frame, item in self._pictures())

    async def video_async(self) -> AsyncIterator[tuple[Picture, Optional[VideoMetadata]]]:
        """As `video`, for async programs: `async for frame, metadata in session.video_async()`.

        Returns:
            As of `video`.
        """
        self._frames_wanted = True
        async for frame, item in self._pictures_async():
            yield frame, item.metadata

    def wait(self, timeout: Optional[float] = None) -> None:
        """Start, and wait for the end of the stream and its data; frames are passed over.

        A file ends with its last result. A live source (camera, `ManualSource`) has no end of its
        own: `wait(30)` is then "let it run for 30 seconds", and the `TimeoutError` is how that
        time ends. The session goes on after it, and can be waited for again, or read in another
        way, until it is closed.

        Args:
            timeout: seconds in all, start included, however many frames come; None waits for ever.

        Raises:
            TimeoutError: the stream, or a handler of its data, still runs after `timeout` seconds.
            WebRTCError: the stream could not be started, or broke off.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        self._ensure_started()
        intake = self._require_intake()
        try:
            while True:
                # A deadline that has passed ends it, also while frames keep coming.
                if deadline is not None and time.monotonic() >= deadline:
                    raise TimeoutError
                intake.frames.get(_left(deadline))
        except EndOfStream:
            self._wait_for_handlers(intake, deadline)
        except WebRTCError:  # also the first frame's time-out, which is not this one
            self._wait_for_handlers(intake, deadline)
            raise
        except TimeoutError:
            raise TimeoutError(f"The stream still runs after {timeout:g} s.") from None

    def stats(self) -> StreamStats:
        """What the stream did so far: frames, losses, round trip, bitrate, latency.

        Returns:
            The figures of now; see `StreamStats`.
        """
        connection = self._connection
        timeout = WEBRTC_EVENT_LOOP_SHUTDOWN_TIMEOUT
        transport = connection.transport_stats(timeout) if connection is not None else None
        return self._counters.snapshot(transport)

    # Life.

    def close(self) -> None:
        """End the stream and give everything back.

        Safe to call twice, from any thread, and from inside a handler.
        """
        connection, intake = self._mark_closed()
        if connection is None or intake is None:
            return
        deadline = time.monotonic() + WEBRTC_EVENT_LOOP_SHUTDOWN_TIMEOUT
        connection.join(max(0.0, deadline - time.monotonic()))
        intake.join(max(0.0, deadline - time.monotonic()))

    async def aclose(self) -> None:
        """As `close`, without blocking the event loop."""
        await asyncio.to_thread(self.close)

    def __enter__(self) -> WebRTCSession:
        return self

    def __exit__(
        self,
        exc_type: Optional[type[BaseException]],
        exc_val: Optional[BaseException],
        exc_tb: Optional[TracebackType],
    ) -> None:
        self.close()

    async def __aenter__(self) -> WebRTCSession:
        return self

    async def __aexit__(
        self,
        exc_type: Optional[type[BaseException]],
        exc_val: Optional[BaseException],
        exc_tb: Optional[TracebackType],
    ) -> None:
        await self.aclose()

    def __del__(self) -> None:
        # Attributes may be missing when the constructor failed.
        if getattr(self, "_state", None) is SessionState.STARTED:
            warnings.warn(
                f"{self!r} was never closed: use `with`, or call close().",
                ResourceWarning,
                stacklevel=2,
                source=self,
            )
            self._mark_closed()

    def _ensure_started(self) -> None:
        """Start once, whichever thread comes first; the others wait for it.

        Raises:
            RuntimeError: the session is closed, or cannot be started.
        """
        with self._start_lock:
            if self._state is SessionState.STARTED:
                return
            self._require_not_closed()
            try:
                self._init()
            except BaseException:
                self.close()
                raise
            with self._state_lock:
                self._require_not_closed()
                self._state = SessionState.STARTED

    async def _ensure_started_async(self) -> None:
        if self._state is not SessionState.STARTED:
            try:
                await asyncio.to_thread(self._ensure_started)
            except asyncio.CancelledError:
                self._mark_closed()  # wakes the thread that still waits for the worker
                raise

    def _init(self) -> None:
        """Open the connection, and wait until the worker has answered."""
        require_aiortc()
        from inference_sdk.webrtc.connection import Connection, StreamRequest

        config = self._chosen_config()
        workflow = build_workflow_configuration(
            self._workflow_config, self._image_input_name, config.workflow_parameters
        )
        request = StreamRequest(self._server, workflow, config, WEBRTC_INITIAL_FRAME_TIMEOUT)
        intake = Intake(
            self._handlers,
            self._counters,
            Backlog(
                config.max_waiting_messages or settings.WEBRTC_DATA_MAX_WAITING_MESSAGES,
                config.max_waiting_bytes or settings.WEBRTC_DATA_MAX_WAITING_BYTES,
            ),
            WEBRTC_VIDEO_QUEUE_MAX_SIZE,
            self._predictions_output if self._model_mode else None,
            self._server.mask,
        )
        connection = Connection(request, self._source, intake, self._counters)
        with self._state_lock:
            self._require_not_closed()
            self._intake, self._connection = intake, connection
            connection.start()
        connection.started.result()

    def _chosen_config(self) -> StreamConfig:
        """The configuration, with a choice of the video where that was left open.

        Raises:
            WebRTCStartError: there are several pictures to choose from.
        """
        data_wanted = self._config.data_output or self._handlers.want_data
        if not self._frames_wanted and not self._handlers.frame and data_wanted:
            return self._config  # a program that is after the data: no more is asked for
        try:
            return choose_stream_output(self._config, self._workflow_config)
        except WebRTCStartError as error:
            raise WebRTCStartError(f"{error} Nothing was sent to {self._server.shown}.") from None

    def _mark_closed(self) -> tuple[Optional[Connection], Optional[Intake]]:
        with self._state_lock:
            self._state = SessionState.CLOSED
            connection, intake = self._connection, self._intake
        if connection is not None:
            connection.stop()
        if intake is not None:
            intake.close()
        return connection, intake

    def _require_not_closed(self) -> None:
        if self._state is SessionState.CLOSED:
            raise RuntimeError(
                "Cannot use closed WebRTCSession. A session streams once: make a new one with "
                "client.webrtc.stream(...)."
            )

    def _require_intake(self) -> Intake:
        intake = self._intake
        if intake is None:
            raise RuntimeError("The session has not been started.")
        return intake

    # The frames.

    def _pictures(self) -> Iterator[tuple[Picture, Frame]]:
        self._ensure_started()
        intake = self._require_intake()
        while True:
            try:
                frame = intake.frames.get()
            except EndOfStream:
                self._wait_for_handlers(intake, None)
                return
            except WebRTCError:  # what came before it is handed on before it, too
                self._wait_for_handlers(intake, None)
                raise
            picture = frame.decode()
            if picture is not None:
                yield picture, frame

    async def _pictures_async(self) -> AsyncIterator[tuple[Picture, Frame]]:
        await self._ensure_started_async()
        intake = self._require_intake()
        while True:
            try:
                frame = await intake.frames.get_async()
            except EndOfStream:
                await _handled(intake)
                return
            except WebRTCError:
                await _handled(intake)
                raise
            picture = await asyncio.to_thread(frame.decode)
            if picture is not None:
                yield picture, frame

    def _call_frame_handlers(self, picture: Picture, frame: Frame) -> None:
        second = self._second_argument(frame) if self._model_mode else frame.metadata
        for handler in list(self._handlers.frame):
            call_safely(handler, picture, second)

    async def _call_frame_handlers_async(self, picture: Picture, frame: Frame) -> None:
        second: Any = frame.metadata
        if self._model_mode:
            second = await asyncio.to_thread(self._second_argument, frame)
        for handler in list(self._handlers.frame):
            await call_safely_async(handler, picture, second)

    def _second_argument(self, frame: Frame) -> Any:
        """The predictions of a frame: those that came with it, else the nearest in time."""
        ticks = frame.metadata.ticks if frame.metadata is not None else None
        if frame.paired or ticks is None:
            return frame.predictions
        return self._require_intake().pairing.take(ticks)

    def _wait_for_handlers(self, intake: Intake, deadline: Optional[float]) -> None:
        """Let the data handlers have what came before the end."""
        if self._state is SessionState.CLOSED or intake.is_handler_thread():
            return
        try:
            intake.handled.result(_left(deadline))
        except FutureTimeoutError:
            raise TimeoutError("The data handlers still run.") from None


async def _handled(intake: Intake) -> None:
    """Let the data handlers have what came before the end."""
    await asyncio.shield(asyncio.wrap_future(intake.handled))


def _left(deadline: Optional[float]) -> Optional[float]:
    return None if deadline is None else max(0.0, deadline - time.monotonic())
