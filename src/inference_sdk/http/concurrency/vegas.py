"""Keeping the window where it pays: a few jobs waiting at the server, never many.

TCP Vegas (Brakmo and Peterson, "TCP Vegas: New Techniques for Congestion Detection and
Avoidance", 1994), as Netflix's concurrency-limits uses it for requests: from the time that jobs
take, and the time they take when nothing waits, follows how many of ours wait. Below `alpha` the
window grows by one, above twice that it shrinks by a tenth, between them it rests. So a client
keeps a few jobs waiting whatever its window is: those who share a server come to have like
windows, and a lone one does not swing.
"""

from __future__ import annotations

import math

from inference_sdk.http.concurrency.base import Base
from inference_sdk.http.concurrency.measure import Measure

WAITING = 2
"""`alpha`: jobs that wait at the server, so that a worker never does. One for a window of 2, which
fills a server with one worker."""

DIP = 0.7
"""Of what fills the server."""

STEP_BACK, LARGE_STEP_BACK = 0.9, 0.5
"""After some refusals, and after an epoch where most were refused."""

EPOCHS_OF_PATIENCE = 8
"""Epochs without growth after a refusal: the limit that was refused is tried again now and then,
not again and again."""


class Vegas:
    """Turns the measure of one epoch into the limit of the next."""

    def __init__(self, base: Base, largest: int) -> None:
        self._base = base
        self._largest = largest
        self._scatter = 0.0
        self._full: Measure | None = None
        """The epoch before a dip, while the window dips."""
        self._settling = False
        self._patience = 0
        self._streak = 0

    def next(self, measure: Measure) -> int:
        if measure.refused:
            return self._step_back(measure)
        if self._full is not None:
            return self._after_dip(self._full, measure)
        if self._settling:  # the queue fills up again: this epoch shows neither state
            self._settling = False
            return measure.limit
        self._base.learn(measure)
        if self._base.dip_due and measure.limit > 1:
            return self._dip(measure)
        return self._steady(measure)

    def _steady(self, measure: Measure) -> int:
        # The least of several epochs is below their mean by chance alone, the more they scatter.
        self._scatter += (self._base.change() - self._scatter) / 8
        base = self._base.seconds * (1 + 1.5 * self._scatter)
        waiting = measure.running * (1 - base / measure.seconds)
        alpha = 1 if measure.limit <= 2 else WAITING
        if waiting < alpha and measure.filled:
            return self._grown(measure)
        self._streak = 0
        if waiting > 2 * alpha + self._scatter * measure.running:
            return max(1, math.floor(0.9 * measure.limit))
        return measure.limit

    def _grown(self, measure: Measure) -> int:
        """One more; more than one where several steps in a row met no queue."""
        if self._patience:
            self._patience -= 1
            return measure.limit
        self._streak += 1
        step = 1 if self._streak <= 2 else min(2 ** (self._streak - 2), measure.limit)
        return min(measure.limit + step, self._largest)

    def _dip(self, measure: Measure) -> int:
        self._full = measure
        fills = measure.running * min(1.0, self._base.seconds / measure.seconds)
        return max(1, min(round(DIP * fills), measure.limit - 1))

    def _after_dip(self, full: Measure, dip: Measure) -> int:
        self._base.dipped(full, dip)
        self._full, self._settling = None, True
        return full.limit

    def _step_back(self, measure: Measure) -> int:
        self._full, self._streak, self._patience = None, 0, EPOCHS_OF_PATIENCE
        factor = STEP_BACK if measure.refused < 0.5 else LARGE_STEP_BACK
        return max(1, math.floor(measure.limit * factor))
