"""Where a small picture is found in a large one."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import cv2
import numpy as np
from pydantic import Field

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import Block, Flag, Image, Number, Outputs, takes
from inference_sdk.local.workflows.detections import Detections

CLASS = "template_match"


class TemplateMatching(Block):
    """Boxes where a template fits, by normalised correlation of the grey pictures."""

    TYPES = ("roboflow_core/template_matching@v1",)
    OUTPUTS = {"predictions": (k.DETECTIONS,), "number_of_matches": (k.INTEGER,)}

    image: Image
    template: Image
    matching_threshold: Number = 0.8
    apply_nms: Flag = True
    nms_threshold: Annotated[float, Field(ge=0, le=1), takes(k.FRACTION)] = 0.5

    def run(self) -> Outputs:
        scene = np.ascontiguousarray(self.image.gray)
        template = np.ascontiguousarray(self.template.gray)
        height, width = template.shape
        if height > scene.shape[0] or width > scene.shape[1]:
            raise ValueError("The template is larger than the picture.")
        fits = cv2.matchTemplate(scene, template, cv2.TM_CCOEFF_NORMED)
        rows, columns = np.where(fits >= self.matching_threshold)
        boxes = np.stack([columns, rows, columns + width, rows + height], axis=1)
        found = Detections.of(boxes, classes=[CLASS] * len(boxes), image=self.image)
        found = replace(found, prediction_type="template-matching", from_model=True)
        if self.apply_nms and len(found):
            found = found.keep(self._best(found))
        return {"predictions": found, "number_of_matches": len(found)}

    def _best(self, found: Detections) -> Any:
        import supervision as sv

        scored = np.column_stack([found.xyxy, found.confidence])
        return sv.box_non_max_suppression(scored, iou_threshold=self.nms_threshold)
