"""Whether a server is there, what it is, and whether it takes the key: said, not raised."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus

from inference_sdk.http.entities import HTTPClientMode, PingResult
from inference_sdk.http.errors import (
    AuthenticationError,
    HTTPCallErrorError,
    HTTPServerConnectionError,
    InvalidServerResponseError,
)
from inference_sdk.http.operations.registry import get_server_info, list_loaded_models
from inference_sdk.http.operations.state import ClientState
from inference_sdk.http.steps import Each, Operation
from inference_sdk.http.utils.requests import shown_url

Clock = Callable[[], float]


def ping(state: ClientState, clock: Clock = time.perf_counter) -> Operation[PingResult]:
    """Ask each server; the worst of what they say: one with a problem, else the slowest."""
    asked = [_ping_one(state.bound_to(url), clock) for url in state.api_urls]
    results: list[PingResult] = yield Each(asked, len(asked))
    return max(results, key=lambda result: (not result.ok, not result.reached, result.latency or 0))


def _ping_one(state: ClientState, clock: Clock) -> Operation[PingResult]:
    result = PingResult(api_url=shown_url(state.api_url), reached=True)
    started = clock()
    try:
        server = yield from get_server_info(state)
    except HTTPServerConnectionError as error:
        return replace(result, reached=False, problem=str(error))
    except InvalidServerResponseError as error:
        return replace(result, latency=clock() - started, problem=str(error))
    except HTTPCallErrorError as error:
        result = replace(result, latency=clock() - started)
        # The hosted addresses serve models, and need not say what they are.
        hosted = state.mode is HTTPClientMode.V0 and error.status_code == HTTPStatus.NOT_FOUND
        return result if hosted else replace(result, problem=str(error))
    result = replace(result, latency=clock() - started, server=server)
    if state.mode is HTTPClientMode.V0:
        return result
    return (yield from _with_key(state, result))


def _with_key(state: ClientState, result: PingResult) -> Operation[PingResult]:
    """What the list of models, which a server with keys shows to nobody else, says of the key."""
    try:
        yield from list_loaded_models(state)
    except AuthenticationError as error:
        return replace(result, key_accepted=False, problem=str(error))
    except (HTTPCallErrorError, HTTPServerConnectionError, InvalidServerResponseError) as error:
        return replace(result, problem=str(error))
    return replace(result, key_accepted=None if state.api_key is None else True)
