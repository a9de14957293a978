"""One channel out of three."""

from __future__ import annotations

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import Block, Image, Outputs


class ConvertGrayscale(Block):
    """Luma of the picture, one channel."""

    TYPES = ("roboflow_core/convert_grayscale@v1",)
    OUTPUTS = {"image": (k.IMAGE,)}

    image: Image

    def run(self) -> Outputs:
        return {"image": self.image.with_pixels(self.image.gray)}
