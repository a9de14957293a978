"""Boxes: which of many to keep, and how an answer spells them.

Arrays of boxes are float32 of shape (N, 4): left, top, right, bottom in pixels of the image.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from inference_sdk.local.models.parameters import InferenceParameters


Overlap = Callable[["NDArray[np.float32]", "NDArray[np.float32]"], "NDArray[np.float32]"]
"""How much one box has in common with each of others, 0..1."""


def intersection_over_union(
    box: NDArray[np.float32], others: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Shared area of one box with each of the others, as a share of the area both cover."""
    low = np.maximum(box[:2], others[:, :2])
    high = np.minimum(box[2:], others[:, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=1)
    areas = np.prod(others[:, 2:] - others[:, :2], axis=1)
    union = np.prod(box[2:] - box[:2]) + areas - shared
    return np.asarray(shared / np.maximum(union, np.finfo(np.float32).tiny), dtype=np.float32)


def select(
    boxes: NDArray[np.float32],
    scores: NDArray[np.float32],
    class_ids: NDArray[np.intp],
    class_names: tuple[str, ...],
    parameters: InferenceParameters,
    overlap: Overlap | None = intersection_over_union,
) -> NDArray[np.intp]:
    """Indices of the boxes that the parameters leave, the most certain first.

    With `overlap` None no box is left out for being like another.
    """
    wanted = scores >= parameters.confidence
    if parameters.class_filter is not None:
        ids = [i for i, name in enumerate(class_names) if name in parameters.class_filter]
        wanted &= np.isin(class_ids, ids)
    order = np.argsort(-scores, kind="stable")
    order = order[wanted[order]][: parameters.max_candidates]
    if overlap is None:
        return np.asarray(order[: parameters.max_detections], dtype=np.intp)
    groups = np.zeros_like(class_ids) if parameters.class_agnostic_nms else class_ids
    limits = parameters.iou_threshold, parameters.max_detections
    return suppress(boxes, groups, order, *limits, overlap=overlap)


def suppress(
    boxes: NDArray[np.float32],
    groups: NDArray[np.intp],
    order: NDArray[np.intp],
    iou_threshold: float,
    most: int | None = None,
    *,
    overlap: Overlap = intersection_over_union,
) -> NDArray[np.intp]:
    """Non-maximum suppression: of `order`, those no earlier box of their group overlaps much.

    Ends when there are `most`.
    """
    kept: list[int] = []
    while order.size and (most is None or len(kept) < most):
        first, order = order[0], order[1:]
        kept.append(int(first))
        overlaps = overlap(boxes[first], boxes[order]) > iou_threshold
        order = order[~(overlaps & (groups[order] == groups[first]))]
    return np.array(kept, dtype=np.intp)


def clip(boxes: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Boxes cut to the image."""
    return np.clip(boxes, 0, np.array([width, height, width, height], np.float32))


def prediction(
    box: NDArray[np.float32], confidence: float, class_id: int, class_name: str
) -> dict[str, Any]:
    """A box as an answer spells it: x, y are its centre."""
    left, top, right, bottom = (float(side) for side in box)
    return {
        "x": (left + right) / 2,
        "y": (top + bottom) / 2,
        "width": right - left,
        "height": bottom - top,
        "confidence": float(confidence),
        "class": class_name,
        "class_id": int(class_id),
        "detection_id": str(uuid.uuid4()),
        "class_confidence": None,
        "tracker_id": None,
        "parent_id": None,
    }


def answer(image: NDArray[np.uint8], predictions: list[dict[str, Any]]) -> dict[str, Any]:
    """The answer about one image."""
    height, width = image.shape[:2]
    return {"image": {"width": width, "height": height}, "predictions": predictions}
