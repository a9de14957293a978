"""The legacy API: bare base64 to /project/version, everything else in the query."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pybase64
import pytest
import requests
from PIL import Image

from inference_sdk.local import LocalServer

EXAMPLES = Path(__file__).parents[2] / "examples"
ASTRONAUT = pybase64.b64encode((EXAMPLES / "astronaut.jpg").read_bytes()).decode()
COFFEE = pybase64.b64encode((EXAMPLES / "coffee.jpg").read_bytes()).decode()


@pytest.fixture
def post(inference_server: LocalServer):
    with requests.Session() as session:

        def post(path: str, body: bytes = ASTRONAUT, **query: Any) -> requests.Response:
            return session.post(
                inference_server.url + path,
                params={"api_key": "secret", **query},
                data=body,
                headers={"Content-Type": "application/json"},
                timeout=30,
            )

        yield post


@pytest.fixture
def classes(post: Any) -> Iterator[Any]:
    def classes(body: bytes, **query: Any) -> list[str]:
        response = post("/coco/3", body, **query)
        assert response.status_code == 200, response.text
        return [prediction["class"] for prediction in response.json()["predictions"]]

    return classes


def test_the_body_is_bare_base64(post: Any) -> None:
    answer = post("/coco/3").json()
    assert answer["image"] == {"width": 512, "height": 512}
    assert answer["predictions"][0]["class"] == "person"
    assert answer["inference_id"]


@pytest.mark.parametrize("way", ["form", "another field", "as it is", "text in a form"])
def test_the_body_is_a_file_as_curl_sends_it(way: str, inference_server: LocalServer) -> None:
    file = (EXAMPLES / "astronaut.jpg").read_bytes()
    given: dict[str, Any] = {
        "form": {"files": {"file": ("a.jpg", file)}},
        "another field": {"files": {"picture": ("a.jpg", file)}},
        "as it is": {
            "data": file,
            "headers": {"Content-Type": "application/x-www-form-urlencoded"},
        },
        "text in a form": {"files": {"file": (None, ASTRONAUT)}},
    }[way]
    response = requests.post(f"{inference_server.url}/coco/3", timeout=30, **given)
    assert response.status_code == 200, response.text
    assert response.json()["predictions"][0]["class"] == "person"


@pytest.mark.parametrize(
    ("body", "content_type", "place"),
    [
        (b"--x--\r\n", "multipart/form-data; boundary=x", "file"),
        (b"nothing of a form", "multipart/form-data; boundary=x", None),
        (b"nothing", "multipart/form-data", None),
    ],
)
def test_a_form_that_is_none_is_422(
    body: bytes, content_type: str, place: str | None, inference_server: LocalServer
) -> None:
    response = requests.post(
        f"{inference_server.url}/coco/3",
        data=body,
        headers={"Content-Type": content_type},
        timeout=30,
    )
    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == (["body", place] if place else ["body"])


def test_any_task(post: Any) -> None:
    assert post("/coco-pose-detection/1").json()["predictions"][0]["keypoints"]
    assert post("/coco-dataset-vdnr1/2").json()["predictions"][0]["points"]


def test_confidence_as_share_or_percentage(classes: Any) -> None:
    assert classes(ASTRONAUT, confidence=0.9) == classes(ASTRONAUT, confidence=90) == []
    assert classes(ASTRONAUT, confidence=0.5) == classes(ASTRONAUT, confidence=50) == ["person"]


def test_overlap(classes: Any) -> None:
    few = classes(ASTRONAUT, confidence=0.15, classes="person")
    many = classes(ASTRONAUT, confidence=0.15, classes="person", overlap=100)
    assert len(few) == 1 < len(many)


@pytest.mark.parametrize(
    "query", [{"classes": "cup,dog"}, {"class_filter": "cup, dog"}, {"classes": ["dog", "cup"]}]
)
def test_classes_as_commas_or_repeated(classes: Any, query: dict[str, Any]) -> None:
    assert classes(COFFEE, confidence=0.33, **query) == ["cup"]


def test_max_detections_and_class_agnostic_nms(classes: Any) -> None:
    assert len(classes(COFFEE, confidence=0.3)) == 2
    assert classes(COFFEE, confidence=0.3, max_detections=1) == ["cup"]
    assert classes(COFFEE, confidence=0.3, class_agnostic_nms="true") == ["cup"]


def test_keypoint_confidence(post: Any) -> None:
    answer = post("/coco-pose-detection/1", keypoint_confidence=0.5).json()
    assert len(answer["predictions"][0]["keypoints"]) < 17


def test_format_image_answers_with_a_picture(post: Any) -> None:
    response = post("/coco/3", format="image", labels="True", stroke=5)
    assert response.headers["Content-Type"] == "image/jpeg"
    assert Image.open(BytesIO(response.content)).size == (512, 512)
    plain = post("/coco/3", format="image")
    assert len(plain.content) != len(response.content)


def test_format_image_and_json(post: Any) -> None:
    answer = post("/coco/3", format="image_and_json").json()
    assert answer["predictions"]
    assert Image.open(BytesIO(pybase64.b64decode(answer["visualization"]))).size == (512, 512)
    assert "visualization" not in post("/coco/3", format="json").json()


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ({"confidence": "high"}, "confidence"),
        ({"overlap": "101"}, "overlap"),
        ({"format": "smoke"}, "format"),
        ({"stroke": "0"}, "stroke"),
    ],
)
def test_a_wrong_parameter_is_422_under_its_own_name(
    post: Any, query: dict[str, str], place: str
) -> None:
    response = post("/coco/3", **query)
    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["query", place]


def test_no_image_at_all_is_422(post: Any) -> None:
    response = post("/coco/3", b"")
    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["body"]


def test_unknown_models_are_404(post: Any) -> None:
    response = post("/foo/bar")
    assert response.status_code == 404
    assert "foo/bar" in response.json()["message"]


def test_an_image_by_url_in_the_query(post: Any, inference_server: LocalServer) -> None:
    response = post("/coco/3", b"", image=f"{inference_server.url}/info")
    assert response.status_code == 400
    assert "Could not load input image" in response.json()["message"]
