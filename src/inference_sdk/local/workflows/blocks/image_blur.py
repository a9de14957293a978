"""Blurred pictures."""

from __future__ import annotations

from typing import Annotated, Literal

import cv2
import numpy as np

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import Block, Image, Outputs, Whole, takes

MAX_KERNEL = 999
"""Pixels. More costs seconds a frame, and no picture is the better for it."""

MAX_WORK = 8_000_000_000
"""Values times what the kernel reads for each: some 3 s of bilateral, 30 s of gaussian blur."""


class ImageBlur(Block):
    """Average, gaussian, median or bilateral blur over `kernel_size` pixels."""

    TYPES = ("roboflow_core/image_blur@v1",)
    OUTPUTS = {"image": (k.IMAGE,)}

    image: Image
    blur_type: Annotated[Literal["average", "gaussian", "median", "bilateral"], takes(k.STRING)] = (
        "gaussian"
    )
    kernel_size: Whole = 5

    def run(self) -> Outputs:
        size = self.kernel_size
        if not 1 <= size <= MAX_KERNEL:
            raise ValueError(f"kernel_size must be 1 to {MAX_KERNEL}, not {size}.")
        pixels = np.ascontiguousarray(self.image.pixels)
        work = pixels.size * size * (size if self.blur_type == "bilateral" else 1)
        if self.blur_type != "median" and work > MAX_WORK:
            raise ValueError(
                f"A {self.blur_type} blur with kernel_size {size} takes too long on a picture of "
                f"{pixels.shape[1]}x{pixels.shape[0]}. Take a smaller kernel, or a smaller picture."
            )
        odd = size if size % 2 else size + 1
        blurred = {
            "average": lambda: cv2.blur(pixels, (size, size)),
            "gaussian": lambda: cv2.GaussianBlur(pixels, (odd, odd), 0),
            "median": lambda: cv2.medianBlur(pixels, odd),
            "bilateral": lambda: cv2.bilateralFilter(pixels, size, 75, 75),
        }[self.blur_type]()
        return {"image": self.image.with_pixels(np.asarray(blurred, np.uint8))}
