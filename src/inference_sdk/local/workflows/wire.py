"""Values of a workflow in JSON: read where a request brings them, written where an answer ends.

Detections, pictures, and all else by its type; what a value has to be is told by its kind
(`kinds`). Knows nothing of steps or of HTTP.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, Optional, cast

import numpy as np
import numpy.typing as npt

from inference_sdk.local.workflows.detections import (
    KEYPOINTS,
    MASKS,
    OBJECTS,
    Detections,
    column,
)
from inference_sdk.local.workflows.images import JPEG_QUALITY, Lineage, WorkflowImage, new_id

Mask = npt.NDArray[np.bool_]

REQUIRED = ("x", "y", "width", "height", "confidence", "class", "class_id")

READ_COLUMNS = (
    "tracker_id",
    "time_in_zone",
    "velocity",
    "speed",
    "smoothed_velocity",
    "smoothed_speed",
    "path_deviation",
    "data",
    "angle",
    "rect",
)
"""What earlier steps may have added, and is read back where all detections have it."""


def detections_from_wire(
    answer: Any,
    name: str,
    *,
    image: Optional[WorkflowImage] = None,
    prediction_type: Optional[str] = None,
) -> Detections:
    """Detections out of `{"image": {width, height}, "predictions": […]}`.

    Args:
        answer: as a model answers, or as it came in a request.
        name: of the parent, where a detection does not tell.
        image: the picture they were found in.
        prediction_type: what kind they are; seen from the keys, if not given.

    Raises:
        ValueError: a key is missing or of the wrong type; says which.
    """
    rows = _rows(answer)
    size = _size(answer["image"])
    boxes = [_edges(row) for row in rows]
    columns: dict[str, Any] = {
        "class": [str(row["class"]) for row in rows],
        "class_id": [int(row["class_id"]) for row in rows],
        "confidence": [float(row["confidence"]) for row in rows],
        "detection_id": [str(row.get("detection_id") or new_id()) for row in rows],
        "parent_id": [str(row.get("parent_id") or name) for row in rows],
    }
    for extra in READ_COLUMNS:
        if rows and all(row.get(extra) is not None for row in rows):
            columns[extra] = [row[extra] for row in rows]
    if rows and all("keypoints" in row for row in rows):
        columns["keypoints"] = [[dict(point) for point in row["keypoints"]] for row in rows]
    if rows and all("points" in row or "rle_mask" in row or "rle" in row for row in rows):
        columns["mask"] = [_mask(row, size) for row in rows]
    if image is not None:
        columns["parent_id"] = [image.name] * len(rows)
    found = KEYPOINTS if "keypoints" in columns else MASKS if "mask" in columns else OBJECTS
    return Detections(
        np.asarray(boxes, np.float64).reshape(-1, 4),
        {key: column(key, values) for key, values in columns.items()},
        size,
        Lineage(name) if image is None else image.lineage,
        prediction_type or found,
        from_model=image is not None,
    )


def _rows(answer: Any) -> list[Mapping[str, Any]]:
    if not isinstance(answer, Mapping):
        raise ValueError(f"predictions are an object, not {type(answer).__name__}")
    missing = [key for key in ("image", "predictions") if key not in answer]
    if missing or not isinstance(answer["predictions"], Sequence):
        raise ValueError(
            "predictions are an object with 'image' (width, height) and 'predictions' (a list)"
        )
    rows = list(answer["predictions"])
    for index, row in enumerate(rows):
        lacking = [key for key in REQUIRED if not isinstance(row, Mapping) or row.get(key) is None]
        if lacking:
            raise ValueError(f"predictions[{index}] lacks {', '.join(lacking)}")
    return rows


def _size(image: Any) -> Optional[tuple[int, int]]:
    if not isinstance(image, Mapping):
        raise ValueError("'image' of predictions is an object with width and height")
    width, height = image.get("width"), image.get("height")
    return None if width is None or height is None else (int(width), int(height))


def _edges(row: Mapping[str, Any]) -> tuple[float, float, float, float]:
    try:
        x, y, width, height = (float(row[key]) for key in ("x", "y", "width", "height"))
    except (TypeError, ValueError) as error:
        raise ValueError("x, y, width and height of a prediction are numbers") from error
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


# --- Masks --------------------------------------------------------------------------------------


def _mask(row: Mapping[str, Any], size: Optional[tuple[int, int]]) -> Mask:
    encoded = row.get("rle_mask") or row.get("rle")
    if encoded is not None:
        return mask_from_rle(encoded)
    if size is None:
        raise ValueError("predictions with points need width and height of the image")
    return mask_from_polygon([(p["x"], p["y"]) for p in row["points"]], size)


def mask_from_polygon(points: Sequence[Sequence[float]], size: tuple[int, int]) -> Mask:
    """The pixels within a polygon, its outline included: bool of (H, W)."""
    import cv2

    canvas = np.zeros((size[1], size[0]), np.uint8)
    if len(points):
        cv2.fillPoly(canvas, [np.asarray(points, np.float64).astype(np.int32)], (1,))
    return canvas.astype(bool)


def mask_to_polygons(mask: Mask) -> list[npt.NDArray[np.int32]]:
    """Outlines of the areas of a mask, each (N, 2) of x and y."""
    import cv2

    found, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)
    outlines = [np.asarray(contour, np.int32).reshape(-1, 2) for contour in found]
    return [outline for outline in outlines if len(outline) >= 3]


def largest_polygon(mask: Mask) -> npt.NDArray[np.int32]:
    """The outline of the largest area; (0, 2) of an empty mask."""
    import cv2

    outlines = mask_to_polygons(mask)
    return max(outlines, key=cv2.contourArea, default=np.zeros((0, 2), np.int32))


def mask_from_rle(encoded: Mapping[str, Any]) -> Mask:
    """A mask out of COCO's run lengths: `{"size": [height, width], "counts": text or list}`."""
    height, width = (int(side) for side in encoded["size"])
    counts = encoded["counts"]
    runs = _runs(counts) if isinstance(counts, (str, bytes)) else list(counts)
    values = np.arange(len(runs)) % 2 == 1
    flat = np.repeat(values, runs)
    if flat.size != height * width:
        raise ValueError(f"rle_mask covers {flat.size} pixels, not {height} x {width}")
    return cast("Mask", flat.reshape((width, height)).T)


