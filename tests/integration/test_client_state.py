"""What a client is set to: modes, models, configurations, copies that never change, threads."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from aiohttp import web

from inference_sdk import (
    HTTPClientMode,
    InferenceConfiguration,
    InferenceHTTPClient,
    config,
)
from inference_sdk.http.errors import (
    APIKeyNotProvided,
    HTTPCallErrorError,
    HTTPClientError,
    HTTPServerTimeoutError,
    InvalidModelIdentifier,
    InvalidParameterError,
    ModelNotInitializedError,
    ModelNotSelectedError,
    WrongClientModeError,
)
from tests.callers import AsyncCaller, SyncCaller, both_ways
from tests.raw_server import RawServer, silent
from tests.recording_server import Recorded, RecordingServer

IMAGE = "R0lGODlhaW1hZ2U="
KEY = "0123456789-the-key"
CONFIDENT = InferenceConfiguration(confidence_threshold=0.9)

Caller = Callable[..., Any]


def model(model_id: str = "m/1") -> dict[str, Any]:
    return {"model_id": model_id, "task_type": "object-detection"}


@pytest.fixture
def detector(server: RecordingServer) -> RecordingServer:
    server.answer("/model/registry", {"models": [model("m/1"), model("m/2"), model("coco/3")]})
    server.answer("/model/add", {"models": [model("m/1")]})
    server.answer("/model/remove", {"models": []})
    server.answer("/model/clear", {"models": []})
    server.answer("/infer/object_detection", lambda r: web.json_response({"sent": r.json}))
    return server


# -- modes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "mode"),
    [
        ("https://detect.roboflow.com", HTTPClientMode.V0),
        ("https://serverless.roboflow.com/", HTTPClientMode.V0),
        ("https://asyncinfer.roboflow.one/path", HTTPClientMode.V0),
        ("https://serverless.roboflow.eu", HTTPClientMode.V0),
        ("http://detect.roboflow.com", HTTPClientMode.V1),
        ("https://detect.roboflow.com.example.net", HTTPClientMode.V1),
        ("https://api.roboflow.com", HTTPClientMode.V1),
        ("http://localhost:9001", HTTPClientMode.V1),
    ],
)
def test_the_address_decides_the_mode(address: str, mode: HTTPClientMode) -> None:
    assert InferenceHTTPClient(address).client_mode is mode
    assert InferenceHTTPClient.init(api_url=address, api_key="k").client_mode is mode


def test_selecting_an_api() -> None:
    client = InferenceHTTPClient("http://host")
    assert client.select_api_v0() is client
    assert client.client_mode is HTTPClientMode.V0
    assert client.select_api_v1() is client
    assert client.client_mode is HTTPClientMode.V1


CHANGES: dict[str, tuple[str, Any, Callable[[InferenceHTTPClient], Any], Any]] = {
    "use_api_v0": ("use_api_v0", [], lambda c: c.client_mode, HTTPClientMode.V0),
    "use_api_v1": ("use_api_v1", [], lambda c: c.client_mode, HTTPClientMode.V1),
    "use_model": ("use_model", ["m/1"], lambda c: c.selected_model, "m/1"),
    "use_configuration": (
        "use_configuration",
        [CONFIDENT],
        lambda c: c.inference_configuration,
        CONFIDENT,
    ),
}


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_with_restores(change: Any, fails: bool) -> None:
    method, arguments, setting_of, inside = change
    client = InferenceHTTPClient("http://host").select_model("m/0")
    if method == "use_api_v1":
        client.select_api_v0()
    before = setting_of(client)
    try:
        with getattr(client, method)(*arguments) as same:
            assert same is client
            assert setting_of(client) == inside
            assert setting_of(client) != before
            if fails:
                raise LookupError
    except LookupError:
        assert fails
    assert setting_of(client) == before


def test_blocks_within_blocks() -> None:
    client = InferenceHTTPClient("http://host")
    with client.use_model("m/1"):
        with client.use_api_v0(), client.use_model("m/2"):
            assert (client.selected_model, client.client_mode) == ("m/2", HTTPClientMode.V0)
        assert (client.selected_model, client.client_mode) == ("m/1", HTTPClientMode.V1)
        client.configure(CONFIDENT)
    assert client.selected_model is None
    assert client.inference_configuration is CONFIDENT


@both_ways
def test_settings_reach_the_wire(call: Caller, detector: RecordingServer) -> None:
    client = InferenceHTTPClient(detector.url, KEY).select_model("m/1").configure(CONFIDENT)
    sent = call(client, "infer", IMAGE)["sent"]
    assert (sent["api_key"], sent["model_id"], sent["confidence"]) == (KEY, "m/1", 0.9)
    with client.use_model("yolov8n-640"):
        assert call(client, "infer", IMAGE)["sent"]["model_id"] == "coco/3"
    assert call(client, "infer", IMAGE, model_id="m/2")["sent"]["model_id"] == "m/2"


# -- what is needed, in which order it is asked for -------------------------------------------------


@both_ways
def test_the_hosted_api_needs_a_model_and_a_key(call: Caller) -> None:
    client = InferenceHTTPClient("https://detect.roboflow.com")
    with pytest.raises(ModelNotSelectedError):
        call(client, "infer", IMAGE)
    with pytest.raises(APIKeyNotProvided):
        call(client, "infer", IMAGE, model_id="m/1")
    with pytest.raises(InvalidModelIdentifier):
        call(InferenceHTTPClient("https://detect.roboflow.com", KEY), "infer", IMAGE, "a/b/c")


@both_ways
@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("list_loaded_models", []),
        ("load_model", ["m/1"]),
        ("unload_model", ["m/1"]),
        ("unload_all_models", []),
        ("get_model_description", ["m/1"]),
        ("infer_from_api_v1", [IMAGE, "m/1"]),
    ],
)
def test_calls_of_v1_only(
    call: Caller, method: str, arguments: list[Any], detector: RecordingServer
) -> None:
    client = InferenceHTTPClient(detector.url, KEY).select_api_v0()
    with pytest.raises(WrongClientModeError):
        call(client, method, *arguments)
    assert detector.requests == []


# -- the registry and the selected model -----------------------------------------------------------


@both_ways
def test_loading_selects_when_asked(call: Caller, detector: RecordingServer) -> None:
    client = InferenceHTTPClient(detector.url, KEY)
    assert call(client, "load_model", "m/1").models[0].model_id == "m/1"
    assert client.selected_model is None
    call(client, "load_model", "yolov8n-640", set_as_default=True)
    assert client.selected_model == "coco/3"
    assert detector.last.json == {"api_key": KEY, "model_id": "coco/3"}


@both_ways
@pytest.mark.parametrize(
    ("selected", "unloaded", "after"),
    [
        ("m/1", "m/1", None),
        ("m/1", "m/2", "m/1"),
        ("yolov8n-640", "coco/3", None),
        ("coco/3", "yolov8n-640", None),
        ("yolov8n-640", "yolov8n-640", None),
        (None, "m/1", None),
    ],
)
def test_unloading_forgets(
    call: Caller, selected: str | None, unloaded: str, after: str | None, detector: RecordingServer
) -> None:
    client = InferenceHTTPClient(detector.url, KEY)
    if selected is not None:
        client.select_model(selected)
    call(client, "unload_model", unloaded)
    assert client.selected_model == after
    call(client.select_model("m/2"), "unload_all_models")
    assert client.selected_model is None


@both_ways
def test_what_fails_forgets_nothing(call: Caller, detector: RecordingServer) -> None:
    detector.answer("/model/clear", lambda _: web.json_response({}, status=500))
    client = InferenceHTTPClient(detector.url).select_model("m/1")
    with pytest.raises(HTTPCallErrorError):
        call(client, "unload_all_models")
    assert client.selected_model == "m/1"


@both_ways
def test_models_are_loaded_when_they_are_missing(call: Caller, detector: RecordingServer) -> None:
    detector.answer("/model/registry", {"models": []})
    client = InferenceHTTPClient(detector.url, KEY)
    assert call(client, "get_model_description", "m/1").task_type == "object-detection"
    assert [r.path for r in detector.requests] == ["/model/registry", "/model/add"]
    with pytest.raises(ModelNotInitializedError, match="Is the id right"):
        call(client, "get_model_description", "other/1")
    with pytest.raises(ModelNotInitializedError, match=r"load_model\(\)"):
        call(client, "get_model_description", "m/1", allow_loading=False)


# -- copies --------------------------------------------------------------------------------------


def test_copies_have_settings_of_their_own() -> None:
    client = InferenceHTTPClient("http://host", KEY).select_model("m/1")
    copy = client.with_options(
        model_id="m/2", client_mode=HTTPClientMode.V0, timeout=5, max_batch_size=8
    )
    assert type(copy) is InferenceHTTPClient
    assert (copy.selected_model, copy.client_mode) == ("m/2", HTTPClientMode.V0)
    configuration = copy.inference_configuration
    assert (configuration.read_timeout, configuration.connect_timeout) == (5, 10.0)
    assert configuration.max_batch_size == 8
    assert copy.transport is client.transport
    assert client.selected_model == "m/1"
    assert client.inference_configuration == InferenceConfiguration()


def test_changes_do_not_reach_copies() -> None:
    client = InferenceHTTPClient("http://host").select_model("m/1")
    copy = client.with_options()
    client.select_model("m/2").select_api_v0().configure(CONFIDENT)
    assert copy.selected_model == "m/1"
    assert copy.client_mode is HTTPClientMode.V1
    assert copy.inference_configuration == InferenceConfiguration()


def test_copies_of_copies() -> None:
    first = InferenceHTTPClient("http://host").with_options(model_id="m/1", timeout=(1, 2))
    second = first.with_options(max_tries=7)
    configuration = second.inference_configuration
    assert second.selected_model == "m/1"
    assert (configuration.connect_timeout, configuration.read_timeout) == (1, 2)
    assert configuration.max_tries == 7
    assert first.inference_configuration.max_tries == 3


def test_a_configuration_to_start_from() -> None:
    copy = InferenceHTTPClient("http://host").with_options(configuration=CONFIDENT, timeout=3)
    assert copy.inference_configuration.confidence_threshold == 0.9
    assert copy.inference_configuration.read_timeout == 3


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.select_model("m/2"),
        lambda c: c.select_api_v0(),
        lambda c: c.select_api_v1(),
        lambda c: c.configure(CONFIDENT),
        lambda c: c.use_model("m/2").__enter__(),
        lambda c: c.use_configuration(CONFIDENT).__enter__(),
    ],
)
def test_copies_never_change(change: Callable[[InferenceHTTPClient], Any]) -> None:
    copy = InferenceHTTPClient("http://host").with_options(model_id="m/1")
    with pytest.raises(HTTPClientError, match=r"with_options\(\) does not change"):
        change(copy)
    assert copy.selected_model == "m/1"


@both_ways
def test_unloading_through_a_copy(call: Caller, detector: RecordingServer) -> None:
    copy = InferenceHTTPClient(detector.url).with_options(model_id="m/1")
    call(copy, "unload_model", "m/1")
    assert copy.selected_model == "m/1"


@pytest.mark.parametrize(
    "options",
    [{"no_such": 1}, {"max_tries": 0}, {"timeout": 0}, {"timeout": (0, 1)}, {"timeout": -1}],
)
def test_options_that_there_are_not(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameterError, match=r"no_such|above 0"):
        InferenceHTTPClient("http://host").with_options(**options)


@both_ways
def test_a_time_out_of_a_copy(call: Caller) -> None:
    with RawServer(silent) as server:
        client = InferenceHTTPClient(server.url)
        with pytest.raises(HTTPServerTimeoutError, match=r"within 0\.1 s"):
            call(client.with_options(timeout=0.1), "get_server_info")


# -- threads and tasks ---------------------------------------------------------------------------


def test_a_thread_started_inside_a_block_sees_the_change(detector: RecordingServer) -> None:
    seen: list[Any] = []
    with InferenceHTTPClient(detector.url) as client, client.use_model("m/2"):
        thread = threading.Thread(target=lambda: seen.append(client.infer(IMAGE)))
        thread.start()
        thread.join()
    assert seen[0]["sent"]["model_id"] == "m/2"


def test_threads_with_settings_of_their_own(detector: RecordingServer) -> None:
    with InferenceHTTPClient(detector.url) as client, ThreadPoolExecutor(4) as executor:

        def work(i: int) -> bool:
            copy = client.with_options(model_id=f"m/{i % 2 + 1}", max_detections=i + 1)
            sent = copy.infer(IMAGE)["sent"]
            return (sent["model_id"], sent["max_detections"]) == (f"m/{i % 2 + 1}", i + 1)

        assert all(executor.map(work, range(40)))


async def test_tasks_with_settings_of_their_own(detector: RecordingServer) -> None:
    async with InferenceHTTPClient(detector.url) as client:

        async def work(i: int) -> bool:
            copy = client.with_options(model_id=f"m/{i % 2 + 1}")
            return (await copy.infer_async(IMAGE))["sent"]["model_id"] == f"m/{i % 2 + 1}"

        assert all(await asyncio.gather(*map(work, range(20))))


@both_ways
@pytest.mark.parametrize("concurrency", [1, 4])
def test_context_variables_reach_every_request(
    call: Caller, concurrency: int, detector: RecordingServer
) -> None:
    """The execution id, and the collector of times, also where threads and tasks send."""

    def timed(request: Recorded) -> web.Response:
        return web.json_response({}, headers={config.PROCESSING_TIME_HEADER: "0.25"})

    def work() -> config.RemoteProcessingTimeCollector:
        collector = config.RemoteProcessingTimeCollector()
        config.execution_id.set("run-7")
        config.remote_processing_times.set(collector)
        client = InferenceHTTPClient(detector.url).with_options(
            max_concurrent_requests=concurrency, model_id="m/1"
        )
        call(client, "infer", [IMAGE] * 20)
        return collector

    detector.answer("/infer/object_detection", timed)
    collector = contextvars.copy_context().run(work)
    assert collector.drain() == [("m/1", 0.25)] * 20
    ids = {r.headers.get(config.EXECUTION_ID_HEADER) for r in detector.requests}
    assert ids == {"run-7"}
    assert config.execution_id.get() is None


# -- identity ------------------------------------------------------------------------------------


def test_the_key_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, detector: RecordingServer
) -> None:
    monkeypatch.setenv("ROBOFLOW_API_KEY", "of-the-environment")
    for call in (SyncCaller(), AsyncCaller()):
        call(InferenceHTTPClient(detector.url), "load_model", "m/1")
        assert detector.last.json["api_key"] == "of-the-environment"
        call(InferenceHTTPClient(detector.url, "mine"), "load_model", "m/1")
        assert detector.last.json["api_key"] == "mine"
    monkeypatch.setenv("ROBOFLOW_API_KEY", "")
    SyncCaller()(InferenceHTTPClient(detector.url), "load_model", "m/1")
    assert detector.last.json["api_key"] is None


def test_repr_helps_and_hides_the_key() -> None:
    client = InferenceHTTPClient("http://me:password@host:9001/", KEY).select_model("m/1")
    assert repr(client) == (
        "InferenceHTTPClient(api_url='http://host:9001', api_key='01***ey', client_mode='v1', "
        "selected_model='m/1')"
    )
    assert "api_key=None" in repr(InferenceHTTPClient("http://host"))
    assert KEY not in repr(client._state)


def test_a_slash_at_the_end_of_the_address(detector: RecordingServer) -> None:
    SyncCaller()(InferenceHTTPClient(f"{detector.url}/"), "list_loaded_models")
    assert detector.last.path == "/model/registry"
