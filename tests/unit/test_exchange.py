"""Tries and pauses, driven by hand: no server, no sleep, no chance."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from itertools import chain, repeat
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_sdk import InferenceHTTPClient, config
from inference_sdk.http.answers import Answer
from inference_sdk.http.deadlines import limited_to
from inference_sdk.http.entities import HTTPClientMode, InferenceConfiguration, RequestMethod
from inference_sdk.http.errors import (
    HTTPCallErrorError,
    HTTPClientError,
    HTTPServerConnectionError,
    HTTPServerDisconnectedError,
    HTTPServerTimeoutError,
    InvalidServerResponseError,
)
from inference_sdk.http.operations.exchange import attempt, exchange, exchange_object
from inference_sdk.http.operations.retries import (
    LONGEST_BACKOFF,
    RetryBudget,
    backoff,
    retry_after,
)
from inference_sdk.http.operations.state import ClientState
from inference_sdk.http.steps import Exchange, Operation, Sleep

STATE = ClientState(api_url="http://host", api_key=None, mode=HTTPClientMode.V1)
REQUEST = STATE.json_request("http://host/infer/model", {"model_id": "coco/3"})


def answer(status: int = 200, content: bytes = b"{}", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, "Reason", "http://host/info", named, content)


@dataclass
class Outcome:
    result: Any
    sent: int
    pauses: list[float]


def drive(operation: Operation[Any], *events: Answer | Exception) -> Outcome:
    """Answer each request with the next event; the result is what it returned or raised."""
    waiting, pauses, sent = list(events), [], 0
    try:
        step = next(operation)
        while True:
            if isinstance(step, Sleep):
                pauses.append(step.seconds)
                step = operation.send(None)
                continue
            assert isinstance(step, Exchange)
            sent += 1
            event = waiting.pop(0)
            step = operation.throw(event) if isinstance(event, Exception) else operation.send(event)
    except StopIteration as done:
        result = done.value
    except HTTPClientError as error:
        result = error
    assert not waiting
    return Outcome(result, sent, pauses)


def tries(
    *events: Answer | Exception,
    of: int = 3,
    budget: RetryBudget | None = None,
    repeatable: bool = True,
    clock: Callable[[], float] = lambda: 0.0,
    **settings: Any,
) -> Outcome:
    step = Exchange(REQUEST, RequestMethod.POST, InferenceConfiguration(**settings))
    course = attempt(step, of, lambda: 1.0, clock, budget=budget, repeatable=repeatable)
    return drive(course, *events)


def after(tries: int, event: Answer | Exception) -> Answer | Exception:
    """What is returned, or raised, after so many tries: it says how many."""
    return replace(event, tries=tries) if isinstance(event, Answer) else event


REFUSED = HTTPServerConnectionError("refused")


def test_an_answer_ends_it() -> None:
    fine = answer()
    assert tries(fine) == Outcome(fine, 1, [])


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 422, 500, 501, 502])
def test_statuses_that_another_try_would_not_mend(status: int) -> None:
    refusal = answer(status)
    assert tries(refusal) == Outcome(refusal, 1, [])


@pytest.mark.parametrize("event", [answer(429), answer(503), answer(504), REFUSED])
def test_what_is_retried(event: Answer | Exception) -> None:
    fine = answer()
    assert tries(event, fine) == Outcome(after(2, fine), 2, [0.5])
    assert tries(event, event, fine) == Outcome(after(3, fine), 3, [0.5, 1.0])
    assert tries(event, event, event) == Outcome(after(3, event), 3, [0.5, 1.0])
    assert tries(event, of=1) == Outcome(after(1, event), 1, [])


def test_silence_is_not_retried() -> None:
    silence = HTTPServerTimeoutError("silence")
    assert tries(silence) == Outcome(silence, 1, [])


def test_the_first_closed_connection_is_free() -> None:
    stale, fine = HTTPServerDisconnectedError("closed"), answer()
    assert tries(stale, fine, of=1) == Outcome(after(2, fine), 2, [])
    assert tries(stale, stale, of=1) == Outcome(stale, 2, [])
    assert tries(stale, stale, fine) == Outcome(after(3, fine), 3, [0.5])
    assert tries(stale, stale, stale, stale) == Outcome(stale, 4, [0.5, 1.0])


def test_which_statuses_are_retried_can_be_chosen() -> None:
    fine = answer()
    assert tries(answer(502), fine, retry_statuses={500, 502}).sent == 2
    assert tries(answer(503), retry_statuses={500, 502}).sent == 1
    assert tries(answer(503), retry_statuses=()).sent == 1


NEVER_ARRIVED = HTTPServerConnectionError("refused")
NEVER_ARRIVED.may_have_arrived = False


@pytest.mark.parametrize("event", [answer(429), answer(503), NEVER_ARRIVED])
def test_what_must_not_happen_twice_is_tried_again_where_it_has_not_happened(
    event: Answer | Exception,
) -> None:
    assert tries(event, answer(), repeatable=False).sent == 2


@pytest.mark.parametrize(
    "event", [answer(504), answer(500), REFUSED, HTTPServerDisconnectedError("closed")]
)
def test_what_may_have_happened_is_not_tried_again(event: Answer | Exception) -> None:
    settings = {"repeatable": False, "retry_statuses": {429, 500, 503, 504}}
    assert tries(event, **settings) == Outcome(after(1, event), 1, [])


# -- the budget ----------------------------------------------------------------------------------


def sent_of(budget: RetryBudget, most: int, events: Iterator[Answer | Exception]) -> int:
    """How often one request is sent to a server that does as it likes."""
    configuration = InferenceConfiguration(retry_budget=most)
    course = attempt(Exchange(REQUEST, RequestMethod.POST, configuration), 3, budget=budget)
    sent, event = 0, None
    with suppress(StopIteration, HTTPServerConnectionError):
        step = next(course)
        while True:
            if isinstance(step, Exchange):
                sent, event = sent + 1, next(events)
            else:
                event = None
            step = course.throw(event) if isinstance(event, Exception) else course.send(event)
    return sent


def test_a_server_that_is_down_is_not_hammered() -> None:
    budget = RetryBudget()
    sent = [sent_of(budget, 10, repeat(REFUSED)) for _ in range(100)]
    assert sent == [3] * 5 + [1] * 95  # ten retries, and no more


@given(st.lists(st.sampled_from([answer(200), answer(404), answer(503), REFUSED])))
def test_retries_stay_in_proportion(events: list[Answer | Exception]) -> None:
    """Never more of them than the budget, and a tenth of the requests."""
    budget, waiting = RetryBudget(), chain(events, repeat(answer(503)))
    sent = [sent_of(budget, 5, waiting) for _ in events]
    assert sum(sent) <= len(events) + 5 + len(events) / 10


def test_answers_fill_the_budget_up_again() -> None:
    budget, busy, fine = RetryBudget(), answer(503), answer()
    assert tries(busy, fine, budget=budget, retry_budget=1).sent == 2
    assert tries(busy, budget=budget, retry_budget=1).sent == 1
    for _ in range(10):
        tries(fine, budget=budget, retry_budget=1)
    assert tries(busy, fine, budget=budget, retry_budget=1).sent == 2


def test_a_retry_that_the_server_asks_for_costs_nothing() -> None:
    busy, fine = answer(429, Retry_After="1"), answer()
    assert tries(busy, fine, retry_budget=0) == Outcome(after(2, fine), 2, [1.0])
    assert tries(answer(429), retry_budget=0).sent == 1
    assert tries(answer(429), fine, retry_budget=None).sent == 2


def test_copies_of_a_client_share_the_budget() -> None:
    client = InferenceHTTPClient("http://host")
    copied = client.with_options(max_tries=5)
    assert copied._state.retry_budget is client._state.retry_budget


# -- time ----------------------------------------------------------------------------------------


def test_no_try_begins_after_the_deadline() -> None:
    """Pauses of 0.5 and 1 s, of which the second would go beyond it."""
    with limited_to(1.0):
        outcome = tries(answer(503), answer(503), clock=time.monotonic)
    assert (outcome.result.status, outcome.sent, outcome.pauses) == (503, 2, [0.5])


def test_an_error_says_how_often_and_how_long() -> None:
    moments = iter([10.0, 11.0, 12.0, 14.0, 17.5])
    error = HTTPServerConnectionError("No way to http://host")
    outcome = tries(error, error, error, clock=lambda: next(moments))
    assert outcome.result is error
    assert (error.tries, error.elapsed) == (3, 4.0)
    assert str(error) == "No way to http://host (3 tries in 4.0 s)"


def test_each_retry_is_logged_with_its_reason(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "inference_sdk"):
        tries(answer(503), HTTPServerConnectionError("No way"), answer())
    assert [record.getMessage() for record in caplog.records] == [
        "POST http://host/infer/model again in 0.50 s: status 503",
        "POST http://host/infer/model again in 1.00 s: No way",
    ]


def test_other_errors_pass_through() -> None:
    error = HTTPClientError("no certificate")
    assert tries(error) == Outcome(error, 1, [])


def test_a_server_that_names_a_pause_gets_it() -> None:
    busy, fine = answer(429, Retry_After="7"), answer()
    assert tries(busy, fine).pauses == [7.0]
    assert tries(busy, fine, retry_after_limit=2.0).pauses == [2.0]


@given(
    tried=st.integers(1, 60),
    first=st.floats(0.0, 100.0),
    chance=st.floats(0.0, 1.0),
)
def test_backoff_doubles_up_to_a_cap(tried: int, first: float, chance: float) -> None:
    pause = backoff(InferenceConfiguration(retry_backoff=first), tried, lambda: chance)
    assert pause == chance * min(first * 2 ** (tried - 1), LONGEST_BACKOFF)


def test_backoff_has_chance_in_it() -> None:
    configuration = InferenceConfiguration(retry_backoff=1.0)
    chances = iter([0.0, 0.5, 1.0])
    pauses = [backoff(configuration, 2, lambda: next(chances)) for _ in range(3)]
    assert pauses == [0.0, 1.0, 2.0]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1", 1.0), ("0.25", 0.25), ("0", 0.0), ("-3", 0.0), ("99999", 30.0), ("inf", 30.0)]
    + [("nan", 0.0)]
    + [(text, None) for text in ("", "soon", "Sun Nov  6 08:49:37 1994", "99 GMT")],
)
def test_retry_after(text: str, seconds: float | None) -> None:
    assert retry_after(answer(Retry_After=text), InferenceConfiguration()) == seconds


NOON = datetime(2030, 1, 1, 12, tzinfo=timezone.utc)


@pytest.mark.parametrize(("seconds", "pause"), [(5, 5.0), (0, 0.0), (-60, 0.0), (3600, 30.0)])
def test_retry_after_as_a_date(seconds: int, pause: float) -> None:
    """Against the server's clock, however wrong that is."""
    then = NOON + timedelta(seconds=seconds)
    busy = answer(Date=format_datetime(NOON, True), Retry_After=format_datetime(then, True))
    assert retry_after(busy, InferenceConfiguration()) == pause


