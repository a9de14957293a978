"""The documented helpers that do no I/O, and the values that travel."""

from __future__ import annotations

import copy
import dataclasses
import importlib
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from case import KEY
from stage import Program, Stage, function, tried

from inference_sdk.http import entities

BOX = {"x": 10.0, "y": 20, "width": 4, "height": 8, "class": "a"}


HELPERS: list[tuple[str, list[tuple[Any, ...]]]] = [
    (
        "adjust_prediction_to_client_scaling_factor",
        [
            ({"image": {"width": 64, "height": 48}, "predictions": [BOX]}, 0.5),
            ({"image": {"width": 64, "height": 48}, "predictions": [BOX]}, None),
            ({"image": {"width": 64, "height": 48}, "predictions": []}, 0.5),
            ({"image": {"width": 64, "height": 48}, "predictions": {"a": 1}}, 0.5),
            ({"image": {"width": 64, "height": 48}}, 0.5),
            ({"image": {"width": 33, "height": 47}, "predictions": [BOX]}, 0.3),
            ({"image": {"width": 3, "height": 4}, "predictions": [BOX], "is_stub": True}, 0.5),
        ],
    ),
    ("adjust_object_detection_predictions_to_client_scaling_factor", [([BOX, dict(BOX)], 0.5)]),
    (
        "adjust_prediction_with_bbox_and_points_to_client_scaling_factor",
        [([{**BOX, "points": [{"x": 1, "y": 2, "z": 5}]}], 0.5, "points")],
    ),
    ("adjust_bbox_coordinates_to_client_scaling_factor", [(BOX, 0.5)]),
    ("adjust_points_coordinates_to_client_scaling_factor", [([{"x": 1, "y": 2, "z": 5}], 0.5)]),
    (
        "predictions_should_not_be_post_processed",
        [
            (entry,)
            for entry in (
                {},
                {"predictions": []},
                {"predictions": {}},
                {"predictions": [{}]},
                {"is_stub": True, "predictions": [{}]},
                {"is_stub": False},
            )
        ],
    ),
    (
        "combine_gaze_detections",
        [({"a": 1},), ([{"a": 1}],), ([{"a": 1}, [{"b": 1}]],), ([[{"a": 1}], [{"b": 1}]],), ([],)],
    ),
    (
        "combine_clip_embeddings",
        [
            ([{"embeddings": [[1], [2]], "time": 1, "frame_id": None}],),
            ({"embeddings": [[1], [2]], "time": 1, "frame_id": None},),
            (
                [
                    {"embeddings": [[1], [2]], "time": 1, "frame_id": None},
                    {"embeddings": [[3]], "time": 2, "frame_id": 7, "x": 1},
                ],
            ),
            ([],),
        ],
    ),
    (
        "is_workflow_image",
        [
            (value,)
            for value in (
                {"type": "base64", "value": "x"},
                {"type": "base64"},
                {"type": "base64", "value": None},
                {"type": "x", "value": "v"},
                {"value": "v"},
                "s",
                None,
                [],
            )
        ],
    ),
]


REQUEST_HELPERS: list[tuple[str, list[tuple[Any, ...]]]] = [
    ("requests.inject_images_into_payload", [({"k": 1}, n) for n in ([], [("a", None)])]),
    (
        "requests.inject_images_into_payload",
        [({"k": 1}, [("a", None), ("b", 0.5)]), ({"k": 1}, [("a", None)], "z")],
    ),
    (
        "requests.inject_nested_batches_of_images_into_payload",
        [
            ({"k": 1}, images)
            for images in (("a", None), [("a", None)], [("a", None), [("b", None)]], [])
        ],
    ),
    (
        "requests.deduct_api_key_from_string",
        [
            (f"http://h/p?api_key={KEY}&x=1",),
            (f"api_key={KEY} and service_secret={KEY}",),
            ("nothing",),
            ("api_key=abc",),
        ],
    ),
    ("iterables.unwrap_single_element_list", [([],), ([1],), ([1, 2],)]),
    ("iterables.remove_empty_values", [({"a": None, "b": 0, "c": "", "d": []},)]),
    ("pre_processing.determine_scaling_aspect_ratio", [(10, 10, 20, 20), (10, 10, 10, 5)]),
    ("loaders.uri_is_http_link", [(uri,) for uri in ("http://x", "https://x", "ftp://x", "x")]),
    (
        "aliases.resolve_roboflow_model_alias",
        [(name,) for name in ("yolov8n-640", "rfdetr-base", "coco/3", "other", "YOLOV8N-640")],
    ),
    (
        "aliases.resolve_ocr_path",
        [(name,) for name in ("doctr", "DocTR", "trocr", "easy_ocr", "other")],
    ),
]


