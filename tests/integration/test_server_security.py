"""The embedded server, attacked: from pages in a browser, without a key, with too much, too slowly."""

from __future__ import annotations

import base64
import gzip
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson
import pytest
import requests
from PIL import Image

from inference_sdk.local import Limits, LocalServer
from tests.integration.test_local_errors import png_header

KEY = "key-of-the-server"
ANSWER = {"predictions": []}
SMALL = Limits(
    body_bytes=100_000,
    json_values=2_000,
    json_depth=20,
    pixels=10_000,
    pixels_of_request=15_000,
    images=4,
    elements=10,
    steps=3,
    connections=8,
    header_seconds=1,
)


def png_base64(width: int, height: int) -> str:
    file = BytesIO()
    Image.new("RGB", (width, height)).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    with LocalServer(
        answers={"mine/1": ANSWER}, limits=SMALL, allow_origins=["https://app.example"]
    ) as running:
        yield running


@pytest.fixture(scope="module")
def locked() -> Iterator[LocalServer]:
    with LocalServer(answers={"mine/1": ANSWER}, api_key=KEY, limits=SMALL) as running:
        yield running


def picture(width: int = 8, height: int = 8) -> dict[str, str]:
    return {"type": "base64", "value": png_base64(width, height)}


def infer(server: LocalServer, headers: dict[str, str] | None = None, **body: Any) -> Any:
    payload = {"model_id": "mine/1", "image": picture(), **body}
    return requests.post(
        f"{server.url}/infer/object_detection",
        data=orjson.dumps(payload),
        headers={"Content-Type": "application/json", **(headers or {})},
        timeout=20,
    )


# -- pages ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:9001", 200),
        ("localhost", 200),
        ("LOCALHOST:1", 200),
        ("models.localhost", 200),
        ("[::1]:80", 200),
        ("192.168.1.7", 200),
        ("evil.example", 403),
        ("localhost.evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("evil.example:9001", 403),
        ("127.0.0.1@evil.example", 403),
        ("[::1", 403),
    ],
)
def test_a_name_that_leads_here_is_not_enough(host: str, status: int, server: LocalServer) -> None:
    response = requests.post(f"{server.url}/model/clear", headers={"Host": host}, timeout=20)
    assert response.status_code == status


def test_a_name_of_ones_own_can_be_allowed() -> None:
    with LocalServer(answers={"mine/1": ANSWER}, allow_hosts=["Camera.Example"]) as server:
        assert infer(server, {"Host": "camera.example"}).status_code == 200
        assert infer(server, {"Host": "other.example"}).status_code == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "https://app.example"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://[::1"}, 403),
        ({"Origin": "127.0.0.1"}, 403),
        ({"Origin": "https://app.example.evil.example"}, 403),
        ({"Origin": "http://app.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document"}, 403),
        ({"Origin": "https://app.example", "Content-Type": "text/plain"}, 415),
        ({"Sec-Fetch-Site": "same-origin", "Content-Type": "text/plain"}, 415),
        ({"Content-Type": "text/plain"}, 200),
    ],
)
def test_pages_of_others_may_not_ask(
    headers: dict[str, str], status: int, server: LocalServer
) -> None:
    assert infer(server, headers).status_code == status


def test_an_own_page_may_ask_and_a_link_may_be_followed(server: LocalServer) -> None:
    assert infer(server, {"Origin": server.url}).status_code == 200
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document"}
    assert requests.get(f"{server.url}/info", headers=link, timeout=20).status_code == 200


def test_what_browsers_ask_first_is_answered(locked: LocalServer, server: LocalServer) -> None:
    asks = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    allowed = requests.options(f"{server.url}/model/add", headers=asks, timeout=20)
    assert allowed.status_code == 204
    assert allowed.headers["Access-Control-Allow-Origin"] == "https://app.example"
    refused = requests.options(f"{locked.url}/model/add", headers=asks, timeout=20)
    assert refused.status_code == 403
    assert "Access-Control-Allow-Origin" not in refused.headers
    answered = infer(server, {"Origin": "https://app.example"})
    assert answered.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert "Origin" in answered.headers["Vary"]


@pytest.mark.parametrize("origin", ["app.example", "ftp://app.example", "https://a.example/page"])
def test_an_origin_that_is_none_is_told(origin: str) -> None:
    with pytest.raises(ValueError, match="no origin"):
        LocalServer(allow_origins=[origin]).start()


# -- the key -------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["", " ", "\n"])
def test_an_empty_key_does_not_start(key: str) -> None:
    with pytest.raises(ValueError, match="empty"):
        LocalServer(api_key=key).start()


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Authorization": f"Bearer {KEY}"}, {}, 200),
        ({"Authorization": f"bearer  {KEY}"}, {}, 200),
        ({}, {"api_key": KEY}, 200),
        ({}, {}, 401),
        ({}, {"api_key": KEY[:-1]}, 401),
        ({}, {"api_key": None}, 401),
        ({}, {"api_key": [KEY]}, 401),
        ({}, {"api_key": {"$ne": ""}}, 401),
        ({}, {"note": KEY}, 401),
        ({"Authorization": "Bearer wrong"}, {"api_key": KEY}, 401),
        ({"Authorization": f"Basic {KEY}"}, {}, 401),
        ({"Authorization": "Bearer \xff"}, {}, 401),
    ],
)
def test_only_the_key_opens(
    headers: dict[str, str], body: dict[str, Any], status: int, locked: LocalServer
) -> None:
    assert infer(locked, headers, **body).status_code == status


