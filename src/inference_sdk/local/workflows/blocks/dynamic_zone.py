"""Zones out of masks: polygons with as many corners as wanted."""

from __future__ import annotations

from typing import Annotated, Any

import cv2
import numpy as np

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import (
    Block,
    Flag,
    Fraction,
    Number,
    Outputs,
    Whole,
    refers,
)
from inference_sdk.local.workflows.detections import Detections
from inference_sdk.local.workflows.wire import largest_polygon, mask_from_polygon

MAX_STEPS = 1000
"""Of the search for a polygon with just so many corners."""


class DynamicZone(Block):
    """A polygon with `required_number_of_vertices` corners round each mask."""

    TYPES = ("roboflow_core/dynamic_zone@v1", "DynamicZone")
    OUTPUTS = {
        "zones": (k.LIST,),
        "predictions": (k.SEGMENTS,),
        "simplification_converged": (k.BOOLEAN,),
    }

    predictions: Annotated[Detections, refers(k.SEGMENTS)]
    required_number_of_vertices: Whole
    scale_ratio: Number = 1
    apply_least_squares: Flag = False
    midpoint_fraction: Fraction = 1

    def run(self) -> Outputs:
        found, wanted = self.predictions, self.required_number_of_vertices
        if wanted < 3:
            raise ValueError(f"A zone has 3 corners or more, not {wanted}.")
        if len(found) and "mask" not in found.columns:
            raise ValueError("dynamic_zone needs detections with masks.")
        outlines = [largest_polygon(mask) for mask in found.columns.get("mask", ())]
        rows = [row for row, outline in enumerate(outlines) if len(outline) >= 3]
        zones = [self._zone(outlines[row]) for row in rows]
        kept = found.keep(np.asarray(rows, int))
        size = found.size or (0, 0)
        return {
            "zones": [zone.tolist() for zone, _ in zones],
            "predictions": kept.with_columns(
                polygon=[zone.tolist() for zone, _ in zones],
                mask=[mask_from_polygon(zone, size) for zone, _ in zones],
            ),
            "simplification_converged": all(converged for _, converged in zones),
        }

    def _zone(self, outline: Any) -> tuple[Any, bool]:
        """The corners of one zone, and whether a polygon with just so many was found."""
        wanted = self.required_number_of_vertices
        polygon = _simplified(cv2.convexHull(outline), wanted)
        converged = len(polygon) == wanted
        if self.apply_least_squares and converged:
            polygon = _fitted(polygon, outline, self.midpoint_fraction)
        missing = np.repeat(polygon[-1:], max(wanted - len(polygon), 0), axis=0)
        corners = np.concatenate([polygon, missing])[:wanted]
        return _scaled(corners, self.scale_ratio), converged


def _simplified(hull: Any, wanted: int) -> Any:
    """The hull with as many corners as wanted, as near as the search comes."""
    low, high = 0.0, float(cv2.arcLength(hull, closed=True))
    polygon = hull.reshape(-1, 2)
    for _ in range(MAX_STEPS):
        if len(polygon) == wanted or high - low < 1e-9:
            break
        tolerance = (low + high) / 2
        polygon = cv2.approxPolyDP(hull, tolerance, closed=True).reshape(-1, 2)
        if len(polygon) > wanted:
            low = tolerance
        else:
            high = tolerance
    return _from_top_left(polygon)


def _from_top_left(polygon: Any) -> Any:
    """The same corners counter-clockwise as one sees them, the one nearest the origin first."""
    if cv2.contourArea(polygon.astype(np.float32), oriented=True) > 0:
        polygon = polygon[::-1]
    return np.roll(polygon, -int(polygon.sum(axis=1).argmin()), axis=0)


def _scaled(polygon: Any, ratio: float) -> Any:
    """The polygon grown about its centre, in whole pixels."""
    moments = cv2.moments(polygon.astype(np.float32).reshape(-1, 1, 2))
    if not moments["m00"] or ratio == 1:
        return np.round(polygon).astype(int)
    center = np.array([moments["m10"], moments["m01"]]) / moments["m00"]
    return np.round(center + (polygon - center) * ratio).astype(int)


def _fitted(polygon: Any, outline: Any, fraction: float) -> Any:
    """Corners where the lines meet that fit the outline best between each two corners.

    Args:
        polygon: the corners.
        outline: points of the mask's outline.
        fraction: the part of the points between two corners that counts, in the middle.
    """
    lines = [
        _line(outline, polygon[number], polygon[(number + 1) % len(polygon)], fraction)
        for number in range(len(polygon))
    ]
    corners = [_meeting(lines[number - 1], lines[number]) for number in range(len(lines))]
    return np.array(
        [old if new is None else new for old, new in zip(polygon, corners, strict=True)]
    )


def _line(outline: Any, start: Any, end: Any, fraction: float) -> Any:
    """A point and a direction of the line along one side."""
    nearest = [int(((outline - point) ** 2).sum(axis=1).argmin()) for point in (start, end)]
    first, last = nearest if nearest[0] <= nearest[1] else (nearest[0], nearest[1] + len(outline))
    points = outline[np.arange(first, last + 1) % len(outline)]
    spare = int(len(points) * (1 - fraction) / 2)
    middle = points[spare : len(points) - spare]
    if len(middle) < 2:
        middle = np.array([start, end])
    fitted = cv2.fitLine(middle.astype(np.float32), cv2.DIST_L2, 0, 0.01, 0.01).ravel()
    return fitted[2:], fitted[:2]


def _meeting(one: Any, other: Any) -> Any:
    """Where two lines meet; None where they run side by side."""
    sides = np.array([one[1], -other[1]], float).T
    if abs(np.linalg.det(sides)) < 1e-6:
        return None
    along = np.linalg.solve(sides, np.asarray(other[0], float) - one[0])
    return one[0] + along[0] * one[1]
