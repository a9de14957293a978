"""The same part of each picture."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import Block, Image, Outputs, takes
from inference_sdk.local.workflows.images import WorkflowImage, new_id

Side = Annotated[int, Field(gt=0), takes(k.INTEGER)]
Place = Annotated[int, Field(ge=0), takes(k.INTEGER)]
Part = Annotated[float, Field(ge=0, le=1), takes(k.FRACTION)]


class AbsoluteStaticCrop(Block):
    """Cuts one rectangle, given by its centre and size in pixels."""

    TYPES = ("roboflow_core/absolute_static_crop@v1", "AbsoluteStaticCrop")
    OUTPUTS = {"crops": (k.IMAGE,)}

    images: Image
    x_center: Place
    y_center: Place
    width: Side
    height: Side

    def run(self) -> Outputs:
        name = "absolute_static_crop"
        return {
            "crops": _cut(self.images, name, self.x_center, self.y_center, self.width, self.height)
        }


class RelativeStaticCrop(Block):
    """Cuts one rectangle, given by its centre and size as parts of the picture."""

    TYPES = ("roboflow_core/relative_statoic_crop@v1", "RelativeStaticCrop")
    OUTPUTS = {"crops": (k.IMAGE,)}

    images: Image
    x_center: Part
    y_center: Part
    width: Part
    height: Part

    def run(self) -> Outputs:
        width, height = self.images.size
        return {
            "crops": _cut(
                self.images,
                "relative_static_crop",
                round(self.x_center * width),
                round(self.y_center * height),
                round(self.width * width),
                round(self.height * height),
            )
        }


def _cut(
    image: WorkflowImage, name: str, x: int, y: int, width: int, height: int
) -> WorkflowImage | None:
    left, top = round(x - width / 2), round(y - height / 2)
    name = f"{name}.{new_id()}"
    return image.crop(left, top, left + width, top + height, name=name, keeps_video=True)
