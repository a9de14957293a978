"""Erosion, dilation and what is made of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

import cv2
import numpy as np

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import Block, Image, Outputs, Whole, takes
from inference_sdk.local.workflows.images import Pixels

MAX_KERNEL = 999
"""Pixels: the kernel is an array of its square."""

OPERATIONS = {
    "Erosion": cv2.MORPH_ERODE,
    "Dilation": cv2.MORPH_DILATE,
    "Opening": cv2.MORPH_OPEN,
    "Closing": cv2.MORPH_CLOSE,
    "Gradient": cv2.MORPH_GRADIENT,
    "Top Hat": cv2.MORPH_TOPHAT,
    "Black Hat": cv2.MORPH_BLACKHAT,
}


class MorphologicalTransformation(Block):
    """Erosion, dilation and what is made of them, on the grey picture."""

    TYPES = ("roboflow_core/morphological_transformation@v1",)
    OUTPUTS = {"image": (k.IMAGE,)}

    image: Image
    kernel_size: Whole = 5
    operation: Annotated[
        Literal["Erosion", "Dilation", "Opening", "Closing", "Gradient", "Top Hat", "Black Hat"],
        takes(k.STRING),
    ] = "Closing"

    def run(self) -> Outputs:
        if not 1 <= self.kernel_size <= MAX_KERNEL:
            raise ValueError(f"kernel_size must be 1 to {MAX_KERNEL}, not {self.kernel_size}.")
        kernel = np.ones((self.kernel_size, self.kernel_size), np.uint8)
        return {"image": self.image.with_pixels(self.transformed(kernel))}

    def transformed(self, kernel: Any) -> Pixels:
        gray = np.ascontiguousarray(self.image.gray)
        return np.asarray(cv2.morphologyEx(gray, OPERATIONS[self.operation], kernel), np.uint8)


class MorphologicalTransformationV2(Block):
    """The same on all channels, and opening with closing after it."""

    TYPES: ClassVar[Sequence[str]] = ("roboflow_core/morphological_transformation@v2",)
    OUTPUTS = {"image": (k.IMAGE,)}

    image: Image
    kernel_size: Whole = 5
    operation: Annotated[
        Literal[
            "Erosion",
            "Dilation",
            "Opening",
            "Closing",
            "Opening then Closing",
            "Gradient",
            "Top Hat",
            "Black Hat",
        ],
        takes(k.STRING),
    ] = "Opening then Closing"

    def run(self) -> Outputs:
        if not 1 <= self.kernel_size <= MAX_KERNEL:
            raise ValueError(f"kernel_size must be 1 to {MAX_KERNEL}, not {self.kernel_size}.")
        kernel = np.ones((self.kernel_size, self.kernel_size), np.uint8)
        pixels: Any = np.ascontiguousarray(self.image.pixels)
        both = ("Opening", "Closing")
        for operation in both if self.operation == "Opening then Closing" else (self.operation,):
            pixels = cv2.morphologyEx(pixels, OPERATIONS[operation], kernel)
        return {"image": self.image.with_pixels(np.asarray(pixels, np.uint8))}
