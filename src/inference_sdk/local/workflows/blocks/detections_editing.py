"""Boxes grown, chosen by class, merged and joined."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import AnyBoxes, Block, Boxes, Outputs, takes
from inference_sdk.local.workflows.detections import MASKS, Detections

Positive = Annotated[int, Field(gt=0), takes(k.INTEGER)]


class DetectionOffset(Block):
    """Grows each box within the picture: pixels, or percent of its sides, in sum per axis."""

    TYPES = ("roboflow_core/detection_offset@v1", "DetectionOffset")
    OUTPUTS = {"predictions": k.ALL_BOXES}

    predictions: AnyBoxes
    offset_width: Positive
    offset_height: Positive
    units: Literal["Percent (%)", "Pixels"] = "Pixels"

    def run(self) -> Outputs:
        found = self.predictions
        offsets = np.array([self.offset_width, self.offset_height], float)
        sides = found.xyxy[:, 2:] - found.xyxy[:, :2]
        grown = sides * offsets / 100 if self.units != "Pixels" else offsets
        half = np.broadcast_to(np.floor(grown / 2), sides.shape)
        boxes = np.concatenate([found.xyxy[:, :2] - half, found.xyxy[:, 2:] + half], axis=1)
        limits = np.inf if found.size is None else np.array([*found.size, *found.size], float)
        root = found.lineage.root
        moved = found.with_boxes(np.clip(boxes, 0, limits)).with_new_ids()
        name = found.lineage.name if root is None else root.name
        return {"predictions": moved.with_columns(root_parent_id=[name] * len(moved))}


class PerClassConfidenceFilter(Block):
    """A level of confidence for each class."""

    TYPES = ("roboflow_core/per_class_confidence_filter@v1",)
    OUTPUTS = {"predictions": k.ALL_BOXES}

    predictions: AnyBoxes
    class_thresholds: Annotated[dict[str, float], takes(k.DICTIONARY)]
    default_threshold: Annotated[float, takes(k.FRACTION)] = 0.3

    def run(self) -> Outputs:
        found = self.predictions
        levels = [
            self.class_thresholds.get(name, self.default_threshold) for name in found.class_name
        ]
        return {"predictions": found.keep(found.confidence >= np.asarray(levels, float))}


class DetectionsMerge(Block):
    """One box round all, as sure as the least sure of them."""

    TYPES = ("roboflow_core/detections_merge@v1",)
    OUTPUTS = {"predictions": (k.DETECTIONS,)}

    predictions: AnyBoxes
    class_name: str = "merged_detection"

    def run(self) -> Outputs:
        found = self.predictions
        if not len(found):
            return {"predictions": Detections.of([], classes=[])}
        corners = [*found.xyxy[:, :2].min(0), *found.xyxy[:, 2:].max(0)]
        merged = Detections.of(
            [corners], classes=[self.class_name], confidences=[float(np.min(found.confidence))]
        )
        whole = merged.with_columns(parent_id=found.parent_id[:1])
        return {"predictions": replace(whole, lineage=found.lineage)}


class DetectionsCombine(Block):
    """Joins two sets that carry the same extra data."""

    TYPES = ("roboflow_core/detections_combine@v1",)
    OUTPUTS = {"predictions": k.BOXES}

    prediction_one: Boxes
    prediction_two: Boxes

    def run(self) -> Outputs:
        one, two = self.prediction_one, self.prediction_two
        odd = sorted(set(one.columns) ^ set(two.columns)) if len(one) and len(two) else []
        if odd:
            raise ValueError(f"Only one of the two sets has {', '.join(odd)}.")
        joined = Detections.joined([one, two])
        has_masks = "mask" in joined.columns
        return {"predictions": replace(joined, prediction_type=MASKS) if has_masks else joined}
