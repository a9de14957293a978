"""Black and white by a level."""

from __future__ import annotations

from typing import Annotated, Literal

import cv2
import numpy as np

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import Block, Image, Outputs, Whole, takes

FIXED = {
    "binary": cv2.THRESH_BINARY,
    "binary_inv": cv2.THRESH_BINARY_INV,
    "trunc": cv2.THRESH_TRUNC,
    "tozero": cv2.THRESH_TOZERO,
    "tozero_inv": cv2.THRESH_TOZERO_INV,
    "otsu": cv2.THRESH_BINARY + cv2.THRESH_OTSU,
}
ADAPTIVE = {
    "adaptive_mean": cv2.ADAPTIVE_THRESH_MEAN_C,
    "adaptive_gaussian": cv2.ADAPTIVE_THRESH_GAUSSIAN_C,
}
NEIGHBOURS, OFFSET = 11, 2
"""Of adaptive levels: pixels on a side, and what is taken off their mean."""


class Threshold(Block):
    """Black and white by a fixed level for each channel, one that follows the surroundings, or
    Otsu's; the last two of the grey picture.
    """

    TYPES = ("roboflow_core/threshold@v1",)
    OUTPUTS = {"image": (k.IMAGE,)}

    image: Image
    threshold_type: Annotated[
        Literal[
            "binary",
            "binary_inv",
            "trunc",
            "tozero",
            "tozero_inv",
            "adaptive_mean",
            "adaptive_gaussian",
            "otsu",
        ],
        takes(k.STRING),
    ] = "binary"
    thresh_value: Whole
    max_value: Whole = 255

    def run(self) -> Outputs:
        if self.threshold_type in ADAPTIVE:
            done = cv2.adaptiveThreshold(
                np.ascontiguousarray(self.image.gray),
                self.max_value,
                ADAPTIVE[self.threshold_type],
                cv2.THRESH_BINARY,
                NEIGHBOURS,
                OFFSET,
            )
        else:
            needs_gray = self.threshold_type == "otsu"
            pixels = np.ascontiguousarray(self.image.gray if needs_gray else self.image.pixels)
            _, done = cv2.threshold(
                pixels, self.thresh_value, self.max_value, FIXED[self.threshold_type]
            )
        return {"image": self.image.with_pixels(np.asarray(done, np.uint8))}
