"""What the embedded server sees in real pictures, and how it heeds the parameters of v1."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pybase64
import pytest
import requests
from PIL import Image, ImageDraw, ImageFont

from inference_sdk.http import endpoints
from inference_sdk.local import LocalServer, ModelStore

EXAMPLES = Path(__file__).parents[2] / "examples"

DETECTION = "/infer/object_detection"
KEYPOINTS = "/infer/keypoints_detection"
SEGMENTATION = "/infer/instance_segmentation"
CLASSIFICATION = "/infer/classification"

OWN_ID = "coco-centernet-mobilenetv3/1"
"""What answers in the place of coco/3."""

MODELS = {DETECTION: "coco/3", KEYPOINTS: "coco-pose-detection/1", SEGMENTATION: "yolov8n-seg-640"}


def image(name: str) -> dict[str, str]:
    return base64_image((EXAMPLES / f"{name}.jpg").read_bytes())


def base64_image(content: bytes) -> dict[str, str]:
    return {"type": "base64", "value": pybase64.b64encode(content).decode()}


def decode_picture(text: str) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(pybase64.b64decode(text)))).astype(int)


class Client:
    def __init__(self, server: LocalServer) -> None:
        self.url = server.url
        self.session = requests.Session()

    def post(self, path: str, **body: Any) -> requests.Response:
        return self.session.post(f"{self.url}{path}", json=body, timeout=30)

    def infer(self, path: str, picture: Any = None, **parameters: Any) -> Any:
        picture = image("astronaut") if picture is None else picture
        body = {"model_id": MODELS.get(path), "api_key": None, "image": picture} | parameters
        response = self.post(path, **body)
        assert response.status_code == 200, response.text
        return response.json()

    def classes(self, path: str, picture: Any = None, **parameters: Any) -> list[str]:
        predictions = self.infer(path, picture, **parameters)["predictions"]
        return [prediction["class"] for prediction in predictions]


@pytest.fixture
def client(inference_server: LocalServer) -> Iterator[Client]:
    client = Client(inference_server)
    with client.session:
        yield client


def test_a_person_is_found_where_she_is(client: Client) -> None:
    answer = client.infer(DETECTION)
    assert answer["image"] == {"width": 512, "height": 512}
    assert answer["inference_id"]
    assert answer["frame_id"] is None
    assert 0 < answer["time"] < 30
    (person,) = answer["predictions"]
    assert (person["class"], person["class_id"]) == ("person", 0)
    assert person["confidence"] == pytest.approx(0.62, abs=0.03)
    assert person["x"] == pytest.approx(189, abs=15)
    assert person["y"] == pytest.approx(260, abs=15)
    assert person["width"] == pytest.approx(359, abs=25)
    assert person["height"] == pytest.approx(505, abs=25)


def test_a_cup_on_a_table(client: Client) -> None:
    answer = client.infer(DETECTION, image("coffee"), confidence=0.3)
    assert answer["image"] == {"width": 600, "height": 400}
    assert {p["class"] for p in answer["predictions"]} == {"cup", "dining table"}
    cup = answer["predictions"][0]
    assert cup["class"] == "cup"
    assert cup["confidence"] == pytest.approx(0.60, abs=0.03)
    assert client.classes(DETECTION, image("coffee")) == ["cup"]


def test_a_cat_is_no_dog(client: Client) -> None:
    (cat,) = client.infer(DETECTION, image("chelsea"))["predictions"]
    assert cat["class"] == "cat"
    assert cat["width"] > 300


@pytest.mark.parametrize(
    ("name", "expected"), [("astronaut", "person"), ("coffee", "cup"), ("chelsea", "cat")]
)
def test_what_a_picture_shows(client: Client, name: str, expected: str) -> None:
    answer = client.infer(CLASSIFICATION, image(name), model_id="resnet50")
    assert answer["top"] == answer["predictions"][0]["class"] == expected
    assert answer["confidence"] >= 0.4
    assert answer["model_id"] == "coco-centernet-classes/1"
    several = client.infer(
        CLASSIFICATION, image(name), model_id="coco-centernet-labels/1", confidence=0.3
    )
    assert expected in several["predicted_classes"]
    assert several["predictions"]["zebra"]["confidence"] < 0.2


def test_a_mask_as_runs(client: Client) -> None:
    (outlined,) = client.infer(SEGMENTATION)["predictions"]
    (person,) = client.infer(SEGMENTATION, response_mask_format="rle")["predictions"]
    assert person["mask_format"] == "rle"
    assert person["rle"]["size"] == [512, 512]
    assert isinstance(person["rle"]["counts"], str)
    assert "points" not in person
    assert person["x"] == outlined["x"]
    response = client.post(SEGMENTATION, model_id="yolov8n-seg-640", image=image("coffee"),
                           response_mask_format="smoke")  # fmt: skip
    assert response.status_code == 422


@pytest.fixture(scope="module")
def letter() -> dict[str, str]:
    picture = Image.new("RGB", (500, 160), "white")
    draw = ImageDraw.Draw(picture)
    draw.text((20, 10), "Hello inference", fill="black", font=ImageFont.load_default(48))
    draw.text((20, 90), "Invoice 12345", fill="black", font=ImageFont.load_default(40))
    return _encoded(picture, "PNG")


@pytest.mark.parametrize("path", list(endpoints.OCR_ENDPOINTS.values()))
def test_text_is_read(client: Client, path: str, letter: dict[str, str]) -> None:
    answer = client.infer(path, letter, generate_bounding_boxes=path == "/ocr/pp-ocr")
    assert answer["result"] == "Hello inference\nInvoice 12345"
    assert answer["model_id"] == "rapidocr-pp-ocr/1"
    if path != "/ocr/pp-ocr":
        assert "predictions" not in answer
        return
    first, second = answer["predictions"]
    assert (first["class"], second["class"]) == ("Hello inference", "Invoice 12345")
    assert answer["image"] == {"width": 500, "height": 160}
    assert first["y"] < 80 < second["y"]


def test_a_picture_without_text(client: Client) -> None:
    blank = _encoded(Image.new("RGB", (60, 60), "white"), "PNG")
    answer = client.infer("/doctr/ocr", blank, generate_bounding_boxes=True)
    assert (answer["result"], answer["predictions"]) == ("", [])


def test_keypoints_lie_where_they_belong(client: Client) -> None:
    (person,) = client.infer(KEYPOINTS)["predictions"]
    points = {point["class"]: point for point in person["keypoints"]}
    assert len(points) == 17
    assert [p["class_id"] for p in person["keypoints"]] == list(range(17))
    nose = points["nose"]
    assert nose["x"] == pytest.approx(222, abs=15)
    assert nose["y"] == pytest.approx(122, abs=15)
    assert nose["confidence"] > 0.5
    assert points["right_eye"]["x"] < nose["x"] < points["left_eye"]["x"]
    assert abs(nose["x"] - person["x"]) < person["width"] / 2


def test_nobody_is_in_a_picture_of_coffee(client: Client) -> None:
    assert client.infer(KEYPOINTS, image("coffee"))["predictions"] == []
    assert client.infer(SEGMENTATION, image("coffee"))["predictions"] == []


def test_the_outline_of_a_person(client: Client) -> None:
    (person,) = client.infer(SEGMENTATION)["predictions"]
    assert person["class"] == "person"
    assert person["mask_format"] == "polygon"
    outline = np.array([[point["x"], point["y"]] for point in person["points"]])
    left, top = outline.min(axis=0)
    right, bottom = outline.max(axis=0)
    assert person["x"] == pytest.approx((left + right) / 2, abs=0.1)
    assert person["height"] == pytest.approx(bottom - top, abs=0.1)
    assert (outline >= 0).all()
    assert (outline <= 512).all()
    from PIL import ImageDraw

    mask = Image.new("1", (512, 512))
    ImageDraw.Draw(mask).polygon([tuple(point) for point in outline], fill=1)
    face, suit, flag, rocket = (222, 110), (150, 350), (30, 100), (420, 150)
    assert [mask.getpixel(place) for place in (face, suit, flag, rocket)] == [1, 1, 0, 0]


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1)])
@pytest.mark.parametrize("path", [DETECTION, KEYPOINTS, SEGMENTATION])
def test_the_smallest_pictures_and_the_least_certain_boxes(
    client: Client, path: str, size: tuple[int, int]
) -> None:
    picture = _encoded(Image.new("RGB", size), "PNG")
    answer = client.infer(path, picture, confidence=0, iou_threshold=1)
    assert answer["image"] == {"width": size[0], "height": size[1]}
    for found in answer["predictions"]:
        assert 0 <= found["x"] - found["width"] / 2 <= found["x"] + found["width"] / 2 <= size[0]
        assert 0 <= found["y"] - found["height"] / 2 <= found["y"] + found["height"] / 2 <= size[1]


def test_confidence(client: Client) -> None:
    assert client.classes(DETECTION, confidence=0.9) == []
    assert len(client.classes(DETECTION, confidence=0.1)) > 1
    assert client.classes(KEYPOINTS, confidence=0.9) == []
    assert client.classes(SEGMENTATION, confidence=0.9) == []


def test_class_filter(client: Client) -> None:
    assert client.classes(DETECTION, class_filter=["dog"]) == []
    assert client.classes(DETECTION, class_filter=["dog", "person"]) == ["person"]
    assert client.classes(KEYPOINTS, class_filter=["dog"]) == []
    assert client.classes(SEGMENTATION, class_filter=["dog"]) == []


def test_iou_threshold(client: Client) -> None:
    few = client.classes(DETECTION, confidence=0.15, class_filter=["person"])
    many = client.classes(DETECTION, confidence=0.15, class_filter=["person"], iou_threshold=1)
    assert len(few) == 1 < len(many)


def test_max_detections(client: Client) -> None:
    assert client.classes(DETECTION, image("coffee"), confidence=0.3, max_detections=1) == ["cup"]


def test_class_agnostic_suppression(client: Client) -> None:
    both = client.classes(DETECTION, image("coffee"), confidence=0.3)
    one = client.classes(DETECTION, image("coffee"), confidence=0.3, class_agnostic_nms=True)
    assert len(both) == 2
    assert one == ["cup"]


def test_keypoint_confidence(client: Client) -> None:
    (person,) = client.infer(KEYPOINTS, keypoint_confidence=0.5)["predictions"]
    assert 0 < len(person["keypoints"]) < 17
    assert all(point["confidence"] >= 0.5 for point in person["keypoints"])


@pytest.mark.parametrize("path", [DETECTION, KEYPOINTS, SEGMENTATION])
def test_a_visualization_comes_only_when_asked(client: Client, path: str) -> None:
    assert "visualization" not in client.infer(path)
    seen = decode_picture(client.infer(path, visualize_predictions=True)["visualization"])
    original = np.asarray(Image.open(EXAMPLES / "astronaut.jpg")).astype(int)
    changed = np.abs(seen - original).max(axis=2) > 80
    assert seen.shape == original.shape
    assert 0.002 < changed.mean() < 0.1


def test_visualization_labels_and_stroke_width(client: Client) -> None:
    def drawn(**parameters: Any) -> np.ndarray:
        answer = client.infer(DETECTION, visualize_predictions=True, **parameters)
        return decode_picture(answer["visualization"])

    def difference(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        return np.abs(first - second).max(axis=2) > 80

    plain = drawn()
    labelled = difference(plain, drawn(visualization_labels=True))
    assert labelled[:40, :150].any()
    assert not labelled[100:, 200:].any()
    assert difference(plain, drawn(visualization_stroke_width=8)).sum() > 2000


def test_a_batch_is_answered_in_order(client: Client) -> None:
    names = ["coffee", "astronaut", "chelsea"] * 4
    answers = client.infer(DETECTION, [image(name) for name in names])
    widths = {"coffee": 600, "astronaut": 512, "chelsea": 451}
    assert [answer["image"]["width"] for answer in answers] == [widths[name] for name in names]
    assert len({answer["inference_id"] for answer in answers}) == len(names)


def test_a_batch_of_one_is_a_list_and_of_none_an_empty_one(client: Client) -> None:
    assert len(client.infer(DETECTION, [image("coffee")])) == 1
    assert client.infer(DETECTION, []) == []


@pytest.fixture
def picture_url() -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(EXAMPLES))
    ) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(10)


@pytest.fixture(scope="module")
def fetching() -> Iterator[Client]:
    with LocalServer(allow_url_input=True) as server:
        yield Client(server)


def test_an_image_by_url(
    fetching: Client, picture_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALLOW_URL_TO_NON_GLOBAL_ADDRESSES", "true")
    by_url = {"type": "url", "value": f"{picture_url}/astronaut.jpg"}
    assert fetching.classes(DETECTION, by_url) == ["person"]
    answers = fetching.infer(DETECTION, [image("coffee"), by_url])
    assert [answer["predictions"][0]["class"] for answer in answers] == ["cup", "person"]


@pytest.mark.parametrize("name", ["astronaut.jpg", "missing.jpg"])
def test_a_url_that_leads_inside_is_not_followed(
    fetching: Client, picture_url: str, name: str
) -> None:
    by_url = {"type": "url", "value": f"{picture_url}/{name}"}
    response = fetching.post(DETECTION, model_id="coco/3", image=by_url)
    assert response.status_code == 400
    assert "not an address of the public internet" in response.json()["message"]


def test_no_url_is_fetched_unless_that_is_said(client: Client, picture_url: str) -> None:
    by_url = {"type": "url", "value": f"{picture_url}/astronaut.jpg"}
    response = client.post(DETECTION, model_id="coco/3", image=by_url)
    assert response.status_code == 400
    assert "--allow-url-input" in response.json()["message"]


def _encoded(picture: Image.Image, file_format: str, **options: Any) -> dict[str, str]:
    buffer = BytesIO()
    picture.save(buffer, file_format, **options)
    return base64_image(buffer.getvalue())


def test_grey_and_transparent_pictures_are_seen(client: Client) -> None:
    astronaut = Image.open(EXAMPLES / "astronaut.jpg")
    assert client.classes(DETECTION, _encoded(astronaut.convert("L"), "PNG")) == ["person"]
    assert client.classes(DETECTION, _encoded(astronaut.convert("RGBA"), "PNG")) == ["person"]


def test_pictures_are_turned_upright(client: Client) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned clockwise by a quarter
    turned = Image.open(EXAMPLES / "coffee.jpg").transpose(Image.Transpose.ROTATE_90)
    answer = client.infer(DETECTION, _encoded(turned, "JPEG", exif=exif, quality=95))
    assert answer["image"] == {"width": 600, "height": 400}


def test_a_data_uri_is_base64_too(client: Client) -> None:
    value = "data:image/jpeg;base64," + image("astronaut")["value"]
    assert client.classes(DETECTION, {"type": "base64", "value": value}) == ["person"]


def test_headers_tell_time_models_and_cold_starts() -> None:
    with LocalServer() as server:
        client = Client(server)
        with client.session:
            body = {"model_id": "yolov8n-640", "image": image("coffee")}
            first, second = client.post(DETECTION, **body), client.post(DETECTION, **body)
            info = client.session.get(f"{server.url}/info", timeout=10)
    assert float(first.headers["X-Processing-Time"]) > 0
    assert float(second.headers["X-Processing-Time"]) > 0
    assert first.headers["X-Model-Id"] == second.headers["X-Model-Id"] == OWN_ID
    assert first.headers["X-Model-Cold-Start"] == "true"
    assert first.headers["X-Model-Cold-Start-Count"] == "1"
    assert float(first.headers["X-Model-Load-Time"]) > 0
    ((detail),) = requests.models.complexjson.loads(first.headers["X-Model-Load-Details"])
    assert detail["m"] == OWN_ID
    assert "X-Model-Cold-Start" not in second.headers
    assert "X-Model-Id" not in info.headers


class Brightness:
    def __init__(self, model_id: str) -> None:
        self.description = {"model_id": model_id, "task_type": "classification"}

    def infer(self, image: np.ndarray, parameters: Any) -> dict[str, Any]:
        top = "light" if image.mean() > parameters.further.get("limit", 128) else "dark"
        predictions = [{"class": top, "class_id": 0, "confidence": np.float32(1)}]
        return {"top": top, "predictions": predictions}


def test_models_of_ones_own() -> None:
    models = ModelStore()
    models.register("mine/1", Brightness)
    models.register("doctr/default", Brightness)
    models.register("depth-anything-v3/small", Brightness)
    with LocalServer(models=models) as server:
        client = Client(server)
        with client.session:
            own = {"model_id": "mine/1", "visualize_predictions": True}
            answer = client.infer("/infer/classification", **own)
            assert (answer["top"], answer["predictions"][0]["confidence"]) == ("dark", 1.0)
            assert client.infer("/infer/classification", limit=3, **own)["top"] == "light"
            assert client.infer("/doctr/ocr")["top"] == "dark"
            assert client.infer("/infer/depth-estimation")["top"] == "dark"
            assert client.infer("/infer/lmm/mine/1")["top"] == "dark"
            assert client.post(DETECTION, model_id="mine/1", image=1).status_code == 400
