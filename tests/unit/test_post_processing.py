from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from inference_sdk.http.entities import ModelDescription, VisualisationResponseFormat
from inference_sdk.http.errors import EncodingError
from inference_sdk.http.utils.encoding import encode_base_64, encode_image
from inference_sdk.http.utils.post_processing import (
    adjust_bbox_coordinates_to_client_scaling_factor,
    adjust_object_detection_predictions_to_client_scaling_factor,
    adjust_points_coordinates_to_client_scaling_factor,
    adjust_prediction_to_client_scaling_factor,
    adjust_prediction_with_bbox_and_points_to_client_scaling_factor,
    combine_clip_embeddings,
    combine_gaze_detections,
    decode_workflow_output,
    decode_workflow_output_image,
    decode_workflow_output_list,
    decode_workflow_outputs,
    filter_model_descriptions,
    is_workflow_image,
    predictions_should_not_be_post_processed,
    response_contains_jpeg_image,
    split_image_embeddings,
    transform_base64_visualisation,
    transform_visualisation_bytes,
)

BASE64 = VisualisationResponseFormat.BASE64
NUMPY = VisualisationResponseFormat.NUMPY
PILLOW = VisualisationResponseFormat.PILLOW

PIXELS = np.full((16, 24, 3), (0, 0, 255), dtype=np.uint8)
JPEG = encode_image(PIXELS)
JPEG_TEXT = encode_base_64(JPEG)
WORKFLOW_IMAGE = {"type": "base64", "value": JPEG_TEXT, "video_metadata": {"fps": 30}}


# -- coordinates -------------------------------------------------------------------------------


def box(**others: Any) -> dict[str, Any]:
    return {"x": 10, "y": 20, "width": 4, "height": 6, "class": "cat", **others}


SCALED_BOX = {"x": 20.0, "y": 40.0, "width": 8.0, "height": 12.0, "class": "cat"}


def test_boxes_and_image_size_are_scaled_back() -> None:
    answer = {"image": {"width": 50, "height": 33}, "predictions": [box(), box()], "time": 0.1}
    assert adjust_prediction_to_client_scaling_factor(answer, 0.5) == {
        "image": {"width": 100, "height": 66},
        "predictions": [SCALED_BOX, SCALED_BOX],
        "time": 0.1,
    }


@pytest.mark.parametrize("key", ["points", "keypoints"])
def test_points_are_scaled_back_with_their_boxes(key: str) -> None:
    point = {"x": 1, "y": 2, "confidence": 0.9}
    answer = {"image": {"width": 5, "height": 5}, "predictions": [box(**{key: [point, {**point}]})]}
    result = adjust_prediction_to_client_scaling_factor(answer, 0.5)
    scaled = {"x": 2.0, "y": 4.0, "confidence": 0.9}
    assert result["predictions"] == [{**SCALED_BOX, key: [scaled, scaled]}]
    assert result is answer


def test_of_a_classification_only_the_image_size_is_scaled() -> None:
    answer = {
        "image": {"width": 50, "height": 30},
        "predictions": [{"class": "cat", "confidence": 0.9}],
    }
    result = adjust_prediction_to_client_scaling_factor(answer, 0.5)
    assert result == {
        "image": {"width": 100, "height": 60},
        "predictions": [{"class": "cat", "confidence": 0.9}],
    }


@pytest.mark.parametrize(
    "answer",
    [
        {"image": {"width": 1, "height": 1}},
        {"predictions": [], "image": {"width": 1, "height": 1}},
        {"predictions": {"cat": {"confidence": 1.0}}, "image": {"width": 1, "height": 1}},
        {"predictions": None},
    ],
)
def test_without_a_list_of_predictions_only_the_size_is_scaled(answer: dict[str, Any]) -> None:
    expected = {**answer, **({"image": {"width": 2, "height": 2}} if "image" in answer else {})}
    assert predictions_should_not_be_post_processed(answer)
    assert adjust_prediction_to_client_scaling_factor(answer, 0.5) == expected


def test_a_stub_is_left_alone() -> None:
    answer = {"is_stub": True, "predictions": [box()], "image": {"width": 1, "height": 1}}
    before = copy.deepcopy(answer)
    assert adjust_prediction_to_client_scaling_factor(answer, 0.5) == before


