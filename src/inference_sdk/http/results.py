"""The shapes of answers, for editors and type checkers; at run time they are plain dicts.

Coordinates are pixels of the image as it was given, upright, origin top left; `x` and `y` of a
prediction are the centre of its box. Confidences are 0..1. Any key may be missing or null where
a server or a model does not provide it, and further keys may come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict, TypeVar

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

    Picture = str | np.ndarray[Any, Any] | Image.Image
    FloatMap = np.ndarray[Any, np.dtype[np.float32]]

T = TypeVar("T")

OneOrMany: TypeAlias = T | list[T]
"""One result for one input, a list in input order for several."""


class ImageSize(TypedDict):
    """Pixels."""

    width: int
    height: int


class Point(TypedDict):
    """A corner of a polygon."""

    x: float
    y: float


class Keypoint(TypedDict, total=False):
    """A landmark of an object, such as its left elbow."""

    x: float
    y: float
    confidence: float
    class_id: int


Prediction = TypedDict(
    "Prediction",
    {
        "x": float,
        "y": float,
        "width": float,
        "height": float,
        "confidence": float,
        "class": str,
        "class_id": int,
        "detection_id": str,
        "class_confidence": float,
        "tracker_id": int,
        "parent_id": str,
        "points": list[Point],
        "mask_format": str,
        "rle": dict[str, Any],
        "keypoints": list[Keypoint],
    },
    total=False,
)
"""One object: box, and by task its polygon (`points`), RLE mask or `keypoints`."""


class InferenceResult(TypedDict, total=False):
    """What `infer` found in one image; classifications fill `top` and `confidence` too."""

    inference_id: str
    frame_id: int
    time: float
    image: ImageSize
    predictions: list[Prediction]
    top: str
    confidence: float
    predicted_classes: list[str]
    visualization: Picture
    anomaly_map: FloatMap


class OCRResult(TypedDict, total=False):
    """Text read from an image; boxes of its parts when asked for, their `class` the text."""

    result: str
    time: float
    image: ImageSize
    predictions: list[Prediction]


class EmbeddingResult(TypedDict, total=False):
    """One vector for each input; `embedding_info` says of what model and layer."""

    frame_id: int
    time: float
    embeddings: list[list[float]]
    embedding_info: dict[str, Any]


class SimilarityResult(TypedDict, total=False):
    """Cosine similarities, -1..1, in the order of the prompts or by their names."""

    frame_id: int
    time: float
    similarity: list[float] | dict[str, float]


class DepthResult(TypedDict, total=False):
    """Depth of every pixel, 0..1: nested lists as JSON, or float32 (H, W) from a PNG."""

    normalized_depth: list[list[float]] | FloatMap
    image: str
    depth_map_format: str
