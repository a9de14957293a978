"""`AdaptiveWindow`: watches how long jobs take, and says how many may run at once.

Time goes in epochs. In an epoch the limit rests, and only jobs count that were begun in it: those
begun before met another number of jobs. When enough of them have ended, slow start, later Vegas,
turns their mean time into the limit of the next epoch.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from inference_sdk.http.concurrency.measure import Measure
from inference_sdk.http.concurrency.slow_start import SlowStart
from inference_sdk.http.concurrency.vegas import Vegas

LARGEST = 128
"""Jobs at once at most, however many a server takes: as many threads, and as many connections."""

FEWEST_JOBS = 8
"""Jobs of an epoch, where the window is not larger: one slow job of two says little. The smallest
windows have twice as many as fit, so that their epochs last no longer than two jobs."""

SHORTEST = 1e-6
"""Seconds of a job, where the clock saw none pass."""


class Slot:
    """The place of one running job in the window."""

    __slots__ = ("begun", "epoch", "refused")

    def __init__(self, begun: float, epoch: int) -> None:
        self.begun = begun
        self.epoch = epoch
        self.refused = False


class AdaptiveWindow:
    """The limit of jobs at once, learnt from the jobs. Safe to share between threads.

    Args:
        clock: seconds, from any start.
        largest: limit that is never passed.

    Example:
        >>> window = AdaptiveWindow()
        >>> slot = window.begin(running=1)   # the job itself counts
        >>> ...                              # at most `window.limit` of these at once
        >>> window.end(slot)
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, largest: int = LARGEST) -> None:
        self._clock = clock
        self._largest = largest
        self._lock = threading.Lock()
        self._limit = 1
        self._epoch = 0
        self._running = self._answered = self._refused = 0
        self._seconds = 0.0
        self._start = SlowStart(largest)
        self._vegas: Vegas | None = None

    @property
    def limit(self) -> int:
        """How many jobs may run at once, 1 or more."""
        return self._limit

    def begin(self, running: int) -> Slot:
        """A job starts, with which `running` jobs run."""
        with self._lock:
            self._running = max(self._running, running)
            return Slot(self._clock(), self._epoch)

    def end(self, slot: Slot, *, counts: bool = True) -> None:
        """A job ended. One that failed for reasons of its own says nothing: `counts=False`."""
        with self._lock:
            if counts and not slot.refused and slot.epoch == self._epoch:
                self._answered += 1
                self._seconds += self._clock() - slot.begun
                self._close_epoch()

    def refuse(self, slot: Slot) -> None:
        """The server refused the job's request (429, 503), or did not answer in time.

        To be said at once: a job that waits until it is sent again may end epochs later.
        """
        with self._lock:
            if not slot.refused and slot.epoch == self._epoch:
                self._refused += 1
                self._close_epoch()
            slot.refused = True

    @property
    def _enough(self) -> int:
        return max(self._limit, min(2 * self._limit, FEWEST_JOBS))

    def _close_epoch(self) -> None:
        ended = self._answered + self._refused
        if ended < self._enough:
            return
        measure = Measure(
            limit=self._limit,
            running=min(self._running, self._limit),
            seconds=max(self._seconds / max(self._answered, 1), SHORTEST),
            refused=self._refused / ended,
        )
        self._limit = self._judge(measure)
        self._epoch += 1
        self._running = self._answered = self._refused = 0
        self._seconds = 0.0

    def _judge(self, measure: Measure) -> int:
        if self._vegas is not None:
            return self._vegas.next(measure)
        verdict = self._start.next(measure)
        if isinstance(verdict, int):
            return verdict
        self._vegas = Vegas(verdict.base, self._largest)
        return verdict.limit
