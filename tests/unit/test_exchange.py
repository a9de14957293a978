"""Tries and pauses, driven by hand: no server, no sleep, no chance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_sdk import config
from inference_sdk.http.answers import Answer
from inference_sdk.http.entities import HTTPClientMode, InferenceConfiguration, RequestMethod
from inference_sdk.http.errors import (
    HTTPCallErrorError,
    HTTPClientError,
    HTTPServerConnectionError,
    HTTPServerDisconnectedError,
    HTTPServerTimeoutError,
    InvalidServerResponseError,
)
from inference_sdk.http.operations.exchange import (
    LONGEST_BACKOFF,
    attempt,
    backoff,
    exchange,
    exchange_json,
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


def tries(*events: Answer | Exception, of: int = 3, **settings: Any) -> Outcome:
    step = Exchange(REQUEST, RequestMethod.POST, InferenceConfiguration(**settings))
    return drive(attempt(step, of, random=lambda: 1.0), *events)


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
    assert tries(event, fine) == Outcome(fine, 2, [0.5])
    assert tries(event, event, fine) == Outcome(fine, 3, [0.5, 1.0])
    assert tries(event, event, event) == Outcome(event, 3, [0.5, 1.0])
    assert tries(event, of=1) == Outcome(event, 1, [])


def test_silence_is_not_retried() -> None:
    silence = HTTPServerTimeoutError("silence")
    assert tries(silence) == Outcome(silence, 1, [])


def test_the_first_closed_connection_is_free() -> None:
    stale, fine = HTTPServerDisconnectedError("closed"), answer()
    assert tries(stale, fine, of=1) == Outcome(fine, 2, [])
    assert tries(stale, stale, of=1) == Outcome(stale, 2, [])
    assert tries(stale, stale, fine) == Outcome(fine, 3, [0.5])
    assert tries(stale, stale, stale, stale) == Outcome(stale, 4, [0.5, 1.0])


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
    longest = min(first * 2 ** (tried - 1), LONGEST_BACKOFF)
    assert longest / 2 <= pause <= longest


def test_backoff_has_chance_in_it() -> None:
    configuration = InferenceConfiguration(retry_backoff=1.0)
    chances = iter([0.0, 0.5, 1.0])
    pauses = [backoff(configuration, 2, lambda: next(chances)) for _ in range(3)]
    assert pauses == [1.0, 1.5, 2.0]


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


def test_exchange_json() -> None:
    assert drive(exchange_json(STATE, REQUEST), answer(content=b'{"a": 1}')).result == {"a": 1}
    page = drive(exchange_json(STATE, REQUEST), answer(content=b"<html>")).result
    assert isinstance(page, InvalidServerResponseError)


def test_every_try_reports_its_time() -> None:
    collector = config.RemoteProcessingTimeCollector()
    token = config.remote_processing_times.set(collector)
    try:
        tries(answer(503, X_Processing_Time="0.5"), answer(X_Processing_Time="0.25"))
    finally:
        config.remote_processing_times.reset(token)
    assert collector.drain() == [("coco/3", 0.5), ("coco/3", 0.25)]
