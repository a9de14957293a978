"""`ping`: what it says of servers that are well, locked, old, odd, slow or not there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from inference_sdk import InferenceHTTPClient
from inference_sdk.http.entities import HTTPClientMode, PingResult, ServerInfo
from inference_sdk.http.errors import InvalidParameterError
from inference_sdk.local import LocalServer
from tests.callers import both_ways
from tests.recording_server import Recorded, RecordingServer
from tests.wire_calls import INFO, MODELS

Caller = Callable[..., PingResult]
KEY = "key-of-the-server"


def healthy(server: RecordingServer) -> RecordingServer:
    server.answer("/info", INFO)
    server.answer("/model/registry", MODELS)
    return server


def status(code: int) -> Callable[[Any], web.Response]:
    return lambda _: web.json_response({"message": "no"}, status=code)


@both_ways
def test_all_is_well(server: RecordingServer, call: Caller) -> None:
    result = call(InferenceHTTPClient(healthy(server).url, KEY), "ping")
    assert result.ok
    assert result.reached
    assert result.problem is None
    assert result.server == ServerInfo(**INFO)
    assert result.version == INFO["version"]
    assert result.key_accepted is True
    assert 0 < result.latency < 60
    assert [sent.path for sent in server.requests] == ["/info", "/model/registry"]
    assert KEY not in repr(result)


@both_ways
def test_the_embedded_server_and_its_key(call: Caller) -> None:
    with LocalServer(answers={"mine/1": {"predictions": []}}, api_key=KEY) as server:
        right = call(InferenceHTTPClient(server.url, KEY), "ping")
        wrong = call(InferenceHTTPClient(server.url, "another-key-of-mine"), "ping")
        without = call(InferenceHTTPClient(server.url), "ping")
    assert (right.ok, right.key_accepted) == (True, True)
    assert (wrong.ok, wrong.reached, wrong.key_accepted) == (False, True, False)
    assert (without.ok, without.reached, without.key_accepted) == (False, True, False)
    assert "another-key-of-mine" not in repr(wrong)


@both_ways
def test_without_a_key_nothing_is_said_of_it(server: RecordingServer, call: Caller) -> None:
    result = call(InferenceHTTPClient(healthy(server).url), "ping")
    assert (result.ok, result.key_accepted) == (True, None)


@both_ways
def test_nobody_there(call: Caller) -> None:
    with RecordingServer() as server:
        url = server.url
    result = call(InferenceHTTPClient(url, KEY), "ping")
    assert (result.ok, result.reached, result.latency, result.server) == (False, False, None, None)
    assert url.removeprefix("http://") in result.problem


@both_ways
def test_a_silent_server_is_not_waited_for(server: RecordingServer, call: Caller) -> None:
    async def silent(_: Recorded, __: web.Request) -> web.StreamResponse:
        await asyncio.sleep(30)
        return web.json_response({})

    server.answer("/info", silent)
    result = call(InferenceHTTPClient(server.url), "ping", timeout=0.2)
    assert (result.ok, result.reached) == (False, False)
    assert len(server.requests) == 1


@both_ways
@pytest.mark.parametrize("code", [404, 500, 503])
def test_info_that_is_refused_is_asked_for_once(
    server: RecordingServer, call: Caller, code: int
) -> None:
    server.answer("/info", status(code))
    result = call(InferenceHTTPClient(server.url, KEY), "ping")
    assert (result.ok, result.reached, result.server) == (False, True, None)
    assert str(code) in result.problem
    assert len(server.requests) == 1


@both_ways
def test_another_kind_of_server(server: RecordingServer, call: Caller) -> None:
    server.answer("/info", {"hello": "world"})
    result = call(InferenceHTTPClient(server.url), "ping")
    assert (result.ok, result.reached, result.server) == (False, True, None)


@both_ways
def test_no_list_of_models_says_nothing_of_the_key(server: RecordingServer, call: Caller) -> None:
    healthy(server).answer("/model/registry", status(500))
    result = call(InferenceHTTPClient(server.url, KEY), "ping")
    assert (result.ok, result.key_accepted) == (False, None)
    assert result.version == INFO["version"]


@both_ways
@pytest.mark.parametrize(("code", "ok"), [(200, True), (404, True), (500, False)])
def test_hosted_addresses_need_not_say_what_they_are(
    server: RecordingServer, call: Caller, code: int, ok: bool
) -> None:
    server.answer("/info", INFO if code == 200 else status(code))
    client = InferenceHTTPClient(server.url, KEY).with_options(client_mode=HTTPClientMode.V0)
    result = call(client, "ping")
    assert (result.ok, result.reached, result.key_accepted) == (ok, True, None)
    assert [sent.path for sent in server.requests] == ["/info"]


@both_ways
def test_of_several_servers_the_worst(server: RecordingServer, call: Caller) -> None:
    with RecordingServer() as ill:
        ill.answer("/info", status(503))
        result = call(InferenceHTTPClient([healthy(server).url, ill.url], KEY), "ping")
        assert (result.ok, result.api_url) == (False, ill.url)
    assert len(server.requests) == 2


@both_ways
def test_a_time_out_that_is_none(server: RecordingServer, call: Caller) -> None:
    with pytest.raises(InvalidParameterError):
        call(InferenceHTTPClient(server.url), "ping", timeout=-1)
    assert server.requests == []
