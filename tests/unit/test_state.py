"""What the client's settings make of addresses and headers, before anything is sent."""

from __future__ import annotations

import asyncio
import sys
import threading
import traceback
import uuid
from typing import Any

import pytest

from inference_sdk import InferenceConfiguration, InferenceHTTPClient, config
from inference_sdk.http.errors import HTTPClientError, InvalidParameterError
from inference_sdk.http.operations.state import ClientState
from tests.callers import both_ways
from tests.recording_server import RecordingServer

PICTURE = b"GIF89a"
KEY = "0123456789abcdef"


def client_with(server: RecordingServer, **settings: Any) -> InferenceHTTPClient:
    return InferenceHTTPClient(server.url, KEY).with_options(max_tries=1, **settings)


# -- addresses -----------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["http://[bad", None, 9001], ids=str)
def test_an_address_that_is_none_is_refused_at_once(address: Any):
    with pytest.raises(InvalidParameterError, match="is no address") as caught:
        InferenceHTTPClient(address)
    assert caught.value.__cause__ is None


@both_ways
@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("run_workflow", {"workspace_name": "..", "workflow_id": "run"}),
        ("run_workflow", {"workspace_name": "team", "workflow_id": "."}),
        ("infer_from_api_v0", {"inference_input": b"x", "model_id": "../info"}),
        (
            "infer_lmm",
            {"inference_input": b"x", "model_id": "../../model/clear", "model_id_in_path": True},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_no_id_leads_to_another_endpoint(server, call, method, arguments):
    """Senders resolve dots: /infer/lmm/../../model/clear would unload the server's models."""
    with pytest.raises(InvalidParameterError, match=r"must not hold the parts '\.' and '\.\.'"):
        call(client_with(server), method, **arguments)
    assert server.requests == []


@pytest.mark.parametrize("model_id", ["a.b/1", "..a/1", "a/...", "%2e%2e/1"])
def test_dots_within_an_id_are_as_good_as_letters(model_id: str):
    state = ClientState("http://host", None, InferenceHTTPClient("http://host").client_mode)
    assert state.bare_url("/{model_id}", model_id=model_id).endswith(model_id.replace("%", "%25"))


@pytest.mark.filterwarnings("ignore::inference_sdk.InferenceSDKDeprecationWarning")
@both_ways
def test_an_id_may_be_a_uuid(server, call):
    pipeline_id: Any = uuid.UUID(int=7)
    call(client_with(server), "get_inference_pipeline_status", pipeline_id=pipeline_id)
    assert server.last.path == f"/inference_pipelines/{pipeline_id}/status"


@both_ways
def test_a_password_in_the_address_is_used_and_never_shown(server, call):
    address = server.url.replace("//", "//user:password@")
    server.answer("/info", [])
    server.answer("/model/registry", {"models": []})
    server.answer("/model/add", {"models": []})
    shown = []
    for client, method, arguments in (
        (InferenceHTTPClient(address), "get_server_info", {}),
        (InferenceHTTPClient(address), "get_model_description", {"model_id": "a/1"}),
        (InferenceHTTPClient(address).select_api_v0(), "list_loaded_models", {}),
        (
            InferenceHTTPClient(address).select_api_v0(),
            "infer",
            {"inference_input": b"x", "model_id": "a/1"},
        ),
    ):
        with pytest.raises(HTTPClientError) as caught:
            call(client, method, **arguments)
        shown.append(str(caught.value))
    assert server.requests[0].headers["Authorization"].startswith("Basic ")
    assert "password" not in " ".join(shown)


# -- headers -------------------------------------------------------------------------------------

BAD_HEADERS = ["a\r\nX-Evil: 1", "a\n", "a\0", "\N{HORIZONTAL ELLIPSIS}"]


@both_ways
@pytest.mark.parametrize("value", BAD_HEADERS, ids=ascii)
def test_an_execution_id_begins_no_other_header(server, call, value):
    token = config.execution_id.set(value)
    try:
        with pytest.raises(InvalidParameterError, match="execution_id cannot be sent"):
            call(client_with(server), "list_loaded_models")
    finally:
        config.execution_id.reset(token)
    assert server.requests == []


@both_ways
@pytest.mark.parametrize("value", BAD_HEADERS, ids=ascii)
def test_a_key_that_no_header_can_hold_is_named_without_being_shown(server, call, value):
    client = InferenceHTTPClient(server.url, value + KEY)
    with pytest.raises(InvalidParameterError, match=r"Was it read from a file\?") as caught:
        call(client.with_options(api_key_transport="header"), "list_loaded_models")
    assert KEY not in str(caught.value)


# -- what servers repeat -------------------------------------------------------------------------


@both_ways
@pytest.mark.parametrize(
    "message", [f"The key {KEY} is unknown", f'Got {{"api_key": "{KEY}"}}', f"Bearer {KEY}?"]
)
def test_a_key_that_the_server_quotes_is_masked(server, call, message):
    from aiohttp import web

    server.answer("/model/registry", lambda _: web.json_response({"message": message}, status=401))
    with pytest.raises(HTTPClientError) as caught:
        call(client_with(server), "list_loaded_models")
    assert KEY not in str(caught.value)
    assert "***" in caught.value.api_message


@both_ways
@pytest.mark.parametrize("transport", ["legacy", "header"])
@pytest.mark.parametrize(
    ("method", "arguments"),
    [("list_loaded_models", {}), ("depth_estimation", {"inference_input": b"x"})],
)
def test_no_variable_of_ours_shows_the_key_in_a_traceback(
    server, call, transport, method, arguments, monkeypatch
):
    """Error trackers send the variables of every frame along."""
    from aiohttp import web

    server.default = lambda _: web.json_response({"message": "no"}, status=403)
    monkeypatch.setenv("INFERENCE_DEBUG", "1")  # else one frame of ours is left
    with pytest.raises(HTTPClientError) as caught:
        call(client_with(server, api_key_transport=transport), method, **arguments)
    report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    ours = [frame for frame in report.stack if "inference_sdk" in frame.filename]
    assert len(ours) > 3
    assert [frame.name for frame in ours if KEY in str(frame.locals)] == []


# -- changes -------------------------------------------------------------------------------------


def test_threads_that_change_different_settings_undo_nothing():
    client = InferenceHTTPClient("http://host")
    configuration = InferenceConfiguration()
    lost: list[int] = []

    def select() -> None:
        for number in range(5000):
            client.select_model(str(number))
            if client.selected_model != str(number):
                lost.append(number)

    def configure() -> None:
        for _ in range(5000):
            client.configure(configuration)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work) for work in (select, configure)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    finally:
        sys.setswitchinterval(interval)
    assert lost == []


