"""Frames from any thread to an aiortc track on the event loop, without pacing or polling.

The one module of the sending side that aiortc is loaded for; imported when a source starts.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, Optional

from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

if TYPE_CHECKING:
    from av import VideoFrame

    from inference_sdk.webrtc.sources.base import SourceMonitor

CLOCK_RATE = 90000
TIME_BASE = Fraction(1, CLOCK_RATE)


class FrameFeed:
    """A short queue of frames to send; when it is full the oldest goes.

    Frames get the time at which they were put in as their presentation time, counted from the
    first one, so the worker sees them as they were captured.

    Args:
        capacity: frames that may wait.
        monitor: told of each frame sent or skipped.
    """

    def __init__(self, capacity: int, monitor: Optional[SourceMonitor]) -> None:
        self._loop = asyncio.get_running_loop()
        self._arrived = asyncio.Event()
        self._frames: deque[tuple[VideoFrame, float]] = deque()
        self._capacity = capacity
        self._monitor = monitor
        self._lock = threading.Lock()
        self._first: Optional[float] = None
        self._last_ticks = -1
        self._ended = False

    def put(self, frame: VideoFrame) -> None:
        """Add a frame, from any thread; the track is woken at once."""
        now = time.monotonic()
        with self._lock:
            self._stamp(frame, now)
            self._frames.append((frame, now))
            skipped = len(self._frames) > self._capacity
            if skipped:
                self._frames.popleft()
        if skipped and self._monitor is not None:
            self._monitor.skipped()
        self._wake()

    def end(self) -> None:
        """No frame follows; from any thread."""
        self._ended = True
        self._wake()

    async def get(self) -> Optional[VideoFrame]:
        """The next frame, None after the end."""
        while True:
            self._arrived.clear()
            with self._lock:
                waiting = self._frames.popleft() if self._frames else None
            if waiting is not None:
                self._report(*waiting)
                return waiting[0]
            if self._ended:
                return None
            await self._arrived.wait()

    def _stamp(self, frame: VideoFrame, now: float) -> None:
        if self._first is None:
            self._first = now
        # Two frames of one time would be one frame to RTP.
        self._last_ticks = max(self._last_ticks + 1, round((now - self._first) * CLOCK_RATE))
        frame.pts, frame.time_base = self._last_ticks, TIME_BASE

    def _report(self, frame: VideoFrame, captured: float) -> None:
        if self._monitor is not None and frame.pts is not None:
            self._monitor.sent(frame.pts, captured)

    def _wake(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._arrived.set)
        except RuntimeError:  # the loop closed between two frames; nobody waits any more
            return


class FeedTrack(MediaStreamTrack):
    """A video track of what is put into a feed.

    Args:
        feed: where frames come from.
        on_stop: called once when the track stops, for whatever reason.
    """

    kind = "video"

    def __init__(self, feed: FrameFeed, on_stop: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self._feed = feed
        self._on_stop = on_stop

    async def recv(self) -> VideoFrame:
        frame = await self._feed.get() if self.readyState == "live" else None
        if frame is None:
            self.stop()
            raise MediaStreamError
        return frame

    def stop(self) -> None:
        if self.readyState == "live":
            self._feed.end()
            self._on_stop()
        super().stop()
