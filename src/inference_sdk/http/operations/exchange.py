"""One request until it is answered: tries, and the pauses between them.

Pure: whoever runs it does the sending and the sleeping. What is tried again, and when, is decided
in `retries`.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from inference_sdk.http.answers import Answer
from inference_sdk.http.deadlines import current_deadline
from inference_sdk.http.entities import RequestMethod
from inference_sdk.http.errors import HTTPClientError
from inference_sdk.http.observing import Phase, TryRecord, count, in_phase, trying
from inference_sdk.http.operations.metadata import Booking, by_request, processing_time
from inference_sdk.http.operations.retries import Outcome, Retries, RetryBudget
from inference_sdk.http.steps import Compute, Exchange, Operation, Sleep
from inference_sdk.http.utils.requests import shown_url
from inference_sdk.utils.logging import get_logger

if TYPE_CHECKING:
    from inference_sdk.http.operations.state import ClientState
    from inference_sdk.http.utils.request_building import RequestData

logger = get_logger(__name__)

T = TypeVar("T")
Arguments = ParamSpec("Arguments")

LARGE = 32 * 1024
"""Bytes of an answer that holds pictures or long lists: reading one may take 20 ms, in which no
other task of an event loop would run; a thread for it costs 0.25 ms."""


def exchange(
    state: ClientState,
    request: RequestData,
    method: RequestMethod = RequestMethod.POST,
    *,
    retries: bool = True,
    repeatable: bool = True,
    book: Booking = by_request,
) -> Operation[Answer]:
    """Send a request, again where that helps, and return its answer.

    Args:
        repeatable: whether the same request twice does no harm.

    Raises:
        HTTPCallErrorError: the last answer has status 400 or more.
        InvalidServerResponseError: it is neither an error nor a success.
        HTTPClientError: there was no answer.
    """
    tries = state.configuration.max_tries if retries else 1
    answer = yield from attempt(
        Exchange(request, method, state.configuration, state.api_urls),
        tries,
        budget=state.retry_budget,
        repeatable=repeatable,
        book=book,
    )
    answer.raise_for_status()
    return answer


def exchange_object(
    state: ClientState,
    request: RequestData,
    method: RequestMethod = RequestMethod.POST,
    *,
    repeatable: bool = True,
    book: Booking = by_request,
) -> Operation[dict[str, Any]]:
    """As `exchange`; the answer's JSON object.

    Raises:
        InvalidServerResponseError: it is none.
    """
    answer = yield from exchange(state, request, method, repeatable=repeatable, book=book)
    return (yield from made_of(answer, answer.json_object))


def made_of(
    answer: Answer, make: Callable[Arguments, T], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Operation[T]:
    """What is made of an answer: beside the event loop where the answer is large."""
    work = in_phase(Phase.PARSING, partial(make, *args, **kwargs))
    if len(answer.content) < LARGE:
        return work()
    made: T = yield Compute(work)
    return made


def attempt(
    step: Exchange,
    tries: int,
    random: Callable[[], float] = random.random,
    clock: Callable[[], float] = time.monotonic,
    *,
    budget: RetryBudget | None = None,
    repeatable: bool = True,
    book: Booking = by_request,
) -> Operation[Answer]:
    """Try until there is an answer, or an error, that no further try is due for.

    Args:
        clock: on which the call's deadline stands.
        budget: None for a request that shares none.

    Raises:
        HTTPClientError: there was no answer.
    """
    started, deadline = clock(), current_deadline()
    retries = Retries(
        step.configuration, tries, budget or RetryBudget(), random, repeatable, len(step.servers)
    )
    while True:
        outcome = yield from _once(step, book, retries.sent + 1)
        pause = retries.pause_after(outcome)
        if pause is None or clock() + pause >= deadline:
            return _settled(outcome, retries.sent, clock() - started)
        _log(step, outcome, pause)
        if pause or isinstance(outcome, Answer):
            yield Sleep(pause)


def _once(step: Exchange, book: Booking, number: int) -> Operation[Outcome]:
    count(tries=1)
    with trying(partial(_described, step, number)) as tried:
        try:
            answer: Answer = yield step if tried is None else _with_headers(step, tried.headers)
        except HTTPClientError as error:
            if tried is not None:
                tried.error = type(error).__name__
            return error
        if tried is not None:
            tried.status, tried.url = answer.status, shown_url(answer.url)
    book(answer.headers, step.request)
    count(processing=processing_time(answer.headers) or 0.0)
    return answer


def _described(step: Exchange, number: int) -> TryRecord:
    request = step.request
    model = (request.payload or {}).get("model_id") if isinstance(request.payload, dict) else None
    named = model if isinstance(model, str) else None
    return TryRecord(number, step.method.value.upper(), shown_url(request.url), named)


def _with_headers(step: Exchange, headers: dict[str, str]) -> Exchange:
    if not headers:
        return step
    request = replace(step.request, headers={**(step.request.headers or {}), **headers})
    return replace(step, request=request)


def _settled(outcome: Outcome, tries: int, elapsed: float) -> Answer:
    if isinstance(outcome, Answer):
        return replace(outcome, tries=tries, elapsed=elapsed)
    outcome.tell_tries(tries, elapsed)
    raise outcome


def _log(step: Exchange, outcome: Outcome, pause: float) -> None:
    came = f"status {outcome.status}" if isinstance(outcome, Answer) else str(outcome)
    url = shown_url(step.request.url)
    logger.debug("%s %s again in %.2f s: %s", step.method.value.upper(), url, pause, came)
