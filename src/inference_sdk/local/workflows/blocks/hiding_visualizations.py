"""What hides: boxes that nobody shall recognise, or all that is round them."""

from __future__ import annotations

import numpy as np

from inference_sdk.local.workflows.block import Fraction, Text, Whole
from inference_sdk.local.workflows.detections import Detections
from inference_sdk.local.workflows.drawing import DetectionsDrawing, colour_of
from inference_sdk.local.workflows.images import Pixels


class BlurVisualization(DetectionsDrawing):
    """Blurs boxes, made larger by `padding` pixels on each side."""

    TYPES = ("roboflow_core/blur_visualization@v1", "BlurVisualization")

    kernel_size: Whole = 15
    padding: Whole = 0

    def draw_detections(self, scene: Pixels, found: Detections) -> Pixels:
        import supervision as sv

        padded = found.with_boxes(found.xyxy + np.array([-1, -1, 1, 1]) * self.padding)
        annotator = sv.BlurAnnotator(kernel_size=self.kernel_size)
        return np.asarray(annotator.annotate(scene, padded.to_supervision()))


class PixelateVisualization(DetectionsDrawing):
    """Pixelates boxes."""

    TYPES = ("roboflow_core/pixelate_visualization@v1", "PixelateVisualization")

    pixel_size: Whole = 20

    def draw_detections(self, scene: Pixels, found: Detections) -> Pixels:
        import supervision as sv

        annotator = sv.PixelateAnnotator(pixel_size=self.pixel_size)
        return np.asarray(annotator.annotate(scene, found.to_supervision()))


class BackgroundColorVisualization(DetectionsDrawing):
    """A colour over all but the boxes or masks."""

    TYPES = ("roboflow_core/background_color_visualization@v1", "BackgroundColorVisualization")

    color: Text = "BLACK"
    opacity: Fraction = 0.5

    def draw_detections(self, scene: Pixels, found: Detections) -> Pixels:
        import supervision as sv

        annotator = sv.BackgroundOverlayAnnotator(color=colour_of(self.color), opacity=self.opacity)
        return np.asarray(annotator.annotate(scene, found.to_supervision()))