def test_without_a_factor_nothing_is_copied() -> None:
    answer = {"predictions": [box()]}
    assert adjust_prediction_to_client_scaling_factor(answer, None) is answer


@pytest.mark.parametrize(
    "predictions",
    [
        [box(), {"confidence": 1}],
        [{"x": 1.0}, box()],
        [box(points=None)],
        [box(points=[{"x": 1.0}, "odd", None])],
        [box(points=[]), "odd", None],
        ["odd"],
        [box(x=None, y="?")],
    ],
)
def test_odd_predictions_pass_through(predictions: list[Any]) -> None:
    answer = {"predictions": predictions}
    result = adjust_prediction_to_client_scaling_factor(answer, 1.0)
    assert result == answer


def test_a_size_that_is_no_number_passes_through() -> None:
    answer = {"image": {"width": None}, "predictions": [box()]}
    assert adjust_prediction_to_client_scaling_factor(answer, 0.5)["image"] == {"width": None}


NUMBERS = st.floats(min_value=0, max_value=4000)
BOXES = st.fixed_dictionaries(dict.fromkeys(("x", "y", "width", "height"), NUMBERS))
POINTS = st.lists(st.fixed_dictionaries({"x": NUMBERS, "y": NUMBERS}), max_size=4)


@given(
    boxes=st.lists(st.tuples(BOXES, POINTS), min_size=1, max_size=4),
    factor=st.floats(min_value=0.05, max_value=0.99),
)
def test_scaling_is_undone_exactly_where_it_was_done(boxes: list[Any], factor: float) -> None:
    def scaled(element: dict[str, float]) -> dict[str, float]:
        return {key: value * factor for key, value in element.items()}

    answer = {
        "predictions": [
            {**scaled(own_box), "points": [scaled(point) for point in points], "class": "c"}
            for own_box, points in boxes
        ]
    }
    result = adjust_prediction_to_client_scaling_factor(answer, factor)
    assert result is answer  # in place, as programs rely on
    for prediction, (own_box, points) in zip(result["predictions"], boxes, strict=True):
        assert prediction["class"] == "c"
        assert {key: prediction[key] for key in own_box} == pytest.approx(own_box)
        for point, original in zip(prediction["points"], points, strict=True):
            assert point == pytest.approx(original)


def test_the_single_steps_are_there_too() -> None:
    assert adjust_bbox_coordinates_to_client_scaling_factor(box(), 0.5) == SCALED_BOX
    assert adjust_object_detection_predictions_to_client_scaling_factor([box()], 0.5) == [
        SCALED_BOX
    ]
    assert adjust_points_coordinates_to_client_scaling_factor([{"x": 1, "y": 2}], 0.5) == [
        {"x": 2.0, "y": 4.0}
    ]
    assert adjust_prediction_with_bbox_and_points_to_client_scaling_factor(
        [box(points=[{"x": 1, "y": 2}])], 0.5, "points"
    ) == [{**SCALED_BOX, "points": [{"x": 2.0, "y": 4.0}]}]


# -- pictures ----------------------------------------------------------------------------------


def test_a_visualisation_comes_in_three_formats() -> None:
    assert transform_base64_visualisation(JPEG_TEXT, BASE64) == JPEG_TEXT
    assert transform_visualisation_bytes(JPEG, BASE64) == JPEG_TEXT
    array = transform_base64_visualisation(JPEG_TEXT, NUMPY)
    assert isinstance(array, np.ndarray)
    assert np.abs(array.astype(int) - PIXELS).max() < 8
    picture = transform_base64_visualisation(JPEG_TEXT, PILLOW)
    assert isinstance(picture, Image.Image)
    assert (picture.size, picture.mode) == ((24, 16), "RGB")


def test_an_unknown_format_is_not_implemented() -> None:
    with pytest.raises(NotImplementedError, match="'tiff'"):
        transform_visualisation_bytes(JPEG, "tiff")  # type: ignore[arg-type]
    with pytest.raises(NotImplementedError, match="'tiff'"):
        transform_base64_visualisation(JPEG_TEXT, "tiff")  # type: ignore[arg-type]


