"""Outlines of what is white."""

from __future__ import annotations

import cv2
import numpy as np

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import Block, Image, Outputs, Whole

COLOUR = (255, 0, 255)


class ContoursDetection(Block):
    """Outlines of a black and white picture, drawn and counted."""

    TYPES = ("roboflow_core/contours_detection@v1",)
    OUTPUTS = {
        "image": (k.IMAGE,),
        "contours": (k.CONTOURS,),
        "hierarchy": (k.ARRAY,),
        "number_contours": (k.INTEGER,),
    }

    image: Image
    line_thickness: Whole = 3

    def run(self) -> Outputs:
        gray = np.ascontiguousarray(self.image.gray)
        found, hierarchy = cv2.findContours(gray, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        drawn = cv2.drawContours(
            cv2.cvtColor(gray, cv2.COLOR_GRAY2BGR), found, -1, COLOUR, self.line_thickness
        )
        return {
            "image": self.image.with_pixels(np.asarray(drawn, np.uint8)),
            "contours": [np.asarray(contour) for contour in found],
            "hierarchy": None if hierarchy is None else np.asarray(hierarchy),
            "number_contours": len(found),
        }
