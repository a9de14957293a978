"""Whether a request is sent again, and after which pause: the rules, without the sending.

Pure: chance and time are given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from inference_sdk.http.answers import Answer
from inference_sdk.http.errors import (
    HTTPClientError,
    HTTPServerConnectionError,
    HTTPServerDisconnectedError,
    HTTPServerTimeoutError,
)

if TYPE_CHECKING:
    from inference_sdk.http.entities import InferenceConfiguration

LONGEST_BACKOFF = 8.0
"""Seconds. A server that restarts is back by then, and a person still waits."""

BUDGET_BACK_PER_ANSWER = 0.1
"""Of a retry, for each answer that is none to retry: in the long run one retry for ten requests."""

_NOTHING_WAS_DONE = frozenset({429, 503})
"""Statuses that say so. Behind a 504, or any other error, the server may have done its work."""

Outcome = Answer | HTTPClientError


class RetryBudget:
    """How much a client, with all its threads and copies, may try again: a token bucket.

    It begins full with `InferenceConfiguration.retry_budget` retries. Each retry takes one, each
    answer that needs none gives a tenth back. So a server that fails now and then is tried again
    each time, and one that is down is not hammered by clients that triple its load.

    A retry that the server itself asks for, with `Retry-After`, costs nothing.
    """

    def __init__(self) -> None:
        # Without a lock, which could be neither pickled nor forked: two threads that count at the
        # same moment may lose one of many.
        self.spent = 0.0

    def take(self, most: int | None) -> bool:
        """Spend one retry; False where all are spent."""
        if most is not None and self.spent + 1 > most:
            return False
        self.spent += 1
        return True

    def refund(self) -> None:
        self.spent = max(0.0, self.spent - BUDGET_BACK_PER_ANSWER)


@dataclass
class Retries:
    """Of one request: what came of its tries, and when the next one is due.

    Args:
        most: tries in all.
        repeatable: whether the same request twice does no harm; else it is sent again only where
            the server cannot have taken it.
        servers: how many there are; who did not get through to one is sent to another.
    """

    configuration: InferenceConfiguration
    most: int
    budget: RetryBudget
    random: Callable[[], float]
    repeatable: bool = True
    servers: int = 1
    sent: int = 0
    _counted: int = field(default=0, init=False)
    _is_stale: bool = field(default=False, init=False)

    def pause_after(self, outcome: Outcome) -> float | None:
        """Seconds until the next try; None where there is none."""
        self.sent += 1
        if self._may_be_stale(outcome):
            self._is_stale = True
            return 0.0
        if self._has_another and not may_have_arrived(outcome):
            return 0.0
        self._counted += 1
        if isinstance(outcome, Answer) and outcome.status not in self.configuration.retry_statuses:
            self.budget.refund()
        if self._counted >= self.most or not self._is_worth_it(outcome):
            return None
        asked = self._asked(outcome)
        if asked is not None or not self.budget.take(self.configuration.retry_budget):
            return asked
        return backoff(self.configuration, self._counted, self.random)

    @property
    def _has_another(self) -> bool:
        """Whether there is a server that has not had the request."""
        return self.sent < self.servers

    def _asked(self, outcome: Outcome) -> float | None:
        # Of one server: it is spared as it asked, while another may have room.
        if self._has_another or not isinstance(outcome, Answer):
            return None
        return retry_after(outcome, self.configuration)

    def _may_be_stale(self, outcome: Outcome) -> bool:
        """A connection that was closed before a byte of the answer was most likely kept too long:
        the first such try is free.
        """
        is_closed = isinstance(outcome, HTTPServerDisconnectedError)
        return is_closed and self.repeatable and not self._is_stale

    def _is_worth_it(self, outcome: Outcome) -> bool:
        if isinstance(outcome, Answer):
            is_safe = self.repeatable or outcome.status in _NOTHING_WAS_DONE
            return is_safe and outcome.status in self.configuration.retry_statuses
        if isinstance(outcome, HTTPServerTimeoutError):
            # Whoever waited the whole time-out once should hear of it, if no other can help.
            return self._has_another and self.repeatable
        if not isinstance(outcome, HTTPServerConnectionError):
            return False
        return self.repeatable or not outcome.may_have_arrived


def may_have_arrived(outcome: Outcome) -> bool:
    """Whether a server may have got the request."""
    return not isinstance(outcome, HTTPServerConnectionError) or outcome.may_have_arrived


def backoff(
    configuration: InferenceConfiguration, tried: int, random: Callable[[], float]
) -> float:
    """Seconds before the next try: up to chance, below a limit that doubles up to a cap.

    Chance keeps clients that failed together from coming back together.
    """
    return random() * min(configuration.retry_backoff * 2 ** (tried - 1), LONGEST_BACKOFF)


def retry_after(answer: Answer, configuration: InferenceConfiguration) -> float | None:
    """Seconds that the server asks to wait, capped; None where it asks nothing readable.

    The header holds seconds, or a date (RFC 9110, section 10.2.3), which is read against the
    server's own clock, or ours where it shows none.
    """
    text = answer.headers.get("Retry-After", "")
    try:
        seconds = float(text) if not text.endswith("GMT") else _until(text, answer)
    except (ValueError, TypeError):
        return None
    return min(max(0.0, seconds), configuration.retry_after_limit)  # in this order, NaN is 0


def _until(date: str, answer: Answer) -> float:
    clock = answer.headers.get("Date")
    now = parsedate_to_datetime(clock) if clock else datetime.now(timezone.utc)
    return (parsedate_to_datetime(date) - now).total_seconds()
