"""A panorama of two pictures."""

from __future__ import annotations

from typing import Annotated, Any, Optional

import cv2
import numpy as np

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import Block, Image, Outputs, takes

RATIO = 0.75
MIN_MATCHES = 4


class StitchImages(Block):
    """Lays the first picture over the second, by features (SIFT) that both have."""

    TYPES = ("roboflow_core/stitch_images@v1",)
    OUTPUTS = {"stitched_image": (k.IMAGE,)}

    image1: Image
    image2: Image
    max_allowed_reprojection_error: Annotated[Optional[float], takes(k.FRACTION)] = 3
    count_of_best_matches_per_query_descriptor: Annotated[Optional[int], takes(k.INTEGER)] = 2

    def run(self) -> Outputs:
        one, other = self.image1.bgr, self.image2.bgr
        turn = self._homography()
        if turn is None:
            return {"stitched_image": None}
        corners = np.concatenate(
            [cv2.perspectiveTransform(_corners(one)[None], turn)[0], _corners(other)]
        )
        low, high = np.round(corners.min(0)).astype(int), np.round(corners.max(0)).astype(int)
        move = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1]], float)
        width, height = (int(side) for side in high - low)
        canvas = cv2.warpPerspective(np.ascontiguousarray(one), move @ turn, (width, height))
        canvas[-low[1] : other.shape[0] - low[1], -low[0] : other.shape[1] - low[0]] = other
        return {"stitched_image": self.image1.with_pixels(np.asarray(canvas, np.uint8))}

    def _homography(self) -> Any:
        sift = cv2.SIFT_create()  # type: ignore[attr-defined]
        points, found = [], []
        for image in (self.image1, self.image2):
            features, descriptors = sift.detectAndCompute(np.ascontiguousarray(image.gray), None)
            points.append(features)
            found.append(descriptors)
        good = self._good_matches(*found)
        if len(good) < MIN_MATCHES:
            return None
        source = np.array([points[0][match.queryIdx].pt for match in good], np.float32)
        target = np.array([points[1][match.trainIdx].pt for match in good], np.float32)
        error = (
            3.0
            if self.max_allowed_reprojection_error is None
            else (self.max_allowed_reprojection_error)
        )
        turn, _ = cv2.findHomography(source, target, cv2.RANSAC, error)
        return turn

    def _good_matches(self, one: Any, other: Any) -> list[Any]:
        if one is None or other is None:
            return []
        best = max(self.count_of_best_matches_per_query_descriptor or 2, 2)
        matches = cv2.BFMatcher(cv2.NORM_L2).knnMatch(one, other, k=best)
        full = (match for match in matches if len(match) > 1)
        return [first for first, second, *_ in full if first.distance < RATIO * second.distance]


def _corners(pixels: Any) -> Any:
    height, width = pixels.shape[:2]
    return np.array([[0, 0], [0, height], [width, height], [width, 0]], np.float32)
