"""Which boxes overlap."""

from __future__ import annotations

from typing import Any, Literal

import cv2
import numpy as np

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import Block, Boxes, Fraction, Outputs
from inference_sdk.local.workflows.detections import Detections
from inference_sdk.local.workflows.wire import largest_polygon

FINE = 8
"""Parts of a pixel's side."""


class Overlap(Block):
    """Boxes of other classes that overlap one of a given class."""

    TYPES = ("roboflow_core/overlap@v1",)
    OUTPUTS = {"overlaps": (k.DETECTIONS,)}

    predictions: Boxes
    overlap_type: Literal["Center Overlap", "Any Overlap"] = "Center Overlap"
    overlap_class_name: str

    def run(self) -> Outputs:
        found = self.predictions
        given = np.asarray(found.class_name == self.overlap_class_name, bool)
        over = [
            row
            for row in np.flatnonzero(~given)
            if any(self._overlap(found.xyxy[row], box) for box in found.xyxy[given])
        ]
        return {"overlaps": found.keep(np.asarray(over, int))}

    def _overlap(self, box: Any, other: Any) -> bool:
        if self.overlap_type == "Center Overlap":
            x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
            return bool(other[0] < x < other[2] and other[1] < y < other[3])
        return bool(
            box[0] < other[2] and box[2] > other[0] and box[1] < other[3] and box[3] > other[1]
        )


class OverlapAnalysis(Block):
    """Pairs of a reference and a candidate that overlap, with the part of the reference covered."""

    TYPES = ("roboflow_core/overlap_analysis@v1", "OverlapAnalysis")
    OUTPUTS = {"overlaps": (k.OVERLAPS,)}

    reference_predictions: Boxes
    candidate_predictions: Boxes
    min_overlap: Fraction = 0.1

    def run(self) -> Outputs:
        references, candidates = self.reference_predictions, self.candidate_predictions
        outlines = [_outline(candidates, row) for row in range(len(candidates))]
        records = []
        for row in range(len(references)):
            reference = _outline(references, row)
            area = cv2.contourArea(reference)
            for other, candidate in enumerate(outlines):
                ratio = min(_common(reference, candidate) / area, 1.0) if area else 0.0
                if ratio > 0 and ratio >= self.min_overlap:
                    records.append(_record(references, row, candidates, other, ratio))
        return {"overlaps": records}


def _outline(found: Detections, row: int) -> Any:
    """The outline of a mask, or of the box where there is none; float32 of (N, 2)."""
    masks = found.columns.get("mask")
    if masks is not None:
        outline = largest_polygon(masks[row])
        if len(outline) >= 3:
            return outline.astype(np.float32)
    left, top, right, bottom = found.xyxy[row]
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


def _common(one: Any, other: Any) -> float:
    """The area that two polygons share."""
    both = cv2.isContourConvex(one) and cv2.isContourConvex(other)
    if both:
        return float(cv2.intersectConvexConvex(one, other)[0])
    points = np.concatenate([one, other])
    low = np.floor(points.min(0)).astype(int)
    # Polygons with dents are compared as pixels, in parts of them so that edges count for little.
    size = (np.ceil(points.max(0)).astype(int) - low + 1) * FINE
    masks = []
    for polygon in (one, other):
        canvas = np.zeros((int(size[1]), int(size[0])), np.uint8)
        cv2.fillPoly(canvas, [((polygon - low) * FINE).astype(np.int32)], (1,))
        masks.append(canvas)
    return float((masks[0] & masks[1]).sum()) / FINE**2


def _record(
    references: Detections, row: int, candidates: Detections, other: int, ratio: float
) -> dict[str, Any]:
    def told(side: str, found: Detections, index: int) -> dict[str, Any]:
        return {
            f"{side}_class": str(found.class_name[index]),
            f"{side}_confidence": float(found.confidence[index]),
            f"{side}_detection_id": str(found.detection_id[index]),
        }

    return {
        **told("reference", references, row),
        **told("candidate", candidates, other),
        "overlap_ratio": ratio,
    }
