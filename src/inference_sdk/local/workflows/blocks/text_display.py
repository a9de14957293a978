"""A text on the picture, with values in it."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import cv2
import numpy as np
from pydantic import Field

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import Fraction, Number, Text, Whole, takes
from inference_sdk.local.workflows.colours import bgr_of
from inference_sdk.local.workflows.drawing import Drawing
from inference_sdk.local.workflows.images import Pixels
from inference_sdk.local.workflows.operations import Operation, apply_all

PLACEHOLDER = re.compile(r"\{\{\s*\$parameters\.(\w+)\s*\}\}")
FONT = cv2.FONT_HERSHEY_SIMPLEX
LINE_GAP = 8
"""Pixels between lines, at font_scale 1."""

Anchor = Literal[
    "center",
    "top_left",
    "top_center",
    "top_right",
    "bottom_left",
    "bottom_center",
    "bottom_right",
    "center_left",
    "center_right",
]


class TextDisplay(Drawing):
    """A text with {{ $parameters.name }} for values, on a ground of its own."""

    TYPES = ("roboflow_core/text_display@v1",)

    text: str
    text_parameters: dict[str, Annotated[Any, takes(k.ANY)]] = Field(default_factory=dict)
    text_parameters_operations: dict[str, list[Operation]] = Field(default_factory=dict)
    text_color: Text = "WHITE"
    background_color: Text = "BLACK"
    background_opacity: Fraction = 1.0
    font_scale: Number = 1.0
    font_thickness: Whole = 2
    padding: Whole = 10
    text_align: Annotated[Literal["left", "center", "right"], takes(k.STRING)] = "left"
    border_radius: Whole = 0
    position_mode: Annotated[Literal["absolute", "relative"], takes(k.STRING)] = "relative"
    position_x: Whole = 0
    position_y: Whole = 0
    anchor: Annotated[Anchor, takes(k.STRING)] = "top_left"
    offset_x: Whole = 10
    offset_y: Whole = 10

    def draw(self, scene: Pixels) -> Pixels:
        lines = self._filled().split("\n")
        sizes = [
            cv2.getTextSize(line, FONT, self.font_scale, self.font_thickness) for line in lines
        ]
        widths = [size[0] for size, _ in sizes]
        gap = int(LINE_GAP * self.font_scale) if len(lines) > 1 else 0
        heights = [size[1] + baseline for size, baseline in sizes]
        width = max(widths) + 2 * self.padding
        height = sum(heights) + gap * (len(lines) - 1) + 2 * self.padding
        left, top = self._place(scene, width, height)
        self._ground(scene, left, top, width, height)
        y = top + self.padding
        for line, (size, baseline) in zip(lines, sizes, strict=True):
            spare = {"left": 0, "center": 0.5, "right": 1}[self.text_align]
            x = left + self.padding + int((max(widths) - size[0]) * spare)
            cv2.putText(
                scene,
                line,
                (x, y + size[1]),
                FONT,
                self.font_scale,
                bgr_of(self.text_color),
                self.font_thickness,
                cv2.LINE_AA,
            )
            y += size[1] + baseline + gap
        return scene

    def _filled(self) -> str:
        values = {
            name: apply_all(self.text_parameters_operations.get(name, []), value)
            for name, value in self.text_parameters.items()
        }

        def value_of(match: re.Match[str]) -> str:
            if match[1] not in values:
                known = ", ".join(values) or "none"
                raise ValueError(f"text names the parameter '{match[1]}'; there are: {known}.")
            return str(values[match[1]])

        return PLACEHOLDER.sub(value_of, self.text)

    def _place(self, scene: Pixels, width: int, height: int) -> tuple[int, int]:
        """The top left corner of the ground, held within the picture."""
        rows, columns = scene.shape[:2]
        if self.position_mode == "absolute":
            left, top = self.position_x, self.position_y
        else:
            left, top = self._beside(columns, rows, width, height)
        return max(0, min(left, columns - width)), max(0, min(top, rows - height))

    def _beside(self, columns: int, rows: int, width: int, height: int) -> tuple[int, int]:
        x, y = (columns - width) // 2, (rows - height) // 2
        anchor = self.anchor
        if anchor.endswith("left"):
            x = 0
        elif anchor.endswith("right"):
            x = columns - width
        if anchor.startswith("top"):
            y = 0
        elif anchor.startswith("bottom"):
            y = rows - height
        return x + self.offset_x, y + self.offset_y

    def _ground(self, scene: Pixels, left: int, top: int, width: int, height: int) -> None:
        if self.background_opacity == 0 or self.background_color.lower() == "transparent":
            return
        part = scene[top : top + height, left : left + width]
        if not part.size:
            return
        mask = _rounded(part.shape[:2], self.border_radius)
        mixed = (
            part * (1 - self.background_opacity)
            + np.array(bgr_of(self.background_color)) * self.background_opacity
        )
        part[mask] = mixed.astype(np.uint8)[mask]


def _rounded(shape: tuple[int, ...], radius: int) -> Any:
    """True within a rectangle with rounded corners."""
    height, width = shape
    radius = max(0, min(radius, height // 2, width // 2))
    if not radius:
        return np.ones(shape, bool)
    rows = np.clip(np.arange(height), radius, height - 1 - radius) - np.arange(height)
    columns = np.clip(np.arange(width), radius, width - 1 - radius) - np.arange(width)
    return rows[:, None] ** 2 + columns[None, :] ** 2 <= radius**2
