"""One crop for each detection."""

from __future__ import annotations

from typing import Annotated, Any, Union

import numpy as np
import numpy.typing as npt

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import AnyBoxes, Block, Fraction, Image, Outputs, takes
from inference_sdk.local.workflows.colours import bgr_of
from inference_sdk.local.workflows.detections import Detections, whole
from inference_sdk.local.workflows.images import WorkflowImage


class DynamicCrop(Block):
    """One crop for each detection; with mask_opacity, what is not its mask is painted over."""

    TYPES = ("roboflow_core/dynamic_crop@v1", "DynamicCrop", "Crop")
    OUTPUTS = {"crops": (k.IMAGE,), "predictions": k.ALL_BOXES}
    OUTPUT_DIMENSION = 1

    images: Image
    predictions: AnyBoxes
    mask_opacity: Fraction = 0.0
    background_color: Annotated[Union[str, tuple[int, int, int]], takes(k.STRING, k.COLOUR)] = (
        0,
        0,
        0,
    )

    def run(self) -> Outputs:
        here = self.predictions.seen_in(self.images)
        cut = [(self._cut(one), one) for one in here]
        return {
            "crops": [crop for crop, _ in cut],
            "predictions": [crop and _alone(one, crop) for crop, one in cut],
        }

    def _cut(self, one: Detections) -> WorkflowImage | None:
        edges = whole(one.xyxy[0])
        crop = self.images.crop(*edges, name=str(one.detection_id[0]))
        if crop is None or "mask" not in one.columns or not self.mask_opacity:
            return crop
        left, top = max(edges[0], 0), max(edges[1], 0)
        mask = one.columns["mask"][0][top : top + crop.height, left : left + crop.width]
        painted = _painted(crop.bgr, mask, bgr_of(self.background_color), self.mask_opacity)
        return crop.with_pixels(painted)


def _painted(
    pixels: npt.NDArray[np.uint8], mask: Any, colour: tuple[int, int, int], opacity: float
) -> npt.NDArray[np.uint8]:
    """Pixels out of a mask mixed with a colour."""
    mixed = pixels * (1 - opacity) + np.array(colour) * opacity
    return np.where(mask[:, :, None], pixels, mixed.astype(np.uint8)).astype(np.uint8)


def _alone(one: Detections, crop: WorkflowImage) -> Detections:
    """One detection in the pixels of its crop."""
    origin = crop.lineage.parent
    if origin is None:
        return one
    moved = one.moved(-origin.x, -origin.y, crop.size, crop.lineage)
    return moved.with_columns(parent_id=one.detection_id)
