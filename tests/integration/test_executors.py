"""The executor helpers: for code that builds its own requests."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import gc
import json
from collections.abc import Callable, Iterator
from typing import Any

import aiohttp
import pytest
import requests
from aiohttp import web

from inference_sdk import config
from inference_sdk.http.entities import InferenceConfiguration
from inference_sdk.http.errors import HTTPServerConnectionError
from inference_sdk.http.utils import executors
from inference_sdk.http.utils.executors import (
    RequestMethod,
    collect_remote_processing_metadata_from_response,
    execute_requests_packages,
    execute_requests_packages_async,
    make_parallel_requests,
    make_parallel_requests_async,
    make_request,
    make_request_async,
    raise_client_error,
    response_is_not_retryable_error,
    send_post_request,
)
from inference_sdk.http.utils.request_building import RequestData
from tests.raw_server import RawServer, closing
from tests.recording_server import Recorded, RecordingServer

KEY = "0123456789-the-key"


def request_to(server: Any, path: str = "/echo", **changes: Any) -> RequestData:
    request = RequestData(
        url=f"{server.url}{path}",
        request_elements=1,
        headers={"Content-Type": "application/json"},
        parameters=None,
        data=None,
        payload={"model_id": "coco/3"},
        image_scaling_factors=[None],
    )
    return dataclasses.replace(request, **changes)


def echo(request: Recorded) -> web.Response:
    return web.json_response(request.json, headers={"X-Processing-Time": "0.5"})


@pytest.fixture
def echoing(server: RecordingServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordingServer]:
    server.default = echo
    server.answer("/text", lambda request: web.Response(body=b"\xff no JSON"))
    server.answer("/gone", lambda request: web.json_response({"message": "gone"}, status=410))

    quick = functools.partial(InferenceConfiguration, retry_backoff=0.001)
    monkeypatch.setattr(executors, "InferenceConfiguration", quick)
    yield server
    executors._shared_connections().transport.close()
    gc.collect()


def busy(*statuses: int) -> list[Callable[[Recorded], web.Response]]:
    answers = [
        lambda request, status=status: web.json_response({}, status=status) for status in statuses
    ]
    return [*answers, echo]


async def make_async(request: RequestData, method: RequestMethod = RequestMethod.POST) -> Any:
    async with aiohttp.ClientSession() as session:
        return await make_request_async(request, method, session)


# -- one -----------------------------------------------------------------------------------------


def test_a_request_gives_the_libraries_response(echoing: RecordingServer) -> None:
    response = make_request(request_to(echoing), RequestMethod.POST)
    assert isinstance(response, requests.Response)
    assert response.json() == {"model_id": "coco/3"}
    assert (echoing.last.method, echoing.last.path) == ("POST", "/echo")


async def test_async_gives_status_and_data(echoing: RecordingServer) -> None:
    assert await make_async(request_to(echoing)) == (200, {"model_id": "coco/3"})
    assert await make_async(request_to(echoing, "/text")) == (200, b"\xff no JSON")


PARAMETERS = {"confidence": 0.5, "labels": True, "classes": ["a", "b"], "none": None, "n": 3}


@pytest.mark.parametrize("is_async", [False, True])
def test_query_values_are_sent_as_text(is_async: bool, echoing: RecordingServer) -> None:
    request = request_to(echoing, parameters=PARAMETERS, payload=None, data="aW1hZ2U=")
    echoing.default = {}
    if is_async:
        asyncio.run(make_async(request))
    else:
        make_request(request, RequestMethod.POST)
    assert echoing.last.query == {
        "confidence": ["0.5"],
        "labels": ["True"],
        "classes": ["a", "b"],
        "n": ["3"],
    }
    assert echoing.last.body == b"aW1hZ2U="
    assert echoing.last.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("is_async", [False, True])
def test_get(is_async: bool, echoing: RecordingServer) -> None:
    echoing.default = {"a": 1}
    request = request_to(echoing, "/info?v=1", payload=None, headers=None, request_elements=0)
    if is_async:
        assert asyncio.run(make_async(request, RequestMethod.GET)) == (200, {"a": 1})
    else:
        assert make_request(request, RequestMethod.GET).json() == {"a": 1}
    assert (echoing.last.method, echoing.last.query) == ("GET", {"v": ["1"]})


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("status", [429, 503, 504])
def test_retries(is_async: bool, status: int, echoing: RecordingServer) -> None:
    echoing.answer("/echo", *busy(status, status))
    if is_async:
        assert asyncio.run(make_async(request_to(echoing)))[0] == 200
    else:
        assert make_request(request_to(echoing), RequestMethod.POST).status_code == 200
    assert len(echoing.requests) == 3


def test_the_last_answer_of_a_retried_request(echoing: RecordingServer) -> None:
    echoing.answer("/echo", *busy(503)[:1])
    assert make_request(request_to(echoing), RequestMethod.POST).status_code == 503
    assert len(echoing.requests) == 3
    with pytest.raises(aiohttp.ClientResponseError) as caught:
        asyncio.run(make_async(request_to(echoing)))
    assert caught.value.status == 503
    assert len(echoing.requests) == 6


def test_errors_are_not_retried(echoing: RecordingServer) -> None:
    address = f"/gone?api_key={KEY}"
    assert make_request(request_to(echoing, address), RequestMethod.POST).status_code == 410
    with pytest.raises(aiohttp.ClientResponseError) as caught:
        asyncio.run(make_async(request_to(echoing, address)))
    assert caught.value.status == 410
    assert KEY not in str(caught.value)
    assert len(echoing.requests) == 2


def test_connections_that_fail(echoing: RecordingServer) -> None:
    with RawServer(closing) as server:
        with pytest.raises(HTTPServerConnectionError):
            make_request(request_to(server), RequestMethod.POST)
        assert server.connections == 4  # the first, which may be a stale one, and three tries
        with pytest.raises(aiohttp.ClientError):
            asyncio.run(make_async(request_to(server)))
        assert server.connections == 8
    with pytest.raises(aiohttp.ClientConnectorError):
        asyncio.run(make_async(request_to(server)))


def test_time_is_collected(echoing: RecordingServer) -> None:
    collector = config.RemoteProcessingTimeCollector()
    token = config.remote_processing_times.set(collector)
    try:
        response = make_request(request_to(echoing), RequestMethod.POST)
        asyncio.run(make_async(request_to(echoing)))
        collect_remote_processing_metadata_from_response(response)
        collect_remote_processing_metadata_from_response(response, model_id="mine/1")
    finally:
        config.remote_processing_times.reset(token)
    entries = [("coco/3", 0.5), ("coco/3", 0.5), ("unknown", 0.5), ("mine/1", 0.5)]
    assert collector.drain() == entries


# -- many ----------------------------------------------------------------------------------------


def numbered(server: RecordingServer, count: int) -> list[RequestData]:
    return [request_to(server, payload={"number": i}) for i in range(count)]


@pytest.mark.parametrize("most", [1, 3, 100])
def test_packages_keep_the_order(most: int, echoing: RecordingServer) -> None:
    responses = execute_requests_packages(numbered(echoing, 12), RequestMethod.POST, most)
    assert [response.json()["number"] for response in responses] == list(range(12))
    assert echoing.most_in_flight <= most
    assert echoing.connections <= most


@pytest.mark.parametrize("most", [1, 3, 100])
def test_async_packages_keep_the_order(most: int, echoing: RecordingServer) -> None:
    data: Any = asyncio.run(
        execute_requests_packages_async(numbered(echoing, 12), RequestMethod.POST, most)
    )
    assert [entry["number"] for entry in data] == list(range(12))
    assert echoing.most_in_flight <= most
    assert echoing.connections <= most


def test_packages_raise(echoing: RecordingServer) -> None:
    package = [request_to(echoing), request_to(echoing, f"/gone?api_key={KEY}")]
    with pytest.raises(requests.HTTPError, match="410 Client Error") as caught:
        execute_requests_packages(package, RequestMethod.POST, 2)
    assert KEY not in str(caught.value)
    with pytest.raises(aiohttp.ClientResponseError, match="410"):
        asyncio.run(execute_requests_packages_async(package, RequestMethod.POST, 2))


def test_parallel_requests(echoing: RecordingServer) -> None:
    package = [*numbered(echoing, 3), request_to(echoing, "/gone")]
    responses = make_parallel_requests(package, RequestMethod.POST)
    assert [response.status_code for response in responses] == [200, 200, 200, 410]
    data = asyncio.run(make_parallel_requests_async(package[:3], RequestMethod.POST))
    assert data == [{"number": 0}, {"number": 1}, {"number": 2}]


def test_no_requests() -> None:
    assert execute_requests_packages([], RequestMethod.POST, 4) == []
    assert make_parallel_requests([], RequestMethod.POST) == []
    assert asyncio.run(execute_requests_packages_async([], RequestMethod.POST, 4)) == []
    assert asyncio.run(make_parallel_requests_async([], RequestMethod.POST)) == []


# -- the others ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("retries", "sent"), [(True, 2), (False, 1)])
def test_send_post_request(retries: bool, sent: int, echoing: RecordingServer) -> None:
    echoing.answer("/echo", *busy(503))
    headers = {"X-Mine": "yes"}

    def send() -> requests.Response:
        return send_post_request(f"{echoing.url}/echo", {"a": 1}, headers, enable_retries=retries)

    if retries:
        assert send().json() == {"a": 1}
    else:
        with pytest.raises(requests.HTTPError, match="503"):
            send()
    assert len(echoing.requests) == sent
    assert json.loads(echoing.last.body) == {"a": 1}
    assert echoing.last.headers["X-Mine"] == "yes"


@pytest.mark.parametrize(
    ("status", "verdict"),
    [(200, False), (429, False), (503, False), (504, False), (400, True), (404, True), (500, True)],
)
def test_response_is_not_retryable_error(status: int, verdict: bool) -> None:
    class Response:
        def __init__(self) -> None:
            self.status = status

    assert response_is_not_retryable_error(Response()) is verdict  # type: ignore[arg-type]


def test_raise_client_error() -> None:
    request = RequestData(f"http://host/a?api_key={KEY}", 0, None, None, None, {"a": 1}, [])
    details = {
        "value": (503, b""),
        "kwargs": {"request_data": request, "request_method": RequestMethod.GET},
    }
    with pytest.raises(aiohttp.ClientResponseError) as caught:
        raise_client_error(details)
    assert caught.value.status == 503
    assert caught.value.request_info.method == "GET"
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("details", "status"),
    [({"value": [429, {}]}, 429), ({"value": web.Response(status=504)}, 504), ({}, 0)],
)
def test_raise_client_error_with_less(details: dict[str, Any], status: int) -> None:
    with pytest.raises(aiohttp.ClientResponseError) as caught:
        raise_client_error(details)
    assert caught.value.status == status


def test_request_methods() -> None:
    assert (RequestMethod.GET.value, RequestMethod.POST.value) == ("get", "post")
