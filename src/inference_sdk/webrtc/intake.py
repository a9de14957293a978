"""What comes from the worker, on its way from the event loop to the user's handlers.

    event loop ──message──▶ reader thread ──frame──▶ the user's thread (video, run, wait)
         └────────frame of a track──────────────────▶      "
                              └──data, errors──────▶ handler thread (on_data, on_error)

The event loop only passes things on. Parsing has a thread of its own, so that a handler that
takes its time holds up neither the loop nor the frames. In batch mode nothing is dropped: an
acknowledgement, sent when both queues have room, lets the worker produce the next frame.
Knows nothing of aiortc.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Optional, Union

from inference_sdk.utils.logging import get_logger
from inference_sdk.webrtc.errors import WebRTCConnectionLostError, WebRTCError
from inference_sdk.webrtc.frames import Frame
from inference_sdk.webrtc.handover import EndOfStream, Handover
from inference_sdk.webrtc.messages import MalformedMessageError, parse_message, picture_in
from inference_sdk.webrtc.pairing import Pairing

if TYPE_CHECKING:
    from inference_sdk.webrtc.handlers import Handlers
    from inference_sdk.webrtc.messages import VideoMetadata, WorkerMessage
    from inference_sdk.webrtc.stats import Counters

logger = get_logger("webrtc.intake")

MAX_UNREAD_MESSAGES = 256
"""Messages of a live stream that may wait for the reader thread, which needs a millisecond."""

MAX_UNREAD_BYTES = 1024 * 1024 * 1024
"""A worker that acknowledgements do not slow down fills the memory otherwise."""

_MAX_ERRORS_QUOTED = 5

RawMessage = tuple[Union[str, bytes], Optional[int]]
"""A whole message, and the frame_id of its chunks."""

Event = tuple[Optional[dict[str, Any]], tuple[str, ...], Optional["VideoMetadata"]]
"""Data, errors and metadata of one message."""


@dataclass(frozen=True)
class StreamPlan:
    """What a stream is expected to bring.

    Attributes:
        batch: every frame counts; else the newest one does.
        frames_in_messages: frames come as pictures in the data, not over a video track.
        frame_outputs: workflow outputs that are the video.
        predictions_output: the output paired with frames, in model mode.
        queue_size: frames that may wait for the user.
    """

    batch: bool = False
    frames_in_messages: bool = False
    frame_outputs: tuple[str, ...] = ()
    predictions_output: Optional[str] = None
    queue_size: int = 8


class Intake:
    """The receiving side of a session.

    Args:
        plan: what to expect.
        handlers: called on a thread of their own; looked up when something is there for them.
        counters: counts what came.
    """

    def __init__(self, plan: StreamPlan, handlers: Handlers, counters: Counters) -> None:
        self.plan = plan
        self.frames: Handover[Frame] = Handover(
            plan.queue_size, lossless=plan.batch, on_drop=counters.frame_dropped
        )
        self.pairing = Pairing()
        self.began = threading.Event()
        self.acknowledge: Callable[[int], None] = lambda _: None
        self.complete: Callable[[], None] = lambda: None
        self.handled: Future[None] = Future()
        self._handlers = handlers
        self._counters = counters
        self._messages: Handover[RawMessage] = Handover(
            MAX_UNREAD_MESSAGES, lossless=plan.batch, on_drop=counters.message_dropped
        )
        self._events: Handover[Event] = Handover(
            plan.queue_size, lossless=plan.batch, on_drop=counters.message_dropped
        )
        self._unread = _Unread()
        self._recent_errors: list[str] = []
        self._completed = False
        self._reader = threading.Thread(
            target=self._read, name="inference-webrtc-reader", daemon=True
        )
        self._caller: Optional[threading.Thread] = None

    # Called on the event loop; none of these waits.

    def start(self) -> None:
        self._reader.start()

    def take_message(self, payload: Union[str, bytes], frame_id: Optional[int] = None) -> None:
        self._counters.messages_received += 1
        self._unread.add(len(payload))
        if self.plan.batch and self._unread.exceeded:
            self.end(
                WebRTCConnectionLostError(
                    "The worker sends faster than its frames are taken, and does not wait for "
                    f"acknowledgements: {MAX_UNREAD_BYTES} bytes wait. Take frames faster, or stream "
                    "with realtime processing."
                )
            )
            return
        # Text is what the worker says of the stream itself; pictures and data come in chunks.
        self._messages.put((payload, frame_id), keep=isinstance(payload, str))

    def take_video(self, frame: Frame) -> None:
        self._put_frame(frame)

    def end(self, error: Optional[BaseException] = None) -> None:
        """Nothing follows. What came is still handed out."""
        self._messages.finish(error)

    # Called from any thread.

    def close(self) -> None:
        """Drop what waits, and wake all who wait."""
        self._messages.close()
        self._events.close()
        self.frames.close()
        self.pairing.close()
        self._set_handled()

    def join(self, timeout: float) -> None:
        """Wait for the threads, except the one that this is called from."""
        for thread in (self._reader, self._caller):
            if thread is not None and thread.ident and thread is not threading.current_thread():
                thread.join(timeout)

    def is_handler_thread(self) -> bool:
        """Whether this is called from inside a data or error handler."""
        return threading.current_thread() is self._caller

    def recent_errors(self) -> str:
        """What the worker complained of lately, for a message; empty when it did not."""
        return "; ".join(self._recent_errors)

    # The reader thread.

    def _read(self) -> None:
        error: Optional[BaseException] = None
        try:
            while True:
                self._handle(*self._messages.get())
        except EndOfStream:
            pass
        except Exception as failure:  # noqa: BLE001 - the user gets it where the frames end
            # A worker that said it is done may leave before a slow reader hears of it.
            error = None if self._completed else failure
        # Data first: whoever sees the end of the frames waits for the handlers.
        self._events.finish()
        if self._caller is None:
            self._set_handled()
        self.frames.finish(error or self._nothing_came())
        self.pairing.close()

    def _nothing_came(self) -> Optional[WebRTCError]:
        """Why a stream that ended in order is an error all the same: nobody got anything."""
        told = bool(self._recent_errors) and self._handlers.want_errors
        wanted = bool(self.plan.frame_outputs) and self._completed
        if not wanted or self.began.is_set() or told:
            return None
        reported = self.recent_errors()
        return WebRTCError(
            "The worker finished without a single frame. "
            + (f"It reported: {reported}." if reported else "It reported no error.")
            + " Check the video, and the names in stream_output."
        )

    def _set_handled(self) -> None:
        with suppress(InvalidStateError):  # set already, by a close
            self.handled.set_result(None)

    def _handle(self, payload: Union[str, bytes], frame_id: Optional[int]) -> None:
        self._unread.remove(len(payload))
        try:
            message = parse_message(payload)
        except MalformedMessageError as error:
            logger.warning("Skipped %s.", error)
            return
        if message.metadata_error:
            logger.warning("Metadata that cannot be read: %s.", message.metadata_error)
        if message.complete:
            self._completed = True
            self.complete()
            return
        if message.metadata is not None:
            frame_id = message.metadata.frame_id
            self._counters.returned(message.metadata.ticks)
        self._pass_on(message)
        if self.plan.batch and frame_id is not None:
            self.frames.wait_for_room()
            self._events.wait_for_room()
            self.acknowledge(frame_id)

    def _pass_on(self, message: WorkerMessage) -> None:
        self._note_errors(message.errors)
        self._pair(message)
        if (message.data is not None or message.errors) and self._handlers.want_events:
            self._start_caller()
            event = (message.data, message.errors, message.metadata)
            self._events.put(event, keep=bool(message.errors))
        frame = self._frame_in(message)
        if frame is not None:
            self._put_frame(frame)
        elif not self.plan.frame_outputs and not message.errors:
            self.began.set()

    def _note_errors(self, errors: tuple[str, ...]) -> None:
        for error in errors:
            if error not in self._recent_errors:
                self._recent_errors = [*self._recent_errors, error][-_MAX_ERRORS_QUOTED:]

    def _pair(self, message: WorkerMessage) -> None:
        name, metadata = self.plan.predictions_output, message.metadata
        if name is None or message.data is None or self.plan.frames_in_messages:
            return
        if metadata is not None and metadata.ticks is not None and name in message.data:
            self.pairing.put(metadata.ticks, message.data[name])

    def _frame_in(self, message: WorkerMessage) -> Optional[Frame]:
        if not self.plan.frames_in_messages or message.data is None:
            return None
        for name in self.plan.frame_outputs:
            picture = picture_in(message.data.get(name))
            if picture is not None:
                predictions = message.data.get(self.plan.predictions_output or "")
                return Frame(picture, message.metadata, predictions, paired=True)
        return None

    def _put_frame(self, frame: Frame) -> None:
        self._counters.frames_received += 1
        self.began.set()
        self.frames.put(frame)

    # The handler thread, there once a message is for it.

    def _start_caller(self) -> None:
        if self._caller is None:
            self._caller = threading.Thread(
                target=self._call_handlers, name="inference-webrtc-handlers", daemon=True
            )
            self._caller.start()

    def _call_handlers(self) -> None:
        hidden = self.plan.frame_outputs if self.plan.frames_in_messages else ()
        try:
            while True:
                data, errors, metadata = self._events.get()
                if errors:
                    self._handlers.on_errors(errors, metadata)
                if data is not None:
                    self._handlers.on_data(data, metadata, hidden)
        except EndOfStream:
            pass
        finally:
            self._set_handled()


class _Unread:
    """Bytes that wait for the reader, of a stream that may not drop any.

    Each counter has one writer, so neither needs a lock.
    """

    def __init__(self) -> None:
        self._added = 0
        self._removed = 0

    def add(self, size: int) -> None:
        self._added += size

    def remove(self, size: int) -> None:
        self._removed += size

    @property
    def exceeded(self) -> bool:
        return self._added - self._removed > MAX_UNREAD_BYTES
