"""The shapes of answers, for editors and type checkers; at run time they are plain dicts.

    from inference_sdk.types import Detection, InferenceResult

    def largest(result: InferenceResult) -> Detection: ...

Coordinates are pixels of the image as it was given, upright, origin top left; `x` and `y` of a
detection are the centre of its box. Confidences are 0..1. Keys without a default of a class are
there in every answer of their task; the others (`total=False`) where a model or a setting provides
them; and further keys may come. What `infer` gives depends on the model's task, which no type
checker knows: `is_classification` and its like tell the answers without boxes apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict

if TYPE_CHECKING:
    from typing import TypeGuard

    import numpy as np
    from PIL import Image

    Picture = str | np.ndarray[Any, Any] | Image.Image
    FloatMap = np.ndarray[Any, np.dtype[np.float32]]

Several: TypeAlias = list[Any] | tuple[Any, ...]
"""References of several images, however nested."""


class ImageSize(TypedDict):
    """Pixels."""

    width: int
    height: int


class Point(TypedDict):
    """A corner of a polygon."""

    x: float
    y: float


# Keys such as "class" cannot be attributes, so these bases are written as calls.

_Keypoint = TypedDict(
    "_Keypoint", {"x": float, "y": float, "confidence": float, "class_id": int, "class": str}
)
_Detection = TypedDict(
    "_Detection",
    {
        "x": float,
        "y": float,
        "width": float,
        "height": float,
        "confidence": float,
        "class": str,
        "class_id": int,
    },
)
_Label = TypedDict("_Label", {"class": str, "class_id": int, "confidence": float})


class Keypoint(_Keypoint):
    """A landmark of an object, such as its left elbow: `x`, `y`, `confidence`, `class_id`, `class`."""


class RLEMask(TypedDict):
    """A mask in COCO's run-length code; `size` is [height, width]."""

    size: list[int]
    counts: str


class Detection(_Detection, total=False):
    """One object: its box, `class` and `confidence`; by task its polygon, mask or keypoints."""

    detection_id: str
    class_confidence: float
    tracker_id: int
    parent_id: str
    points: list[Point]
    mask_format: str
    rle: RLEMask
    keypoints: list[Keypoint]


class Label(_Label):
    """A class that an image may be of: `class`, `class_id`, `confidence`."""


class LabelScore(TypedDict):
    """How sure a classification of several labels is of one of them."""

    confidence: float
    class_id: int


class _Answer(TypedDict, total=False):
    inference_id: str
    frame_id: int
    time: float
    visualization: Picture


class _Sized(TypedDict):
    image: ImageSize


class _Detections(_Sized):
    predictions: list[Detection]


class _Classified(_Sized):
    predictions: list[Label]
    top: str
    confidence: float


class _Labelled(_Sized):
    predictions: dict[str, LabelScore]
    predicted_classes: list[str]


class InferenceResult(_Detections, _Answer):
    """What `infer` found in one image: objects, with masks or keypoints where the model has them."""


class ClassificationResult(_Classified, _Answer, total=False):
    """What a classification of one label says: all of them, surest first; `top` is the first."""

    anomaly_map: FloatMap


class MultiLabelResult(_Labelled, _Answer):
    """What a classification of several labels says; `predicted_classes` are above the threshold."""


AnyResult: TypeAlias = InferenceResult | ClassificationResult | MultiLabelResult


def is_classification(result: AnyResult) -> TypeGuard[ClassificationResult]:
    """Whether a result of `infer` is of a classification of one label.

    Example:
        >>> if is_classification(result):
        ...     print(result["top"], result["confidence"])
    """
    return "top" in result


def is_multi_label(result: AnyResult) -> TypeGuard[MultiLabelResult]:
    """Whether a result of `infer` is of a classification of several labels."""
    return "predicted_classes" in result


class _Read(TypedDict):
    result: str


class OCRResult(_Read, total=False):
    """Text read from an image; boxes of its parts when asked for, their `class` the text."""

    time: float
    image: ImageSize
    predictions: list[Detection]
    parent_id: str


class _Embedded(TypedDict):
    embeddings: list[list[float]]


class EmbeddingResult(_Embedded, total=False):
    """One vector for each input; `embedding_info` says of what model and layer."""

    frame_id: int
    time: float
    embedding_info: dict[str, Any]


class _Compared(TypedDict):
    similarity: list[float]


class SimilarityResult(_Compared, total=False):
    """Cosine similarities, -1..1, in the order of the prompts."""

    frame_id: int
    time: float


class DepthResult(TypedDict):
    """Depth of every pixel, 0..1: nested lists as JSON, or float32 (H, W) from a PNG.

    `image` is a picture of it in base64, for people.
    """

    normalized_depth: list[list[float]] | FloatMap
    image: str


class _Answered(TypedDict):
    response: str | dict[str, Any]


class LanguageResult(_Answered, total=False):
    """What a language model says of an image; some give an object in place of text."""

    inference_id: str
    time: float
    image: ImageSize


class _Face(_Detection):
    landmarks: list[Point]


class Face(_Face, total=False):
    """A face: its box, and the places of eyes, nose, mouth and ears."""

    detection_id: str
    parent_id: str


class Gaze(TypedDict):
    """A face and where it looks, in radians: `yaw` to the side, `pitch` up and down."""

    face: Face
    yaw: float
    pitch: float


class _Gazes(TypedDict):
    predictions: list[Gaze]


class GazeResult(_Gazes, total=False):
    """The faces of one image and where they look; times are seconds."""

    time: float
    time_face_det: float
    time_gaze_det: float


WorkflowOutputs: TypeAlias = dict[str, Any]
"""What a workflow gives for one image of the batch, by the names of its outputs."""
