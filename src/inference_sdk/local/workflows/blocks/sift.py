"""Feature points of pictures (SIFT), and how many two pictures share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

import cv2
import numpy as np
from pydantic import Field

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import Block, Flag, Image, Outputs, refers, takes
from inference_sdk.local.workflows.images import WorkflowImage

Matches = Annotated[int, Field(gt=0), takes(k.INTEGER)]
MIN_DESCRIPTORS = 2


class SIFT(Block):
    """Feature points and descriptors, and a picture with the points drawn on it."""

    TYPES = ("roboflow_core/sift@v1",)
    OUTPUTS = {
        "image": (k.IMAGE,),
        "keypoints": (k.IMAGE_KEYPOINTS,),
        "descriptors": (k.ARRAY,),
    }

    image: Image

    def run(self) -> Outputs:
        points, descriptors = _features(self.image)
        return {
            "image": _with_points(self.image, points),
            "keypoints": [_described(point) for point in points],
            "descriptors": descriptors,
        }


def _features(image: WorkflowImage) -> tuple[Sequence[Any], Any]:
    points, descriptors = cv2.SIFT_create().detectAndCompute(  # type: ignore[attr-defined]
        np.ascontiguousarray(image.gray), None
    )
    return points, descriptors


def _with_points(image: WorkflowImage, points: Sequence[Any]) -> WorkflowImage:
    scene = cv2.cvtColor(np.ascontiguousarray(image.gray), cv2.COLOR_GRAY2BGR)
    return image.with_pixels(np.asarray(cv2.drawKeypoints(scene, points, scene.copy()), np.uint8))


def _described(point: Any) -> dict[str, Any]:
    return {
        "pt": [point.pt[0], point.pt[1]],
        "size": point.size,
        "angle": point.angle,
        "response": point.response,
        "octave": point.octave,
        "class_id": point.class_id,
    }


class SIFTComparison(Block):
    """Counts good matches of two sets of descriptors."""

    TYPES = ("roboflow_core/sift_comparison@v1",)
    OUTPUTS = {"good_matches_count": (k.INTEGER,), "images_match": (k.BOOLEAN,)}

    descriptor_1: Annotated[Any, refers(k.ARRAY)]
    descriptor_2: Annotated[Any, refers(k.ARRAY)]
    good_matches_threshold: Matches = 50
    ratio_threshold: Annotated[float, takes(k.INTEGER)] = 0.7

    def run(self) -> Outputs:
        good = _good_matches(
            _array(self.descriptor_1), _array(self.descriptor_2), self.ratio_threshold
        )
        return _counted(good, self.good_matches_threshold)


def _array(value: Any) -> Any:
    return np.asarray(value, np.float32)


def _counted(good: Sequence[Any], threshold: int) -> dict[str, Any]:
    return {"good_matches_count": len(good), "images_match": len(good) >= threshold}


def _good_matches(one: Any, other: Any, ratio: float, matcher: str = "FlannBasedMatcher") -> Any:
    """Matches that are clearly better than the second best (Lowe's ratio)."""
    if one is None or other is None or min(len(one), len(other)) < MIN_DESCRIPTORS:
        return []
    finder: Any = (
        cv2.FlannBasedMatcher({"algorithm": 1, "trees": 5}, {"checks": 50})
        if matcher == "FlannBasedMatcher"
        else cv2.BFMatcher()
    )
    pairs = finder.knnMatch(one, other, k=2)
    return [best for best, second in pairs if best.distance < ratio * second.distance]


class SIFTComparisonV2(Block):
    """Counts good matches of two pictures or sets of descriptors, and draws them."""

    TYPES: ClassVar[Sequence[str]] = ("roboflow_core/sift_comparison@v2",)
    OUTPUTS = {
        "images_match": (k.BOOLEAN,),
        "good_matches_count": (k.INTEGER,),
        "keypoints_1": (k.IMAGE_KEYPOINTS,),
        "descriptors_1": (k.ARRAY,),
        "keypoints_2": (k.IMAGE_KEYPOINTS,),
        "descriptors_2": (k.ARRAY,),
        "visualization_1": (k.IMAGE,),
        "visualization_2": (k.IMAGE,),
        "visualization_matches": (k.IMAGE,),
    }

    input_1: Annotated[Any, refers(k.IMAGE, k.ARRAY)]
    input_2: Annotated[Any, refers(k.IMAGE, k.ARRAY)]
    good_matches_threshold: Matches = 50
    ratio_threshold: Annotated[float, takes(k.FRACTION)] = 0.7
    matcher: Annotated[Literal["FlannBasedMatcher", "BFMatcher"], takes(k.STRING)] = (
        "FlannBasedMatcher"
    )
    visualize: Flag = False

    def run(self) -> Outputs:
        one, other = _Side.of(self.input_1), _Side.of(self.input_2)
        good = _good_matches(one.descriptors, other.descriptors, self.ratio_threshold, self.matcher)
        outputs = _counted(good, self.good_matches_threshold)
        for number, side in ((1, one), (2, other)):
            outputs[f"descriptors_{number}"] = side.descriptors
            outputs[f"keypoints_{number}"] = side.described
            if self.visualize and side.image is not None:
                outputs[f"visualization_{number}"] = _with_points(side.image, side.points)
        if self.visualize and one.image is not None and other.image is not None:
            outputs["visualization_matches"] = _matches_drawn(one, other, good)
        return outputs


class _Side:
    """One of the two that are compared: a picture, or descriptors alone."""

    def __init__(self, image: WorkflowImage | None, points: Sequence[Any], descriptors: Any):
        self.image, self.points, self.descriptors = image, points, descriptors

    @classmethod
    def of(cls, value: Any) -> _Side:
        if isinstance(value, WorkflowImage):
            return cls(value, *_features(value))
        return cls(None, (), _array(value))

    @property
    def described(self) -> list[dict[str, Any]] | None:
        return None if self.image is None else [_described(point) for point in self.points]


def _matches_drawn(one: _Side, other: _Side, good: Sequence[Any]) -> WorkflowImage | None:
    if one.image is None or other.image is None:
        return None
    drawn = cv2.drawMatches(  # type: ignore[call-overload]
        np.ascontiguousarray(one.image.bgr),
        one.points,
        np.ascontiguousarray(other.image.bgr),
        other.points,
        good,
        None,
        flags=cv2.DrawMatchesFlags_NOT_DRAW_SINGLE_POINTS,
    )
    return one.image.with_pixels(np.asarray(drawn, np.uint8))
