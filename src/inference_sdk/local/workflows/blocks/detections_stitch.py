"""Detections of slices or crops, back on the whole picture."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import Block, Boxes, Fraction, Image, Outputs, takes
from inference_sdk.local.workflows.detections import Detections


class DetectionsStitch(Block):
    """Puts detections of slices or crops back on the picture; boxes that overlap become one."""

    TYPES = ("roboflow_core/detections_stitch@v1",)
    OUTPUTS = {"predictions": k.BOXES}
    DIMENSIONS = {"predictions": 1}

    reference_image: Image
    predictions: Boxes
    overlap_filtering_strategy: Annotated[Literal["none", "nms", "nmm"], takes(k.STRING)] = "nms"
    iou_threshold: Fraction = 0.3

    def run(self) -> Outputs:
        parts: Any = self.predictions
        there = [part.seen_in(self.reference_image) for part in parts if part is not None]
        whole = Detections.joined(part for part in there)
        whole = whole.with_columns(parent_id=[self.reference_image.name] * len(whole))
        return {"predictions": self._filtered(whole)}

    def _filtered(self, found: Detections) -> Detections:
        if self.overlap_filtering_strategy == "none" or not len(found):
            return found
        kept = found.to_supervision()
        if self.overlap_filtering_strategy == "nms":
            return found.keep(kept.with_nms(threshold=self.iou_threshold).data["row"])
        merged = kept.with_nmm(threshold=self.iou_threshold)
        rows = found.keep(merged.data["row"]).with_boxes(np.asarray(merged.xyxy, float))
        return rows if merged.mask is None else rows.with_columns(mask=list(merged.mask))
