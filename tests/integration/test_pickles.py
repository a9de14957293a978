"""No secret is in a pickle; the other side has its own, or is told what is missing."""

from __future__ import annotations

import base64
import copy
import pickle
import re
from collections.abc import Callable
from typing import Any

import cloudpickle
import pytest

from inference_sdk import InferenceConfiguration, InferenceHTTPClient
from inference_sdk.http.entities import ApiKeyTransport
from inference_sdk.http.errors import APIKeyNotProvided, HTTPClientError, InvalidParameterError
from tests.callers import both_ways
from tests.programs import Player, both_plays
from tests.recording_server import RecordingServer

KEY, SECRET, PASSWORD = "key-that-stays", "secret-that-stays", "password-that-stays"

both_pickles = pytest.mark.parametrize(
    "pickled",
    [
        lambda value: pickle.dumps(value),
        lambda value: pickle.dumps(value, protocol=2),
        lambda value: cloudpickle.dumps(lambda: value),
    ],
    ids=["pickle", "old pickle", "closure"],
)
Pickled = Callable[[Any], bytes]


def unpickled(data: bytes) -> Any:
    value = pickle.loads(data)
    return value() if callable(value) else value


def secretive(url: str = "http://user:password-that-stays@localhost:9001") -> InferenceHTTPClient:
    client = InferenceHTTPClient(url, KEY)
    return client.configure(
        InferenceConfiguration(
            service_secret=SECRET, proxy=f"http://u:{PASSWORD}@proxy.test:3128", max_batch_size=7
        )
    )


@both_pickles
@pytest.mark.filterwarnings("ignore::inference_sdk.utils.decorators.InferenceSDKDeprecationWarning")
def test_no_secret_is_in_a_pickle(pickled: Pickled) -> None:
    client = secretive()
    _ = client.webrtc  # which has the key, too
    values = [
        client,
        client.with_options(model_id="m/1"),
        client.inference_configuration,
        client.webrtc,
        {"nested": [client]},
    ]
    for value in values:
        data = pickled(value)
        for secret in (KEY, SECRET, PASSWORD):
            assert secret.encode() not in data
            assert base64.b64encode(secret.encode()) not in data


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_copies_in_the_process_are_whole(copied: Callable[[Any], Any]) -> None:
    client = secretive()
    other = copied(client)
    assert other.api_key == KEY
    assert other.inference_configuration == client.inference_configuration
    assert copied(client.inference_configuration) == client.inference_configuration
    other.api_key = "another"
    other.select_model("m/1")
    assert (client.api_key, client.selected_model) == (KEY, None)


@both_ways
@both_pickles
def test_the_other_side_takes_the_key_of_its_environment(
    pickled: Pickled, call: Any, server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.default = {"models": []}
    data = pickled(InferenceHTTPClient(server.url, KEY))
    monkeypatch.setenv("ROBOFLOW_API_KEY", "key-of-the-other-side")
    call(unpickled(data), "list_loaded_models")
    assert server.last.query["api_key"] == ["key-of-the-other-side"]


@both_plays
@pytest.mark.parametrize("frozen", [False, True])
def test_a_key_that_is_missing_is_asked_for_and_can_be_set(
    play: Player, frozen: bool, server: RecordingServer
) -> None:
    server.default = {"models": []}
    client = InferenceHTTPClient(server.url, KEY)
    other = unpickled(pickle.dumps(client.with_options() if frozen else client))
    assert other.api_key is None
    assert "api_key=None" in repr(other)

    async def program(face: Any) -> None:
        for call in [
            face.call("list_loaded_models"),
            face.call("infer", "R0lGODlhaW1hZ2U=", model_id="m/1"),
            face.list("infer_many", ["R0lGODlhaW1hZ2U="], model_id="m/1"),
            face.call("run_workflow", workspace_name="w", workflow_id="i"),
        ]:
            with pytest.raises(APIKeyNotProvided, match=r"ROBOFLOW_API_KEY.*client\.api_key"):
                await call
        assert server.requests == []
        other.api_key = "set-again"
        await face.call("list_loaded_models")

    play(other, program)
    assert server.last.query["api_key"] == ["set-again"]
    if frozen:
        with pytest.raises(HTTPClientError, match="does not change"):
            other.api_key = "and-again"


@both_ways
def test_no_key_is_asked_for_where_there_was_none(call: Any, server: RecordingServer) -> None:
    server.default = {"models": []}
    call(unpickled(pickle.dumps(InferenceHTTPClient(server.url))), "list_loaded_models")
    assert "api_key" not in server.last.query


@both_ways
@pytest.mark.parametrize(
    ("name", "value"),
    [("service_secret", SECRET), ("proxy", f"http://u:{PASSWORD}@proxy.test:3128")],
)
def test_other_secrets_are_asked_for(
    call: Any, name: str, value: str, server: RecordingServer
) -> None:
    server.default = {"models": []}
    client = InferenceHTTPClient(server.url).with_options(**{name: value})
    other = unpickled(pickle.dumps(client))
    with pytest.raises(InvalidParameterError, match=rf"{name} must be set again.*with_options"):
        call(other, "list_loaded_models")
    # Also for copies with other settings; and gone once it is set again.
    with pytest.raises(InvalidParameterError, match=name):
        call(other.with_options(max_batch_size=2), "list_loaded_models")
    call(other.with_options(service_secret="its-own", proxy=""), "list_loaded_models")


def test_a_proxy_without_a_password_travels() -> None:
    configuration = InferenceConfiguration(proxy="http://proxy.test:3128")
    assert pickle.loads(pickle.dumps(configuration)) == configuration


@both_ways
def test_an_address_with_a_password(call: Any) -> None:
    other = unpickled(pickle.dumps(InferenceHTTPClient(f"http://u:{PASSWORD}@localhost:1")))
    assert re.search("http://localhost:1'", repr(other))
    with pytest.raises(InvalidParameterError, match="api_url must be set again"):
        call(other, "get_server_info")


@pytest.mark.filterwarnings("ignore::inference_sdk.utils.decorators.InferenceSDKDeprecationWarning")
def test_streams_ask_for_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    client = InferenceHTTPClient("http://localhost:1", KEY)
    other = unpickled(pickle.dumps(client.webrtc))
    for gone in (other.stream, lambda **_: unpickled(pickle.dumps(client)).webrtc):
        with pytest.raises(APIKeyNotProvided, match="ROBOFLOW_API_KEY"):
            gone(source=None)
    monkeypatch.setenv("ROBOFLOW_API_KEY", "its-own")
    assert unpickled(pickle.dumps(client.webrtc))._api_key == "its-own"


@pytest.mark.filterwarnings("ignore::inference_sdk.utils.decorators.InferenceSDKDeprecationWarning")
def test_streams_have_the_key_that_was_set_last() -> None:
    client = InferenceHTTPClient("http://localhost:1", KEY)
    before = client.webrtc
    client.api_key = "another"
    assert client.webrtc is not before
    assert client.webrtc._api_key == "another"
    assert client.webrtc is client.webrtc


@both_ways
def test_the_key_can_be_changed(call: Any, server: RecordingServer) -> None:
    server.default = {"models": []}
    client = InferenceHTTPClient(server.url, KEY)
    client.api_key = "another"
    call(client, "list_loaded_models")
    assert server.last.query["api_key"] == ["another"]
    header = client.with_options(api_key_transport=ApiKeyTransport.HEADER)
    call(header, "list_loaded_models")
    assert server.last.headers["Authorization"] == "Bearer another"
