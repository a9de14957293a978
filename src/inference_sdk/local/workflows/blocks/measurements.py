"""Sizes, distances and areas of what was found."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Union

import cv2
import numpy as np

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import Block, Boxes, Number, Outputs, Text, refers, takes
from inference_sdk.local.workflows.detections import Detections
from inference_sdk.local.workflows.wire import largest_polygon


class SizeMeasurement(Block):
    """Width and height of objects in units of a reference object of known size."""

    TYPES = ("roboflow_core/size_measurement@v1",)
    OUTPUTS = {"dimensions": (k.LIST,)}

    object_predictions: Boxes
    reference_predictions: Annotated[Union[list[Any], Detections, None], takes(*k.BOXES, k.LIST)]
    reference_dimensions: Annotated[Union[str, list[Any]], takes(k.STRING, k.LIST)]

    def run(self) -> Outputs:
        known = _known_size(self.reference_dimensions)
        pixels = _reference_size(self.reference_predictions)
        if pixels is None:
            return {"dimensions": None}
        units = np.array(known) / np.array(pixels)
        sizes = [np.array(_sides(one)) * units for one in self.object_predictions]
        return {
            "dimensions": [
                {
                    "width": float(width),
                    "height": float(height),
                    "longer": float(max(width, height)),
                    "shorter": float(min(width, height)),
                }
                for width, height in sizes
            ]
        }


def _known_size(given: Any) -> tuple[float, float]:
    parts = given.split(",") if isinstance(given, str) else given
    try:
        width, height = (float(part) for part in parts)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"reference_dimensions are width and height, as in '4.5,3.0', not {given!r}."
        ) from error
    if width <= 0 or height <= 0:
        raise ValueError(f"reference_dimensions are greater than 0, not {given!r}.")
    return width, height


def _reference_size(given: Any) -> tuple[float, float] | None:
    """Pixels of the surest reference, or of the polygon that stands for it."""
    if isinstance(given, Detections):
        if not len(given):
            return None
        return _sides(given.row(int(np.argmax(given.confidence))))
    return _turned_sides(np.asarray(given, np.float32).reshape(-1, 2))


def _sides(one: Detections) -> tuple[float, float]:
    """Width and height of a detection: of its mask's smallest turned rectangle, or of its box."""
    if "mask" in one.columns:
        return _turned_sides(largest_polygon(one.columns["mask"][0]).astype(np.float32))
    left, top, right, bottom = one.xyxy[0]
    return float(right - left), float(bottom - top)


def _turned_sides(points: Any) -> tuple[float, float]:
    """The sides of the smallest turned rectangle: the one that lies flatter is the width."""
    corners = cv2.boxPoints(cv2.minAreaRect(points))
    first, second = corners[1] - corners[0], corners[2] - corners[1]
    flat = abs(first[0]) >= abs(first[1])
    one, other = float(np.linalg.norm(first)), float(np.linalg.norm(second))
    return (one, other) if flat else (other, one)


