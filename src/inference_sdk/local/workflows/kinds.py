"""The kinds of values in workflows: their names, what they look like, and how inputs of them are
read.

A kind that has no reader here takes any JSON. Knows nothing of steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from inference_sdk.local.workflows.wire import detections_from_wire

ANY = "*"
IMAGE = "image"
VIDEO_METADATA = "video_metadata"
DETECTIONS = "object_detection_prediction"
KEYPOINTS = "keypoint_detection_prediction"
SEGMENTS = "instance_segmentation_prediction"
RLE_SEGMENTS = "rle_instance_segmentation_prediction"
SEMANTIC = "semantic_segmentation_prediction"
CLASSIFICATION = "classification_prediction"
QR_CODES = "qr_code_detection"
BAR_CODES = "bar_code_detection"
STRING = "string"
INTEGER = "integer"
FLOAT = "float"
FRACTION = "float_zero_to_one"
BOOLEAN = "boolean"
LIST = "list_of_values"
DICTIONARY = "dictionary"
ZONE = "zone"
POINT = "point"
COLOUR = "rgb_color"
CONTOURS = "contours"
ARRAY = "numpy_array"
EMBEDDING = "embedding"
IMAGE_KEYPOINTS = "image_keypoints"
OVERLAPS = "detections_overlaps"
TIMESTAMP = "timestamp"
BYTES = "bytes"
MODEL_ID = "roboflow_model_id"
PROJECT = "roboflow_project"
API_KEY = "roboflow_api_key"
SECRET = "secret"  # noqa: S105 - the name of a kind
LANGUAGE_MODEL_OUTPUT = "language_model_output"
PREDICTION_TYPE = "prediction_type"
PARENT_ID = "parent_id"
INFERENCE_ID = "inference_id"
TOP_CLASS = "top_class"

BOXES = (DETECTIONS, SEGMENTS)
"""What has boxes and perhaps masks."""

ALL_BOXES = (DETECTIONS, SEGMENTS, KEYPOINTS)


@dataclass(frozen=True)
class Kind:
    """One kind.

    Attributes:
        description: what it is, for people.
        data_type: its form in JSON, for people.
        read: a value from a request as steps take it; gets the value and its name.

    """

    description: str
    data_type: str = "Any"
    read: Callable[[Any, str], Any] = lambda value, _: value


def _number(value: Any, _: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"must be a number, not {type(value).__name__}")
    return value


def _integer(value: Any, _: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"must be a whole number, not {type(value).__name__}")
    return value


def _fraction(value: Any, name: str) -> float:
    number = _number(value, name)
    if not 0 <= number <= 1:
        raise ValueError(f"must be a number from 0 to 1, not {number}")
    return number


def _of(kind: type, noun: str) -> Callable[[Any, str], Any]:
    def read(value: Any, _: str) -> Any:
        if not isinstance(value, kind):
            raise ValueError(f"must be {noun}, not {type(value).__name__}")
        return value

    return read


_text, _bool = _of(str, "a text"), _of(bool, "true or false")
_list, _object = _of(list, "a list"), _of(dict, "an object")

_PREDICTIONS = "{image {width, height}, predictions [{x, y, width, height, confidence, class, …}]}"

KINDS: Mapping[str, Kind] = {
    ANY: Kind("Anything"),
    IMAGE: Kind("A picture", "dict"),
    VIDEO_METADATA: Kind("What is known of a frame of a video", "dict", _object),
    DETECTIONS: Kind("Boxes", _PREDICTIONS, detections_from_wire),
    KEYPOINTS: Kind("Boxes with keypoints", _PREDICTIONS, detections_from_wire),
    SEGMENTS: Kind("Boxes with masks, as outlines", _PREDICTIONS, detections_from_wire),
    RLE_SEGMENTS: Kind("Boxes with masks, as run lengths", _PREDICTIONS, detections_from_wire),
    SEMANTIC: Kind("A class for each pixel", _PREDICTIONS, detections_from_wire),
    QR_CODES: Kind("QR codes with their boxes", _PREDICTIONS, detections_from_wire),
    BAR_CODES: Kind("Bar codes with their boxes", _PREDICTIONS, detections_from_wire),
    CLASSIFICATION: Kind("Classes of a picture", "dict", _object),
    STRING: Kind("A text", "str", _text),
    INTEGER: Kind("A whole number", "int", _integer),
    FLOAT: Kind("A number", "float", _number),
    FRACTION: Kind("A number from 0 to 1", "float", _fraction),
    BOOLEAN: Kind("True or false", "bool", _bool),
    LIST: Kind("A list of anything", "List[Any]", _list),
    DICTIONARY: Kind("An object", "Dict[Any, Any]", _object),
    ZONE: Kind("Corners of a polygon", "List[Tuple[int, int]]", _list),
    POINT: Kind("x and y in a picture", "Tuple[int, int]", _list),
    COLOUR: Kind("A colour: red, green, blue", "Tuple[int, int, int]"),
    CONTOURS: Kind("Outlines in a picture", "List[List[Tuple[int, int]]]"),
    ARRAY: Kind("An array", "List[Any]"),
    EMBEDDING: Kind("A picture or text as numbers", "List[float]", _list),
    IMAGE_KEYPOINTS: Kind("Feature points of a picture", "List[dict]", _list),
    OVERLAPS: Kind("Pairs of boxes that overlap", "List[dict]", _list),
    TIMESTAMP: Kind("A moment", "str"),
    BYTES: Kind("Bytes", "str"),
    MODEL_ID: Kind("Id of a model", "str", _text),
    PROJECT: Kind("Name of a project", "str", _text),
    API_KEY: Kind("A key", "str", _text),
    SECRET: Kind("A secret", "str", _text),
    LANGUAGE_MODEL_OUTPUT: Kind("What a language model wrote", "str", _text),
    PREDICTION_TYPE: Kind("What a model finds", "str", _text),
    PARENT_ID: Kind("Name of the picture something was found in", "str", _text),
    INFERENCE_ID: Kind("Name of one answer of a model", "str", _text),
    TOP_CLASS: Kind("The likeliest class", "str", _text),
}


def fit(offered: Iterable[str], taken: Iterable[str]) -> bool:
    """Whether a value of the offered kinds can be one that is taken; unknown ones always can."""
    offered, taken = set(offered), set(taken)
    return not offered or not taken or ANY in offered | taken or bool(offered & taken)


def read_value(value: Any, kinds: Iterable[str], name: str) -> Any:
    """A value of a request, as a value of the first of these kinds that it fits.

    Raises:
        ValueError: it fits none; says why.
    """
    problem: ValueError | None = None
    for kind in kinds:
        try:
            return KINDS[kind].read(value, name) if kind in KINDS else value
        except ValueError as error:
            problem = problem or error
    if problem is not None:
        raise problem
    return value
