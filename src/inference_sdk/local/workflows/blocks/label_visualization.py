"""Texts beside boxes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

import numpy as np

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import Number, Text, Whole, takes
from inference_sdk.local.workflows.detections import Detections
from inference_sdk.local.workflows.drawing import (
    ColouredDrawing,
    Position,
    colour_of,
    position_of,
)
from inference_sdk.local.workflows.images import Pixels


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
            "Area (mask)",
            "Area (converted)",
            "Tracker Id",
            "Time In Zone",
        ],
        takes(k.STRING),
    ] = "Class"
    text_position: Position = "TOP_LEFT"
    text_color: Text = "WHITE"
    text_size_mode: Annotated[Literal["Manual", "Automatic"], takes(k.STRING)] = "Manual"
    text_scale: Number = 1.0
    text_thickness: Whole = 1
    text_padding: Whole = 10
    border_radius: Whole = 0

    def draw_detections(self, scene: Pixels, found: Detections) -> Pixels:
        labels = _labels(found, self.text)
        return np.asarray(self.annotator().annotate(scene, found.to_supervision(), labels))

    def annotator(self) -> Any:
        import supervision as sv

        scale, thickness = self.text_scale, self.text_thickness
        if self.text_size_mode == "Automatic":
            scale = sv.calculate_optimal_text_scale(resolution_wh=self.image.size)
            thickness = sv.calculate_optimal_line_thickness(resolution_wh=self.image.size)
        return sv.LabelAnnotator(
            **self.colours(),
            text_color=colour_of(self.text_color),
            text_scale=scale,
            text_thickness=thickness,
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
        "Area": lambda: [str(int(area)) for area in _areas(found)],
        "Area (mask)": lambda: column("area_px", lambda v: f"Area (mask): {_area(v)}"),
        "Area (converted)": lambda: column("area_converted", lambda v: f"Area (conv): {_area(v)}"),
        "Tracker Id": lambda: column(
            "tracker_id", lambda v: "No Tracker ID" if v is None else str(v)
        ),
        "Time In Zone": lambda: column(
            "time_in_zone",
            lambda v: "In zone: N/A" if v is None else f"In zone: {round(float(v), 2)}s",
        ),
    }
    return texts[text]()


def _area(value: Any) -> str:
    return "N/A" if value is None else f"{float(value):.2f}"


def _areas(found: Detections) -> Any:
    masks = found.columns.get("mask")
    return found.areas if masks is None else [mask.sum() for mask in masks]