def test_a_key_in_escapes_is_the_key() -> None:
    with LocalServer(answers={"mine/1": ANSWER}, api_key='a"b\\é') as server:
        assert infer(server, api_key='a"b\\é').status_code == 200
        assert infer(server, api_key="a").status_code == 401


def test_a_wrong_key_is_refused_before_the_body_comes(locked: LocalServer) -> None:
    head = (
        b"POST /infer/object_detection?api_key=wrong HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Length: 90000\r\n\r\n"
    )
    assert b" 401 " in conversation(locked, head)


# -- too much ------------------------------------------------------------------------------------


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def png_that_claims(width: int, height: int) -> dict[str, str]:
    return {"type": "base64", "value": base64.b64encode(png_header(width, height)).decode()}


@pytest.mark.parametrize(
    ("body", "status", "limit"),
    [
        ({"more": [{}] * 2_100}, 413, "json_values"),
        ({"more": deep(30)}, 422, "json_depth"),
        ({"image": [picture()] * 5}, 413, "images"),
        ({"image": picture(101, 100)}, 413, "pixels"),
        ({"image": png_that_claims(8_000, 8_000)}, 413, "pixels"),
        ({"more": "x" * 100_000}, 413, "body_bytes"),
    ],
)
def test_too_much_is_refused_by_name(
    body: dict[str, Any], status: int, limit: str, server: LocalServer
) -> None:
    response = infer(server, **body)
    assert (response.status_code, limit in response.text) == (status, True), response.text


@pytest.mark.parametrize(
    ("packed", "status"),
    [
        (gzip.compress(b" " * 5_000_000), 413),
        (gzip.compress(b"{}")[:-4], 400),
        (b"no gzip at all", 400),
    ],
)
def test_packed_bodies(packed: bytes, status: int, server: LocalServer) -> None:
    response = requests.post(
        f"{server.url}/infer/object_detection",
        data=packed,
        headers={"Content-Type": "application/json", "Content-Encoding": "gzip"},
        timeout=20,
    )
    assert response.status_code == status


def test_a_body_may_come_packed(server: LocalServer) -> None:
    response = requests.post(
        f"{server.url}/infer/object_detection",
        data=gzip.compress(orjson.dumps({"model_id": "mine/1", "image": picture()})),
        headers={"Content-Type": "application/json", "Content-Encoding": "gzip"},
        timeout=20,
    )
    assert (response.status_code, response.json()["predictions"]) == (200, [])


def test_a_body_that_says_it_is_huge_is_refused_at_once(server: LocalServer) -> None:
    head = (
        b"POST /infer/object_detection HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Length: 100000000000\r\n\r\n"
    )
    assert b" 413 " in conversation(server, head)


def test_names_of_any_length_are_not_repeated(server: LocalServer) -> None:
    response = infer(server, model_id="coco/" + "3" * 60_000)
    assert response.status_code == 404
    assert len(response.content) < 1_000


def workflow(
    server: LocalServer, steps: list[dict[str, Any]], images: list[Any], timeout: float = 20
) -> Any:
    return requests.post(
        f"{server.url}/workflows/run",
        json={
            "specification": {
                "version": "1.0",
                "inputs": [{"type": "WorkflowImage", "name": "image"}],
                "steps": steps,
                "outputs": [],
            },
            "inputs": {"image": images},
        },
        timeout=timeout,
    )


def blur(name: str, **fields: Any) -> dict[str, Any]:
    kind = "roboflow_core/image_blur@v1"
    return {"type": kind, "name": name, "image": "$inputs.image", **fields}


@pytest.mark.parametrize(
    ("steps", "images", "status", "told"),
    [
        ([blur(f"b{n}") for n in range(4)], [picture()], 413, "steps"),
        ([blur("b")], [picture()] * 5, 413, "images"),
        ([blur("b")], [picture(100, 100)] * 2, 413, "pixels_of_request"),
        (
            [
                {
                    "type": "roboflow_core/image_slicer@v1",
                    "name": "slices",
                    "image": "$inputs.image",
                    "slice_width": 8,
                    "slice_height": 8,
                    "overlap_ratio_width": 0,
                    "overlap_ratio_height": 0,
                }
            ],
            [picture(80, 80)],
            413,
            "elements",
        ),
        ([blur("b", kernel_size=10**9)], [picture()], 400, "kernel_size"),
        ([blur("b")], [picture()], 200, ""),
    ],
)
def test_workflows_have_limits(
    steps: list[dict[str, Any]], images: list[Any], status: int, told: str, server: LocalServer
) -> None:
    response = workflow(server, steps, images)
    assert (response.status_code, told in response.text) == (status, True), response.text


