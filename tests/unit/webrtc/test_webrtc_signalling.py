"""What is sent to ask for a worker, and what each answer means. No key where none belongs."""

from __future__ import annotations

import asyncio
import contextlib
import json

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st

from inference_sdk.http.entities import ApiKeyTransport
from inference_sdk.webrtc import signalling
from inference_sdk.webrtc.config import StreamConfig
from inference_sdk.webrtc.errors import WebRTCStartError
from inference_sdk.webrtc.signalling import (
    IceServer,
    Server,
    SessionDescription,
    build_offer_body,
    build_workflow_configuration,
    fetch_turn_config,
    find_ice_servers,
    is_near,
    parse_answer,
    parse_ice_servers,
    request_worker,
)

KEY = "secret-key-0123"
SERVER = Server("http://localhost:9001", KEY)
OFFER = SessionDescription("offer", "v=0")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "sdp", "urls", "iceServers", "message", "detail"]), inner
        )
    ),
    max_leaves=8,
)


def body(server=SERVER, config=None, ice=(), source=None):
    return build_offer_body(
        server, OFFER, {"type": "X"}, config or StreamConfig(), list(ice), source or {}
    )


def test_the_smallest_request():
    assert body() == {
        "api_key": KEY,
        "workflow_configuration": {"type": "X"},
        "webrtc_offer": {"type": "offer", "sdp": "v=0"},
        "webrtc_realtime_processing": True,
        "stream_output": [],
        "data_output": [],
    }


def test_every_setting():
    config = StreamConfig(
        stream_output=["image"],
        data_output=["predictions"],
        realtime_processing=False,
        declared_fps=15.0,
        requested_plan="webrtc-gpu-small",
        requested_region="eu",
        processing_timeout=60,
    )
    sent = body(config=config, ice=[IceServer(("turn:a", "turn:b"), "me", "word")])
    assert sent["webrtc_config"] == {
        "iceServers": [{"urls": ["turn:a", "turn:b"], "username": "me", "credential": "word"}]
    }
    assert sent["stream_output"] == ["image"]
    assert sent["data_output"] == ["predictions"]
    assert sent["webrtc_realtime_processing"] is False
    assert (sent["declared_fps"], sent["processing_timeout"]) == (15.0, 60)
    assert (sent["requested_plan"], sent["requested_region"]) == ("webrtc-gpu-small", "eu")


def test_the_sources_own_parameters_win():
    sent = body(
        source={"webrtc_realtime_processing": False, "stream_output": [], "declared_fps": 5}
    )
    assert sent["webrtc_realtime_processing"] is False
    assert sent["declared_fps"] == 5


@pytest.mark.parametrize(
    ("transport", "in_body", "in_header"),
    [("legacy", True, False), ("both", True, True), ("header", False, True)],
)
def test_where_the_key_travels(transport, in_body, in_header):
    server = Server("http://x", KEY, ApiKeyTransport(transport))
    assert ("api_key" in body(server)) is in_body
    assert server.headers() == ({"Authorization": f"Bearer {KEY}"} if in_header else {})
    assert server.mask(f"a {KEY} b") == "a *** b"


def test_without_a_key():
    server = Server("http://x/", None)
    assert body(server)["api_key"] is None
    assert server.headers() == {}
    assert server.mask("text") == "text"
    assert server.worker_url == "http://x/initialise_webrtc_worker"


@pytest.mark.parametrize(
    "workflow", [{"workflow_specification": {"a": 1}}, {"workflow_id": "w", "workspace_name": "s"}]
)
def test_the_workflow_configuration(workflow):
    assert build_workflow_configuration(workflow, "picture", {"p": 2}) == {
        "type": "WorkflowConfiguration",
        "image_input_name": "picture",
        "workflows_parameters": {"p": 2},
        **workflow,
    }


def test_ice_servers_in_both_forms():
    one = {"urls": "turn:a", "username": "u", "credential": "c"}
    assert parse_ice_servers(one) == [IceServer(("turn:a",), "u", "c")]
    assert parse_ice_servers({"iceServers": [one, {"urls": ["stun:b", "stun:c"]}]}) == [
        IceServer(("turn:a",), "u", "c"),
        IceServer(("stun:b", "stun:c")),
    ]


@pytest.mark.parametrize(
    "broken",
    [None, [], "turn:a", {}, {"urls": []}, {"urls": [1]}, {"iceServers": {}}, {"iceServers": [1]}],
)
def test_ice_servers_that_cannot_be_read(broken):
    with pytest.raises(ValueError):
        parse_ice_servers(broken)


@pytest.mark.parametrize(
    ("status", "content", "says"),
    [
        (404, b'{"detail":"Not Found"}', "404: Not Found. This server may have no WebRTC"),
        (404, b'{"status": "?"}', r"404: {.*}. This server may have no WebRTC"),
        (404, b"<!doctype html><p>no such page", "a page of HTML. This server may have no WebRTC"),
        (404, b"", "status 404. This server may have no WebRTC"),
        (405, b'{"detail":"Method Not Allowed"}', "may have no WebRTC"),
        (
            404,
            b'{"message": "Workflow a/b not found."}',
            "404: Workflow a/b not found. Check the id and the workspace of the workflow, and",
        ),
        (
            422,
            b'{"detail": [{"loc": ["body", "x"], "msg": "Field required"}]}',
            "body.x: Field req",
        ),
        (401, b"no " + KEY.encode(), "Check the API key"),
        (500, b"boom", "server's log"),
        (302, b"", "The server moved"),
        (200, b"<html>", "something other than JSON"),
        (200, b"[]", "no session description"),
        (200, b'{"type": "answer"}', "no session description"),
        (200, b'{"type": "answer", "sdp": ""}', "no session description"),
        (200, b'{"sdp": "v=0"}', "no session description"),
        (200, b"\xff\xfe", "something other than JSON"),
    ],
)
def test_answers_that_are_none(status, content, says):
    with pytest.raises(WebRTCStartError, match=says) as raised:
        parse_answer(SERVER, status, content)
    assert SERVER.worker_url in str(raised.value)
    assert KEY not in str(raised.value)
    assert isinstance(raised.value, RuntimeError)


