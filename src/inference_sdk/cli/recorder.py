"""Frames into a video file, encoded on a thread of its own, so that the stream hardly waits.

Knows nothing of streams: frames come in, a file comes out.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inference_sdk.cli.failures import CommandError, one_line
from inference_sdk.utils.media import open_video

if TYPE_CHECKING:
    import numpy as np

    Frame = np.ndarray[Any, np.dtype[np.uint8]]

SUFFIXES = (".mp4", ".mov", ".mkv")

_WAITING_FRAMES = 8
"""Between the stream and the encoder: 50 MB of full HD."""

_CLOCK = Fraction(1, 90000)
_SHORTEST = 90
"""Ticks between two frames: a millisecond, the finest that Matroska tells apart."""
_OPTIONS = {"preset": "veryfast", "crf": "20"}


class Recorder:
    """Writes H.264 video; frames may come from one thread.

    Args:
        path: of the file; the ending decides on the container.
        fps: frames per second of a file that was streamed: every frame is kept, and `put` waits
            for the encoder. None for live video: each frame has the time it came at, and one
            that the encoder has no time for is dropped.
    """

    def __init__(self, path: Path, fps: Fraction | None = None) -> None:
        self.dropped = 0
        self.written = 0
        self.error: str | None = None
        self._path = path
        self._fps = fps
        self._started: float | None = None
        self._taken = 0
        self._last_time = -_SHORTEST
        self._waiting: queue.Queue[tuple[Frame, int] | None] = queue.Queue(_WAITING_FRAMES)
        self._thread = threading.Thread(target=self._run, name="inference-cli-recorder")
        self._thread.start()

    def put(self, frame: Frame) -> bool:
        """Take a frame (BGR, uint8, (H, W, 3)); False when the file can no longer be written."""
        item = frame, self._next_time()
        if self._fps is not None:
            self._waiting.put(item)
        else:
            try:
                self._waiting.put_nowait(item)
            except queue.Full:
                self.dropped += 1
        return self.error is None

    def close(self) -> None:
        """Encode what waits, and complete the file."""
        self._waiting.put(None)
        self._thread.join()

    def _next_time(self) -> int:
        """Time of the next frame in 1/90000 s; it always grows, as containers want it."""
        if self._fps is not None:
            elapsed = self._taken / self._fps
            self._taken += 1
        else:
            now = time.monotonic()
            self._started = now if self._started is None else self._started
            elapsed = Fraction(now - self._started)
        self._last_time = max(round(elapsed / _CLOCK), self._last_time + _SHORTEST)
        return self._last_time

    def _run(self) -> None:
        items = iter(self._waiting.get, None)
        try:
            self._write_all(items)
        except Exception as error:  # noqa: BLE001 - told by whoever asked for the file
            self.error = f"{self._path} cannot be written: {one_line(error)}"
            for _ in items:  # until the end: `put` must not wait for ever
                pass

    def _write_all(self, items: Iterator[tuple[Frame, int]]) -> None:
        import av

        first = next(items, None)
        if first is None:
            return
        with av.open(str(self._path), "w") as container:
            stream = _add_stream(container, first[0], self._fps)
            for frame, ticks in chain([first], items):
                container.mux(stream.encode(_to_video_frame(frame, ticks, stream)))
                self.written += 1
            container.mux(stream.encode(None))


def _add_stream(container: Any, frame: Frame, fps: Fraction | None) -> Any:
    stream = container.add_stream("libx264", rate=fps or 30, options=_OPTIONS)
    # Even sides: the colours of yuv420p are shared by blocks of 2 by 2 pixels.
    stream.height, stream.width = (max(side // 2 * 2, 2) for side in frame.shape[:2])
    stream.pix_fmt = "yuv420p"
    stream.codec_context.time_base = _CLOCK
    return stream


def _to_video_frame(frame: Frame, ticks: int, stream: Any) -> Any:
    import av
    import numpy as np

    if frame.ndim == 2:
        frame = np.repeat(frame[..., None], 3, axis=2)
    video_frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="bgr24")
    # A live stream may change its size; a file has the one it began with.
    video_frame = video_frame.reformat(stream.width, stream.height, stream.pix_fmt)
    video_frame.pts, video_frame.time_base = ticks, _CLOCK
    return video_frame


def check_target(path: Path, source: str) -> None:
    """See that a video can go to a place, before the stream begins.

    Raises:
        CommandError: it is the source itself, of another format, or in no folder.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise CommandError(f"--save {path}: videos are written as {', '.join(SUFFIXES)}.")
    if path.resolve() == Path(source).resolve():
        raise CommandError(f"--save would overwrite the video {path}. Name another place.")
    if not path.parent.is_dir():
        raise CommandError(f"--save: there is no folder {path.parent}.")


def frame_rate(path: Path) -> Fraction | None:
    """Frames per second of a video file, None where it cannot be told."""
    import av

    try:
        with open_video(str(path)) as container:
            return next((stream.average_rate for stream in container.streams.video), None)
    except (av.FFmpegError, OSError, ValueError):
        return None  # the stream will say what is wrong with the file