class DistanceMeasurement(Block):
    """The gap between objects of two classes along one axis, in pixels and centimetres."""

    TYPES = ("roboflow_core/distance_measurement@v1",)
    OUTPUTS = {"distance_cm": (k.INTEGER,), "distance_pixel": (k.INTEGER,)}

    predictions: Boxes
    object_1_class_name: str
    object_2_class_name: str
    reference_axis: Literal["horizontal", "vertical"]
    calibration_method: Literal["reference object", "pixel to centimeter"]
    reference_object_class_name: Text = "reference-object"
    reference_width: Number = 2.5
    reference_height: Number = 2.5
    pixel_ratio: Number = 100

    def run(self) -> Outputs:
        one = self._box(self.object_1_class_name)
        other = self._box(self.object_2_class_name)
        axis = 0 if self.reference_axis == "horizontal" else 1
        first, second = sorted((one, other), key=lambda box: float(box[axis]))
        if _overlap(first, second, axis):
            return {"distance_cm": 0, "distance_pixel": 0}
        gap = abs(float(second[axis] - first[axis + 2]))
        return {"distance_cm": gap / self._pixels_per_cm(), "distance_pixel": int(gap)}

    def _box(self, name: str) -> Any:
        boxes = self.predictions.xyxy[self.predictions.class_name == name]
        if len(boxes) != 1:
            raise ValueError(f"There has to be one '{name}' in the picture, not {len(boxes)}.")
        return np.round(boxes[0])

    def _pixels_per_cm(self) -> float:
        if self.calibration_method == "pixel to centimeter":
            if self.pixel_ratio <= 0:
                raise ValueError(f"pixel_ratio is greater than 0, not {self.pixel_ratio}.")
            return self.pixel_ratio
        left, top, right, bottom = self._box(self.reference_object_class_name)
        if self.reference_width <= 0 or self.reference_height <= 0:
            raise ValueError("reference_width and reference_height are greater than 0.")
        return float(
            ((right - left) / self.reference_width + (bottom - top) / self.reference_height) / 2
        )


def _overlap(first: Any, second: Any, axis: int) -> bool:
    return bool(second[axis] < first[axis + 2])


class BoundingRect(Block):
    """The smallest turned rectangle round each mask, in its place: rect, width, height, angle."""

    TYPES = ("roboflow_core/bounding_rect@v1",)
    OUTPUTS = {"detections_with_rect": (k.SEGMENTS,)}

    predictions: Annotated[Detections, refers(k.SEGMENTS)]

    def run(self) -> Outputs:
        found = self.predictions
        if not len(found):
            return {"detections_with_rect": found}
        if "mask" not in found.columns:
            raise ValueError("bounding_rect needs detections with masks.")
        turned = [
            _upright(cv2.minAreaRect(largest_polygon(each))) for each in found.columns["mask"]
        ]
        corners = [cv2.boxPoints(each).astype(int) for each in turned]
        masks = [
            _filled(points, mask.shape)
            for points, mask in zip(corners, found.columns["mask"], strict=True)
        ]
        edges = [[*points.min(0), *points.max(0)] for points in corners]
        measured = found.with_boxes(edges).with_columns(
            mask=masks,
            rect=[points.tolist() for points in corners],
            width=[_half_precision(each[1][0]) for each in turned],
            height=[_half_precision(each[1][1]) for each in turned],
            angle=[_half_precision(each[2]) for each in turned],
        )
        return {"detections_with_rect": measured}


def _upright(rectangle: Any) -> Any:
    """A turned rectangle with an angle above 0 up to 90 degrees, whichever way OpenCV tells it."""
    center, (width, height), angle = rectangle
    while angle <= 0:
        angle, width, height = angle + 90, height, width
    return center, (width, height), angle


def _half_precision(value: float) -> float:
    """As Roboflow's servers keep these measures."""
    return float(np.float16(value))


def _filled(points: Any, shape: Any) -> Any:
    canvas = np.zeros(shape, np.uint8)
    return cv2.fillPoly(canvas, [points.astype(np.int32)], (1,)).astype(bool)


class MaskAreaMeasurement(Block):
    """The area of each mask, or box where there is none: area_px, and area_converted in units."""

    TYPES = ("roboflow_core/mask_area_measurement@v1",)
    OUTPUTS = {"predictions": k.BOXES}

    predictions: Boxes
    pixels_per_unit: Number = 1.0

    def run(self) -> Outputs:
        if self.pixels_per_unit <= 0:
            raise ValueError(f"pixels_per_unit is greater than 0, not {self.pixels_per_unit}.")
        found = self.predictions
        masks = found.columns.get("mask")
        areas = found.areas.tolist() if masks is None else [float(mask.sum()) for mask in masks]
        converted = [area / self.pixels_per_unit**2 for area in areas]
        return {"predictions": found.with_columns(area_px=areas, area_converted=converted)}
