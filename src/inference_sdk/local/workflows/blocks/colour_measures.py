"""Which colours a picture has."""

from __future__ import annotations

from typing import Annotated, Union

import cv2
import numpy as np
from pydantic import Field

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import Block, Image, Outputs, Whole, takes
from inference_sdk.local.workflows.colours import bgr_of


class PixelColorCount(Block):
    """Pixels whose channels are all within a tolerance of a colour."""

    TYPES = ("roboflow_core/pixel_color_count@v1",)
    OUTPUTS = {"matching_pixels_count": (k.INTEGER,)}

    image: Image
    target_color: Annotated[
        Union[str, Annotated[list[int], Field(min_length=3, max_length=3)]],
        takes(k.STRING, k.COLOUR),
    ]
    tolerance: Whole = 10

    def run(self) -> Outputs:
        target = np.array(bgr_of(self.target_color), np.int16)
        off = np.abs(self.image.bgr.astype(np.int16) - target)
        return {"matching_pixels_count": int((off <= self.tolerance).all(axis=2).sum())}


class DominantColor(Block):
    """The most frequent colour, found by k-means on the picture made small."""

    TYPES = ("roboflow_core/dominant_color@v1",)
    OUTPUTS = {"rgb_color": (k.COLOUR,)}

    image: Image
    color_clusters: Whole = 4
    max_iterations: Whole = 100
    target_size: Whole = 100

    def run(self) -> Outputs:
        height, width = self.image.bgr.shape[:2]
        scale = min(1.0, self.target_size / max(height, width))
        size = (max(1, int(width * scale)), max(1, int(height * scale)))
        small = cv2.resize(
            np.ascontiguousarray(self.image.bgr), size, interpolation=cv2.INTER_NEAREST
        )
        pixels = np.asarray(small, np.float32).reshape(-1, 3)
        clusters = min(self.color_clusters, len(pixels))
        stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, self.max_iterations, 0.2)
        cv2.setRNGSeed(0)  # so that one picture always has one colour
        _, labels, centers = cv2.kmeans(
            pixels,
            clusters,
            None,
            stop,
            3,
            cv2.KMEANS_PP_CENTERS,  # type: ignore[call-overload]
        )
        most = int(np.argmax(np.bincount(labels.ravel(), minlength=clusters)))
        blue, green, red = (int(value) for value in np.clip(np.round(centers[most]), 0, 255))
        return {"rgb_color": (red, green, blue)}
