"""The point of a box or mask that stands for it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from inference_sdk.local.workflows.detections import Detections

_PARTS = {"LEFT": 0.0, "TOP": 0.0, "CENTER": 0.5, "RIGHT": 1.0, "BOTTOM": 1.0}


def anchor_points(found: Detections, anchor: str) -> npt.NDArray[np.float64]:
    """(N, 2): x and y of an anchor of each detection.

    Args:
        found: the detections.
        anchor: CENTER, CENTER_OF_MASS, or two of TOP, CENTER, BOTTOM and LEFT, CENTER, RIGHT as in
            BOTTOM_CENTER.

    Raises:
        ValueError: there is no such anchor, or it is the centre of masses that are not there.
    """
    if anchor == "CENTER_OF_MASS":
        return _centers_of_mass(found)
    vertical, _, horizontal = anchor.partition("_")
    if vertical not in _PARTS or (horizontal or "CENTER") not in _PARTS:
        raise ValueError(f"There is no anchor {anchor!r}, as in CENTER or BOTTOM_CENTER.")
    x, y = _PARTS[horizontal or "CENTER"], _PARTS[vertical]
    left, top, right, bottom = found.xyxy.T
    return np.stack([left + (right - left) * x, top + (bottom - top) * y], axis=1)


def _centers_of_mass(found: Detections) -> npt.NDArray[np.float64]:
    masks = found.columns.get("mask")
    if masks is None:
        raise ValueError("CENTER_OF_MASS needs detections with masks.")
    return np.array([np.argwhere(mask).mean(0)[::-1] for mask in masks]).reshape(-1, 2)
