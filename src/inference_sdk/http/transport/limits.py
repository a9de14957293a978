"""What an exchange may cost: time, bytes, and the age of a connection."""

from __future__ import annotations

import time
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from inference_sdk.http.deadlines import current_deadline
from inference_sdk.http.entities import RequestMethod

if TYPE_CHECKING:
    from inference_sdk.http.entities import InferenceConfiguration


LONGEST_LOOK_UP = 120.0
"""Seconds for a GET in all, however it drips: what a server tells of itself is small, and no work."""


@dataclass(frozen=True)
class TimeLimits:
    """How long to wait: for the connection, for each sign of life, and in all."""

    connect: float
    silence: float
    end: float
    """When the whole call ends, as `time.monotonic` counts."""

    def connecting_ends(self) -> float:
        return min(time.monotonic() + self.connect, self.end)

    def silence_ends(self, times: int = 1) -> float:
        return min(time.monotonic() + times * self.silence, self.end)

    @property
    def are_over(self) -> bool:
        """Whether the time of the whole call is up."""
        return self.end <= time.monotonic()


@dataclass(frozen=True)
class Limits:
    """What an exchange may cost."""

    time: TimeLimits
    largest: int | None
    """Bytes of the answer's body, unpacked."""
    idle: float
    """Seconds that a connection may have been idle and still be used."""

    @classmethod
    def of(cls, configuration: InferenceConfiguration, method: RequestMethod) -> Limits:
        """The limits of a request that is sent now."""
        end = current_deadline()
        if method is RequestMethod.GET:
            end = min(end, time.monotonic() + LONGEST_LOOK_UP)
        time_limits = TimeLimits(
            connect=_seconds(configuration.connect_timeout),
            silence=_seconds(configuration.read_timeout),
            end=end,
        )
        return cls(
            time_limits, configuration.max_response_size, _seconds(configuration.idle_timeout)
        )


def _seconds(limit: float | None) -> float:
    return inf if limit is None else limit
