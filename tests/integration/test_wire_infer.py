"""`infer` against both APIs: identity, parameters, pictures out and in, coordinates scaled back."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiohttp import web
from PIL import Image

from inference_sdk import InferenceConfiguration, InferenceHTTPClient, VisualisationResponseFormat
from inference_sdk.http.errors import (
    APIKeyNotProvided,
    HTTPClientError,
    InvalidInputFormatError,
    InvalidModelIdentifier,
    InvalidServerResponseError,
    ModelNotInitializedError,
    ModelNotSelectedError,
    ModelTaskTypeNotSupportedError,
    WrongClientModeError,
)
from tests.callers import both_ways
from tests.recording_server import Recorded, RecordingServer
from tests.unit.test_entities import KINDS, VALUES
from tests.wire_calls import IMAGE, KEY, client_for, knows

COFFEE = Path(__file__).parents[2] / "examples" / "coffee.jpg"
COFFEE_SIZE = (600, 400)
"""Width and height."""

TASKS = {
    "object-detection": ("/infer/object_detection", "detection"),
    "instance-segmentation": ("/infer/instance_segmentation", "segmentation"),
    "classification": ("/infer/classification", "classification"),
    "keypoint-detection": ("/infer/keypoints_detection", "keypoints"),
}
DETECTION = "/infer/object_detection"

NUMPY = VisualisationResponseFormat.NUMPY
PILLOW = VisualisationResponseFormat.PILLOW
BASE64 = VisualisationResponseFormat.BASE64


def know_detector(server: RecordingServer, **described: Any) -> None:
    model = {"model_id": "coco/3", "task_type": "object-detection", **described}
    server.answer("/model/registry", {"models": [model]})


def pictures_sent(recorded: Recorded) -> list[Image.Image]:
    image = recorded.json["image"]
    images = image if isinstance(image, list) else [image]
    return [decoded(image["value"]) for image in images]


def decoded(text: str | bytes) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(text)))


def encoded(picture: Image.Image, kind: str = "png") -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return buffer.getvalue()


# -- API v0 ------------------------------------------------------------------------------------


@both_ways
@pytest.mark.parametrize("method", ["infer", "infer_from_api_v0"])
def test_v0_sends_the_bare_picture_to_project_and_version(server, call, method):
    server.answer("/coco/3", {"predictions": []})
    result = call(client_for(server, "v0"), method, IMAGE, model_id="yolov8n-640")
    assert result == {"predictions": []}
    [sent] = server.requests
    assert (sent.method, sent.path) == ("POST", "/coco/3")
    assert sent.body == IMAGE.encode()
    assert sent.headers["Content-Type"] == "application/json"
    assert sent.query == {
        "allow_reduced_mask_resolution": ["False"],
        "api_key": [KEY],
        "disable_active_learning": ["False"],
    }


@both_ways
def test_v0_parameters_are_text_in_the_query(server, call):
    call(client_for(server, "v0", **VALUES), "infer", IMAGE, model_id="coco/3")
    legacy = InferenceConfiguration(**VALUES).to_legacy_call_parameters()
    expected = {name: [str(value)] for name, value in legacy.items()}
    assert server.last.query == {"api_key": [KEY], **expected}
    assert server.last.query["countinference"] == ["True"]
    assert server.last.query["confidence"] == ["0.5"]


@both_ways
def test_a_list_in_the_query_is_repeated(server, call):
    client = client_for(server, "v0", source=["camera", "hall"])
    call(client, "infer", IMAGE, model_id="coco/3")
    assert server.last.query["source"] == ["camera", "hall"]


@both_ways
def test_v0_sends_one_picture_a_request_whatever_the_batch_size(server, call):
    server.default = lambda sent: web.json_response({"of": sent.body.decode()})
    client = client_for(server, "v0", max_batch_size=8)
    images = ["R0lGODlhYQ==", "R0lGODlhYWFh", "R0lGODlhYWFhYWE="]
    assert call(client, "infer", images, model_id="coco/3") == [{"of": image} for image in images]
    assert sorted(request.body.decode() for request in server.requests) == images


V0_MISTAKES = [
    ({"key": None}, None, ModelNotSelectedError),
    ({"key": None}, "coco/3", APIKeyNotProvided),
    ({"key": None}, "no-version", APIKeyNotProvided),
    ({}, None, ModelNotSelectedError),
    ({}, "no-version", InvalidModelIdentifier),
    ({}, "a/b/c", InvalidModelIdentifier),
    ({}, "a/", InvalidModelIdentifier),
    ({}, "/b", InvalidModelIdentifier),
]


@both_ways
@pytest.mark.parametrize("method", ["infer", "infer_on_video"])
@pytest.mark.parametrize(("settings", "model_id", "error"), V0_MISTAKES)
def test_v0_checks_model_then_key_then_id_before_sending(
    server, call, method, settings, model_id, error
):
    with pytest.raises(error):
        call(client_for(server, "v0", **settings), method, IMAGE, model_id=model_id)
    assert server.requests == []


@both_ways
@pytest.mark.parametrize("count", [1, 2])
def test_a_jpeg_answer_is_a_visualization_in_the_configured_format(server, call, count):
    jpeg = encoded(Image.new("RGB", (8, 4), (250, 10, 10)), "jpeg")
    server.default = lambda _: web.Response(body=jpeg, content_type="image/jpeg")
    images = [IMAGE] * count if count > 1 else IMAGE

    def pictures(format: VisualisationResponseFormat) -> list[Any]:
        client = client_for(server, "v0", output_visualisation_format=format)
        result = call(client, "infer", images, model_id="coco/3")
        results = result if count > 1 else [result]
        assert all(set(result) == {"visualization"} for result in results)
        return [result["visualization"] for result in results]

    assert pictures(BASE64) == [base64.b64encode(jpeg).decode()] * count
    for array in pictures(NUMPY):
        assert array.shape == (4, 8, 3)
        assert array.dtype == np.uint8
        assert array[0, 0, 2] > 200 > array[0, 0, 0]  # red, in BGR order
    for picture in pictures(PILLOW):
        assert isinstance(picture, Image.Image)
        assert picture.size == (8, 4)


# -- API v1 ------------------------------------------------------------------------------------


@both_ways
@pytest.mark.parametrize("task", TASKS)
def test_v1_parameters_are_those_of_the_task(server, call, task):
    path, kind = TASKS[task]
    server.answer("/model/registry", knows(task)["/model/registry"])
    call(client_for(server, "v1", **VALUES), "infer", IMAGE, model_id="coco/3")
    parameters = getattr(InferenceConfiguration(**VALUES), KINDS[kind])()
    assert server.last.path == path
    assert server.last.json == {
        "api_key": KEY,
        "model_id": "coco/3",
        "image": {"type": "base64", "value": IMAGE},
        **parameters,
    }


@both_ways
@pytest.mark.parametrize("word", ["best", "default"])
def test_a_threshold_may_be_a_word(server, call, word):
    know_detector(server)
    client = client_for(server, "v1", confidence_threshold=word)
    call(client, "infer", IMAGE, model_id="coco/3")
    assert server.last.json["confidence"] == word


@both_ways
def test_v1_needs_a_model_before_anything_is_sent(server, call):
    with pytest.raises(ModelNotSelectedError):
        call(client_for(server, "v1"), "infer", IMAGE)
    assert server.requests == []


@both_ways
@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("infer_from_api_v1", {"inference_input": IMAGE, "model_id": "coco/3"}),
        ("infer_from_api_v1", {"inference_input": IMAGE}),
        ("infer_on_video_from_api_v1", {"video_reference": "https://a.test/b", "model_id": "a/1"}),
        ("list_loaded_models", {}),
        ("load_model", {"model_id": "coco/3"}),
        ("unload_model", {"model_id": "coco/3"}),
        ("unload_all_models", {}),
        ("get_model_description", {"model_id": "coco/3"}),
        ("detect_gazes", {"inference_input": IMAGE}),
    ],
)
def test_calls_of_v1_are_refused_in_v0_before_anything_is_sent(server, call, method, arguments):
    with pytest.raises(WrongClientModeError, match="select_api_v1"):
        call(client_for(server, "v0"), method, **arguments)
    assert server.requests == []


@both_ways
def test_the_selected_model_is_used_and_a_named_one_goes_first(server, call):
    client = client_for(server, "v0").select_model("coco/3")
    call(client, "infer", IMAGE)
    call(client, "infer", IMAGE, model_id="other/1")
    assert [request.path for request in server.requests] == ["/coco/3", "/other/1"]


# -- the registry ------------------------------------------------------------------------------


@both_ways
def test_a_model_that_is_missing_is_loaded_and_looked_up_again(server, call):
    server.answer("/model/registry", {"models": []})
    server.answer("/model/add", knows("object-detection")["/model/registry"])
    call(client_for(server, "v1"), "infer", IMAGE, model_id="yolov8n-640")
    assert [request.path for request in server.requests] == [
        "/model/registry",
        "/model/add",
        DETECTION,
    ]
    assert server.requests[1].json == {"api_key": KEY, "model_id": "coco/3"}


@both_ways
def test_a_model_that_the_server_cannot_load_is_an_error(server, call):
    server.answer("/model/registry", {"models": []})
    server.answer("/model/add", {"models": []})
    with pytest.raises(ModelNotInitializedError, match="'coco/3'"):
        call(client_for(server, "v1"), "infer", IMAGE, model_id="coco/3")
    assert [request.path for request in server.requests][:2] == ["/model/registry", "/model/add"]
    assert DETECTION not in [request.path for request in server.requests]


@both_ways
def test_a_description_may_be_asked_for_without_loading(server, call):
    server.answer("/model/registry", {"models": []})
    client = client_for(server, "v1")
    with pytest.raises(ModelNotInitializedError, match="load_model"):
        call(client, "get_model_description", "coco/3", allow_loading=False)
    assert [request.path for request in server.requests] == ["/model/registry"]


@both_ways
def test_a_model_of_another_task_is_refused(server, call):
    server.answer("/model/registry", knows("object-tracking")["/model/registry"])
    with pytest.raises(ModelTaskTypeNotSupportedError, match="object-tracking"):
        call(client_for(server, "v1"), "infer", IMAGE, model_id="coco/3")
    assert len(server.requests) == 1


@both_ways
@pytest.mark.parametrize(
    ("selected", "unloaded", "left"),
    [
        ("coco/3", "coco/3", None),
        ("yolov8n-640", "coco/3", None),
        ("coco/3", "yolov8n-640", None),
        ("other/1", "coco/3", "other/1"),
        (None, "coco/3", None),
    ],
)
def test_unloading_forgets_the_selected_model_by_alias_or_id(
    server, call, selected, unloaded, left
):
    server.default = {"models": []}
    client = client_for(server, "v1")
    if selected:
        client.select_model(selected)
    call(client, "unload_model", unloaded)
    assert client.selected_model == left


@both_ways
def test_unloading_all_forgets_the_selected_model(server, call):
    server.default = {"models": []}
    client = client_for(server, "v1").select_model("other/1")
    call(client, "unload_all_models")
    assert client.selected_model is None


@both_ways
@pytest.mark.parametrize("set_as_default", [True, False])
def test_loading_selects_the_model_when_asked(server, call, set_as_default):
    server.default = {"models": []}
    client = client_for(server, "v1")
    call(client, "load_model", "yolov8n-640", set_as_default=set_as_default)
    assert client.selected_model == ("coco/3" if set_as_default else None)


@both_ways
def test_a_model_that_fails_to_load_or_unload_changes_no_selection(server, call):
    server.default = lambda _: web.json_response({"message": "no"}, status=500)
    client = client_for(server, "v1").select_model("coco/3")
    for method in ("load_model", "unload_model"):
        with pytest.raises(HTTPClientError):
            call(client, method, "coco/3")
    assert client.selected_model == "coco/3"


# -- pictures in -------------------------------------------------------------------------------


@both_ways
@pytest.mark.parametrize("reference", [str(COFFEE), COFFEE, COFFEE.read_bytes()], ids=type)
def test_a_file_travels_as_it_is(server, call, reference):
    call(client_for(server, "v0"), "infer", reference, model_id="coco/3")
    assert base64.b64decode(server.last.body) == COFFEE.read_bytes()


@both_ways
@pytest.mark.parametrize("kind", ["numpy", "pillow"])
def test_pixels_travel_as_jpeg_in_their_own_colours(server, call, kind):
    picture = Image.new("RGB", (40, 30), (250, 120, 10))
    reference = picture if kind == "pillow" else np.asarray(picture)[:, :, ::-1]
    call(client_for(server, "v0"), "infer", reference, model_id="coco/3")
    sent = decoded(server.last.body)
    assert sent.format == "JPEG"
    assert sent.size == (40, 30)
    assert np.allclose(np.asarray(sent)[0, 0], (250, 120, 10), atol=4)


@both_ways
def test_lossless_encoding_may_be_chosen(server, call):
    pixels = np.random.default_rng(0).integers(0, 255, (12, 9, 3), np.uint8)
    client = client_for(server, "v0", image_encoding="png")
    call(client, "infer", pixels, model_id="coco/3")
    assert np.array_equal(np.asarray(decoded(server.last.body))[:, :, ::-1], pixels)


@both_ways
@pytest.mark.parametrize("reference", [7, None, {"type": "base64"}, object()])
def test_what_is_no_picture_is_refused_by_the_name_of_its_type(server, call, reference):
    with pytest.raises(InvalidInputFormatError, match=type(reference).__name__):
        call(client_for(server, "v0"), "infer", reference, model_id="coco/3")
    assert server.requests == []


# -- downsizing and scaling back ---------------------------------------------------------------

BOX = {"x": 100.0, "y": 50.0, "width": 20.0, "height": 10.0, "confidence": 0.5, "class": "cup"}
POINTS = [{"x": 90.0, "y": 45.0}, {"x": 110.0, "y": 55.0}]
NAMED_POINTS = [{"x": 90.0, "y": 45.0, "confidence": 0.9, "class": "handle"}]
BOX_DOUBLED = {**BOX, "x": 200.0, "y": 100.0, "width": 40.0, "height": 20.0}
POINTS_DOUBLED = [{"x": 180.0, "y": 90.0}, {"x": 220.0, "y": 110.0}]
NAMED_DOUBLED = [{"x": 180.0, "y": 90.0, "confidence": 0.9, "class": "handle"}]

HALF = {"width": 300, "height": 200}
WHOLE = {"width": 600, "height": 400}

SCALED = {
    "object-detection": (BOX, BOX_DOUBLED),
    "instance-segmentation": (
        {**BOX, "points": POINTS},
        {**BOX_DOUBLED, "points": POINTS_DOUBLED},
    ),
    "keypoint-detection": (
        {**BOX, "keypoints": NAMED_POINTS},
        {**BOX_DOUBLED, "keypoints": NAMED_DOUBLED},
    ),
    "classification": (
        {"class": "cup", "confidence": 0.9},
        {"class": "cup", "confidence": 0.9},
    ),
}


@both_ways
@pytest.mark.parametrize("task", TASKS)
def test_pictures_are_downsized_to_the_models_input_and_answers_scaled_back(server, call, task):
    given, expected = SCALED[task]
    server.answer(TASKS[task][0], {"image": HALF, "predictions": [given, given]})
    know_detector(server, task_type=task, input_height=200, input_width=320)
    client = client_for(server, "v1", client_downsizing_disabled=False)
    result = call(client, "infer", str(COFFEE), model_id="coco/3")
    [sent] = pictures_sent(server.last)
    assert sent.size == (300, 200)
    assert result == {"image": WHOLE, "predictions": [expected, expected]}


@both_ways
def test_each_picture_has_its_own_factor(server, call):
    know_detector(server, input_height=200, input_width=300)
    small = Image.new("RGB", (150, 100))
    server.answer(DETECTION, [{"image": HALF, "predictions": [BOX]}] * 2)
    client = client_for(server, "v1", client_downsizing_disabled=False, max_batch_size=2)
    results = call(client, "infer", [str(COFFEE), small], model_id="coco/3")
    assert [sent.size for sent in pictures_sent(server.last)] == [(300, 200), (150, 100)]
    assert results[0]["predictions"] == [BOX_DOUBLED]
    assert results[1] == {"image": HALF, "predictions": [BOX]}


@both_ways
@pytest.mark.parametrize("mode", ["v0", "v1"])
@pytest.mark.parametrize(
    "described", [{}, {"input_height": 100}, {"input_width": 100, "input_height": None}]
)
def test_the_default_limit_counts_where_the_models_input_is_not_known(
    server, call, mode, described
):
    know_detector(server, **described)
    client = client_for(server, mode, client_downsizing_disabled=False, default_max_input_size=300)
    call(client, "infer", str(COFFEE), model_id="coco/3")
    sent = decoded(server.last.body) if mode == "v0" else pictures_sent(server.last)[0]
    assert sent.size == (300, 200)


@both_ways
def test_v0_answers_are_scaled_back_too(server, call):
    server.answer("/coco/3", {"image": HALF, "predictions": [BOX]})
    client = client_for(server, "v0", client_downsizing_disabled=False, default_max_input_size=300)
    result = call(client, "infer", COFFEE, model_id="coco/3")
    assert result == {"image": WHOLE, "predictions": [BOX_DOUBLED]}


@both_ways
def test_a_picture_that_fits_travels_as_it_is(server, call):
    know_detector(server, input_height=400, input_width=600)
    server.answer(DETECTION, {"image": WHOLE, "predictions": [BOX]})
    client = client_for(server, "v1", client_downsizing_disabled=False)
    result = call(client, "infer", str(COFFEE), model_id="coco/3")
    assert base64.b64decode(server.last.json["image"]["value"]) == COFFEE.read_bytes()
    assert result == {"image": WHOLE, "predictions": [BOX]}


@both_ways
@pytest.mark.parametrize(
    "answer",
    [
        {"image": HALF, "predictions": [BOX], "is_stub": True},
        {"image": HALF, "predictions": []},
        {"image": HALF, "predictions": {"cup": {"confidence": 0.9}}},
        {"image": HALF},
    ],
    ids=["stub", "empty", "no list", "none"],
)
def test_of_answers_without_coordinates_only_the_size_is_scaled(server, call, answer):
    server.answer("/coco/3", answer)
    client = client_for(server, "v0", client_downsizing_disabled=False, default_max_input_size=300)
    expected = answer if answer.get("is_stub") else {**answer, "image": WHOLE}
    assert call(client, "infer", COFFEE, model_id="coco/3") == expected


@both_ways
def test_downsizing_is_off_by_default(server, call):
    know_detector(server, input_height=100, input_width=100)
    call(client_for(server, "v1"), "infer", str(COFFEE), model_id="coco/3")
    assert base64.b64decode(server.last.json["image"]["value"]) == COFFEE.read_bytes()


@both_ways
@pytest.mark.parametrize("method", ["ocr_image", "depth_estimation", "get_clip_image_embeddings"])
def test_only_infer_downsizes(server, call, method):
    client = client_for(server, "v1", client_downsizing_disabled=False, default_max_input_size=8)
    call(client, method, str(COFFEE))
    assert base64.b64decode(server.last.json["image"]["value"]) == COFFEE.read_bytes()


# -- pictures and maps out ---------------------------------------------------------------------


@both_ways
def test_a_visualization_is_in_the_configured_format(server, call):
    know_detector(server)
    text = base64.b64encode(encoded(Image.new("RGB", (8, 4), (250, 10, 10)))).decode()
    server.answer(DETECTION, {"predictions": [], "visualization": text})

    def picture(format: VisualisationResponseFormat) -> Any:
        client = client_for(server, "v1", output_visualisation_format=format)
        result = call(client, "infer", IMAGE, model_id="coco/3")
        assert result["predictions"] == []
        return result["visualization"]

    assert picture(BASE64) == text
    assert picture(NUMPY).tolist() == [[[10, 10, 250]] * 8] * 4
    assert picture(PILLOW).getpixel((0, 0)) == (250, 10, 10)


@both_ways
def test_a_visualization_that_is_null_is_left_alone(server, call):
    server.answer("/coco/3", {"predictions": [], "visualization": None})
    client = client_for(server, "v0", output_visualisation_format=NUMPY)
    result = call(client, "infer", IMAGE, model_id="coco/3")
    assert result == {"predictions": [], "visualization": None}


@both_ways
@pytest.mark.parametrize("mode", ["v0", "v1"])
def test_an_anomaly_map_becomes_an_array(server, call, mode):
    anomalies = np.arange(6, dtype="<f4").reshape(2, 3)
    sent = {
        "shape": [2, 3],
        "dtype": "float32",
        "data": base64.b64encode(anomalies.tobytes()).decode(),
    }
    server.answer("/model/registry", knows("classification")["/model/registry"])
    server.default = {"predictions": [], "anomaly_map": sent}
    client = client_for(server, mode, include_anomaly_map=True)
    result = call(client, "infer", IMAGE, model_id="coco/3")
    assert result["anomaly_map"].dtype == np.float32
    assert np.array_equal(result["anomaly_map"], anomalies)


@both_ways
def test_a_malformed_anomaly_map_is_a_value_error(server, call):
    server.answer("/coco/3", {"anomaly_map": {"shape": [2, 3], "dtype": "float32", "data": ""}})
    with pytest.raises(ValueError, match="anomaly map"):
        call(client_for(server, "v0"), "infer", IMAGE, model_id="coco/3")


@both_ways
@pytest.mark.parametrize(
    ("mode", "depth", "largest"), [("L", "png8", 255), ("I;16", "png16", 65535)]
)
def test_a_depth_map_in_png_becomes_an_array(server, call, mode, depth, largest):
    kind = np.uint8 if depth == "png8" else np.uint16
    levels = np.array([[0, largest // 2, largest]], kind)
    picture = Image.frombytes(mode, (3, 1), levels.tobytes())
    text = base64.b64encode(encoded(picture)).decode()
    server.default = {"normalized_depth": text, "image": "x"}
    client = client_for(server, "v1")
    result = call(client, "depth_estimation", IMAGE, depth_map_format=depth)
    assert server.last.json["depth_map_format"] == depth
    assert result["image"] == "x"
    assert result["normalized_depth"].dtype == np.float32
    assert np.allclose(result["normalized_depth"], levels / largest)


@both_ways
def test_an_unknown_depth_format_is_refused_before_anything_is_sent(server, call):
    with pytest.raises(HTTPClientError, match="'tiff'"):
        call(client_for(server, "v1"), "depth_estimation", IMAGE, depth_map_format="tiff")
    assert server.requests == []


# -- lists of answers --------------------------------------------------------------------------


@both_ways
def test_gazes_of_several_pictures_are_one_list(server, call):
    def answer(sent: Recorded) -> web.Response:
        image = sent.json["image"]
        images = image if isinstance(image, list) else [image]
        return web.json_response([{"of": one["value"], "predictions": []} for one in images])

    server.default = answer
    images = ["R0lGODlhYQ==", "R0lGODlhYWFh", "R0lGODlhYWFhYWE="]
    client = client_for(server, "v1", max_batch_size=2)
    results = call(client, "detect_gazes", images)
    assert results == [{"of": image, "predictions": []} for image in images]
    assert call(client, "detect_gazes", IMAGE) == [{"of": IMAGE, "predictions": []}]


@both_ways
def test_a_batch_of_embeddings_is_split_keeping_what_is_beside(server, call):
    server.default = {
        "frame_id": "f",
        "time": 0.25,
        "embedding_info": {"layer": "pool"},
        "embeddings": [[1.0], [2.0]],
    }
    client = client_for(server, "v1", max_batch_size=2)
    beside = {"frame_id": "f", "time": 0.25, "embedding_info": {"layer": "pool"}}
    expected = [{**beside, "embeddings": [[1.0]]}, {**beside, "embeddings": [[2.0]]}]
    assert call(client, "get_clip_image_embeddings", [IMAGE, IMAGE]) == expected
    assert call(client, "get_image_embeddings", [IMAGE, IMAGE], model_id="a/1") == expected


@both_ways
def test_embeddings_of_texts_stay_together(server, call):
    server.default = {"frame_id": "f", "time": 0.25, "embeddings": [[1.0], [2.0]]}
    client = client_for(server, "v1")
    assert call(client, "get_clip_text_embeddings", ["a", "b"]) == server.default


@both_ways
@pytest.mark.parametrize("count", [1, 3])
def test_another_number_of_answers_than_pictures_is_an_error(server, call, count):
    know_detector(server)
    server.answer(DETECTION, [{"predictions": []}] * count)
    client = client_for(server, "v1", max_batch_size=2)
    message = f"with {count} results? for 2 images"
    with pytest.raises(InvalidServerResponseError, match=message):
        call(client, "infer", [IMAGE, IMAGE], model_id="coco/3")


# -- clips -------------------------------------------------------------------------------------

CLIP_URL = "https://host.test/clip.mp4"


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "Clip.MP4"
    path.write_bytes(b"a clip")
    return path


@both_ways
@pytest.mark.parametrize("method", ["infer_on_video", "infer_on_video_from_api_v0"])
def test_v0_sends_a_clip_as_body_or_its_url_in_the_query(server, call, clip, method):
    server.default = {"predictions": []}
    client = client_for(server, "v0", class_filter=["run", "jump"])
    for reference in (str(clip), clip):
        assert call(client, method, reference, model_id="clips/2") == {"predictions": []}
        assert base64.b64decode(server.last.body) == b"a clip"
        assert server.last.query == {"api_key": [KEY], "class_filter": ["run,jump"]}
    call(client, method, CLIP_URL, model_id="clips/2")
    assert server.last.path == "/clips/2"
    assert server.last.body == b""
    assert server.last.query == {
        "api_key": [KEY],
        "class_filter": ["run,jump"],
        "image": [CLIP_URL],
    }


@both_ways
@pytest.mark.parametrize("task", ["action-recognition"])
def test_v1_sends_a_clip_as_an_object(server, call, clip, task):
    server.answer("/model/registry", knows(task, "clips/2")["/model/registry"])
    server.answer("/infer/action_recognition", {"predictions": ["run"]})
    client = client_for(server, "v1", class_filter=["run", "jump"]).select_model("clips/2")
    assert call(client, "infer_on_video", clip) == {"predictions": ["run"]}
    assert server.last.json == {
        "api_key": KEY,
        "model_id": "clips/2",
        "class_filter": ["run", "jump"],
        "video": {"type": "base64", "value": base64.b64encode(b"a clip").decode()},
    }


@both_ways
@pytest.mark.parametrize(
    ("method", "task", "right"),
    [
        ("infer", "action-recognition", r"infer_on_video\(\)"),
        ("infer_on_video", "object-detection", r"infer\(\)"),
    ],
)
def test_the_wrong_door_names_the_right_one(server, call, method, task, right):
    server.answer("/model/registry", knows(task)["/model/registry"])
    with pytest.raises(ModelTaskTypeNotSupportedError, match=right):
        call(client_for(server, "v1"), method, CLIP_URL, model_id="coco/3")
    assert len(server.requests) == 1


@both_ways
@pytest.mark.parametrize("reference", ["missing.mp4", 7, None])
@pytest.mark.parametrize("mode", ["v0", "v1"])
def test_what_is_no_clip_is_refused(server, call, reference, mode):
    server.answer("/model/registry", knows("action-recognition")["/model/registry"])
    with pytest.raises(InvalidInputFormatError):
        call(client_for(server, mode), "infer_on_video", reference, model_id="coco/3")
    assert [request for request in server.requests if request.method == "POST"] == []


# -- folders and videos ------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["v0", "v1"])
def test_a_folder_is_a_stream_of_its_pictures(server, tmp_path, mode):
    know_detector(server)
    server.default = {"predictions": []}
    for name in ("b.png", "A.PNG", "notes.txt"):
        (tmp_path / name).write_bytes(encoded(Image.new("RGB", (8, 4), (250, 10, 10))))
    with client_for(server, mode) as client:
        triples = list(client.infer_on_stream(str(tmp_path), model_id="coco/3"))
    assert [Path(reference).name for reference, _, _ in triples] == ["A.PNG", "b.png"]
    assert all(frame.tolist() == [[[10, 10, 250]] * 8] * 4 for _, frame, _ in triples)
    assert [result for _, _, result in triples] == [{"predictions": []}] * 2


async def test_a_folder_is_an_async_stream_of_its_pictures(server, tmp_path):
    server.default = {"predictions": []}
    (tmp_path / "a.png").write_bytes(encoded(Image.new("RGB", (8, 4))))
    async with InferenceHTTPClient(server.url, KEY).select_api_v0() as client:
        stream = client.infer_on_stream_async(str(tmp_path), model_id="coco/3")
        references = [Path(reference).name async for reference, _, _ in stream]
    assert references == ["a.png"]
