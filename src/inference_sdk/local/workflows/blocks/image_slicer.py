"""Overlapping tiles of a picture, for objects that are small in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import Block, Image, Outputs, takes
from inference_sdk.local.workflows.images import new_id

Side = Annotated[int, Field(gt=0), takes(k.INTEGER)]
Overlap = Annotated[float, Field(ge=0, lt=1), takes(k.FRACTION)]


class ImageSlicerV2(Block):
    """Tiles row by row, all of one size: the last of a row and column are moved inside."""

    TYPES: ClassVar[Sequence[str]] = ("roboflow_core/image_slicer@v2",)
    OUTPUTS = {"slices": (k.IMAGE,)}
    OUTPUT_DIMENSION = 1

    image: Image
    slice_width: Side = 640
    slice_height: Side = 640
    overlap_ratio_width: Overlap = 0.2
    overlap_ratio_height: Overlap = 0.2

    def run(self) -> Outputs:
        width, height = self.image.size
        columns = self.starts(width, self.slice_width, self.overlap_ratio_width)
        rows = self.starts(height, self.slice_height, self.overlap_ratio_height)
        cut = (
            self.image.crop(
                x,
                y,
                x + self.slice_width,
                y + self.slice_height,
                name=f"image_slice.{new_id()}",
                keeps_video=True,
            )
            for y in rows
            for x in columns
        )
        return {"slices": [tile for tile in cut if tile is not None]}

    def starts(self, whole: int, tile: int, overlap: float) -> list[int]:
        """Where tiles begin along one side."""
        inside = [min(start, max(whole - tile, 0)) for start in _steps(whole, tile, overlap)]
        return list(dict.fromkeys(inside))


class ImageSlicer(ImageSlicerV2):
    """Tiles row by row; the last of a row and column are smaller."""

    TYPES = ("roboflow_core/image_slicer@v1",)

    def starts(self, whole: int, tile: int, overlap: float) -> list[int]:
        return list(_steps(whole, tile, overlap))


def _steps(whole: int, tile: int, overlap: float) -> Iterator[int]:
    return iter(range(0, whole, max(tile - int(overlap * tile), 1)))