def every_helper() -> Iterator[tuple[str, Program]]:
    processing = [(f"post_processing.{name}", calls) for name, calls in HELPERS]
    for name, calls in (*processing, *REQUEST_HELPERS):
        for arguments in calls:
            yield f"{name}{arguments}"[:150], partial(_changed, f"http.utils.{name}", arguments)
    for name, values in WIRE.items():
        for index, value in enumerate(values):
            yield f"entity {name} {index}", partial(_read_and_write, name, value)
    for dtype in ("uint8", "float32", "uint16"):
        yield f"resize {dtype}", partial(resized, dtype)
    yield "pictures from bytes", pictures_from_bytes
    yield "batches", batches
    yield "prepared requests", prepared_requests


def _changed(path: str, arguments: tuple[Any, ...], stage: Stage) -> Any:
    given, call = copy.deepcopy(arguments), function(path)
    return {"result": tried(lambda: call(*given)), "arguments": list(given)}


DESCRIPTION = {"model_id": "m", "task_type": "t", "batch_size": 1}


WIRE: dict[str, list[dict[str, Any]]] = {
    "ServerInfo": [
        {"name": "n", "version": "v", "uuid": "u"},
        {"name": 5, "version": 1, "uuid": 2},
    ],
    "ModelDescription": [
        DESCRIPTION,
        {**DESCRIPTION, "input_width": 7, "more": 1},
        {"model_id": "m", "task_type": "t"},
        {**DESCRIPTION, "batch_size": "dynamic"},
    ],
    "RegisteredModels": [{"models": [DESCRIPTION, DESCRIPTION]}, {"models": []}],
}


def _read_and_write(name: str, value: dict[str, Any], stage: Stage) -> Any:
    kind = getattr(entities, name)
    made = kind.from_dict(value)
    return [
        repr(made),
        made.to_dict(),
        made.to_json(),
        made.to_json(indent=2, sort_keys=True),
        kind.schema().dump(made),
        repr(kind.schema().load(value)) if "more" not in value else None,
        repr(kind.from_dict({}, infer_missing=True)),
        made == kind.from_json(made.to_json()),
    ]


def resized(dtype: str, stage: Stage) -> Any:
    resize = function("http.utils.pre_processing.resize_opencv_image")
    image = np.ones((20, 40, 3), dtype)
    return [
        *resize(image, 10, 10),
        *resize(image, 100, 100),
        *resize(image, None, 10),
        *resize(image[:, :, 0], 10, 40),
    ]


def pictures_from_bytes(stage: Stage) -> Any:
    to_array = function("http.utils.encoding.bytes_to_opencv_image")
    to_picture = function("http.utils.encoding.bytes_to_pillow_image")
    seen = []
    for name in ("street.jpg", "street.png", "street16.png"):
        with open(name, "rb") as file:
            content = file.read()
        seen += [to_array(content), to_picture(content)]
    return [*seen, tried(lambda: to_array(b"no")), tried(lambda: to_picture(b"no"))]


def batches(stage: Stage) -> Any:
    make = function("http.utils.iterables.make_batches")
    return [list(make([1, 2, 3], size)) for size in (0, 1, 2, 5)] + [list(make([], 2))]


def prepared_requests(stage: Stage) -> Any:
    building = importlib.import_module("inference_sdk.http.utils.request_building")
    seen = []
    for placement in building.ImagePlacement:
        for images in ([("a", None)], [("a", 0.5), ("b", None), ("c", None)]):
            for payload in (None, {"k": [1]}):
                given: dict[str, Any] = {
                    "url": "http://x",
                    "encoded_inference_inputs": images,
                    "headers": {"A": "b"},
                    "parameters": {"q": 1},
                    "payload": payload,
                    "max_batch_size": 2,
                    "image_placement": placement,
                }
                made = tried(partial(building.prepare_requests_data, **given))
                seen.append(made if isinstance(made, dict) else [_fields(one) for one in made])
                seen.append([payload, given["headers"]])
    return seen


def _fields(request: Any) -> dict[str, Any]:
    return {field.name: getattr(request, field.name) for field in dataclasses.fields(request)}
