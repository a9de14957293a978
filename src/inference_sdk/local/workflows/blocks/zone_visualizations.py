"""Zones, lines and paths that a workflow watches."""

from __future__ import annotations

from typing import Annotated, Any

import cv2
import numpy as np

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import Fraction, Number, Text, Whole, takes
from inference_sdk.local.workflows.colours import bgr_of
from inference_sdk.local.workflows.drawing import Drawing, colour_of
from inference_sdk.local.workflows.images import Pixels

Points = Annotated[list[Any], takes(k.LIST)]


def _points(given: Any) -> list[Any]:
    """One or several lists of points, as a list of arrays of (N, 2)."""
    many = given and isinstance(given[0][0], (list, tuple, np.ndarray))
    return [np.asarray(points, float).astype(np.int32) for points in (given if many else [given])]


class PolygonZoneVisualization(Drawing):
    """A zone: its colour is added to what is in it."""

    TYPES = ("roboflow_core/polygon_zone_visualization@v1",)

    zone: Points
    color: Text = "#5bb573"
    opacity: Fraction = 0.3

    def draw(self, scene: Pixels) -> Pixels:
        filled = np.zeros_like(scene)
        cv2.fillPoly(filled, _points(self.zone), bgr_of(self.color))
        return np.asarray(cv2.addWeighted(filled, self.opacity, scene, 1, 0), np.uint8)


class ReferencePathVisualization(Drawing):
    """A path."""

    TYPES = ("roboflow_core/reference_path_visualization@v1",)

    reference_path: Points
    color: Text = "#5bb573"
    thickness: Whole = 2

    def draw(self, scene: Pixels) -> Pixels:
        path = np.asarray(self.reference_path, float).astype(np.int32).reshape(-1, 1, 2)
        colour = bgr_of(self.color)
        return np.asarray(cv2.polylines(scene, [path], False, colour, self.thickness), np.uint8)


class LineCounterVisualization(Drawing):
    """A line, with what was counted on it."""

    TYPES = ("roboflow_core/line_counter_visualization@v1",)

    zone: Points
    color: Text = "#5bb573"
    thickness: Whole = 2
    text_thickness: Whole = 1
    text_scale: Number = 1.0
    count_in: Whole = 0
    count_out: Whole = 0
    opacity: Fraction = 0.3

    def draw(self, scene: Pixels) -> Pixels:
        import supervision as sv

        (line,) = _points(self.zone)
        if line.shape != (2, 2):
            raise ValueError(f"A line has two points [[x, y], [x, y]], not {self.zone!r}.")
        drawn = np.zeros_like(scene)
        start, end = (tuple(map(int, point)) for point in line)
        cv2.line(drawn, start, end, bgr_of(self.color), self.thickness)
        mixed = np.asarray(cv2.addWeighted(drawn, self.opacity, scene, 1, 0), np.uint8)
        return np.asarray(
            sv.draw_text(
                scene=mixed,
                text=f"in: {self.count_in}, out: {self.count_out}",
                text_anchor=sv.Point(x=start[0], y=start[1]),
                text_thickness=self.text_thickness,
                text_scale=self.text_scale,
                background_color=colour_of("WHITE"),
                text_padding=0,
            )
        )
