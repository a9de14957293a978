"""Boxes, labels, keypoints and outlines on pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

import numpy as np

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import Number, Text, Whole, refers, takes
from inference_sdk.local.workflows.detections import Detections
from inference_sdk.local.workflows.drawing import (
    ColouredDrawing,
    DetectionsDrawing,
    Position,
    colour_of,
    position_of,
)
from inference_sdk.local.workflows.images import Pixels


class BoundingBoxVisualization(ColouredDrawing):
    """The outline of each box."""

    TYPES = ("roboflow_core/bounding_box_visualization@v1", "BoundingBoxVisualization")

    thickness: Whole = 2
    roundness: Annotated[float, takes(k.FRACTION)] = 0.0

    def annotator(self) -> Any:
        import supervision as sv

        if self.roundness == 0:
            return sv.BoxAnnotator(**self.colours(), thickness=self.thickness)
        return sv.RoundBoxAnnotator(
            **self.colours(), thickness=self.thickness, roundness=self.roundness
        )


class PolygonVisualization(ColouredDrawing):
    """The outline of each mask."""

    TYPES = (
        "roboflow_core/polygon_visualization@v1",
        "PolygonVisualization",
        "roboflow_core/polygon_visualization@v2",
    )

    predictions: Annotated[Detections, refers(k.SEGMENTS, k.RLE_SEGMENTS)]
    thickness: Whole = 2

    def annotator(self) -> Any:
        import supervision as sv

        return sv.PolygonAnnotator(**self.colours(), thickness=self.thickness)


class LabelVisualizationV2(ColouredDrawing):
    """A text beside each box."""

    TYPES: ClassVar[Sequence[str]] = ("roboflow_core/label_visualization@v2",)

    text: Annotated[
        Literal[
            "Class",
            "Confidence",
            "Class and Confidence",
            "Index",
            "Dimensions",
            "Area",
            "Tracker Id",
            "Time In Zone",
        ],
        takes(k.STRING),
    ] = "Class"
    text_position: Position = "TOP_LEFT"
    text_color: Text = "WHITE"
    text_scale: Number = 1.0
    text_thickness: Whole = 1
    text_padding: Whole = 10
    border_radius: Whole = 0

    def draw_detections(self, scene: Pixels, found: Detections) -> Pixels:
        labels = _labels(found, self.text)
        return np.asarray(self.annotator().annotate(scene, found.to_supervision(), labels))

    def annotator(self) -> Any:
        import supervision as sv

        return sv.LabelAnnotator(
            **self.colours(),
            text_color=colour_of(self.text_color),
            text_scale=self.text_scale,
            text_thickness=self.text_thickness,
            text_padding=self.text_padding,
            text_position=position_of(self.text_position),
            border_radius=self.border_radius,
        )


class LabelVisualization(LabelVisualizationV2):
    """A text beside each box."""

    TYPES = ("roboflow_core/label_visualization@v1", "LabelVisualization")


def _labels(found: Detections, text: str) -> list[str]:
    def column(name: str, form: Any) -> list[str]:
        return [form(value) for value in found.columns.get(name, [None] * len(found))]

    sides = found.xyxy[:, 2:] - found.xyxy[:, :2]
    texts = {
        "Class": lambda: list(map(str, found.class_name)),
        "Confidence": lambda: [f"{value:.2f}" for value in found.confidence],
        "Class and Confidence": lambda: [
            f"{name} {value:.2f}"
            for name, value in zip(found.class_name, found.confidence, strict=True)
        ],
        "Index": lambda: [str(row) for row in range(len(found))],
        "Dimensions": lambda: [
            f"{int(x)}, {int(y)} {int(width)}x{int(height)}"
            for (x, y), (width, height) in zip(found.centers, sides, strict=True)
        ],
        "Area": lambda: [str(int(area)) for area in found.areas],
        "Tracker Id": lambda: column(
            "tracker_id", lambda v: "No Tracker ID" if v is None else str(v)
        ),
        "Time In Zone": lambda: column(
            "time_in_zone",
            lambda v: "In zone: N/A" if v is None else f"In zone: {round(float(v), 2)}s",
        ),
    }
    return texts[text]()


class KeypointVisualization(DetectionsDrawing):
    """Keypoints as dots, with their edges or with their names."""

    TYPES = ("roboflow_core/keypoint_visualization@v1", "KeypointVisualization")

    predictions: Annotated[Detections, refers(k.KEYPOINTS)]
    annotator_type: Annotated[Literal["edge", "vertex", "vertex_label"], takes(k.STRING)] = "edge"
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
            labels = [str(p["class"]) for p in found.columns["keypoints"][0]]
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
    return sv.KeyPoints(xy=xy, keypoint_confidence=confidence, class_id=found.class_id)
