"""A picture as icon on another."""

from __future__ import annotations

from typing import Annotated, Literal, Optional

import cv2
import numpy as np

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.anchors import anchor_points
from inference_sdk.local.workflows.block import Image, Whole, refers, takes
from inference_sdk.local.workflows.detections import Detections
from inference_sdk.local.workflows.drawing import Drawing, Position
from inference_sdk.local.workflows.images import Pixels


class IconVisualization(Drawing):
    """An icon at one place (static), or at each detection (dynamic)."""

    TYPES = ("roboflow_core/icon_visualization@v1", "IconVisualization")

    icon: Image
    mode: Annotated[Literal["static", "dynamic"], takes(k.STRING)] = "dynamic"
    predictions: Annotated[Optional[Detections], refers(*k.ALL_BOXES, k.RLE_SEGMENTS)] = None
    icon_width: Whole = 64
    icon_height: Whole = 64
    position: Optional[Position] = "TOP_CENTER"
    x_position: Annotated[Optional[int], takes(k.INTEGER)] = 10
    y_position: Annotated[Optional[int], takes(k.INTEGER)] = 10

    def draw(self, scene: Pixels) -> Pixels:
        icon, margin = _fitted(self.icon.bgr, self.icon_width, self.icon_height)
        for x, y in self._places(scene):
            _paste(scene, icon, x + margin[0], y + margin[1])
        return scene

    def _places(self, scene: Pixels) -> list[tuple[int, int]]:
        """The top left corner of each icon."""
        if self.mode == "static":
            x, y = self.x_position or 0, self.y_position or 0
            height, width = scene.shape[:2]
            # A negative place counts from the far edge to the far side of the icon.
            left = x if x >= 0 else width + x - self.icon_width
            return [(left, y if y >= 0 else height + y - self.icon_height)]
        if self.predictions is None:
            raise ValueError("icon_visualization needs predictions, or the mode 'static'.")
        points = anchor_points(self.predictions.seen_in(self.image), self.position or "TOP_CENTER")
        half = np.array([self.icon_width / 2, self.icon_height / 2])
        return [(int(x), int(y)) for x, y in points - half]


def _fitted(pixels: Pixels, width: int, height: int) -> tuple[Pixels, tuple[int, int]]:
    """An icon as large as fits into a box, and what is left on its left and above it."""
    scale = min(width / pixels.shape[1], height / pixels.shape[0])
    size = (max(1, int(pixels.shape[1] * scale)), max(1, int(pixels.shape[0] * scale)))
    icon = cv2.resize(np.ascontiguousarray(pixels), size, interpolation=cv2.INTER_AREA)
    return np.asarray(icon, np.uint8), ((width - size[0]) // 2, (height - size[1]) // 2)


def _paste(scene: Pixels, icon: Pixels, x: int, y: int) -> None:
    """Lay a picture on another; what hangs over is cut off."""
    height, width = scene.shape[:2]
    left, top = max(x, 0), max(y, 0)
    right, bottom = min(x + icon.shape[1], width), min(y + icon.shape[0], height)
    if left < right and top < bottom:
        scene[top:bottom, left:right] = icon[top - y : bottom - y, left - x : right - x]
