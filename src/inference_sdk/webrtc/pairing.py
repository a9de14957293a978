"""Finding the predictions that belong to a frame, when the two travel on different ways.

Frames come over RTP and predictions over the data channel, both with a presentation time. The
nearest within a tolerance belongs to the frame. Knows nothing of how either arrives.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_left, insort
from typing import Any, Optional

TOLERANCE_TICKS = 90
"""One millisecond, in ticks of 1/90000 s: what rounding between time bases may cost."""

MAX_WAITING = 256
"""Predictions kept for frames to come."""

MAX_WAIT_SECONDS = 0.25
"""How long a frame waits for predictions. They mostly come first: video is encoded meanwhile."""

_MISSES_BEFORE_SHIFT = 5
"""Frames in a row without a pair, before the two clocks are taken to start at different times."""


class Pairing:
    """Predictions by time, put in by one thread and taken out by another.

    A worker that passes on times of its source numbers predictions by them, while RTP has a
    random origin and frames count from their own first. Then no frame finds a pair, and the
    clocks are aligned at the first frame and the oldest predictions.
    """

    def __init__(self) -> None:
        self._times: list[int] = []
        self._predictions: dict[int, Any] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._shift = 0
        self._misses = 0
        self._possible_shift: Optional[int] = None

    def put(self, ticks: int, predictions: Any) -> None:
        """Add the predictions of the frame at `ticks` (1/90000 s)."""
        with self._changed:
            if ticks not in self._predictions:
                insort(self._times, ticks)
            self._predictions[ticks] = predictions
            if len(self._times) > MAX_WAITING:
                self._predictions.pop(self._times.pop(0))
            self._changed.notify_all()

    def take(self, ticks: int, timeout: float = MAX_WAIT_SECONDS) -> Any:
        """Predictions of the frame at `ticks`, waiting a little for them; None without a pair."""
        deadline = time.monotonic() + timeout
        with self._changed:
            self._learn_shift(ticks)
            while (found := self._nearest(ticks + self._shift)) is None:
                left = deadline - time.monotonic()
                if left <= 0 or self._never_comes(ticks + self._shift):
                    self._misses += 1
                    return None
                self._changed.wait(left)
            self._misses = 0
            return self._pop(found)

    def close(self) -> None:
        """Let nobody wait any longer."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _nearest(self, ticks: int) -> Optional[int]:
        index = bisect_left(self._times, ticks)
        near = self._times[max(0, index - 1) : index + 1]
        best = min(near, key=lambda time_: abs(time_ - ticks), default=None)
        return best if best is not None and abs(best - ticks) <= TOLERANCE_TICKS else None

    def _never_comes(self, ticks: int) -> bool:
        # The data channel keeps the order: after later predictions, earlier ones do not come.
        return self._closed or bool(self._times and self._times[-1] > ticks + TOLERANCE_TICKS)

    def _pop(self, ticks: int) -> Any:
        index = bisect_left(self._times, ticks)
        found = self._predictions[ticks]
        # Older ones belong to frames that were dropped; only the shift may still need them.
        for time_ in self._times[: index + 1]:
            del self._predictions[time_]
        del self._times[: index + 1]
        return found

    def _learn_shift(self, ticks: int) -> None:
        if self._possible_shift is None and self._times:
            self._possible_shift = self._times[0] - ticks
        if self._misses >= _MISSES_BEFORE_SHIFT and self._possible_shift is not None:
            self._shift, self._misses = self._possible_shift - self._shift, 0
