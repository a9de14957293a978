"""Wrong input, and the status and words it gets: those of a Roboflow server."""

from __future__ import annotations

import logging
import re
import socket
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import pybase64
import pytest
import requests

from inference_sdk.http import endpoints
from inference_sdk.local import LocalServer, ModelStore
from inference_sdk.local.tasks import NOT_SERVED, TASKS

DETECTION = endpoints.OBJECT_DETECTION


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


@pytest.fixture
def post(inference_server: LocalServer, session: requests.Session):
    def post(path: str, **kwargs: Any) -> tuple[int, Any]:
        response = session.post(inference_server.url + path, timeout=30, **kwargs)
        assert response.headers["Content-Type"].startswith("application/json")
        return response.status_code, response.json()

    return post


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and has no pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("body", "kind", "place"),
    [
        (b"", "missing", ["body"]),
        (b"{", "json_invalid", ["body", 1]),
        (b"<html>", "json_invalid", ["body", 0]),
        (b"[]", "dict_type", ["body"]),
        (b"null", "dict_type", ["body"]),
        (b"{}", "missing", ["body", "model_id"]),
        (b'{"model_id": null}', "missing", ["body", "model_id"]),
        (b'{"model_id": 3}', "string_type", ["body", "model_id"]),
        (b'{"model_id": "coco/3"}', "missing", ["body", "image"]),
        (b'{"model_id": "coco/3", "image": "abc"}', "dict_type", ["body", "image"]),
        (b'{"model_id": "coco/3", "image": {"value": ""}}', "missing", ["body", "image", "type"]),
        (
            b'{"model_id": "coco/3", "image": {"type": "base64"}}',
            "missing",
            ["body", "image", "value"],
        ),
        (
            b'{"model_id": "coco/3", "image": {"type": "base64", "value": 3}}',
            "string_type",
            ["body", "image", "value"],
        ),
        (
            b'{"model_id": "coco/3", "image": {"type": "smoke", "value": ""}}',
            "enum",
            ["body", "image", "type"],
        ),
        (
            b'{"model_id": "coco/3", "image": [{"type": "base64"}]}',
            "missing",
            ["body", "image", 0, "value"],
        ),
        (
            b'{"model_id": "coco/3", "confidence": "x", "image": {}}',
            "float_parsing",
            ["body", "confidence"],
        ),
    ],
)
def test_a_body_that_is_wrong_is_422_and_says_where(
    post: Any, body: bytes, kind: str, place: list[Any]
) -> None:
    status, answer = post(DETECTION, data=body, headers={"Content-Type": "application/json"})
    assert status == 422
    (detail,) = answer["detail"]
    assert (detail["type"], detail["loc"]) == (kind, place)
    assert detail["msg"]
    assert "input" in detail


@pytest.mark.parametrize("action", ["add", "remove"])
def test_registry_calls_need_a_model_id(post: Any, action: str) -> None:
    for body, kind in (({}, "missing"), ({"model_id": []}, "string_type")):
        status, answer = post(f"/model/{action}", json=body)
        assert (status, answer["detail"][0]["type"]) == (422, kind)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "not base64!",
        pybase64.b64encode(b"GIF89a but no more").decode(),
        pybase64.b64encode(b"\xff\xd8\xff\xe0 cut short").decode(),
        pybase64.b64encode(png_header(16, 16)).decode(),
        pytest.param(pybase64.b64encode(png_header(60000, 60000)).decode(), id="bomb"),
    ],
)
def test_an_image_that_will_not_decode_is_400(post: Any, value: str) -> None:
    image = {"type": "base64", "value": value}
    for body in (image, [image, image]):
        status, answer = post(DETECTION, json={"model_id": "coco/3", "image": body})
        assert status == 400
        assert answer["message"].startswith("Could not load input image. Cause: ")
    if value:
        status, answer = post("/coco/3", data=value)
        assert (status, answer["message"][:27]) == (400, "Could not load input image.")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/x.jpg", "nonsense", "file:///etc/passwd", "http://[::1/x"]
)
def test_an_image_url_that_cannot_be_fetched_is_400(post: Any, url: str) -> None:
    image = {"type": "url", "value": url}
    status, answer = post(DETECTION, json={"model_id": "coco/3", "image": image})
    assert status == 400
    assert "Could not load input image" in answer["message"]


