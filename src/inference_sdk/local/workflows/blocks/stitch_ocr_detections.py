"""Letters to text, in reading order."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

import numpy as np

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import Block, Number, Outputs, Text, Whole, refers
from inference_sdk.local.workflows.detections import Detections

Direction = Literal[
    "left_to_right", "right_to_left", "vertical_top_to_bottom", "vertical_bottom_to_top", "auto"
]


class StitchOCRDetections(Block):
    """Letters to text: lines are strips of `tolerance` pixels that letters begin in."""

    TYPES: ClassVar[Sequence[str]] = ("roboflow_core/stitch_ocr_detections@v1",)
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
        return direction_of(found, self.reading_direction)


def direction_of(found: Detections, direction: str) -> tuple[bool, bool]:
    """Whether lines are upright, and whether they are read from their end."""
    if direction == "auto":
        width, height = (found.xyxy[:, 2:] - found.xyxy[:, :2]).mean(0)
        return bool(height >= width), False  # squares: upright, as on Roboflow's server
    return direction.startswith("vertical"), direction in (
        "right_to_left",
        "vertical_bottom_to_top",
    )


class StitchOCRDetectionsV2(StitchOCRDetections):
    """Letters to text by strips (tolerance), by gaps (otsu, which also parts words), or by the
    letter before (collimate).
    """

    TYPES = ("roboflow_core/stitch_ocr_detections@v2",)

    stitching_algorithm: Literal["tolerance", "otsu", "collimate"]
    otsu_threshold_multiplier: Number = 1.0
    collimate_tolerance: Whole = 10

    def _text(self, found: Detections) -> str:
        if self.stitching_algorithm == "tolerance" or not len(found):
            return super()._text(found)
        vertical, backwards = self._direction(found)
        across, along = (0, 1) if vertical else (1, 0)
        lines = self._lines(found, across, along)
        wide = None if vertical or self.delimiter else self._word_gap(found, lines)
        texts = [_line_text(found, line, backwards, self.delimiter, wide) for line in lines]
        return (" " if vertical else "\n").join(texts[::-1] if vertical and backwards else texts)

    def _lines(self, found: Detections, across: int, along: int) -> list[list[int]]:
        """Rows of the letters of each line, in order; lines from the first to the last."""
        sides = found.xyxy[:, 2:] - found.xyxy[:, :2]
        reach = float(np.median(sides[:, across])) / 2
        if self.stitching_algorithm == "collimate":
            reach = self.collimate_tolerance
        centers = found.centers
        lines: list[list[int]] = []
        for row in np.argsort(centers[:, along], kind="stable").tolist():
            # The line whose last letter is nearest, where one is near enough.
            off = [abs(float(centers[row, across] - centers[line[-1], across])) for line in lines]
            if off and min(off) <= reach:
                lines[off.index(min(off))].append(row)
            else:
                lines.append([row])
        return sorted(lines, key=lambda line: float(centers[line, across].mean()))

    def _word_gap(self, found: Detections, lines: list[list[int]]) -> float | None:
        """Pixels of a gap from which on it parts words; None where none does."""
        if self.stitching_algorithm != "otsu":
            return None
        gaps = sorted(
            max(float(found.xyxy[after, 0] - found.xyxy[before, 2]), 0.0)
            for line in lines
            for before, after in itertools.pairwise(line)
        )
        narrow = _otsu(gaps)
        least = float(np.median(found.xyxy[:, 2] - found.xyxy[:, 0])) / 4
        return None if narrow is None else max(narrow * self.otsu_threshold_multiplier, least)


def _otsu(values: list[float]) -> float | None:
    """The largest of the smaller values, parted where the two groups differ most."""
    best, parted = 0.0, None
    for count in range(1, len(values)):
        small, large = values[:count], values[count:]
        between = count * (len(values) - count) * float(np.mean(large) - np.mean(small)) ** 2
        if between > best:
            best, parted = between, small[-1]
    return parted


def _line_text(
    found: Detections, line: list[int], backwards: bool, delimiter: str, wide: float | None
) -> str:
    parts = [str(found.class_name[line[0]])]
    for before, after in itertools.pairwise(line):
        gap = float(found.xyxy[after, 0] - found.xyxy[before, 2])
        parts += [" " if wide is not None and gap > wide else delimiter]
        parts += [str(found.class_name[after])]
    return "".join(parts[::-1] if backwards else parts)
