"""Users' own tests of programs on version 1.1 go on working: what they replace, and intercept.

They replace the loaders where `inference_sdk.http.client` looks them up, replace methods of a
client, and intercept the wire with requests-mock, responses, vcrpy and aioresponses. Mostly no server
answers here: a request that is not intercepted goes to a host that does not exist.
"""

from __future__ import annotations

import asyncio
import inspect
import json
from typing import Any
from unittest.mock import ANY, AsyncMock, MagicMock, Mock, patch
from unittest.mock import call as called

import aiohttp
import pytest
import requests
import urllib3
from aioresponses import aioresponses
from yarl import URL

from inference_sdk import HTTPCallErrorError, InferenceConfiguration, InferenceHTTPClient
from inference_sdk.http import client as client_module
from inference_sdk.http.entities import ModelDescription, RegisteredModels
from inference_sdk.http.errors import HTTPClientError, HTTPServerConnectionError
from tests.callers import both_ways
from tests.wire_calls import ROWS, Row

HOST = "http://server.invalid"
KEY = "my-api-key"
IMAGE = "R0lGODlhbase64image1"
OTHER = "R0lGODlhotherimage22"

DETECTOR = ModelDescription("coco/3", "object-detection", input_height=480, input_width=640)
MODELS = {"models": [DETECTOR.to_dict()]}
BOX = {"x": 10.0, "y": 20.0, "width": 4.0, "height": 8.0}
BOX_DOUBLED = {"x": 20.0, "y": 40.0, "width": 8.0, "height": 16.0}
INFO = {"name": "server", "version": "1", "uuid": "u"}
JSON = {"Content-Type": "application/json"}
SENT = {
    "api_key": KEY,
    "model_id": "coco/3",
    "image": {"type": "base64", "value": IMAGE},
    "visualize_predictions": False,
    "disable_active_learning": False,
}


@pytest.fixture
def client() -> InferenceHTTPClient:
    return InferenceHTTPClient(HOST, KEY).configure(InferenceConfiguration(retry_backoff=0.001))


