"""Letters to text, in reading order."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import Block, Outputs, Text, Whole, refers
from inference_sdk.local.workflows.detections import Detections

Direction = Literal[
    "left_to_right", "right_to_left", "vertical_top_to_bottom", "vertical_bottom_to_top", "auto"
]


class StitchOCRDetections(Block):
    """Letters to text: lines are strips of `tolerance` pixels that letters begin in."""

    TYPES = ("roboflow_core/stitch_ocr_detections@v1",)
    OUTPUTS = {"ocr_text": (k.STRING,)}

    predictions: Annotated[Detections, refers(k.DETECTIONS)]
    reading_direction: Direction
    tolerance: Whole = 10
    delimiter: Text = ""

    def run(self) -> Outputs:
        if self.tolerance < 1:
            raise ValueError(f"tolerance is 1 or more, not {self.tolerance}.")
        return {"ocr_text": self._text(self.predictions)}

    def _text(self, found: Detections) -> str:
        if not len(found):
            return ""
        vertical, backwards = self._direction(found)
        across, along = (0, 1) if vertical else (1, 0)
        starts = np.round(found.xyxy)
        lines: dict[int, list[int]] = {}
        for row in range(len(found)):
            lines.setdefault(round(float(starts[row, across]) / self.tolerance), []).append(row)
        # From the bottom to the top, the last line is the first to be read.
        order = sorted(lines, reverse=vertical and backwards)
        parts: list[str] = []
        for line in order:
            parts += [" " if vertical else "\n"] if parts else []
            rows = sorted(lines[line], key=lambda row: float(starts[row, along]), reverse=backwards)
            parts += [str(found.class_name[row]) for row in rows]
        return self.delimiter.join(parts)

    def _direction(self, found: Detections) -> tuple[bool, bool]:
        """Whether lines are upright, and whether they are read from their end."""
        if self.reading_direction == "auto":
            sides = found.xyxy[:, 2:] - found.xyxy[:, :2]
            width, height = sides.mean(0)
            return bool(height > width), False
        vertical = self.reading_direction.startswith("vertical")
        return vertical, self.reading_direction in ("right_to_left", "vertical_bottom_to_top")