def test_a_block_that_cannot_change_the_client_says_so_once():
    client = InferenceHTTPClient("http://host").with_options()
    with (
        pytest.raises(HTTPClientError, match="does not change") as caught,
        client.use_model("a/1"),
    ):
        pass
    assert caught.value.__context__ is None


@pytest.mark.filterwarnings("ignore::inference_sdk.InferenceSDKDeprecationWarning")
def test_streams_follow_the_transport_of_the_key():
    client = InferenceHTTPClient("http://host", KEY)
    before = client.webrtc
    assert client.webrtc is before
    assert client.with_options(read_timeout=5).webrtc is before
    assert client.with_options(api_key_transport="header").webrtc is not before
    client.configure(InferenceConfiguration(api_key_transport="header"))
    assert client.webrtc is not before


# -- many ----------------------------------------------------------------------------------------


def test_a_malformed_map_costs_only_its_own_picture(server):
    models = [{"model_id": "a/1", "task_type": "classification"}]
    server.answer("/model/registry", {"models": models})
    good, bad = {"predictions": []}, {"anomaly_map": {"shape": [1]}}
    server.answer("/infer/classification", good, bad, good)
    with client_with(server) as client:
        results = list(client.infer_many([PICTURE] * 3, "a/1", on_error="return"))
        assert [results[0], results[2]] == [good, good]
        assert isinstance(results[1], ValueError)
        assert results[1].input_index == 1
        server.answer("/infer/classification", bad)
        with pytest.raises(ValueError, match="anomaly map"):
            client.infer(PICTURE, "a/1")
        with pytest.raises(HTTPClientError, match="anomaly map"):
            asyncio.run(client.infer_async(PICTURE, "a/1"))
