"""What comes from the worker, on its way from the event loop to the user's handlers.

    event loop ──message──▶ reader thread ──frame──▶ the user's thread (video, run, wait)
         └────────frame of a track──────────────────▶      "
                              └──data, errors──────▶ handler thread (on_data, on_error)

The event loop only passes things on. Parsing has a thread of its own, so that a handler that
takes its time holds up neither the loop nor the frames. Of frames the newest wins in a live
stream; data and errors are never dropped, they wait in order (`backlog`). In batch mode an
acknowledgement, sent when both queues have room, lets the worker produce the next frame.
Knows nothing of aiortc.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Optional, Union

from inference_sdk.utils.logging import get_logger
from inference_sdk.utils.shortening import shortened
from inference_sdk.webrtc.backlog import Backlog, Event
from inference_sdk.webrtc.errors import DataBacklogError
from inference_sdk.webrtc.frames import Frame
from inference_sdk.webrtc.handover import EndOfStream, Handover
from inference_sdk.webrtc.messages import MalformedMessageError, parse_message, picture_in
from inference_sdk.webrtc.pairing import Pairing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inference_sdk.webrtc.handlers import Handlers
    from inference_sdk.webrtc.messages import WorkerMessage
    from inference_sdk.webrtc.stats import Counters

logger = get_logger("webrtc.intake")

PACKED_FROM = 16
"""Messages that may wait for their handlers as they are; those beyond are packed."""

_MAX_ERRORS_QUOTED = 5
_MAX_ERROR_LENGTH = 500
_MAX_ERRORS_LOGGED = 20

RawMessage = tuple[Union[str, bytes], Optional[int]]
"""A whole message, and the frame_id of its chunks."""


@dataclass(frozen=True)
class StreamPlan:
    """What a stream brings, as the request that started it says.

    Attributes:
        batch: every frame counts; else the newest one does.
        frames_in_messages: frames come as pictures in the data, not over a video track.
        frame_outputs: workflow outputs that are the video; the first picture among them counts.
    """

    batch: bool = False
    frames_in_messages: bool = False
    frame_outputs: tuple[str, ...] = ()

    @classmethod
    def of_request(cls, request: Mapping[str, Any], stream_output: Sequence[str]) -> StreamPlan:
        """Read the request as it was sent, whoever chose its fields.

        Args:
            stream_output: outputs that were configured as video. Where the request asks for no
                video track, they come among the data.
        """
        return cls(
            batch=not request.get("webrtc_realtime_processing"),
            frames_in_messages=not request.get("stream_output"),
            frame_outputs=tuple(stream_output),
        )


class Intake:
    """The receiving side of a session.

    Args:
        handlers: called on a thread of their own; looked up when something is there for them.
        counters: counts what came.
        backlog: counts the messages that wait.
        queue_size: frames that may wait for the user.
        predictions_output: the output paired with frames, in model mode.
        mask: takes secrets out of what the worker says, where it is logged or quoted.
    """

    def __init__(
        self,
        handlers: Handlers,
        counters: Counters,
        backlog: Backlog,
        queue_size: int,
        predictions_output: Optional[str] = None,
        mask: Callable[[str], str] = str,
    ) -> None:
        self.plan = StreamPlan()
        self.frames: Handover[Frame] = Handover(queue_size, on_drop=counters.frame_dropped)
        self.pairing = Pairing()
        self.began = threading.Event()
        self.acknowledge: Callable[[int], None] = lambda _: None
        self.complete: Callable[[], None] = lambda: None
        self.handled: Future[None] = Future()
        self._handlers = handlers
        self._counters = counters
        self._backlog = backlog
        self._predictions_output = predictions_output
        self._mask = mask
        self._messages: Handover[RawMessage] = Handover(1, lossless=True)
        self._events: Handover[Event] = Handover(queue_size, lossless=True)
        self._recent_errors: list[str] = []
        self._errors_logged = 0
        self._completed = False
        self._closed = False
        self._reader = threading.Thread(
            target=self._read, name="inference-webrtc-reader", daemon=True
        )
        self._caller: Optional[threading.Thread] = None

    # Called on the event loop; none of these waits.

    def start(self) -> None:
        self._reader.start()

    def expect(self, plan: StreamPlan) -> None:
        """Tell what comes; before the first message does."""
        self.plan = plan
        self.frames.lossless = plan.batch

    def take_message(self, payload: Union[str, bytes], frame_id: Optional[int] = None) -> None:
        """Take a message in.

        Raises:
            DataBacklogError: more messages wait than may. It ends the stream.
        """
        self.began.set()
        self._counters.messages_received += 1
        self._backlog.add(len(payload))
        self._messages.put((payload, frame_id))

    def take_video(self, frame: Frame) -> None:
        self.began.set()
        self._put_frame(frame)

    def end(self, error: Optional[BaseException] = None) -> None:
        """Nothing follows. What came is still handed out, unless too much of it waits."""
        if isinstance(error, DataBacklogError):
            # Whoever is that slow would not hear of it for long.
            self._counters.messages_dropped += self._backlog.messages
            self.frames.finish(error)
            self._set_handled()
        self._messages.finish(error)

    # Called from any thread.

    def close(self) -> None:
        """Drop what waits, and wake all who wait."""
        self._closed = True
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
        if error is None and not self._closed:
            self._warn_of_no_picture()
        self.frames.finish(error)
        self.pairing.close()

    def _warn_of_no_picture(self) -> None:
        """The end is in order: a workflow may gate its pictures. But it may be a mistake, too."""
        if self.plan.frame_outputs and not self._counters.frames_received:
            logger.warning(
                "The stream ended, and not one picture of %s came. The worker reported: %s. If "
                "there should have been some, check the video and the names in stream_output.",
                " or ".join(map(repr, self.plan.frame_outputs)),
                self.recent_errors() or "no error",
            )

    def _set_handled(self) -> None:
        with suppress(InvalidStateError):  # set already, by a close
            self.handled.set_result(None)

    def _handle(self, payload: Union[str, bytes], frame_id: Optional[int]) -> None:
        self._backlog.remove(len(payload))
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
        self._pass_on(message, len(payload))
        if self.plan.batch and frame_id is not None:
            self.frames.wait_for_room()
            self._events.wait_for_room()
            self.acknowledge(frame_id)

    def _pass_on(self, message: WorkerMessage, size: int) -> None:
        self._note_errors(message.errors)
        self._pair(message)
        if self._handlers.want_data or (message.errors and self._handlers.want_errors):
            self._start_caller()
            self._put_event(Event(message.data, message.errors, message.metadata, size))
        frame = self._frame_in(message)
        if frame is not None:
            self._put_frame(frame)

    def _put_event(self, event: Event) -> None:
        if len(self._events) >= PACKED_FROM:
            data = event.data
            event = event.pack(data and self._handlers.wanted(data, self._hidden))
        with suppress(DataBacklogError):  # it counted on arrival, and the next arrival will tell
            self._backlog.add(event.size)
        self._events.put(event)

    @property
    def _hidden(self) -> tuple[str, ...]:
        """Outputs that a handler of all data does not get, for they are the video."""
        return self.plan.frame_outputs if self.plan.frames_in_messages else ()

    def _note_errors(self, errors: tuple[str, ...]) -> None:
        for error in (shortened(self._mask(error), _MAX_ERROR_LENGTH) for error in errors):
            if error not in self._recent_errors:
                self._recent_errors = [*self._recent_errors, error][-_MAX_ERRORS_QUOTED:]
                self._log_error(error)

    def _log_error(self, error: str) -> None:
        """Say what fails where no handler is told, but not thirty times a second."""
        if not self._handlers.want_errors and self._errors_logged < _MAX_ERRORS_LOGGED:
            self._errors_logged += 1
            logger.warning("The worker reports: %s", error)

    def _pair(self, message: WorkerMessage) -> None:
        name, metadata = self._predictions_output, message.metadata
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
                predictions = message.data.get(self._predictions_output or "")
                return Frame(picture, message.metadata, predictions, paired=True)
        return None

    def _put_frame(self, frame: Frame) -> None:
        self._counters.frames_received += 1
        self.frames.put(frame)

    # The handler thread, there once a message is for it.

    def _start_caller(self) -> None:
        if self._caller is None:
            self._caller = threading.Thread(
                target=self._call_handlers, name="inference-webrtc-handlers", daemon=True
            )
            self._caller.start()

    def _call_handlers(self) -> None:
        try:
            while True:
                event = self._events.get()
                if event.errors:
                    self._handlers.on_errors(event.errors, event.metadata)
                self._handlers.on_data(event.unpack(), event.metadata, self._hidden)
                self._backlog.remove(event.size)
        except EndOfStream:
            pass
        finally:
            self._set_handled()
