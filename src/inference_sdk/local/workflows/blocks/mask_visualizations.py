"""What marks masks: fills, outlines, a glow."""

from __future__ import annotations

from typing import Annotated, Any

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import Fraction, Whole, refers
from inference_sdk.local.workflows.detections import Detections
from inference_sdk.local.workflows.drawing import ColouredDrawing

Segments = Annotated[Detections, refers(k.SEGMENTS, k.RLE_SEGMENTS)]


class MaskVisualization(ColouredDrawing):
    """Each mask filled."""

    TYPES = ("roboflow_core/mask_visualization@v1", "MaskVisualization")

    predictions: Annotated[Detections, refers(k.SEGMENTS, k.RLE_SEGMENTS, k.SEMANTIC)]
    opacity: Fraction = 0.5

    def annotator(self) -> Any:
        import supervision as sv

        return sv.MaskAnnotator(**self.colours(), opacity=self.opacity)


class PolygonVisualization(ColouredDrawing):
    """The outline of each mask."""

    TYPES = (
        "roboflow_core/polygon_visualization@v1",
        "PolygonVisualization",
        "roboflow_core/polygon_visualization@v2",
    )

    predictions: Segments
    thickness: Whole = 2

    def annotator(self) -> Any:
        import supervision as sv

        return sv.PolygonAnnotator(**self.colours(), thickness=self.thickness)


class HaloVisualization(ColouredDrawing):
    """A glow round each mask."""

    TYPES = (
        "roboflow_core/halo_visualization@v1",
        "HaloVisualization",
        "roboflow_core/halo_visualization@v2",
    )

    predictions: Segments
    opacity: Fraction = 0.8
    kernel_size: Whole = 40

    def annotator(self) -> Any:
        import supervision as sv

        return sv.HaloAnnotator(
            **self.colours(), opacity=self.opacity, kernel_size=self.kernel_size
        )