def _runs(text: str | bytes) -> list[int]:
    """COCO's compressed counts: 5 bits a character, low ones first; from the third on, each is
    told as the difference from the one before the last.
    """
    data = text.encode("ascii") if isinstance(text, str) else text
    runs: list[int] = []
    value, shift = 0, 0
    for byte in data:
        bits = byte - 48
        value |= (bits & 0x1F) << shift
        shift += 5
        if bits & 0x20:
            continue
        if bits & 0x10:
            value -= 1 << shift
        runs.append(value + runs[-2] if len(runs) > 2 else value)
        value, shift = 0, 0
    return runs


def mask_to_rle(mask: Mask) -> dict[str, Any]:
    """A mask as COCO's compressed run lengths."""
    flat = np.concatenate([[False], mask.T.ravel(), [False]])
    edges = np.flatnonzero(flat[1:] != flat[:-1])
    bounds = np.concatenate([[0], edges, [mask.size]])
    runs = [int(run) for run in np.diff(bounds)]
    if len(edges) and len(runs) > 1 and runs[-1] == 0:
        runs.pop()
    return {"size": [*map(int, mask.shape)], "counts": "".join(map(_packed, _steps(runs)))}


def _steps(runs: list[int]) -> list[int]:
    return [run - runs[index - 2] if index > 2 else run for index, run in enumerate(runs)]


def _packed(value: int) -> str:
    characters = ""
    while True:
        bits = value & 0x1F
        value >>= 5
        done = value == (-1 if bits & 0x10 else 0)
        characters += chr((bits if done else bits | 0x20) + 48)
        if done:
            return characters


# --- Writing ------------------------------------------------------------------------------------

PRIVATE = frozenset({"mask", "class", "class_id", "confidence", "keypoints"})
"""Columns that are not written under their own name, or not in their turn."""


def detections_to_wire(detections: Detections, quality: int = JPEG_QUALITY) -> dict[str, Any]:
    """`{"image": {width, height}, "predictions": […]}`, boxes by their centre."""
    width, height = (detections.size or (None, None)) if len(detections) else (None, None)
    return {
        "image": {"width": width, "height": height},
        "predictions": [_row(detections, index, quality) for index in range(len(detections))],
    }


def _row(detections: Detections, index: int, quality: int) -> dict[str, Any]:
    left, top, right, bottom = (float(edge) for edge in detections.xyxy[index])
    columns = detections.columns
    row: dict[str, Any] = {
        "width": right - left,
        "height": bottom - top,
        "x": left + (right - left) / 2,
        "y": top + (bottom - top) / 2,
        "confidence": float(columns["confidence"][index]),
        "class_id": int(columns["class_id"][index]),
    }
    if "mask" in columns:
        # A zone that a step made is told by its own corners.
        known = columns.get("polygon")
        outline = largest_polygon(columns["mask"][index]) if known is None else known[index]
        row["points"] = [{"x": float(x), "y": float(y)} for x, y in outline]
    if "keypoints" in columns:
        row["keypoints"] = to_wire(columns["keypoints"][index], quality)
    row["class"] = str(columns["class"][index])
    for name, values in columns.items():
        if name not in PRIVATE:
            row[name] = to_wire(values[index], quality)
    return {**row, **detections.lineage.to_wire(), "parent_id": row["parent_id"]}


def to_wire(value: Any, quality: int = JPEG_QUALITY) -> Any:
    """`value` as JSON can carry it: pictures and bytes in base64, arrays as lists.

    Args:
        value: of any kind, nested at will.
        quality: of JPEG, 1 to 100.
    """
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, Mapping):
        return {_key(key): to_wire(item, quality) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [to_wire(item, quality) for item in value]
    return _other_to_wire(value, quality)


def _other_to_wire(value: Any, quality: int) -> Any:
    if isinstance(value, WorkflowImage):
        return value.to_wire(quality)
    if isinstance(value, Detections):
        return detections_to_wire(value, quality)
    if isinstance(value, (np.ndarray, np.generic)):
        return to_wire(value.tolist(), quality)
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode("ascii")
    return value


def _key(key: Any) -> str:
    return key if isinstance(key, str) else str(key)
