"""Resized, rotated and flipped pictures."""

from __future__ import annotations

from typing import Annotated, Literal

import cv2
import numpy as np
from pydantic import Field

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import Block, Image, Outputs, Whole, takes
from inference_sdk.local.workflows.images import Pixels

Side = Annotated[int, Field(gt=0), takes(k.INTEGER)]

FLIPS = {"vertical": 0, "horizontal": 1, "both": -1}


class ImagePreprocessing(Block):
    """Resizes, rotates (degrees counter-clockwise; the canvas grows) or flips a picture."""

    TYPES = ("roboflow_core/image_preprocessing@v1",)
    OUTPUTS = {"image": (k.IMAGE,)}

    image: Image
    task_type: Literal["resize", "rotate", "flip"]
    width: Side = 640
    height: Side = 640
    rotation_degrees: Whole = 90
    flip_type: Annotated[Literal["vertical", "horizontal", "both"], takes(k.STRING)] = "vertical"

    def run(self) -> Outputs:
        pixels = np.ascontiguousarray(self.image.pixels)
        done = {"resize": self._resized, "rotate": self._rotated, "flip": self._flipped}[
            self.task_type
        ](pixels)
        return {"image": self.image.with_pixels(done)}

    def _resized(self, pixels: Pixels) -> Pixels:
        size = (self.width, self.height)
        return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)

    def _rotated(self, pixels: Pixels) -> Pixels:
        if abs(self.rotation_degrees) > 360:
            raise ValueError(f"rotation_degrees is -360 to 360, not {self.rotation_degrees}.")
        height, width = pixels.shape[:2]
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), self.rotation_degrees, 1.0)
        cosine, sine = abs(turn[0, 0]), abs(turn[0, 1])
        new_width = int(height * sine + width * cosine)
        new_height = int(height * cosine + width * sine)
        turn[0, 2] += new_width / 2 - width / 2
        turn[1, 2] += new_height / 2 - height / 2
        return np.asarray(cv2.warpAffine(pixels, turn, (new_width, new_height)), np.uint8)

    def _flipped(self, pixels: Pixels) -> Pixels:
        return np.asarray(cv2.flip(pixels, FLIPS[self.flip_type]), np.uint8)
