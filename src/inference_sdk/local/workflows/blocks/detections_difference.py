"""What vanished, stayed and came between two sets of detections."""

from __future__ import annotations

from typing import Annotated, Any

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

Objects = Annotated[Detections, refers(k.DETECTIONS)]
IMPOSSIBLE = 1e6
"""The cost of a pair that cannot be."""


class DetectionsDifference(Block):
    """Pairs detections of two sets at the least cost: where they lie, and whether classes differ."""

    TYPES = ("roboflow_core/detections_difference@v1", "DetectionsDifference")
    OUTPUTS = {
        "removed_detections": (k.DETECTIONS,),
        "persisted_detections": (k.DETECTIONS,),
        "new_detections": (k.DETECTIONS,),
        "removed_count": (k.INTEGER,),
        "new_count": (k.INTEGER,),
        "verified": (k.BOOLEAN,),
    }

    reference_predictions: Objects
    candidate_predictions: Objects
    spatial_weight: Fraction = 0.4
    class_mismatch_penalty: Number = 0.15
    reject_cost: Number = 0.75
    class_strict: Flag = False
    min_removed_to_verify: Whole = 1

    def run(self) -> Outputs:
        reference, candidate = self.reference_predictions, self.candidate_predictions
        stayed, still_there = self._pairs(reference, candidate)
        removed = reference.keep([row for row in range(len(reference)) if row not in stayed])
        new = candidate.keep([row for row in range(len(candidate)) if row not in still_there])
        return {
            "removed_detections": removed,
            "persisted_detections": candidate.keep(sorted(still_there)),
            "new_detections": new,
            "removed_count": len(removed),
            "new_count": len(new),
            "verified": len(removed) >= self.min_removed_to_verify,
        }

    def _pairs(self, reference: Detections, candidate: Detections) -> tuple[set[int], set[int]]:
        """Rows of both that are the same things."""
        if not (len(reference) and len(candidate)):
            return set(), set()
        from scipy.optimize import linear_sum_assignment

        costs = self._costs(reference, candidate)
        pairs = [
            (int(one), int(other))
            for one, other in zip(*linear_sum_assignment(costs), strict=True)
            if costs[one, other] <= self.reject_cost
        ]
        return {one for one, _ in pairs}, {other for _, other in pairs}

    def _costs(self, reference: Detections, candidate: Detections) -> Any:
        apart = np.array([[_apart(a, b) for b in candidate.xyxy] for a in reference.xyxy])
        differ = reference.class_name[:, None] != candidate.class_name[None, :]
        penalty = IMPOSSIBLE if self.class_strict else self.class_mismatch_penalty
        return self.spatial_weight * apart + np.where(differ.astype(bool), penalty, 0.0)


def _apart(one: Any, other: Any) -> float:
    """How far two boxes are from one another: 0 for the same, up to 1 while they overlap, up to 2
    beyond.
    """
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    common = float(np.clip(high - low, 0, None).prod())
    if common > 0:
        areas = float((one[2:] - one[:2]).prod() + (other[2:] - other[:2]).prod())
        return 1 - common / (areas - common)
    distance = np.hypot(*((one[:2] + one[2:] - other[:2] - other[2:]) / 2))
    round_both = np.maximum(one[2:], other[2:]) - np.minimum(one[:2], other[:2])
    return float(1 + distance / max(np.hypot(*round_both), 1e-9))
