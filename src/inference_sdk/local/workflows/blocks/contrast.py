"""Contrast: equalised over the histogram, or stretched and scaled."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import cv2
import numpy as np
from pydantic import Field

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import Block, Image, Outputs, takes
from inference_sdk.local.workflows.images import Pixels

CLIP = 0.03 * 256
"""Of adaptive equalisation: the part of a tile that one of 256 levels may have."""

GAMMA = 1.3
"""Of brightness that is normalised."""


class ContrastEqualization(Block):
    """Stretches the histogram between its 2nd and 98th percent, or equalises it."""

    TYPES = ("roboflow_core/contrast_equalization@v1",)
    OUTPUTS = {"image": (k.IMAGE,)}

    image: Image
    equalization_type: Annotated[
        Literal["Contrast Stretching", "Histogram Equalization", "Adaptive Equalization"],
        takes(k.STRING),
    ] = "Histogram Equalization"

    def run(self) -> Outputs:
        pixels = np.ascontiguousarray(self.image.pixels)
        done = {
            "Contrast Stretching": stretched,
            "Histogram Equalization": equalized,
            "Adaptive Equalization": adapted,
        }[self.equalization_type](pixels)
        return {"image": self.image.with_pixels(done)}


def stretched(pixels: Pixels) -> Pixels:
    """Values between the 2nd and the 98th percent, over the whole range."""
    low, high = np.percentile(pixels, (2, 98))
    if high <= low:
        return pixels
    scaled = (np.clip(pixels, low, high) - low) / (high - low)
    return np.asarray((scaled * 255).astype(np.uint8))


def equalized(pixels: Pixels) -> Pixels:
    """Each value by the part of all values that are not above it."""
    counts, edges = np.histogram(pixels.astype(np.float32), bins=256)
    shares = counts.cumsum() / counts.sum()
    centers = (edges[:-1] + edges[1:]) / 2
    spread: Any = np.interp(pixels.ravel(), centers, shares).reshape(pixels.shape)
    return np.asarray((spread * 255).astype(np.uint8))


def adapted(pixels: Pixels) -> Pixels:
    """Equalised tile by tile; of colours, their value."""
    clahe = cv2.createCLAHE(clipLimit=CLIP, tileGridSize=(8, 8))
    if pixels.ndim == 2:
        return np.asarray(clahe.apply(pixels), np.uint8)
    colours = cv2.cvtColor(pixels, cv2.COLOR_BGR2HSV)
    colours[:, :, 2] = clahe.apply(colours[:, :, 2])
    return np.asarray(cv2.cvtColor(colours, cv2.COLOR_HSV2BGR), np.uint8)


class ContrastEnhancement(Block):
    """Clips so many percent at both ends, stretches, and scales the contrast."""

    TYPES = ("roboflow_core/contrast_enhancement@v1",)
    OUTPUTS = {"image": (k.IMAGE,)}

    image: Image
    clip_limit: Annotated[int, Field(ge=0, le=50)] = 0
    contrast_multiplier: Annotated[float, Field(ge=0.1, le=5)] = 1.0
    normalize_brightness: bool = False

    def run(self) -> Outputs:
        clip = (self.clip_limit, 100 - self.clip_limit)
        low, high = np.percentile(self.image.pixels, clip, axis=(0, 1))
        span = np.where(high > low, high - low, 255.0)
        scaled = (np.clip(self.image.pixels, low, high) - low) * 255.0 / span
        scaled = np.clip((scaled - 127.5) * self.contrast_multiplier + 127.5, 0, 255)
        if self.normalize_brightness:
            scaled = 255 * (scaled / 255) ** (1 / GAMMA)
        return {"image": self.image.with_pixels(scaled.astype(np.uint8))}
