"""Sets of detections as a whole: joined, merged into one, grown, kept by a level for each class."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import AnyBoxes, Block, Boxes, Number, Outputs, takes
from inference_sdk.local.workflows.detections import Detections

Positive = Annotated[int, Field(gt=0), takes(k.INTEGER)]


class PerClassConfidenceFilter(Block):
    """Those that are sure enough, by a level for each class."""

    TYPES = ("roboflow_core/per_class_confidence_filter@v1",)
    OUTPUTS = {"predictions": k.ALL_BOXES}

    predictions: AnyBoxes
    class_thresholds: Annotated[dict[str, float], takes(k.DICTIONARY)]
    default_threshold: Number = 0.3

    def run(self) -> Outputs:
        found = self.predictions
        levels = [self.class_thresholds.get(n, self.default_threshold) for n in found.class_name]
        return {"predictions": found.keep(found.confidence >= np.array(levels, float))}


class DetectionsMerge(Block):
    """One box around all; as sure as the least sure."""

    TYPES = ("roboflow_core/detections_merge@v1",)
    OUTPUTS = {"predictions": (k.DETECTIONS,)}

    predictions: AnyBoxes
    class_name: str = "merged_detection"

    def run(self) -> Outputs:
        found = self.predictions
        if not len(found):
            return {"predictions": Detections.of([], classes=[])}
        around = [*found.xyxy[:, :2].min(0), *found.xyxy[:, 2:].max(0)]
        sure = [float(found.confidence.min())]
        merged = Detections.of([around], classes=[self.class_name], confidences=sure)
        return {"predictions": merged}


class DetectionsCombine(Block):
    """All of two sets."""

    TYPES = ("roboflow_core/detections_combine@v1",)
    OUTPUTS = {"predictions": k.BOXES}

    prediction_one: Boxes
    prediction_two: Boxes

    def run(self) -> Outputs:
        return {"predictions": Detections.joined([self.prediction_one, self.prediction_two])}


class DetectionOffset(Block):
    """Boxes grown around their centres, by pixels or percent in sum per axis."""

    TYPES = ("roboflow_core/detection_offset@v1", "DetectionOffset")
    OUTPUTS = {"predictions": k.ALL_BOXES}

    predictions: AnyBoxes
    offset_width: Positive
    offset_height: Positive
    units: Literal["Percent (%)", "Pixels"] = "Pixels"

    def run(self) -> Outputs:
        found = self.predictions
        grown = np.full((len(found), 2), [self.offset_width, self.offset_height], float)
        if self.units != "Pixels":
            grown = (found.xyxy[:, 2:] - found.xyxy[:, :2]) * grown / 100
        half = grown.astype(int) // 2
        boxes = found.xyxy + np.concatenate([-half, half], axis=1)
        if found.size is not None:
            boxes = np.clip(boxes, 0, [*found.size, *found.size])
        return {"predictions": found.with_boxes(boxes).with_new_ids()}