def test_strokes_are_no_wider_than_the_picture() -> None:
    box = {"x": 4, "y": 4, "width": 4, "height": 4, "confidence": 1, "class": "a", "class_id": 0}
    with LocalServer(answers={"mine/1": {"predictions": [box]}}) as server:
        began = time.monotonic()
        answer = infer(
            server,
            visualize_predictions=True,
            visualization_stroke_width=1_000_000_000,
            image=picture(600, 400),
        )
        assert answer.status_code == 200
        assert time.monotonic() - began < 5


# -- too slowly, too many ------------------------------------------------------------------------


def conversation(server: LocalServer, sent: bytes) -> bytes:
    """All that comes until the server closes, or has answered."""
    address = server.url.rpartition("/")[2].split(":")
    with closing(socket.create_connection((address[0], int(address[1])), timeout=20)) as line:
        line.sendall(sent)
        return line.recv(65_536)


@pytest.mark.parametrize(
    "beginning", [b"", b"GET /info HTTP/1.1\r\nHost: lo", b"GET /info HTTP/1.1\r\n" * 2]
)
def test_headers_that_do_not_come_are_not_waited_for(beginning: bytes, server: LocalServer) -> None:
    assert conversation(server, beginning).split(b" ")[1] in (b"408", b"400")


def test_nor_are_those_of_the_next_request(server: LocalServer) -> None:
    address = server.url.rpartition("/")[2].split(":")
    with closing(socket.create_connection((address[0], int(address[1])), timeout=20)) as line:
        line.sendall(b"GET /info HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b" 200 " in line.recv(65_536)
        line.sendall(b"GET /info HTTP/1.1\r\n")
        assert b" 408 " in line.recv(65_536)


@pytest.mark.parametrize("key", [None, KEY])
def test_a_body_that_does_not_come_is_not_waited_for(
    key: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inference_sdk.local.gate.bodies.WATCH_SECONDS", 0.2)  # 10 otherwise
    head = (
        b"POST /infer/object_detection HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Length: 90000\r\n\r\n{"
    )
    with LocalServer(answers={"mine/1": ANSWER}, api_key=key) as server:
        assert b" 408 " in conversation(server, head)


def test_more_connections_than_there_is_room_for(locked: LocalServer) -> None:
    address = locked.url.rpartition("/")[2].split(":")
    where = (address[0], int(address[1]))
    lines = [socket.create_connection(where, timeout=20) for _ in range(SMALL.connections)]
    try:
        assert b" 503 " in conversation(locked, b"")
    finally:
        for line in lines:
            line.close()


def test_a_workflow_ends_when_nobody_waits_for_it() -> None:
    calls: list[float] = []

    def slow(_: Any) -> dict[str, Any]:
        calls.append(time.monotonic())
        time.sleep(0.2)
        return ANSWER

    models = [
        {
            "type": "roboflow_core/roboflow_object_detection_model@v2",
            "name": f"m{n}",
            "images": "$inputs.image",
            "model_id": "mine/1",
        }
        for n in range(160)
    ]
    # At its end the server waits for what its threads still do.
    with LocalServer(answers={"mine/1": slow}) as server:
        assert workflow(server, models[:1], [picture()]).status_code == 200
        calls.clear()
        with pytest.raises(requests.ReadTimeout):
            workflow(server, models, [picture()], timeout=0.5)
    assert 0 < len(calls) < 160


# -- files ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("served")
    content = base64.b64decode(png_base64(8, 8))
    inside = root / "pictures" / "sub"
    inside.mkdir(parents=True)
    (inside / "a.png").write_bytes(content)
    (root / "secret.png").write_bytes(content)
    (root / "pictures" / "link.png").symlink_to(root / "secret.png")
    return root


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("sub/a.png", 200),
        ("./sub/../sub/a.png", 200),
        ("../secret.png", 400),
        ("link.png", 400),
        ("sub", 400),
        ("no.png", 400),
        ("a\0b", 400),
        ("{root}/secret.png", 400),
        ("{root}/pictures/sub/a.png", 200),
    ],
)
def test_files_are_read_below_the_folder_alone(name: str, status: int, folder: Path) -> None:
    with LocalServer(
        answers={"mine/1": ANSWER}, allow_file_input=str(folder / "pictures")
    ) as server:
        image = {"type": "file", "value": name.replace("{root}", str(folder))}
        assert infer(server, image=image).status_code == status


def test_files_are_not_read_by_default(server: LocalServer, folder: Path) -> None:
    image = {"type": "file", "value": str(folder / "secret.png")}
    assert infer(server, image=image).status_code == 422


@pytest.mark.parametrize("field", ["body_bytes", "pixels", "connections"])
@pytest.mark.parametrize("value", [0, -1, 1.5, True, "3"])
def test_a_limit_is_a_whole_number(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=field):
        Limits(**{field: value})
