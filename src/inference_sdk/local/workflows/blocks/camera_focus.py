"""How sharp a picture is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, ClassVar, Literal, Optional

import cv2
import numpy as np
from pydantic import Field

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import Block, Image, Outputs, refers
from inference_sdk.local.workflows.detections import Detections
from inference_sdk.local.workflows.images import Pixels

WHITE, GRAY, GREEN = (255, 255, 255), (128, 128, 128), (0, 255, 0)
DARK_STRIPES, BRIGHT_STRIPES = (255, 0, 0), (128, 0, 255)
STRIPE = 8
"""Pixels between stripes of a warning."""

PEAK = 550.0
"""Gradient from which on an edge counts as in focus."""

PANEL = (8, 8, 92, 52)
"""Left, top, right, bottom of the panel with the figures, in pixels."""

Percent = Annotated[float, Field(ge=0, le=100)]


class CameraFocus(Block):
    """Brenner's measure of focus: the mean square of the differences two pixels apart."""

    TYPES = ("roboflow_core/camera_focus@v1",)
    OUTPUTS = {"image": (k.IMAGE,), "focus_measure": (k.FLOAT,)}

    image: Image

    def run(self) -> Outputs:
        squares = _brenner(self.image.gray)
        measure = float(squares.mean())
        scene = (squares / max(squares.max(), 1) * 255).astype(np.uint8)
        text = f"Focus value: {measure:.2f}"
        cv2.putText(scene, text, (10, 30), cv2.FONT_HERSHEY_SIMPLEX, 1, (255,), 2)
        return {"image": self.image.with_pixels(scene), "focus_measure": measure}


def _brenner(gray: Pixels) -> Any:
    values = gray.astype(np.int32)
    steps = np.zeros((2, *values.shape), np.int32)
    steps[0, :, :-2] = values[:, 2:] - values[:, :-2]
    steps[1, :-2] = values[2:] - values[:-2]
    return np.clip(steps, 0, None).max(0) ** 2


class CameraFocusV2(Block):
    """The Tenengrad measure of focus, of the picture and of each box, with overlays."""

    TYPES: ClassVar[Sequence[str]] = ("roboflow_core/camera_focus@v2",)
    OUTPUTS = {
        "image": (k.IMAGE,),
        "focus_measure": (k.FLOAT,),
        "bbox_focus_measures": (k.LIST,),
    }

    image: Image
    underexposed_threshold_percent: Percent = 3.0
    overexposed_threshold_percent: Percent = 97.0
    show_zebra_warnings: bool = True
    grid_overlay: Literal["None", "2x2", "3x3", "4x4", "5x5"] = "3x3"
    show_hud: bool = True
    show_focus_peaking: bool = True
    show_center_marker: bool = True
    detections: Annotated[Optional[Detections], refers(*k.BOXES)] = None

    def run(self) -> Outputs:
        gray = np.ascontiguousarray(self.image.gray)
        energy = _gradient_energy(gray)
        measure = float(energy.mean())
        scene = np.ascontiguousarray(self.image.bgr).copy()
        self._paint(scene, gray, energy)
        if self.show_hud:
            _draw_panel(scene, gray, measure)
        return {
            "image": self.image.with_pixels(scene),
            "focus_measure": measure,
            "bbox_focus_measures": list(self._measures(energy)),
        }

    def _measures(self, energy: Any) -> Iterator[float]:
        for box in () if self.detections is None else self.detections.xyxy:
            left, top, right, bottom = (max(int(edge), 0) for edge in box)
            part = energy[top:bottom, left:right]
            yield float(part.mean()) if part.size else 0.0

    def _paint(self, scene: Pixels, gray: Pixels, energy: Any) -> None:
        if self.show_zebra_warnings:
            rows, columns = np.indices(gray.shape)
            stripes = (rows + columns) % STRIPE < STRIPE // 2
            low = gray <= self.underexposed_threshold_percent * 2.55
            high = gray >= self.overexposed_threshold_percent * 2.55
            scene[stripes & low] = DARK_STRIPES
            scene[stripes & high] = BRIGHT_STRIPES
        if self.show_focus_peaking:
            sharp = np.sqrt(energy) > PEAK
            scene[sharp] = (scene[sharp] * 0.7 + np.array(GREEN) * 0.3).astype(np.uint8)
        height, width = gray.shape
        parts = 1 if self.grid_overlay == "None" else int(self.grid_overlay[0])
        for part in range(1, parts):
            x, y = width * part // parts, height * part // parts
            cv2.line(scene, (x, 0), (x, height), GRAY, 1)
            cv2.line(scene, (0, y), (width, y), GRAY, 1)
        if self.show_center_marker:
            center = (width // 2, height // 2)
            cv2.drawMarker(scene, center, WHITE, cv2.MARKER_CROSS, max(width, height) // 20, 1)


def _gradient_energy(gray: Pixels) -> Any:
    x = cv2.Sobel(gray, cv2.CV_32F, 1, 0, ksize=3)
    y = cv2.Sobel(gray, cv2.CV_32F, 0, 1, ksize=3)
    return x * x + y * y


def _draw_panel(scene: Pixels, gray: Pixels, measure: float) -> None:
    """The measure and the histogram on a dark ground, in the corner."""
    left, top, right, bottom = PANEL
    part = scene[top:bottom, left:right]
    part[:] = (part * 0.3).astype(np.uint8)
    font = cv2.FONT_HERSHEY_SIMPLEX
    text = f"TFM Focus {measure:.1f}"
    cv2.putText(scene, text, (left + 4, top + 8), font, 0.25, WHITE, 1, cv2.LINE_AA)
    counts = np.histogram(gray, right - left, (0, 256))[0]
    heights = counts / max(float(np.max(counts)), 1.0) * (bottom - top - 20)
    points = [(left + x, int(bottom - 4 - height)) for x, height in enumerate(heights)]
    cv2.polylines(scene, [np.array(points, np.int32)], False, WHITE, 1)
