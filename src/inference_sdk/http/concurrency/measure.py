"""What an epoch showed: how long jobs took while so many ran at once."""

from __future__ import annotations

import math
from dataclasses import dataclass

PAYS = 0.45
"""Least gain of a doubling that is worth it. A doubling on idle workers gains 1, in a batch some
0.6 to 0.9; and whoever holds half of a busy server gains just this by taking more of it from
others, so two clients do not race."""


@dataclass(frozen=True)
class Measure:
    """Jobs that were begun and ended under one limit."""

    limit: int
    running: int
    """The most that ran at once: below the limit where the caller had no more for it."""
    seconds: float
    """Mean time of a job, above 0."""
    refused: float = 0.0
    """Share that the server refused (429, 503) or left without an answer."""

    @property
    def throughput(self) -> float:
        """Jobs a second, by Little's law: steadier than counting those of a short time."""
        return self.running / self.seconds

    @property
    def filled(self) -> bool:
        """Whether the limit was what held the caller back, and not its own pace."""
        return 2 * self.running > self.limit

    def gain_over(self, smaller: Measure) -> float:
        """Of what more jobs at once could bring in throughput, the part that they did bring.

        1 while the server has idle workers, 0 when more jobs only wait longer.
        """
        growth = math.log(self.running / smaller.running)
        return math.log(self.throughput / smaller.throughput) / growth if growth > 0 else 0.0