def test_retry_after_as_a_date_from_a_server_without_a_clock() -> None:
    past, future = datetime(2000, 1, 1, tzinfo=timezone.utc), NOON + timedelta(days=36500)
    for then, pause in ((past, 0.0), (future, 30.0)):
        busy = answer(Retry_After=format_datetime(then, True))
        assert retry_after(busy, InferenceConfiguration()) == pause


def test_retry_after_with_an_unreadable_clock() -> None:
    busy = answer(Date="noon", Retry_After=format_datetime(NOON, True))
    assert retry_after(busy, InferenceConfiguration()) is None


def test_exchange_raises_what_the_server_complains_of() -> None:
    complaint = answer(404, b'{"message": "no such model"}')
    error = drive(exchange(STATE, REQUEST), complaint).result
    assert isinstance(error, HTTPCallErrorError)
    assert (error.status_code, error.api_message) == (404, "no such model")


def test_exchange_gives_the_last_status_of_a_retried_call() -> None:
    outcome = drive(exchange(STATE, REQUEST), answer(503), answer(429), answer(504))
    assert isinstance(outcome.result, HTTPCallErrorError)
    assert (outcome.result.status_code, outcome.sent) == (504, 3)


def test_retries_can_be_off() -> None:
    outcome = drive(exchange(STATE, REQUEST, retries=False), answer(503))
    assert (outcome.result.status_code, outcome.sent) == (503, 1)


def test_exchange_object() -> None:
    assert drive(exchange_object(STATE, REQUEST), answer(content=b'{"a": 1}')).result == {"a": 1}
    page = drive(exchange_object(STATE, REQUEST), answer(content=b"<html>")).result
    assert isinstance(page, InvalidServerResponseError)


def test_every_try_reports_its_time() -> None:
    collector = config.RemoteProcessingTimeCollector()
    token = config.remote_processing_times.set(collector)
    try:
        tries(answer(503, X_Processing_Time="0.5"), answer(X_Processing_Time="0.25"))
    finally:
        config.remote_processing_times.reset(token)
    assert collector.drain() == [("coco/3", 0.5), ("coco/3", 0.25)]
