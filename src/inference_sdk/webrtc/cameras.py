"""Reading pictures from cameras and local streams: blocking, for a thread of its own.

Each backend is a reader with `fps`, `read` and `close`. av and cv2 are loaded by whoever opens a
reader. Knows nothing of event loops, peer connections or sources.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Optional, Protocol, TypeVar

from inference_sdk.utils.media import open_video
from inference_sdk.webrtc.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av import VideoFrame

T = TypeVar("T")

Resolution = tuple[int, int]
"""(width, height) in pixels."""

OPEN_TIMEOUT = 10.0
READ_TIMEOUT = 10.0
"""Seconds of silence after which a stream counts as lost."""


class FrameReader(Protocol):
    """An open camera or stream."""

    @property
    def fps(self) -> Optional[float]:
        """Frames per second, when the device tells."""

    def read(self) -> Optional[VideoFrame]:
        """The next frame, waiting for it; None at the end of the stream.

        Raises:
            SourceError: the device or the stream failed.
        """

    def interrupt(self) -> None:
        """Let `read` return soon, where that can be done; from any thread."""

    def close(self) -> None:
        """Give the device back; on the thread that reads."""


def open_webcam(device_id: int, resolution: Optional[Resolution]) -> FrameReader:
    """Open a camera with OpenCV where it is installed, else with av (on Linux).

    Raises:
        SourceError: it cannot be opened; says what to try.
    """
    try:
        import cv2
    except ImportError:
        return _open_video4linux(device_id, resolution)
    return OpenCVCamera(cv2, device_id, resolution)


class OpenCVCamera:
    """A camera read with `cv2.VideoCapture`."""

    def __init__(self, cv2: Any, device_id: int, resolution: Optional[Resolution]) -> None:
        self._name = f"camera {device_id}"
        self._capture = cv2.VideoCapture(device_id)
        if not self._capture.isOpened():
            self._capture.release()
            raise _no_camera(device_id, "OpenCV cannot open it")
        if resolution is not None:
            self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, resolution[0])
            self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, resolution[1])
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        # Cameras that do not know say 0 or -1, some of them NaN.
        self._fps = float(fps) if fps and fps > 0 else None

    @property
    def fps(self) -> Optional[float]:
        return self._fps

    def read(self) -> Optional[VideoFrame]:
        from av import VideoFrame

        grabbed, picture = self._capture.read()
        if not grabbed or picture is None:
            raise SourceError(f"The {self._name} gives no more pictures. Was it unplugged?")
        return VideoFrame.from_ndarray(picture, format="bgr24")

    def interrupt(self) -> None:
        """A camera gives its next picture soon enough."""

    def close(self) -> None:
        self._capture.release()


class AvReader:
    """A device or a network stream read with av.

    Args:
        name: what an error calls it; without a password.
        paced: wait until each frame is due, for what can be read faster than it plays.
    """

    def __init__(self, name: str, url: str, *, paced: bool = False, **options: Any) -> None:
        self._name = name
        self._paced = paced
        self._closing = threading.Event()
        self._begun: Optional[tuple[float, float]] = None
        timeout = (OPEN_TIMEOUT, READ_TIMEOUT)
        self._container = _told_as(
            f"The {name} cannot be opened", lambda: open_video(url, timeout=timeout, **options)
        )
        if not self._container.streams.video:
            self._container.close()
            raise SourceError(f"The {name} has no video.")
        rate = self._container.streams.video[0].average_rate
        self._fps = float(rate) if rate else None
        self._frames: Iterator[VideoFrame] = self._container.decode(video=0)

    @property
    def fps(self) -> Optional[float]:
        return self._fps

    def read(self) -> Optional[VideoFrame]:
        frame = _told_as(f"The {self._name} was lost", lambda: next(self._frames, None))
        if frame is not None and self._paced and frame.time is not None:
            self._wait_until_due(frame.time)
        return frame

    def close(self) -> None:
        self._closing.set()
        self._container.close()

    def interrupt(self) -> None:
        self._closing.set()

    def _wait_until_due(self, stream_time: float) -> None:
        now = time.monotonic()
        first_now, first_time = self._begun or (now, stream_time)
        due = first_now + stream_time - first_time
        # A jump of the stream's clock, as after a reconnect of the camera, starts a new count.
        if self._begun is None or not -1.0 < due - now < READ_TIMEOUT:
            self._begun = (now, stream_time)
        else:
            self._closing.wait(max(0.0, due - now))


def _open_video4linux(device_id: int, resolution: Optional[Resolution]) -> FrameReader:
    if not sys.platform.startswith("linux"):
        raise SourceError("Reading a camera needs OpenCV here: pip install opencv-python-headless.")
    size = {"video_size": f"{resolution[0]}x{resolution[1]}"} if resolution else {}
    try:
        return AvReader(
            f"camera {device_id}", f"/dev/video{device_id}", format="video4linux2", options=size
        )
    except SourceError as error:
        raise _no_camera(device_id, str(error).rpartition(": ")[2].rstrip(".")) from error


def _no_camera(device_id: int, reason: str) -> SourceError:
    return SourceError(
        f"Camera {device_id} cannot be opened ({reason}). Check that it is plugged in, that no "
        "other program uses it, and that this user may read it."
    )


def _told_as(what: str, work: Callable[[], T]) -> T:
    """Do something with PyAV, whose errors become a `SourceError`.

    Their text holds the address, and so the password of a camera: they may not stay behind as its
    cause or context, where a traceback, a logger or a crash report would find them.
    """
    import av

    try:
        return work()
    except (av.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
    raise SourceError(f"{what}: {reason}.")
