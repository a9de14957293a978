"""A slanted plane seen straight."""

from __future__ import annotations

from typing import Annotated, Any, Optional, Union

import cv2
import numpy as np

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.anchors import anchor_points
from inference_sdk.local.workflows.block import (
    Block,
    Flag,
    Image,
    Outputs,
    Text,
    Whole,
    refers,
    takes,
)
from inference_sdk.local.workflows.detections import Detections
from inference_sdk.local.workflows.images import WorkflowImage
from inference_sdk.local.workflows.wire import largest_polygon, mask_from_polygon

CORNERS = 4


class PerspectiveCorrection(Block):
    """Moves detections, and on request the picture, into a rectangle spanned by four points."""

    TYPES = ("roboflow_core/perspective_correction@v1", "PerspectiveCorrection")
    OUTPUTS = {
        "corrected_coordinates": k.BOXES,
        "warped_image": (k.IMAGE,),
        "extended_transformed_rect_width": (k.INTEGER,),
        "extended_transformed_rect_height": (k.INTEGER,),
    }

    predictions: Annotated[Optional[Detections], refers(*k.BOXES)] = None
    images: Image
    perspective_polygons: Annotated[Union[list[Any], Any], takes(k.LIST)]
    transformed_rect_width: Whole = 1000
    transformed_rect_height: Whole = 1000
    extend_perspective_polygon_by_detections_anchor: Text = ""
    warp_image: Flag = False

    def run(self) -> Outputs:
        turn, size = self._transformation()
        image: WorkflowImage | None = self.images
        if self.warp_image:
            warped = cv2.warpPerspective(np.ascontiguousarray(self.images.bgr), turn, size)
            image = self.images.with_pixels(np.asarray(warped, np.uint8))
        return {
            "corrected_coordinates": self._corrected(turn, size),
            "warped_image": image,
            "extended_transformed_rect_width": size[0],
            "extended_transformed_rect_height": size[1],
        }

    def _polygon(self) -> Any:
        """The four corners, clockwise from the top left."""
        given = np.asarray(self.perspective_polygons, float)
        given = given[0] if given.ndim == 3 else given
        if given.shape != (CORNERS, 2):
            raise ValueError(
                f"perspective_polygons are four points [[x, y], …], not {given.tolist()!r}."
            )
        return _clockwise(given)

    def _transformation(self) -> tuple[Any, tuple[int, int]]:
        """How points move, and the size of the rectangle that they move into."""
        polygon = self._polygon()
        width, height = self.transformed_rect_width, self.transformed_rect_height
        right, bottom = width - 1, height - 1
        target = np.array([[0, 0], [right, 0], [right, bottom], [0, bottom]], np.float32)
        turn = cv2.getPerspectiveTransform(polygon, target)
        anchor = self.extend_perspective_polygon_by_detections_anchor
        if not anchor or self.predictions is None or not len(self.predictions):
            return turn, (width, height)
        points = anchor_points(self.predictions, anchor).astype(np.float32)
        moved = np.concatenate([cv2.perspectiveTransform(points[None], turn)[0], target])
        low, high = np.floor(moved.min(0)), np.ceil(moved.max(0))
        move = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1]])
        return move @ turn, (int(high[0] - low[0]) + 1, int(high[1] - low[1]) + 1)

    def _corrected(self, turn: Any, size: tuple[int, int]) -> Detections | None:
        found = self.predictions
        if found is None:
            return None
        outlines = [_box_corners(np.round(box)) for box in found.xyxy]
        moved = [cv2.perspectiveTransform(each[None], turn)[0] for each in outlines]
        if "mask" in found.columns:
            moved = [_moved_outline(mask, turn) for mask in found.columns["mask"]]
            masks = [mask_from_polygon(np.round(each), size) for each in moved]
            found = found.with_columns(mask=masks)
        boxes = [[*np.round(each.min(0)), *np.round(each.max(0))] for each in moved]
        return found.with_boxes(np.asarray(boxes, float))


def _moved_outline(mask: Any, turn: Any) -> Any:
    outline = largest_polygon(mask).astype(np.float32)
    return cv2.perspectiveTransform(outline[None], turn)[0]


def _box_corners(box: Any) -> Any:
    left, top, right, bottom = box
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


def _clockwise(polygon: Any) -> Any:
    """Corners from the top left: by height, then each pair by side."""
    by_height = polygon[np.argsort(polygon[:, 1], kind="stable")]
    top = by_height[:2][np.argsort(by_height[:2, 0], kind="stable")]
    bottom = by_height[2:][np.argsort(by_height[2:, 0], kind="stable")]
    return np.array([top[0], top[1], bottom[1], bottom[0]], np.float32)
