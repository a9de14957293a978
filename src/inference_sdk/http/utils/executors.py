"""Sending prepared requests, some at once: the documented executor helpers.

The client sends through the same operations and senders; these functions are their door for
code that builds its own `RequestData`. Answers keep the types users know: `requests.Response`
from the sync ones, parsed JSON (or bytes) from the async ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NoReturn

from inference_sdk.http import faults, pipeline
from inference_sdk.http.answers import SUCCESSFUL_STATUS_CODE, Answer
from inference_sdk.http.entities import (
    RETRYABLE_STATUS_CODES,
    InferenceConfiguration,
    RequestMethod,
)
from inference_sdk.http.errors import HTTPServerConnectionError
from inference_sdk.http.operations.exchange import attempt
from inference_sdk.http.operations.metadata import (
    MODEL_COLD_START_COUNT_HEADER,
    MODEL_COLD_START_HEADER,
    MODEL_ID_HEADER,
    MODEL_LOAD_DETAILS_HEADER,
    MODEL_LOAD_TIME_HEADER,
    UNKNOWN_MODEL_ID,
    collect_remote_processing_metadata_from_headers,
)
from inference_sdk.http.operations.state import DEFAULT_HEADERS
from inference_sdk.http.steps import Exchange, run, run_async
from inference_sdk.http.transport import Transport
from inference_sdk.http.utils.masked_copies import masked_alone
from inference_sdk.http.utils.request_building import RequestData, remember_secrets_of
from inference_sdk.http.utils.requests import api_key_safe_raise_for_status
from inference_sdk.utils.masking import mask

if TYPE_CHECKING:
    import aiohttp
    from aiohttp import ClientResponse
    from requests import Response

__all__ = [
    "MODEL_COLD_START_COUNT_HEADER",
    "MODEL_COLD_START_HEADER",
    "MODEL_ID_HEADER",
    "MODEL_LOAD_DETAILS_HEADER",
    "MODEL_LOAD_TIME_HEADER",
    "RETRYABLE_STATUS_CODES",
    "UNKNOWN_MODEL_ID",
    "RequestMethod",
    "collect_remote_processing_metadata_from_headers",
    "collect_remote_processing_metadata_from_response",
    "execute_requests_packages",
    "execute_requests_packages_async",
    "make_parallel_requests",
    "make_parallel_requests_async",
    "make_request",
    "make_request_async",
    "raise_client_error",
    "response_is_not_retryable_error",
    "send_post_request",
]


class _Connections:
    """A context for steps that are performed without a client."""

    def __init__(self, transport: Any) -> None:
        self.transport = transport


class _GivenSession(Transport):
    """Sends through a session of the caller's, who also closes it; keeps aiohttp's last error."""

    error: Exception | None = None

    def __init__(self, session: aiohttp.ClientSession) -> None:
        super().__init__()
        self._given = session

    async def exchange_async(
        self, request: RequestData, method: RequestMethod, configuration: InferenceConfiguration
    ) -> Answer:
        from inference_sdk.http.transport import through_aiohttp

        try:
            return await through_aiohttp.send(
                self._given, request, method, {}, configuration.max_response_size
            )
        except through_aiohttp.ERRORS as error:
            self.error = error
            failure = faults.translate(error, request.url)
        raise failure


@cache
def _shared_connections() -> _Connections:
    """Connections of the functions below, kept between their calls."""
    return _Connections(Transport())


def _step(request_data: RequestData, request_method: RequestMethod) -> Exchange:
    remember_secrets_of(request_data)
    headers = request_data.headers or {}
    names = {name.lower() for name in headers}
    if request_data.payload is not None and "content-type" not in names:
        request_data = replace(request_data, headers={**headers, **DEFAULT_HEADERS})
    return Exchange(request_data, request_method, InferenceConfiguration())


def execute_requests_packages(
    requests_data: list[RequestData], request_method: RequestMethod, max_concurrent_requests: int
) -> list[Response]:
    """Send all requests, at most `max_concurrent_requests` at once; answers in order.

    Raises:
        requests.HTTPError: an answer has status 400 or more; the key is masked in its message.
        HTTPServerConnectionError: a request was never answered.
    """
    jobs = (partial(make_request, request, request_method) for request in requests_data)
    concurrency = min(max_concurrent_requests, len(requests_data))
    responses = list(pipeline.stream(jobs, concurrency=concurrency))
    for response in responses:
        api_key_safe_raise_for_status(response=response)
    return responses


def make_parallel_requests(
    requests_data: list[RequestData], request_method: RequestMethod
) -> list[Response]:
    """Send all requests at once; answers in order, whatever their status."""
    jobs = (partial(make_request, request, request_method) for request in requests_data)
    return list(pipeline.stream(jobs, concurrency=len(requests_data)))


def make_request(request_data: RequestData, request_method: RequestMethod) -> Response:
    """Send one request; up to 3 tries on statuses 429, 503, 504 and failed connections.

    Raises:
        HTTPServerConnectionError: it was never answered.
    """
    tries = InferenceConfiguration().max_tries
    return _response(_step(request_data, request_method), tries)


def send_post_request(
    url: str, payload: dict[str, Any], headers: dict[str, str], enable_retries: bool
) -> Response:
    """POST a JSON payload.

    Raises:
        requests.HTTPError: the status is 400 or more; the key is masked in its message.
        HTTPServerConnectionError: there was no answer.
    """
    request = RequestData(
        url=url,
        request_elements=0,
        headers=headers,
        parameters=None,
        data=None,
        payload=payload,
        image_scaling_factors=[],
    )
    tries = InferenceConfiguration().max_tries if enable_retries else 1
    step = _step(request, RequestMethod.POST)
    response = _response(step, tries)
    api_key_safe_raise_for_status(response=response)
    return response


def _response(step: Exchange, tries: int) -> Response:
    from inference_sdk.http.transport import through_requests

    answer = run(attempt(step, tries), _shared_connections())
    return through_requests.response_to(step.request, step.method, answer)


async def execute_requests_packages_async(
    requests_data: list[RequestData], request_method: RequestMethod, max_concurrent_requests: int
) -> list[dict[str, Any] | bytes]:
    """The twin of `execute_requests_packages`: parsed JSON, or bytes where it is none.

    Raises:
        aiohttp.ClientResponseError: an answer has status 400 or more.
        aiohttp.ClientError: a request was never answered.
    """
    from inference_sdk.http.transport import through_aiohttp

    async with through_aiohttp.new_session() as session:
        jobs = (
            partial(make_request_async, request, request_method, session)
            for request in requests_data
        )
        answers = pipeline.stream_async(
            pipeline.as_async(list(jobs)), concurrency=max_concurrent_requests
        )
        return [data async for _, data in answers]


async def make_parallel_requests_async(
    requests_data: list[RequestData], request_method: RequestMethod
) -> list[dict[str, Any] | bytes]:
    """Send all requests at once; errors as of `execute_requests_packages_async`."""
    return await execute_requests_packages_async(
        requests_data, request_method, max_concurrent_requests=len(requests_data)
    )


async def make_request_async(
    request_data: RequestData, request_method: RequestMethod, session: aiohttp.ClientSession
) -> tuple[int, bytes | dict[str, Any]]:
    """Send one request through a session; (status, parsed JSON, or bytes where it is none).

    Up to 3 tries on statuses 429, 503 and 504, and on failed connections.

    Raises:
        aiohttp.ClientResponseError: the status is 400 or more, the last one of a retried
            request included; the key is masked in its text.
        aiohttp.ClientError, asyncio.TimeoutError: it was never answered.
    """
    step = _step(request_data, request_method)
    transport = _GivenSession(session)
    try:
        tries = attempt(step, step.configuration.max_tries)
        answer = await run_async(tries, _Connections(transport))
    except HTTPServerConnectionError:
        assert transport.error is not None, "it was told from this one"  # noqa: S101
        raise masked_alone(transport.error) from None
    if answer.status >= 400:
        _raise_response_error(request_data, request_method, answer.status, answer.reason)
    return answer.status, _json_or_bytes(answer)


def _json_or_bytes(answer: Answer) -> Any:
    import orjson

    try:
        return orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        return answer.content


def raise_client_error(details: Mapping[str, Any]) -> NoReturn:
    """Raise what a retried request ended with, from the details of a retry library's giving up.

    Args:
        details: `value`, the last (status, data), and `kwargs` with `request_data` and
            `request_method`, of the retried call.

    Raises:
        aiohttp.ClientResponseError: with that status.
    """
    value = details.get("value")
    status = value[0] if isinstance(value, (tuple, list)) else getattr(value, "status", 0)
    arguments = details.get("kwargs") or {}
    method = arguments.get("request_method", RequestMethod.POST)
    _raise_response_error(arguments.get("request_data"), method, int(status), "Request failed")


def _raise_response_error(
    request: RequestData | None, method: RequestMethod, status: int, reason: str
) -> NoReturn:
    import aiohttp
    from multidict import CIMultiDict, CIMultiDictProxy
    from yarl import URL

    url = URL(mask(request.url if request else ""))
    headers: CIMultiDictProxy[str] = CIMultiDictProxy(CIMultiDict())
    information = aiohttp.RequestInfo(url, method.value.upper(), headers, url)
    raise aiohttp.ClientResponseError(information, (), status=status, message=mask(reason))


def response_is_not_retryable_error(response: ClientResponse) -> bool:
    """Whether an answer is an error that another try would not mend."""
    return response.status not in {SUCCESSFUL_STATUS_CODE, *RETRYABLE_STATUS_CODES}


def collect_remote_processing_metadata_from_response(
    response: Response, model_id: str = UNKNOWN_MODEL_ID
) -> None:
    """Record what an answer of `requests` reports; see the function on headers."""
    collect_remote_processing_metadata_from_headers(response.headers, fallback_model_id=model_id)
