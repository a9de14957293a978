"""From one job at once to about as many as pay, within few jobs: double while doubling pays.

Slow start is TCP's (Jacobson, "Congestion Avoidance and Control", 1988); that it ends where more
in flight does not raise the delivery rate is BBR's start-up (Cardwell et al., "BBR:
Congestion-Based Congestion Control", 2016). The rate, and not the delay alone, because delay also
grows on a server that batches, where more at once still pays.
"""

from __future__ import annotations

from dataclasses import dataclass

from inference_sdk.http.concurrency.base import Base
from inference_sdk.http.concurrency.measure import PAYS, Measure

FLAT = 0.2
"""Most gain of a doubling of which can be said that the server itself has no more to give."""

SLOWEST = 6.0
"""Times the fastest epoch: no batch is worth more waiting than that."""

ALWAYS_TRIED = 4
"""Up to here nothing is concluded from one doubling: a server that batches whatever waits serves
two at once no faster than one, and four nearly twice as fast."""


@dataclass(frozen=True)
class Found:
    """What slow start found: a limit, and how long a job takes that waits for no other."""

    limit: int
    base: Base


class SlowStart:
    """Goes from level to level; `next` says the next one, or what was found."""

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._fastest: float | None = None
        self._paid: Measure | None = None
        """The last level that was worth its doubling."""
        self._previous: Measure | None = None
        """The level before the one now measured."""
        self._doubted = False

    def next(self, measure: Measure) -> int | Found:
        """The limit of the next epoch, or the end of slow start.

        A level that seems not to pay is measured once more: its first jobs still met the short
        queue of the level before.
        """
        if measure.refused:
            return self._found(measure.limit // 2)
        self._fastest = min(self._fastest or measure.seconds, measure.seconds)
        if not measure.filled:
            return measure.limit
        gain = measure.gain_over(self._previous) if self._previous else 1.0
        if gain >= PAYS and measure.seconds < SLOWEST * self._fastest:
            self._paid = measure
            return self._double(measure)
        if not self._doubted:
            self._doubted = True
            return measure.limit
        if measure.limit < ALWAYS_TRIED:
            return self._double(measure)
        return self._saturated(measure) if gain < FLAT else self._shared(measure)

    def _double(self, measure: Measure) -> int | Found:
        self._previous, self._doubted = measure, False
        if measure.limit >= self._largest:
            return self._found(self._largest)
        return min(2 * measure.limit, self._largest)

    def _saturated(self, measure: Measure) -> Found:
        """The server is full, and was not at the level that paid: its delay is the server's own.

        What fills it follows by Little's law from the rate at which it is full.
        """
        paid = self._paid or measure
        fills = round(measure.throughput * paid.seconds)
        limit = min(max(fills, paid.limit), 2 * paid.limit, self._largest)
        return Found(limit, Base(paid.seconds, lent=True))

    def _shared(self, measure: Measure) -> Found:
        """The doubling brought a little, not enough: maybe others are being crowded out."""
        return self._found(round(measure.throughput * (self._fastest or measure.seconds)))

    def _found(self, limit: int) -> Found:
        return Found(min(max(1, limit), self._largest), Base(self._fastest, lent=False))
