"""Where two models differ."""

from __future__ import annotations

from typing import Any

import numpy as np

from inference_sdk.local.workflows.block import Fraction, Text
from inference_sdk.local.workflows.colours import bgr_of
from inference_sdk.local.workflows.detections import Detections, whole
from inference_sdk.local.workflows.drawing import Drawable, Drawing
from inference_sdk.local.workflows.images import Pixels


class ModelComparisonVisualization(Drawing):
    """What one of two models alone found, in its colour; what neither found, darkened."""

    TYPES = ("roboflow_core/model_comparison_visualization@v1",)

    predictions_a: Drawable
    color_a: Text = "GREEN"
    predictions_b: Drawable
    color_b: Text = "RED"
    background_color: Text = "BLACK"
    opacity: Fraction = 0.7

    def draw(self, scene: Pixels) -> Pixels:
        a, b = (
            _covered(found.seen_in(self.image), scene.shape)
            for found in (self.predictions_a, self.predictions_b)
        )
        parts = ((~a & ~b, self.background_color), (a & ~b, self.color_a), (b & ~a, self.color_b))
        for part, colour in parts:
            mixed = scene[part] * (1 - self.opacity) + np.array(bgr_of(colour)) * self.opacity
            scene[part] = mixed.astype(np.uint8)
        return scene


def _covered(found: Detections, shape: Any) -> Any:
    """Pixels that are in a mask, or where there are none in a box."""
    covered = np.zeros(shape[:2], bool)
    masks = found.columns.get("mask")
    for row, box in enumerate(found.xyxy):
        if masks is not None:
            covered |= masks[row]
            continue
        left, top, right, bottom = (max(edge, 0) for edge in whole(box))
        covered[top:bottom, left:right] = True
    return covered
