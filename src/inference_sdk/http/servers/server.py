"""One server as its client knows it: work in flight, counts, and whether it is to be trusted.

A circuit breaker (Nygard, "Release It!", 2007) without a thread of its own: a server that fails is
left; after a while one request, and only one, goes there to find out; its success takes the
server back, its failure doubles the while.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

FIRST_ABSENCE, LONGEST_ABSENCE = 1.0, 30.0
"""Seconds until a server that was left is tried again."""

REST = 0.5
"""Seconds that a server is spared that refuses (429, 503, 504) and does not say for how long."""


class Outcome(Enum):
    """What came of a request; the value says how much of it takes for the server to be left."""

    ANSWERED = 0
    REFUSED = -1
    """429, 503 or 504: the server lives, and wants to be spared for some time."""
    DROPPED = -2
    """The caller broke off, or the request could not be sent: says nothing of the server."""
    FAILED = 5
    """Another status of 500 or more: an image may be the cause, of five in a row it is not."""
    CLOSED = 2
    """Before a byte of the answer: a kept connection may have been too old, two in a row were not."""
    LOST = 1
    """No connection came about, it was cut off in an answer, or there was silence."""


@dataclass(frozen=True)
class ServerStats:
    """Counts of one server since the client was made.

    Attributes:
        address: scheme, host, port and path, without a password.
        in_flight: requests under way.
        requests: requests sent, each try counted.
        refused: answers of status 429, 503 or 504.
        failed: connections that failed, time-outs, and other answers of status 500 or more.
        healthy: False while the server is left alone after failures.
    """

    address: str
    in_flight: int
    requests: int
    refused: int
    failed: int
    healthy: bool


class Server:
    """State of one server; `ServerPool` guards it."""

    __slots__ = (
        "_absence",
        "_away_until",
        "_failures",
        "_rests_until",
        "_terms",
        "address",
        "failed",
        "in_flight",
        "probed",
        "refused",
        "requests",
    )

    def __init__(self, address: str) -> None:
        self.address = address
        self.in_flight = 0
        self.requests = 0
        self.refused = 0
        self.failed = 0
        self.probed = False
        """Whether a request is under way that finds out if the server is back."""
        self._failures = 0
        self._absence = 0.0
        self._away_until = 0.0
        self._rests_until = 0.0
        self._terms = 0
        """How often it was left and taken back."""

    @property
    def healthy(self) -> bool:
        return self._absence == 0

    def is_ready(self, now: float) -> bool:
        """Whether it may be given work like any other."""
        return self._absence == 0 and now >= self._rests_until

    def wants_probe(self, now: float) -> bool:
        return self._absence > 0 and not self.probed and now >= self._away_until

    def begin(self) -> Turn:
        self.probed = not self.healthy
        self.in_flight += 1
        self.requests += 1
        return Turn(self, self._terms)

    def end(
        self, turn: Turn, outcome: Outcome, now: float, chance: float, rest: float | None
    ) -> None:
        """Take in what came of a request.

        Args:
            turn: of the request.
            outcome: of the request.
            now: seconds of the clock.
            chance: 0..1, so that clients do not come back together.
            rest: seconds for which a server that refused asked to be spared.
        """
        self.in_flight -= 1
        self.refused += outcome is Outcome.REFUSED
        self.failed += outcome.value > 0
        if turn.term != self._terms:
            # Begun before the server was left, or taken back. One that shuts down still answers
            # what it has begun, and those that die with it are one death.
            return
        self.probed = False
        if outcome is Outcome.REFUSED:
            self._rests_until = now + (REST if rest is None else rest) * (0.5 + chance)
        if outcome in (Outcome.ANSWERED, Outcome.REFUSED):
            self._trust()
        elif outcome is not Outcome.DROPPED:
            self._distrust(outcome, now, chance)

    def _trust(self) -> None:
        self._terms += not self.healthy
        self._failures, self._absence = 0, 0.0

    def _distrust(self, outcome: Outcome, now: float, chance: float) -> None:
        self._failures += 1
        if self.healthy and self._failures < outcome.value:
            return
        self._terms += self.healthy
        self._absence = min(max(FIRST_ABSENCE, 2 * self._absence), LONGEST_ABSENCE)
        self._away_until = now + self._absence * (0.5 + chance)

    def stats(self) -> ServerStats:
        return ServerStats(
            address=self.address,
            in_flight=self.in_flight,
            requests=self.requests,
            refused=self.refused,
            failed=self.failed,
            healthy=self.healthy,
        )


class Turn:
    """One request at a server."""

    __slots__ = ("server", "term")

    def __init__(self, server: Server, term: int) -> None:
        self.server = server
        self.term = term
