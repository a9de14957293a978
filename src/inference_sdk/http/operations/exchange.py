"""One request until it is answered: tries, and the pauses between them.

Pure: whoever runs it does the sending and the sleeping.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from inference_sdk.http.entities import RequestMethod
from inference_sdk.http.errors import (
    HTTPServerConnectionError,
    HTTPServerDisconnectedError,
    HTTPServerTimeoutError,
)
from inference_sdk.http.operations.metadata import Booking, by_request
from inference_sdk.http.steps import Exchange, Operation, Sleep

if TYPE_CHECKING:
    from inference_sdk.http.answers import Answer
    from inference_sdk.http.entities import InferenceConfiguration
    from inference_sdk.http.operations.state import ClientState
    from inference_sdk.http.utils.request_building import RequestData

RETRYABLE_STATUS_CODES = frozenset({429, 503, 504})
"""Too many requests, and the two ways a gateway says that its server is not there just now."""

LONGEST_BACKOFF = 8.0
"""Seconds. A server that restarts is back by then, and a person still waits."""


def exchange(
    state: ClientState,
    request: RequestData,
    method: RequestMethod = RequestMethod.POST,
    *,
    retries: bool = True,
    book: Booking = by_request,
) -> Operation[Answer]:
    """Send a request, again where that helps, and return its answer.

    Raises:
        HTTPCallErrorError: the last answer has status 400 or more.
        HTTPClientError: there was no answer.
    """
    tries = state.configuration.max_tries if retries else 1
    answer = yield from attempt(Exchange(request, method, state.configuration), tries, book=book)
    answer.raise_for_status()
    return answer


def exchange_json(
    state: ClientState,
    request: RequestData,
    method: RequestMethod = RequestMethod.POST,
    *,
    retries: bool = True,
    book: Booking = by_request,
) -> Operation[Any]:
    """As `exchange`; the answer's parsed JSON."""
    answer = yield from exchange(state, request, method, retries=retries, book=book)
    return answer.json()


def attempt(
    step: Exchange,
    tries: int,
    random: Callable[[], float] = random.random,
    *,
    book: Booking = by_request,
) -> Operation[Answer]:
    """Try until an answer is not retryable or the tries are used up.

    Retried are statuses 429, 503 and 504, and connections that fail; silence is not: whoever
    waited the whole time-out once should hear of it. A connection that the server closed before
    a byte of the answer was most likely one kept too long, so the first such is free.
    """
    tried, may_be_stale = 0, True
    while True:
        tried += 1
        try:
            answer = yield step
        except HTTPServerTimeoutError:
            raise
        except HTTPServerConnectionError as error:
            if may_be_stale and isinstance(error, HTTPServerDisconnectedError):
                tried, may_be_stale = tried - 1, False
                continue
            if tried >= tries:
                raise
            pause = None
        else:
            book(answer.headers, step.request)
            if tried >= tries or answer.status not in RETRYABLE_STATUS_CODES:
                return answer
            pause = retry_after(answer, step.configuration)
        yield Sleep(backoff(step.configuration, tried, random) if pause is None else pause)


def backoff(
    configuration: InferenceConfiguration, tried: int, random: Callable[[], float]
) -> float:
    """Seconds before the next try: doubling, capped, and half of it up to chance.

    Chance keeps clients that failed together from coming back together.
    """
    longest = min(configuration.retry_backoff * 2 ** (tried - 1), LONGEST_BACKOFF)
    return longest * (1 + random()) / 2


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
