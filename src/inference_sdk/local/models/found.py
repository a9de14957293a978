"""What a network found in one picture, whatever its kind, and the answer that is made of it.

Heads give this; parameters, geometry and spelling are here, once for all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from inference_sdk.local.models import boxes, masks, polygons, rotated

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from inference_sdk.local.models.masks import Masks
    from inference_sdk.local.models.parameters import InferenceParameters
    from inference_sdk.local.models.preparation import Placement

RLE = "rle"


@dataclass(frozen=True)
class Found:
    """Objects in the pixels of the network's input; arrays have a row for each of them."""

    boxes: NDArray[np.float32]
    """(N, 4): left, top, right, bottom."""
    scores: NDArray[np.float32]
    class_ids: NDArray[np.intp]
    keypoints: NDArray[np.float32] | None = None
    """(N, K, 3): x, y, confidence."""
    masks: Masks | None = None
    oriented: NDArray[np.float32] | None = None
    """(N, 5), as in `rotated`; `boxes` are then their bounds."""
    final: bool = False
    """No two stand for one object: the network has seen to that."""


@dataclass(frozen=True)
class Names:
    """What classes and keypoints are called."""

    classes: tuple[str, ...]
    keypoints: tuple[str, ...] = ()

    def of_class(self, class_id: int) -> str:
        """Its name, or its number where a network gives more classes than it has names for."""
        return self.classes[class_id] if class_id < len(self.classes) else f"class {class_id}"


def answer(
    found: Found, placement: Placement, names: Names, parameters: InferenceParameters
) -> dict[str, Any]:
    """The answer of the API about one picture."""
    in_picture = placement.boxes(found.boxes)
    spelled = (
        _spell(found, index, in_picture[index], placement, names, parameters)
        for index in _chosen(found, in_picture, names, parameters)
    )
    return {
        "image": {"width": placement.width, "height": placement.height},
        "predictions": [prediction for prediction in spelled if prediction is not None],
    }


def _chosen(
    found: Found,
    in_picture: NDArray[np.float32],
    names: Names,
    parameters: InferenceParameters,
) -> list[int]:
    has_area = np.flatnonzero((in_picture[:, 2:] > in_picture[:, :2]).all(axis=1))
    compared, overlap = in_picture, boxes.intersection_over_union
    if found.oriented is not None:
        compared, overlap = found.oriented, rotated.overlap
    chosen = boxes.select(
        compared[has_area],
        found.scores[has_area],
        found.class_ids[has_area],
        names.classes,
        parameters,
        overlap=None if found.final else overlap,
    )
    return [int(index) for index in has_area[chosen]]


def _spell(
    found: Found,
    index: int,
    box: NDArray[np.float32],
    placement: Placement,
    names: Names,
    parameters: InferenceParameters,
) -> dict[str, Any] | None:
    """One prediction; None where an object has no mask, and so is not there."""
    class_id = int(found.class_ids[index])
    spell = partial(boxes.prediction, box, found.scores[index], class_id, names.of_class(class_id))
    if found.masks is not None:
        cutting = found.masks.cut(index, found.boxes[index])
        return spell_mask(cutting, spell(), placement, parameters)
    if found.oriented is not None:
        return spell() | _oriented(found.oriented[index], placement)
    if found.keypoints is not None:
        points = found.keypoints[index]
        points = np.concatenate([placement.points(points[:, :2]), points[:, 2:]], axis=1)
        return spell() | {
            "keypoints": keypoints(points, names.keypoints, parameters.keypoint_confidence)
        }
    return spell()


def spell_mask(
    cutting: masks.Cutting,
    prediction: dict[str, Any],
    placement: Placement,
    parameters: InferenceParameters,
) -> dict[str, Any] | None:
    """A prediction with its mask, as a polygon or in runs; None when no pixel belongs to it."""
    if parameters.response_mask_format == RLE:
        bitmap = cutting.bitmap(placement)
        return prediction | {"rle": masks.rle(bitmap), "mask_format": RLE} if bitmap.any() else None
    outline = cutting.outline(placement)
    if not len(outline):
        return None
    return prediction | {"points": polygons.points(outline), "mask_format": "polygon"}


def keypoints(
    points: NDArray[np.float32], names: tuple[str, ...], least: float
) -> list[dict[str, Any]]:
    """Keypoints (K, 3) of one object as an answer spells them, without the uncertain ones."""
    return [
        {
            "x": float(x),
            "y": float(y),
            "confidence": float(confidence),
            "class_id": index,
            "class": name,
        }
        for index, (name, (x, y, confidence)) in enumerate(zip(names, points, strict=True))
        if confidence >= least
    ]


def _oriented(box: NDArray[np.float32], placement: Placement) -> dict[str, Any]:
    corners = placement.points(rotated.corners(box[None])[0])
    return {"points": polygons.points(corners), "rotation": float(np.degrees(box[4]))}