@given(
    st.integers(100, 599),
    st.binary(max_size=200)
    | JSON.map(json.dumps).map(str.encode)
    | st.integers(900, 4000).map(lambda depth: b'{"sdp":' * depth),
)
def test_any_answer_is_read_or_refused(status, content):
    refused = None
    try:
        assert parse_answer(SERVER, status, content).sdp.strip()
    except WebRTCStartError as error:
        refused = str(error)
    if refused is None:
        assert 200 <= status < 300
    else:
        assert SERVER.worker_url in refused
        assert len(refused) < 1500


@given(JSON | st.fixed_dictionaries({"iceServers": st.lists(JSON, max_size=2)}))
def test_any_turn_settings_are_read_or_refused(config):
    with contextlib.suppress(ValueError):
        for server in parse_ice_servers(config):
            assert all(isinstance(url, str) for url in server.urls)


def test_an_answer():
    content = json.dumps({"status": "success", "context": {}, "type": "answer", "sdp": "v=0"})
    assert parse_answer(SERVER, 200, content.encode()) == SessionDescription("answer", "v=0")


async def test_turn_servers_of_the_configuration_come_first():
    config = StreamConfig(turn_server={"urls": "turn:a"})
    async with aiohttp.ClientSession() as http:
        assert await find_ice_servers(http, SERVER, config) == [IceServer(("turn:a",))]
        assert await find_ice_servers(http, SERVER, StreamConfig()) == []
        with pytest.raises(WebRTCStartError, match="turn_server cannot be read"):
            await find_ice_servers(http, SERVER, StreamConfig(turn_server={"url": "x"}))


@pytest.fixture
async def platform(monkeypatch):
    """Roboflow's API on loopback, and what was asked of it."""
    asked = []
    answers = [web.json_response({"iceServers": [{"urls": "turn:a"}]})]

    async def turn_config(request):
        asked.append(request)
        return answers[0]

    app = web.Application()
    app.router.add_get("/webrtc_turn_config", turn_config)
    async with TestServer(app) as server:
        monkeypatch.setattr(signalling, "RF_API_BASE_URL", str(server.make_url("")).rstrip("/"))
        yield asked, answers


@pytest.mark.parametrize(("transport", "query"), [("legacy", KEY), ("both", KEY), ("header", None)])
async def test_hosted_servers_have_turn_servers(platform, transport, query):
    asked, _ = platform
    server = Server("https://serverless.roboflow.com", KEY, ApiKeyTransport(transport))
    async with aiohttp.ClientSession() as http:
        assert await find_ice_servers(http, server, StreamConfig()) == [IceServer(("turn:a",))]
    assert asked[0].query.get("api_key") == query
    assert ("Authorization" in asked[0].headers) is (transport != "legacy")


@pytest.mark.parametrize(
    "answer",
    [
        lambda: web.Response(status=500),
        lambda: web.Response(text="no json"),
        lambda: web.json_response([]),
    ],
)
async def test_no_turn_servers_is_no_disaster(platform, answer, caplog):
    platform[1][0] = answer()
    server = Server("https://serverless.roboflow.com", KEY)
    async with aiohttp.ClientSession() as http:
        assert await fetch_turn_config(http, server) == []
    assert "No TURN servers" in caplog.text
    assert KEY not in caplog.text


async def test_a_server_that_cannot_be_reached():
    server = Server("http://127.0.0.1:1", KEY)
    async with aiohttp.ClientSession() as http:
        with pytest.raises(WebRTCStartError, match=r"Could not reach http://127\.0\.0\.1:1"):
            await request_worker(http, server, {})


async def test_a_server_that_does_not_answer_in_time(monkeypatch):
    monkeypatch.setattr(signalling, "OFFER_TIMEOUT", 0.1)

    async def never(request):
        await asyncio.sleep(30)

    app = web.Application()
    app.router.add_post("/initialise_webrtc_worker", never)
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        asked = Server(str(server.make_url("")), KEY)
        with pytest.raises(WebRTCStartError, match="did not answer in time"):
            await request_worker(http, asked, {})


async def test_an_endless_answer_is_refused(monkeypatch):
    monkeypatch.setattr(signalling, "MAX_ANSWER_BYTES", 1000)

    async def endless(request):
        return web.Response(body=b"x" * 100_000)

    app = web.Application()
    app.router.add_post("/initialise_webrtc_worker", endless)
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        with pytest.raises(WebRTCStartError, match="other than JSON"):
            await request_worker(http, Server(str(server.make_url(""))), {})


@pytest.mark.parametrize(
    ("url", "near"),
    [
        ("http://127.0.0.1:9001", True),
        ("http://localhost:9001", True),
        ("http://10.1.2.3", True),
        ("http://[::1]:9001", True),
        ("https://8.8.8.8", False),
        ("nonsense", False),
    ],
)
async def test_what_is_near_needs_no_stun(url, near):
    assert await is_near(url) is near
