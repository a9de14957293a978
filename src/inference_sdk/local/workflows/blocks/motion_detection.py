"""What moves in a video."""

from __future__ import annotations

from typing import Annotated, Any, Optional, Union

import cv2
import numpy as np
import orjson
from pydantic import Field

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import Block, Flag, Image, Outputs, takes
from inference_sdk.local.workflows.detections import Detections

Positive = Annotated[int, Field(gt=0), takes(k.INTEGER)]


class _Background:
    """What is known of one video."""

    def __init__(self, history: int, threshold: int) -> None:
        self.model = cv2.createBackgroundSubtractorMOG2(
            history=history, varThreshold=threshold, detectShadows=False
        )
        self.frames = 0
        self.moved = False


class MotionDetection(Block):
    """Moving regions against a learnt background; alarm when motion begins."""

    TYPES = ("roboflow_core/motion_detection@v1",)
    OUTPUTS = {
        "motion": (k.BOOLEAN,),
        "alarm": (k.BOOLEAN,),
        "detections": (k.DETECTIONS,),
        "motion_zones": (k.LIST,),
    }

    image: Image
    minimum_contour_area: Positive = 200
    morphological_kernel_size: Positive = 3
    threshold: Positive = 16
    history: Positive = 30
    detection_zone: Annotated[Optional[Union[list[Any], str]], takes(k.LIST, k.ZONE)] = None
    suppress_first_detections: Flag = True

    def run(self) -> Outputs:
        video = self.kept(
            self.image.video_identifier, lambda: _Background(self.history, self.threshold)
        )
        outlines = self._outlines(video)
        video.frames += 1
        if self.suppress_first_detections and video.frames <= self.history:
            outlines = []
        motion = bool(outlines)
        alarm, video.moved = motion and not video.moved, motion
        return {
            "motion": motion,
            "alarm": alarm,
            "detections": self._boxes(outlines),
            "motion_zones": [outline.tolist() for outline in outlines],
        }

    def _outlines(self, video: _Background) -> list[Any]:
        """Outlines of what moves, each (N, 2), large enough and within the zone."""
        moving = video.model.apply(np.ascontiguousarray(self.image.bgr))
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (self.morphological_kernel_size,) * 2)
        moving = cv2.morphologyEx(moving, cv2.MORPH_OPEN, kernel)
        moving = cv2.morphologyEx(moving, cv2.MORPH_CLOSE, kernel)
        zone = self._zone(moving.shape)
        if zone is not None:
            moving = cv2.bitwise_and(moving, zone)
        found, _ = cv2.findContours(moving, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        large = (each for each in found if cv2.contourArea(each) >= self.minimum_contour_area)
        return [np.asarray(outline).reshape(-1, 2) for outline in large]

    def _zone(self, shape: Any) -> Any:
        zone = self.detection_zone
        if isinstance(zone, str):
            zone = orjson.loads(zone) if zone.strip() else None
        if not zone:
            return None
        canvas = np.zeros(shape, np.uint8)
        return cv2.fillPoly(canvas, [np.asarray(zone, np.int32).reshape(-1, 2)], (255,))

    def _boxes(self, outlines: list[Any]) -> Detections:
        edges = [[*outline.min(0), *(outline.max(0) + 1)] for outline in outlines]
        return Detections.of(edges, classes=["motion"] * len(edges), image=self.image)
