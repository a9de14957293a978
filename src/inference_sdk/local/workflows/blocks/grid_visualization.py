"""Pictures in a grid."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import cv2
import numpy as np
from pydantic import BeforeValidator, Field

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import Block, Outputs, Whole, refers
from inference_sdk.local.workflows.images import (
    Lineage,
    Pixels,
    WorkflowImage,
    new_id,
    still_metadata,
)
from inference_sdk.local.workflows.selectors import with_selectors


class GridVisualization(Block):
    """Pictures row by row in a grid with as many rows as columns, each fitted into its cell.

    `images` are references, or one to a list of pictures, as `buffer` gives out.
    """

    TYPES = ("roboflow_core/grid_visualization@v1",)
    OUTPUTS = {"image": (k.IMAGE,)}

    images: Annotated[
        list[Annotated[Any, refers(k.IMAGE, k.LIST)]],
        Field(min_length=1),
        BeforeValidator(lambda given: with_selectors([given]) if isinstance(given, str) else given),
    ]
    width: Whole = 2560
    height: Whole = 1440

    def run(self) -> Outputs:
        pictures = [image.bgr for image in _flat(self.images)]
        name = f"grid.{new_id()}"
        return {
            "image": WorkflowImage(
                self._grid(pictures), metadata=still_metadata(name), lineage=Lineage(name)
            )
        }

    def _grid(self, pictures: list[Pixels]) -> Pixels:
        canvas = np.zeros((self.height, self.width, 3), np.uint8)
        columns = int(np.ceil(np.sqrt(max(len(pictures), 1))))
        width, height = self.width // columns, self.height // columns
        for place, pixels in enumerate(pictures):
            top, left = place // columns * height, place % columns * width
            canvas[top : top + height, left : left + width] = _fitted(pixels, width, height)
        return canvas


def _flat(value: Any) -> Iterator[WorkflowImage]:
    """All pictures, whatever lists they are in."""
    if isinstance(value, WorkflowImage):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _flat(item)
    elif value is not None:
        raise ValueError(f"grid_visualization takes pictures, not {type(value).__name__}.")


def _fitted(pixels: Pixels, width: int, height: int) -> Pixels:
    """A picture as large as fits, in the middle of a black cell."""
    scale = min(width / pixels.shape[1], height / pixels.shape[0])
    size = (max(1, int(pixels.shape[1] * scale)), max(1, int(pixels.shape[0] * scale)))
    cell = np.zeros((height, width, 3), np.uint8)
    top, left = (height - size[1]) // 2, (width - size[0]) // 2
    cell[top : top + size[1], left : left + size[0]] = cv2.resize(
        np.ascontiguousarray(pixels), size
    )
    return cell
