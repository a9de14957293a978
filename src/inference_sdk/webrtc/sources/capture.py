"""Video that is read on this machine and sent on: cameras, and streams only this machine reaches.

Reading blocks, so each source has a thread for it; frames go to the track through a feed that
keeps the newest.
"""

from __future__ import annotations

import asyncio
import threading
from abc import abstractmethod
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Optional
from urllib.parse import urlsplit

from inference_sdk.webrtc.cameras import AvReader, FrameReader, open_webcam
from inference_sdk.webrtc.errors import SourceError
from inference_sdk.webrtc.sources.base import StreamSource, require_scheme

if TYPE_CHECKING:
    from aiortc import RTCPeerConnection

    from inference_sdk.webrtc.config import StreamConfig
    from inference_sdk.webrtc.tracks import FrameFeed

_QUEUE_SIZE = 2
"""A camera's newest frame counts; one more covers the encoder's hiccups."""

_JOIN_SECONDS = 1.0


class CaptureSource(StreamSource):
    """A source that reads frames itself. Subclasses say how to open what they read."""

    def __init__(self) -> None:
        self._capture: Optional[_Capture] = None

    @abstractmethod
    def _open(self) -> FrameReader:
        """Open the device or stream; may block.

        Raises:
            SourceError: it cannot be opened.
        """

    async def prepare(self) -> None:
        """Open it, so that a missing camera is known before any server is asked."""
        await self.cleanup()
        capture = self._capture = _Capture(self)
        await asyncio.shield(asyncio.wrap_future(capture.opened))

    async def configure_peer_connection(self, pc: RTCPeerConnection) -> None:
        from inference_sdk.webrtc.tracks import FeedTrack, FrameFeed

        if self._capture is None:
            await self.prepare()
        if self._capture is None:  # cleaned up meanwhile
            raise SourceError("The source was closed while it started.")
        feed = FrameFeed(_QUEUE_SIZE, self.monitor)
        self._capture.feed = feed
        pc.addTrack(FeedTrack(feed))

    def get_initialization_params(self, config: StreamConfig) -> dict[str, Any]:  # noqa: ARG002
        fps = self._capture.fps if self._capture is not None else None
        return {} if fps is None else {"declared_fps": fps}

    async def cleanup(self) -> None:
        capture, self._capture = self._capture, None
        if capture is not None:
            await asyncio.to_thread(capture.stop)


class _Capture:
    """The thread that reads, from opening to closing."""

    def __init__(self, source: CaptureSource) -> None:
        self.opened: Future[None] = Future()
        self.feed: Optional[FrameFeed] = None
        self.fps: Optional[float] = None
        self._open = source._open
        self._monitor = source.monitor
        self._stopping = threading.Event()
        self._reader: Optional[FrameReader] = None
        self._thread = threading.Thread(
            target=self._run, name="inference-webrtc-capture", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """End the thread; waits a second for it. A device that hangs is left to its time-out."""
        self._stopping.set()
        if self._reader is not None:
            self._reader.interrupt()
        if self._thread is not threading.current_thread():
            self._thread.join(_JOIN_SECONDS)

    def _run(self) -> None:
        try:
            reader = self._reader = self._open()
        except Exception as error:  # noqa: BLE001 - handed to whoever waits for the opening
            self.opened.set_exception(error)
            return
        try:
            self.fps = reader.fps
            self.opened.set_result(None)
            self._read_all(reader)
        finally:
            reader.close()

    def _read_all(self, reader: FrameReader) -> None:
        error: Optional[BaseException] = None
        try:
            while not self._stopping.is_set() and (frame := reader.read()) is not None:
                if self.feed is not None:
                    self.feed.put(frame)
        except Exception as failure:  # noqa: BLE001 - ends the stream, as its error
            error = failure
        if not self._stopping.is_set() and self._monitor is not None:
            self._monitor.ended(error)


class WebcamSource(CaptureSource):
    """A camera of this machine.

    Read with OpenCV where it is installed, else with av (Linux). A camera that cannot be opened
    ends the start with a `SourceError`.

    Args:
        device_id: number of the camera.
        resolution: (width, height) in pixels to ask the camera for.
    """

    def __init__(self, device_id: int = 0, resolution: Optional[tuple[int, int]] = None) -> None:
        super().__init__()
        self.device_id = device_id
        self.resolution = resolution

    def _open(self) -> FrameReader:
        return open_webcam(self.device_id, self.resolution)


class LocalStreamSource(CaptureSource):
    """A network stream that is read here and sent on, at the pace it was recorded.

    For cameras that the worker cannot reach, such as those of a local network.

    Args:
        url: rtsp, rtsps, rtmp or rtmps, with user and password where the camera wants them.

    Raises:
        InvalidParameterError: another scheme.
    """

    SUPPORTED_SCHEMES = ("rtsp://", "rtsps://", "rtmp://", "rtmps://")

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = require_scheme(url, self.SUPPORTED_SCHEMES, type(self).__name__)

    def _open(self) -> FrameReader:
        name = f"stream at {urlsplit(self.url).hostname or 'an unknown host'}"
        return AvReader(name, self.url, paced=True, options=_stream_options(self.url))


def _stream_options(url: str) -> dict[str, str]:
    # UDP is RTSP's default, and drops packets without a word; cameras speak TCP as well.
    return {"rtsp_transport": "tcp"} if url.lower().startswith("rtsp") else {}