@pytest.mark.parametrize("model_id", ["foo/1", "yolov99", "../etc", "coco/3/../../x"])
def test_an_unknown_model_is_404_and_says_which_there_are(post: Any, model_id: str) -> None:
    image = {"type": "base64", "value": ""}
    for path in (DETECTION, "/model/add"):
        status, answer = post(path, json={"model_id": model_id, "image": image})
        assert status == 404
        assert model_id in answer["message"]
        assert "coco/3" in answer["message"]


def test_a_model_at_the_endpoint_of_another_task_is_400(post: Any) -> None:
    body = {"model_id": "coco/3", "image": {"type": "base64", "value": ""}}
    status, answer = post(endpoints.KEYPOINTS_DETECTION, json=body)
    assert status == 400
    assert "object-detection" in answer["message"]
    assert "a keypoint detection model" in answer["message"]


def _unserved() -> list[str]:
    return [task.path for task in TASKS if not task.packaged and not task.extra] + list(NOT_SERVED)


@pytest.mark.parametrize("path", _unserved())
def test_what_there_is_no_model_for_is_501_and_says_what_to_do(post: Any, path: str) -> None:
    body = {"model_id": "some/1", "image": {"type": "base64", "value": ""}}
    status, answer = post(re.sub("{.*}", "1", path), json=body)
    assert status == 501
    assert answer["message"].startswith("This server has no ")
    assert "Roboflow server" in answer["message"]
    if path not in NOT_SERVED:
        assert "ModelStore.register(" in answer["message"]


def test_without_the_extra_there_is_no_ocr(post: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inference_sdk.local.models.catalogue.find_spec", lambda _: None)
    status, answer = post("/doctr/ocr", json={"image": {"type": "base64", "value": ""}})
    assert status == 501
    assert "pip install 'inference-sdk[local-ocr]'" in answer["message"]


def test_every_endpoint_of_an_image_is_known() -> None:
    """A path that the client sends to must not end as "unknown model" of v0."""
    served = {task.path for task in TASKS} | set(NOT_SERVED)
    names = ("CLIP", "SAM", "PERCEPTION", "LMM", "DEPTH", "GAZE", "YOLO", "EMBED", "CLASSIF")
    for name, path in vars(endpoints).items():
        if name.startswith(names) or "DETECTION" in name or "SEGMENT" in name:
            assert path in served, name


@pytest.mark.parametrize("path", ["/a", "/a/b/c/d", "/infer/unheard/of/it"])
def test_no_such_route_is_404(post: Any, path: str) -> None:
    assert post(path) == (404, {"detail": "Not Found"})


def test_a_wrong_method_is_405(inference_server: LocalServer, session: requests.Session) -> None:
    for method, path in (("GET", DETECTION), ("PUT", "/info"), ("POST", "/info")):
        response = session.request(method, inference_server.url + path, timeout=10)
        assert response.status_code == 405
        assert response.json() == {"detail": "Method Not Allowed"}
        assert response.headers["Allow"]


class Broken:
    description = {"model_id": "mine/1", "task_type": "object-detection"}

    def __init__(self, model_id: str) -> None:
        pass

    def infer(self, image: Any, parameters: Any) -> dict[str, Any]:
        raise ZeroDivisionError("a secret of the machine room")


def test_a_fault_inside_is_500_without_its_story(
    session: requests.Session, caplog: pytest.LogCaptureFixture
) -> None:
    models = ModelStore()
    models.register("mine/1", Broken)
    pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
    body = {"model_id": "mine/1", "image": {"type": "base64", "value": pixel}}
    with LocalServer(models=models) as server, caplog.at_level(logging.ERROR):
        response = session.post(server.url + DETECTION, json=body, timeout=10)
    assert response.status_code == 500
    assert response.json() == {"message": "Internal error."}
    assert "ZeroDivisionError" in caplog.text


def test_a_client_that_goes_away_does_no_harm(inference_server: LocalServer, post: Any) -> None:
    host, port = inference_server.url.removeprefix("http://").split(":")
    for sent in (
        b"",
        b"POST /infer/object_detection HTTP/1.1\r\nContent-Length: 50\r\n\r\n{",
        b"\0",
    ):
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(sent)
    assert post("/foo/bar")[0] == 404
