"""Counting what a stream did. Written from several threads, each counter by one of them."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Optional

_MAX_SENT_TIMES = 512
"""Frames on their way, some 17 s at 30 per second."""

_TOLERANCE_TICKS = 90
_SMOOTHING = 0.1


@dataclass(frozen=True)
class StreamStats:
    """What a stream did so far. None where it cannot be told.

    Attributes:
        duration: seconds since the stream started.
        frames_sent: frames given to the encoder.
        frames_received: frames that came back.
        frames_dropped: frames that came back and were dropped for newer ones.
        frames_skipped: frames to send that were dropped for newer ones.
        messages_received: messages of the worker on the data channel.
        messages_dropped: messages given up because more waited than may, which ended the stream.
        packets_lost: RTP packets lost on the way here.
        packets_lost_remote: RTP packets lost on the way to the worker.
        round_trip_time: seconds, as the worker's RTCP reports tell.
        bytes_sent: bytes sent over the connection.
        bytes_received: bytes received over the connection.
        bitrate_sent: bits per second, over the whole stream.
        bitrate_received: bits per second, over the whole stream.
        latency: seconds from sending a frame to its coming back, smoothed.
        latency_last: the same, of the last frame.
        reconnects: how often the stream was started again.
    """

    duration: float
    frames_sent: int
    frames_received: int
    frames_dropped: int
    frames_skipped: int
    messages_received: int
    messages_dropped: int
    packets_lost: Optional[int] = None
    packets_lost_remote: Optional[int] = None
    round_trip_time: Optional[float] = None
    bytes_sent: Optional[int] = None
    bytes_received: Optional[int] = None
    bitrate_sent: Optional[float] = None
    bitrate_received: Optional[float] = None
    latency: Optional[float] = None
    latency_last: Optional[float] = None
    reconnects: int = 0


@dataclass
class Transport:
    """What the connection itself counted."""

    packets_lost: Optional[int] = None
    packets_lost_remote: Optional[int] = None
    round_trip_time: Optional[float] = None
    bytes_sent: Optional[int] = None
    bytes_received: Optional[int] = None


@dataclass
class Counters:
    """The running counts of a stream."""

    started: float = field(default_factory=time.monotonic)
    frames_sent: int = 0
    frames_received: int = 0
    frames_dropped: int = 0
    frames_skipped: int = 0
    messages_received: int = 0
    messages_dropped: int = 0
    reconnects: int = 0
    latency: Optional[float] = None
    latency_last: Optional[float] = None

    def __post_init__(self) -> None:
        self._sent: OrderedDict[int, float] = OrderedDict()
        self._lock = threading.Lock()

    def sent(self, ticks: int, at: float) -> None:
        """A frame went to the encoder; `at` is when it was captured (monotonic seconds)."""
        self.frames_sent += 1
        with self._lock:
            self._sent[ticks] = at
            if len(self._sent) > _MAX_SENT_TIMES:
                self._sent.popitem(last=False)

    def returned(self, ticks: Optional[int]) -> None:
        """A frame came back, or data of it; `ticks` is its time in 1/90000 s."""
        if ticks is None:
            return
        with self._lock:
            sent = self._find(ticks)
        if sent is None:
            return
        self.latency_last = time.monotonic() - sent
        previous = self.latency if self.latency is not None else self.latency_last
        self.latency = previous + _SMOOTHING * (self.latency_last - previous)

    def frame_dropped(self) -> None:
        self.frames_dropped += 1

    def frame_skipped(self) -> None:
        self.frames_skipped += 1

    def snapshot(self, transport: Optional[Transport]) -> StreamStats:
        transport = transport or Transport()
        duration = time.monotonic() - self.started
        return StreamStats(
            duration=duration,
            frames_sent=self.frames_sent,
            frames_received=self.frames_received,
            frames_dropped=self.frames_dropped,
            frames_skipped=self.frames_skipped,
            messages_received=self.messages_received,
            messages_dropped=self.messages_dropped,
            packets_lost=transport.packets_lost,
            packets_lost_remote=transport.packets_lost_remote,
            round_trip_time=transport.round_trip_time,
            bytes_sent=transport.bytes_sent,
            bytes_received=transport.bytes_received,
            bitrate_sent=_bitrate(transport.bytes_sent, duration),
            bitrate_received=_bitrate(transport.bytes_received, duration),
            latency=self.latency,
            latency_last=self.latency_last,
            reconnects=self.reconnects,
        )

    def _find(self, ticks: int) -> Optional[float]:
        if ticks in self._sent:  # nearly always: both clocks have the same unit
            return self._sent[ticks]
        near = min(self._sent, key=lambda sent: abs(sent - ticks), default=None)
        return (
            self._sent[near] if near is not None and abs(near - ticks) <= _TOLERANCE_TICKS else None
        )


def _bitrate(sent: Optional[int], duration: float) -> Optional[float]:
    return None if sent is None or duration <= 0 else 8 * sent / duration
