"""Keypoints as dots, with their edges or with their names."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import Number, Text, Whole, refers, takes
from inference_sdk.local.workflows.detections import Detections
from inference_sdk.local.workflows.drawing import (
    DetectionsDrawing,
    colour_of,
)
from inference_sdk.local.workflows.images import Pixels

LABEL_RADIUS = 10
"""Pixels, of the corners of labels."""


class KeypointVisualization(DetectionsDrawing):
    """Keypoints as dots, with their edges or with their names."""

    TYPES = ("roboflow_core/keypoint_visualization@v1", "KeypointVisualization")

    predictions: Annotated[Detections, refers(k.KEYPOINTS)]
    annotator_type: Literal["edge", "vertex", "vertex_label"] = "edge"
    color: Text = "#A351FB"
    text_color: Text = "black"
    text_scale: Number = 0.5
    text_thickness: Whole = 1
    text_padding: Whole = 10
    thickness: Whole = 2
    radius: Whole = 10
    edges: Annotated[list[Any] | None, takes(k.LIST)] = None

    def draw_detections(self, scene: Pixels, found: Detections) -> Pixels:
        if not len(found) or "keypoints" not in found.columns:
            return scene
        import supervision as sv

        points = _keypoints(found)
        if self.annotator_type == "vertex_label":
            labels = [str(number) for number in range(points.xy.shape[1])]
            return np.asarray(self._labels().annotate(scene, points, labels))
        colour = colour_of(self.color)
        annotator: Any = (
            sv.EdgeAnnotator(color=colour, thickness=self.thickness, edges=self.edges)
            if self.annotator_type == "edge"
            else sv.VertexAnnotator(color=colour, radius=self.radius)
        )
        return np.asarray(annotator.annotate(scene, points))

    def _labels(self) -> Any:
        import supervision as sv

        return sv.VertexLabelAnnotator(
            color=colour_of(self.color),
            text_color=colour_of(self.text_color),
            text_scale=self.text_scale,
            text_thickness=self.text_thickness,
            text_padding=self.text_padding,
            border_radius=LABEL_RADIUS,
        )


def _keypoints(found: Detections) -> Any:
    """As supervision takes them: (N, K, 2), short rows filled with points at 0, 0."""
    import supervision as sv

    rows = found.columns["keypoints"]
    longest = max(map(len, rows))
    xy = np.zeros((len(rows), longest, 2), np.float32)
    confidence = np.zeros((len(rows), longest), np.float32)
    for row, points in enumerate(rows):
        for place, point in enumerate(points):
            xy[row, place] = point["x"], point["y"]
            confidence[row, place] = point.get("confidence") or 0.0
    fields = sv.KeyPoints.__dataclass_fields__
    told = "keypoint_confidence" if "keypoint_confidence" in fields else "confidence"  # before 0.30
    given: dict[str, Any] = {told: confidence}
    return sv.KeyPoints(xy=xy, class_id=found.class_id, **given)