def test_a_visualisation_that_is_no_image_is_an_encoding_error() -> None:
    with pytest.raises(EncodingError):
        transform_visualisation_bytes(b"no image", NUMPY)
    with pytest.raises(EncodingError):
        transform_base64_visualisation("$", PILLOW)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Content-Type": "image/jpeg"}, True),
        ({"content-type": "Image/JPEG; q=1"}, True),
        ({"Content-Type": "application/json"}, False),
        ({}, False),
    ],
)
def test_a_jpeg_is_known_by_its_content_type(headers: dict[str, str], expected: bool) -> None:
    response = requests.Response()
    response.headers.update(headers)
    assert response_contains_jpeg_image(response) is expected


# -- workflows ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (WORKFLOW_IMAGE, True),
        ({"type": "base64", "value": ""}, True),
        ({"type": "base64"}, True),
        ({"type": "url", "value": "x"}, False),
        ({"type": "base64", "value": None}, True),
        ({"value": "x"}, False),
        ("base64", False),
        (None, False),
    ],
)
def test_workflow_images_are_recognised(value: Any, expected: bool) -> None:
    assert is_workflow_image(value) is expected


def test_workflow_images_are_decoded_at_any_depth() -> None:
    output = {
        "picture": WORKFLOW_IMAGE,
        "nested": {"list": [WORKFLOW_IMAGE, {"deeper": [[WORKFLOW_IMAGE]]}, 3]},
        "text": "base64",
        "none": None,
    }
    before = copy.deepcopy(output)
    expected = {
        "picture": JPEG_TEXT,
        "nested": {"list": [JPEG_TEXT, {"deeper": [[JPEG_TEXT]]}, 3]},
        "text": "base64",
        "none": None,
    }
    assert decode_workflow_output(output, BASE64) == expected
    assert decode_workflow_outputs([output, {}], BASE64) == [expected, {}]
    assert decode_workflow_output_list([output, [output]], BASE64) == [expected, [expected]]
    assert output == before


def test_a_workflow_image_comes_in_the_format_asked_for() -> None:
    assert decode_workflow_output_image(WORKFLOW_IMAGE, BASE64) == JPEG_TEXT
    assert isinstance(decode_workflow_output_image(WORKFLOW_IMAGE, NUMPY), np.ndarray)
    assert isinstance(decode_workflow_output_image(WORKFLOW_IMAGE, PILLOW), Image.Image)


# -- lists of answers --------------------------------------------------------------------------


def test_gaze_detections_become_a_list_of_one_level() -> None:
    assert combine_gaze_detections({"a": 1}) == {"a": 1}
    assert combine_gaze_detections([{"a": 1}, [{"b": 2}, {"c": 3}], []]) == [
        {"a": 1},
        {"b": 2},
        {"c": 3},
    ]


def test_each_embedding_is_a_result_of_its_own() -> None:
    first = {"frame_id": 1, "time": 0.1, "embeddings": [[1.0], [2.0]]}
    second = {"frame_id": 2, "time": 0.2, "embeddings": [[3.0]]}
    assert combine_clip_embeddings([first, second]) == [
        {"frame_id": 1, "time": 0.1, "embeddings": [[1.0]]},
        {"frame_id": 1, "time": 0.1, "embeddings": [[2.0]]},
        {"frame_id": 2, "time": 0.2, "embeddings": [[3.0]]},
    ]
    assert combine_clip_embeddings(second) == [second]


def test_image_embeddings_keep_what_is_known_of_them() -> None:
    info = {"output_type": "logits", "dimension": 1}
    answer = {"embeddings": [[1.0], [2.0]], "embedding_info": info}
    assert split_image_embeddings(answer) == [
        {"embeddings": [[1.0]], "embedding_info": info},
        {"embeddings": [[2.0]], "embedding_info": info},
    ]


@pytest.mark.parametrize("answer", [{"time": 1}, {"embeddings": None}])
def test_an_answer_without_embeddings_passes_through(answer: dict[str, Any]) -> None:
    assert combine_clip_embeddings(answer) == [answer]


def test_a_model_is_found_by_its_id() -> None:
    descriptions = [
        ModelDescription(model_id="a/1", task_type="classification"),
        ModelDescription(model_id="a/2", task_type="object-detection"),
    ]
    assert filter_model_descriptions(descriptions, "a/2") is descriptions[1]
    assert filter_model_descriptions(descriptions, "a/3") is None
    assert filter_model_descriptions([], "a/1") is None


def test_outputs_that_are_none_are_passed_through() -> None:
    outputs: Any = [None, 5, {"a": 1}]
    assert decode_workflow_outputs(outputs, VisualisationResponseFormat.NUMPY) == outputs