class InterceptedResponse(aiohttp.ClientResponse):
    """What aioresponses 0.7.9 answers with: aiohttp 3.14 asks for one argument more than it gives."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if "stream_writer" in inspect.signature(aiohttp.ClientResponse.__init__).parameters:
            kwargs.setdefault("stream_writer", Mock(output_size=0))
        super().__init__(*args, **kwargs)


def test_nested_images_are_loaded_by_the_loader_of_that_name() -> None:
    from inference_sdk.http.utils import loaders

    with patch.object(loaders, "load_static_inference_input") as loader:
        loader.side_effect = [["a"], ["b"], ["c"]]
        nested = loaders.load_nested_batches_of_inference_input([["x", "y"], ["z"]], 5, 6)
    assert nested == [["a", "b"], ["c"]]
    assert loader.call_args_list == [
        called(inference_input=text, max_height=5, max_width=6) for text in "xyz"
    ]


@pytest.fixture
def intercepted() -> Any:
    with aioresponses() as interceptor:
        add = interceptor.add

        def add_with_response_class(*args: Any, **kwargs: Any) -> None:
            add(*args, **{"response_class": InterceptedResponse, **kwargs})

        interceptor.add = add_with_response_class
        yield interceptor


def calls_of(interceptor: aioresponses, method: str, url: str) -> list[dict[str, Any]]:
    return [call.kwargs for call in interceptor.requests[method, URL(url)]]


# -- requests-mock -----------------------------------------------------------------------------


def test_sync_calls_are_intercepted_by_requests_mock(client, requests_mock):
    requests_mock.get(f"{HOST}/model/registry", json=MODELS)
    requests_mock.post(f"{HOST}/infer/object_detection", json={"predictions": [BOX]})
    assert client.infer(IMAGE, model_id="coco/3") == {"predictions": [BOX]}
    looked_up, inferred = requests_mock.request_history
    assert looked_up.query == f"api_key={KEY}"
    assert inferred.json() == SENT
    assert inferred.headers["Content-Type"] == "application/json"


def test_the_hosted_api_is_intercepted_by_requests_mock(requests_mock):
    client = InferenceHTTPClient("https://detect.roboflow.com", KEY)
    requests_mock.post("https://detect.roboflow.com/coco/3", json={"predictions": [BOX]})
    assert client.infer([IMAGE, OTHER], model_id="coco/3") == [{"predictions": [BOX]}] * 2
    assert [request.text for request in requests_mock.request_history] == [IMAGE, OTHER]
    assert requests_mock.last_request.qs == {
        "allow_reduced_mask_resolution": ["false"],
        "api_key": [KEY],
        "disable_active_learning": ["false"],  # requests-mock lowers the case
    }


def test_refusals_are_intercepted_by_requests_mock(client, requests_mock):
    requests_mock.get(f"{HOST}/info", status_code=500, json={"message": "broken"})
    with pytest.raises(HTTPCallErrorError) as caught:
        client.get_server_info()
    assert (caught.value.status_code, caught.value.api_message) == (500, "broken")


@pytest.mark.parametrize("error", [requests.ConnectionError, requests.ConnectTimeout])
def test_lost_connections_are_intercepted_by_requests_mock(client, requests_mock, error):
    requests_mock.get(f"{HOST}/info", exc=error)
    with pytest.raises(HTTPServerConnectionError):
        client.get_server_info()
    assert requests_mock.call_count == 3


# -- whoever else listens in on requests ---------------------------------------------------------


def test_headers_that_a_monitor_adds_are_sent(server, monkeypatch):
    """As OpenTelemetry does it."""
    server.answer("/info", INFO)
    send = requests.Session.send

    def send_traced(self: Any, request: Any, **options: Any) -> requests.Response:
        request.headers["traceparent"] = "00-1-2-03"
        return send(self, request, **options)

    monkeypatch.setattr(requests.Session, "send", send_traced)
    assert InferenceHTTPClient(server.url).get_server_info().name == "server"
    assert server.last.headers["traceparent"] == "00-1-2-03"
    assert server.last.headers["Accept-Encoding"] == "gzip, deflate"
    monkeypatch.undo()
    assert InferenceHTTPClient(server.url).get_server_info().name == "server"
    assert "traceparent" not in server.last.headers


def test_an_adapter_that_answers_itself(client, monkeypatch):
    """As responses does it."""

    def answer(self: Any, request: Any, **_: Any) -> requests.Response:
        response = requests.Response()
        response.status_code, response._content = 200, json.dumps(INFO).encode()
        response.url, response.request = request.url, request
        return response

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", answer)
    assert client.get_server_info().name == "server"


def test_connections_that_record(server, monkeypatch):
    """As vcrpy does it."""
    server.answer("/info", INFO)
    pool = urllib3.connectionpool.HTTPConnectionPool
    asked: list[str] = []

    class Recording(pool.ConnectionCls):
        def request(self, method: str, url: str, *args: Any, **options: Any) -> None:
            asked.append(url)
            super().request(method, url, *args, **options)

    monkeypatch.setattr(pool, "ConnectionCls", Recording)
    assert InferenceHTTPClient(server.url).get_server_info().name == "server"
    assert asked == ["/info"]


# -- aioresponses ------------------------------------------------------------------------------


async def test_async_calls_are_intercepted_by_aioresponses(client, intercepted):
    intercepted.get(f"{HOST}/model/registry?api_key={KEY}", payload=MODELS)
    intercepted.post(f"{HOST}/infer/object_detection", payload={"predictions": [BOX]})
    assert await client.infer_async(IMAGE, model_id="coco/3") == {"predictions": [BOX]}
    intercepted.assert_any_call(
        f"{HOST}/infer/object_detection",
        method="POST",
        json=SENT,
        headers=JSON,
        data=None,
        params=None,
    )


async def test_the_hosted_api_is_intercepted_by_aioresponses(intercepted):
    client = InferenceHTTPClient("https://detect.roboflow.com", KEY)
    query = f"allow_reduced_mask_resolution=False&api_key={KEY}&disable_active_learning=False"
    url = f"https://detect.roboflow.com/coco/3?{query}"
    intercepted.post(url, payload={"predictions": [BOX]})
    assert await client.infer_async(IMAGE, model_id="coco/3") == {"predictions": [BOX]}
    [sent] = calls_of(intercepted, "POST", url)
    assert (sent["data"], sent["json"], sent["headers"]) == (IMAGE, None, JSON)
    assert sent["params"] == {
        "allow_reduced_mask_resolution": "False",
        "api_key": KEY,
        "disable_active_learning": "False",
    }


async def test_calls_without_images_give_aiohttp_no_more_than_they_did(client, intercepted):
    intercepted.post(f"{HOST}/clip/embed_text", payload={"embeddings": [[1.0]]})
    await client.get_clip_text_embeddings_async("cat")
    [sent] = calls_of(intercepted, "POST", f"{HOST}/clip/embed_text")
    assert (sent["json"], sent["headers"]) == ({"api_key": KEY, "text": "cat"}, JSON)
    assert set(sent) <= {"json", "headers", "data", "allow_redirects"}  # two of aiohttp's own


async def test_refusals_are_intercepted_by_aioresponses(client, intercepted):
    intercepted.get(f"{HOST}/info", status=500, payload={"message": "broken"})
    with pytest.raises(HTTPCallErrorError) as caught:
        await client.get_server_info_async()
    assert (caught.value.status_code, caught.value.api_message) == (500, "broken")


async def test_lost_connections_are_intercepted_by_aioresponses(client, intercepted):
    intercepted.get(f"{HOST}/info", exception=aiohttp.ClientConnectionError(), repeat=True)
    with pytest.raises(HTTPClientError):
        await client.get_server_info_async()
    assert len(calls_of(intercepted, "GET", f"{HOST}/info")) == 3


# -- replaced loaders --------------------------------------------------------------------------

LOADER = "load_static_inference_input"
NESTED_LOADER = "load_nested_batches_of_inference_input"


def replaced(name: str, result: Any) -> Any:
    """Replace a loader and its async form by one mock, as far as the test can tell."""
    sync = MagicMock(return_value=result)

    async def awaited(**kwargs: Any) -> Any:
        return sync(**kwargs)

    return patch.multiple(client_module, **{name: sync, f"{name}_async": awaited}), sync


@pytest.fixture
def answers(requests_mock, intercepted) -> Any:
    """An answer to every POST at a path, whichever library asks."""

    def set_answer(path: str, body: Any) -> list[Any]:
        sent: list[Any] = []

        def keep(url: URL, **kwargs: Any) -> None:
            sent.append(kwargs["json"])

        def keep_and_answer(request: Any, _: Any) -> Any:
            sent.append(request.json())
            return body

        requests_mock.post(f"{HOST}{path}", json=keep_and_answer)
        intercepted.post(f"{HOST}{path}", payload=body, repeat=True, callback=keep)
        return sent

    return set_answer


@both_ways
@pytest.mark.parametrize(
    ("downsizing", "limits"),
    [
        (True, {"max_height": 480, "max_width": 640}),
        (False, {"max_height": None, "max_width": None}),
    ],
)
def test_infer_loads_through_the_replaceable_name(client, answers, call, downsizing, limits):
    sent = answers("/infer/object_detection", {"predictions": [BOX]})
    client.configure(InferenceConfiguration(client_downsizing_disabled=not downsizing))
    client.get_model_description = MagicMock(return_value=DETECTOR)
    client.get_model_description_async = AsyncMock(return_value=DETECTOR)
    replacement, loader = replaced(LOADER, [("loaded", 0.5)])
    with replacement:
        result = call(client, "infer", "/some/image.jpg", model_id="coco/3")
    loader.assert_called_once_with(inference_input="/some/image.jpg", **limits)
    assert [body["image"] for body in sent] == [{"type": "base64", "value": "loaded"}]
    assert result == {"predictions": [BOX_DOUBLED]}


OTHER_CALLS = {row.method: row for row in reversed(ROWS) if row.images and not row.before}


@both_ways
@pytest.mark.parametrize("row", OTHER_CALLS.values(), ids=str)
def test_other_calls_load_through_it_with_the_input_alone(client, answers, call, row: Row):
    sent = answers(row.path, row.answers([IMAGE]))
    replacement, loader = replaced(LOADER, [("loaded", None)])
    with replacement:
        call(client, row.method, inference_input="/some/image.jpg", **row.arguments)
    loader.assert_called_once_with(inference_input="/some/image.jpg")
    assert sent[0]["image"] == {"type": "base64", "value": "loaded"}


@both_ways
@pytest.mark.parametrize("count", [2, 16])
def test_inputs_of_up_to_16_images_are_loaded_by_one_call(client, answers, call, count):
    sent = answers("/doctr/ocr", {"result": "text"})
    paths = [f"/some/image_{index}.jpg" for index in range(count)]
    replacement, loader = replaced(LOADER, [(f"loaded {index}", None) for index in range(count)])
    with replacement:
        results = call(client, "ocr_image", paths)
    loader.assert_called_once_with(inference_input=paths)
    assert [body["image"]["value"] for body in sent] == [f"loaded {i}" for i in range(count)]
    assert results == [{"result": "text"}] * count


@both_ways
def test_larger_inputs_are_loaded_as_they_are_needed(client, answers, call):
    answers("/doctr/ocr", {"result": "text"})
    paths = [f"/some/image_{index}.jpg" for index in range(17)]
    replacement, loader = replaced(LOADER, [("loaded", None)])
    with replacement:
        results = call(client, "ocr_image", paths)
    assert loader.mock_calls == [call_of_one(path) for path in paths]
    assert results == [{"result": "text"}] * 17


def call_of_one(path: str) -> Any:
    return called(inference_input=path)


@both_ways
def test_a_replaced_loader_may_give_another_number_of_images(client, answers, call):
    sent = answers("/doctr/ocr", {"result": "text"})
    replacement, _ = replaced(LOADER, [("first", None), ("second", None)])
    with replacement:
        results = call(client, "ocr_image", "/some/image.jpg")
    assert [body["image"]["value"] for body in sent] == ["first", "second"]
    assert results == [{"result": "text"}] * 2


@both_ways
def test_clip_compare_loads_each_side_through_it(client, answers, call):
    sent = answers("/clip/compare", {"similarity": [0.5]})
    replacement, loader = replaced(LOADER, [("loaded", None)])
    with replacement:
        call(client, "clip_compare", subject="/a.jpg", prompt=["/b.jpg"], prompt_type="image")
    assert loader.mock_calls == [call_of_one("/a.jpg"), call_of_one(["/b.jpg"])]
    assert sent[0]["subject"] == sent[0]["prompt"] == {"type": "base64", "value": "loaded"}


@both_ways
def test_workflows_load_each_input_through_the_nested_loader(client, answers, call):
    sent = answers("/workflows/run", {"outputs": []})
    replacement, loader = replaced(NESTED_LOADER, [[("loaded", None)]])
    with replacement:
        call(client, "run_workflow", specification={}, images={"image": [["/a.jpg"]]})
    loader.assert_called_once_with(inference_input=[["/a.jpg"]])
    assert sent[0]["inputs"] == {"image": [[{"type": "base64", "value": "loaded"}]]}


def test_streams_load_through_the_replaceable_name(client):
    frames = [("/a.jpg", object()), ("/b.jpg", object())]
    infer = replace_method(client, "infer", {"predictions": []})
    with patch.object(client_module, "load_stream_inference_input", return_value=frames) as loader:
        triples = list(client.infer_on_stream("/some/folder", model_id="coco/3"))
    loader.assert_called_once_with(
        input_uri="/some/folder",
        image_extensions=InferenceConfiguration().image_extensions_for_directory_scan,
    )
    assert triples == [(path, frame, {"predictions": []}) for path, frame in frames]
    assert [called.kwargs["inference_input"] for called in infer.mock_calls] == [
        frame for _, frame in frames
    ]


def test_the_loaders_are_names_of_the_client_module():
    from inference_sdk.http.utils import loaders

    for name in (LOADER, f"{LOADER}_async", NESTED_LOADER):
        assert getattr(client_module, name) is getattr(loaders, name)


# -- replaced methods --------------------------------------------------------------------------


def replace_method(client: InferenceHTTPClient, name: str, result: Any) -> MagicMock:
    """Replace a method and its twin by one mock."""
    method = MagicMock(return_value=result)

    async def awaited(*args: Any, **kwargs: Any) -> Any:
        return method(*args, **kwargs)

    setattr(client, name, method)
    setattr(client, f"{name}_async", awaited)
    return method


@both_ways
@pytest.mark.parametrize("api", ["v0", "v1"])
def test_infer_calls_the_replaced_method_of_its_api(client, call, api):
    client = client.select_api_v0() if api == "v0" else client
    replace_method(client, f"infer_from_api_{'v1' if api == 'v0' else 'v0'}", "wrong")
    method = replace_method(client, f"infer_from_api_{api}", {"predictions": []})
    assert call(client, "infer", IMAGE, model_id="coco/3") == {"predictions": []}
    method.assert_called_once_with(inference_input=IMAGE, model_id="coco/3")


@both_ways
@pytest.mark.parametrize("api", ["v0", "v1"])
def test_infer_on_video_calls_the_replaced_method_of_its_api(client, call, api):
    client = client.select_api_v0() if api == "v0" else client
    method = replace_method(client, f"infer_on_video_from_api_{api}", {"predictions": []})
    assert call(client, "infer_on_video", "clip.mp4", model_id="a/1") == {"predictions": []}
    method.assert_called_once_with(video_reference="clip.mp4", model_id="a/1")


@both_ways
def test_infer_asks_the_replaced_method_for_the_model(client, answers, call):
    answers("/infer/object_detection", {"predictions": [BOX]})
    method = replace_method(client, "get_model_description", DETECTOR)
    assert call(client, "infer", IMAGE, model_id="yolov8n-640") == {"predictions": [BOX]}
    method.assert_called_once_with(model_id="coco/3")


@both_ways
def test_a_description_is_looked_up_by_the_replaced_methods(client, call):
    listing = replace_method(client, "list_loaded_models", RegisteredModels(models=[]))
    loading = replace_method(client, "load_model", RegisteredModels(models=[DETECTOR]))
    assert call(client, "get_model_description", "yolov8n-640") == DETECTOR
    listing.assert_called_once_with()
    loading.assert_called_once_with(model_id="coco/3")


@both_ways
def test_a_model_that_is_there_is_not_loaded(client, call):
    replace_method(client, "list_loaded_models", RegisteredModels(models=[DETECTOR]))
    loading = replace_method(client, "load_model", None)
    assert call(client, "get_model_description", "coco/3") == DETECTOR
    loading.assert_not_called()


@pytest.fixture
def folder(tmp_path) -> str:
    from PIL import Image

    for name in ("a.png", "b.png"):
        Image.new("RGB", (8, 4)).save(tmp_path / name)
    return str(tmp_path)


def test_streams_call_the_replaced_infer(client, folder):
    infer = replace_method(client, "infer", {"predictions": []})
    results = [result for _, _, result in client.infer_on_stream(folder, model_id="coco/3")]
    assert results == [{"predictions": []}] * 2
    assert infer.mock_calls == [called(inference_input=ANY, model_id="coco/3")] * 2


def test_async_streams_call_the_replaced_infer(client, folder):
    infer = replace_method(client, "infer", {"predictions": []})

    async def collect() -> list[Any]:
        stream = client.infer_on_stream_async(folder, model_id="coco/3")
        return [result async for _, _, result in stream]

    assert asyncio.run(collect()) == [{"predictions": []}] * 2
    assert infer.mock_calls == [called(inference_input=ANY, model_id="coco/3")] * 2


def test_methods_replaced_on_the_class_are_called_too():
    with patch.object(InferenceHTTPClient, "infer_from_api_v1", return_value={"a": 1}) as method:
        assert InferenceHTTPClient(HOST).infer(IMAGE, model_id="coco/3") == {"a": 1}
    method.assert_called_once_with(inference_input=IMAGE, model_id="coco/3")
