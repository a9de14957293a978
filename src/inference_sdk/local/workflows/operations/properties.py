"""What can be asked of detections, classifications and pictures by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from inference_sdk.local.workflows.detections import Detections
from inference_sdk.local.workflows.errors import InvalidInputType, OperationFault
from inference_sdk.local.workflows.images import DEFAULT_FPS, WorkflowImage


def _corner(x: int, y: int) -> Callable[[Detections], list[Any]]:
    return lambda found: [[int(box[x]), int(box[y])] for box in found.xyxy]


def _edge(index: int) -> Callable[[Detections], list[Any]]:
    return lambda found: found.xyxy[:, index].tolist()


def _size(found: Detections) -> list[Any]:
    if found.size is None:
        raise OperationFault("the size of the picture of these detections is not known")
    return [[found.size[1], found.size[0]] for _ in range(len(found))]


GEOMETRY: Mapping[str, Callable[[Detections], list[Any]]] = {
    "confidence": lambda found: found.confidence.tolist(),
    "class_name": lambda found: found.class_name.tolist(),
    "class_id": lambda found: found.class_id.tolist(),
    "x_min": _edge(0),
    "y_min": _edge(1),
    "x_max": _edge(2),
    "y_max": _edge(3),
    "width": lambda found: (found.xyxy[:, 2] - found.xyxy[:, 0]).tolist(),
    "height": lambda found: (found.xyxy[:, 3] - found.xyxy[:, 1]).tolist(),
    "size": lambda found: found.areas.tolist(),
    "center": lambda found: [[int(x), int(y)] for x, y in found.centers],
    "top_left": _corner(0, 1),
    "top_right": _corner(2, 1),
    "bottom_left": _corner(0, 3),
    "bottom_right": _corner(2, 3),
    "image_dimensions": _size,
}

SET_BY_BLOCKS: Mapping[str, str] = {
    "prediction_type": "a model",
    "tracker_id": "a tracker",
    "time_in_zone": "time_in_zone",
    "velocity": "velocity",
    "speed": "velocity",
    "smoothed_velocity": "velocity",
    "smoothed_speed": "velocity",
    "angle": "bounding_rect",
    "rect": "bounding_rect",
    "polygon": "dynamic_zone",
    "keypoints_xy": "a model with keypoints",
    "path_deviation": "path_deviation_analytics",
    "in_out": "line_counter",
    "area_px": "mask_area_measurement",
    "area_converted": "mask_area_measurement",
}
"""Properties that detections have once a block has set them."""

DETECTION_PROPERTIES = (*GEOMETRY, *SET_BY_BLOCKS)


def detection_values(found: Any, name: str) -> list[Any]:
    """A property of each detection.

    Raises:
        InvalidInputType: `found` are no detections.
        OperationFault: they do not have it.
    """
    if not isinstance(found, Detections):
        raise InvalidInputType(f"'{name}' is asked of {_a(found)}, not of detections")
    if name in GEOMETRY:
        return GEOMETRY[name](found)
    if name == "keypoints_xy" and "keypoints" in found.columns:
        return [[[p["x"], p["y"]] for p in points] for points in found.columns["keypoints"]]
    if name == "prediction_type" and found.from_model:
        return [found.prediction_type] * len(found)
    if name in found.columns:
        return list(found.columns[name])
    if not len(found):
        return []
    by = SET_BY_BLOCKS.get(name)
    raise OperationFault(
        f"these detections have no '{name}'" + (f": it is set by {by}" if by else "")
    )


def one_detection(found: Any) -> Detections:
    """Detections that have to be a single one."""
    if isinstance(found, Detections) and len(found) == 1:
        return found
    raise InvalidInputType(f"a single detection is needed, not {_a(found)}")


# --- Classifications ----------------------------------------------------------------------------


def classification_value(answer: Any, name: str) -> Any:
    """top_class, top_class_confidence, top_class_confidence_single, all_classes, all_confidences.

    Of an answer with one class they are single values, of one with several lists.
    """
    if not isinstance(answer, Mapping) or "predictions" not in answer:
        raise InvalidInputType(f"'{name}' is asked of {_a(answer)}, not of a classification")
    several = "predicted_classes" in answer
    found = answer["predictions"]
    scores: dict[str, float] = (
        {each: one["confidence"] for each, one in found.items()}
        if isinstance(found, Mapping)
        else {one["class"]: one["confidence"] for one in found}
    )
    if name == "all_classes":
        return list(scores)
    if name == "all_confidences":
        return list(scores.values())
    if not several:
        return answer["top"] if name == "top_class" else answer["confidence"]
    top = list(answer["predicted_classes"])
    if name == "top_class":
        return top
    confidences = [scores[each] for each in top]
    return max(confidences, default=0.0) if name.endswith("_single") else confidences


CLASSIFICATION_PROPERTIES = (
    "top_class",
    "top_class_confidence",
    "top_class_confidence_single",
    "all_classes",
    "all_confidences",
)


# --- Pictures -----------------------------------------------------------------------------------


def image_of(value: Any) -> WorkflowImage:
    if isinstance(value, WorkflowImage):
        return value
    raise InvalidInputType(f"a picture is needed, not {_a(value)}")


IMAGE_PROPERTIES: Mapping[str, Callable[[WorkflowImage], Any]] = {
    "size": lambda image: image.width * image.height,
    "height": lambda image: image.height,
    "width": lambda image: image.width,
    "aspect_ratio": lambda image: image.width / image.height,
}


def _since_start(image: WorkflowImage) -> float:
    fps = image.metadata.get("fps") or DEFAULT_FPS
    return float((int(image.metadata.get("frame_number") or 0) - 1) / fps)


FRAME_PROPERTIES: Mapping[str, Callable[[WorkflowImage], Any]] = {
    "frame_number": lambda image: image.metadata.get("frame_number", 0),
    "frame_timestamp": lambda image: image.timestamp,
    "seconds_since_start": _since_start,
}


def _a(value: Any) -> str:
    if isinstance(value, Detections):
        return f"{len(value)} detections"
    return "nothing" if value is None else f"a value of type {type(value).__name__}"


def is_number(value: Any) -> bool:
    """Whether a value counts as a number: true and false do not."""
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
