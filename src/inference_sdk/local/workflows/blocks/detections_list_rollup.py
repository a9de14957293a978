"""What was found in crops, on the picture that they were cut from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import AnyBoxes, Block, Outputs, refers, takes
from inference_sdk.local.workflows.detections import Detections, column, whole
from inference_sdk.local.workflows.images import new_id
from inference_sdk.local.workflows.tracking import overlaps

REDUCED: Mapping[str, Callable[[Any], Any]] = {"max": np.max, "mean": np.mean, "min": np.min}
Share = Annotated[float, Field(ge=0, le=1)]
Pixels = Annotated[float, Field(ge=0)]


class DetectionsListRollup(Block):
    """Moves detections of crops to where the crops were, and joins those that overlap.

    `child_detections` is a list of sets, one for each of `parent_detection`: `dimension_collapse`
    makes it. Of one class, all that overlap by more than `overlap_threshold` (intersection over
    union), directly or through others, become one. `crop_zones` are the corners of the crops.
    """

    TYPES = ("roboflow_core/detections_list_rollup@v1", "DetectionsListRollUp")
    OUTPUTS = {"rolled_up_detections": k.ALL_BOXES, "crop_zones": (k.LIST,)}

    parent_detection: AnyBoxes
    child_detections: Annotated[list[Any], refers(k.LIST)]
    confidence_strategy: Annotated[Literal["max", "mean", "min"], takes(k.LIST)] = "max"
    overlap_threshold: Annotated[Share, takes(k.FRACTION)] = 0.0
    keypoint_merge_threshold: Annotated[Pixels, takes(k.FLOAT)] = 10.0

    def run(self) -> Outputs:
        parents = self.parent_detection
        moved = [
            self._on_parent(box, child)
            for box, child in zip(parents.xyxy, self._children(), strict=True)
        ]
        every = Detections.joined(moved) if moved else parents
        groups = [self._joined(every.keep(rows)) for rows in self._groups(every)]
        return {
            "rolled_up_detections": Detections.joined(groups) if groups else every.keep([]),
            "crop_zones": [_corners(box) for box in parents.xyxy.tolist()],
        }

    def _children(self) -> list[Detections]:
        children = self.child_detections
        for child in children:
            if not isinstance(child, Detections):
                raise ValueError(
                    "'child_detections' is a list of detections, one set for each crop, and one of "
                    f"its elements is {type(child).__name__}."
                )
        if len(children) != len(self.parent_detection):
            raise ValueError(
                f"'child_detections' has {len(children)} elements and 'parent_detection' "
                f"{len(self.parent_detection)}: there has to be one for each."
            )
        return children

    def _on_parent(self, box: Any, child: Detections) -> Detections:
        parents = self.parent_detection
        left, top, *_ = whole(box)  # as crops are cut
        moved = child.moved(left, top, parents.size, parents.lineage)
        return moved.with_columns(parent_id=[parents.lineage.name] * len(child))

    def _groups(self, every: Detections) -> Iterator[list[int]]:
        """Rows that become one; classes as they first come."""
        names = every.class_name.tolist()
        for name in dict.fromkeys(names):
            left = [row for row, each in enumerate(names) if each == name]
            while left:
                group, near = [left[0]], [left[0]]
                left = left[1:]
                while near and left:
                    joins = _overlaps(every.keep(near), every.keep(left)).max(axis=0)
                    near = [r for r, iou in zip(left, joins, strict=True) if self._is_one(iou)]
                    left = [row for row in left if row not in near]
                    group += near
                yield sorted(group)

    def _is_one(self, iou: float) -> bool:
        return iou > self.overlap_threshold

    def _joined(self, group: Detections) -> Detections:
        """One detection of a group; the box of one with a mask is as large as the mask."""
        one = group.row(0)
        if group.masks is not None:
            mask = group.masks.any(0)
            one = one.with_columns(mask=column("mask", [mask])).with_boxes([_extent(mask)])
        if len(group) == 1:
            return one
        if group.masks is None:
            one = one.with_boxes([[*group.xyxy[:, :2].min(0), *group.xyxy[:, 2:].max(0)]])
        sure = REDUCED[self.confidence_strategy](group.confidence)
        one = one.with_columns(confidence=[float(sure)], detection_id=[new_id()])
        if "keypoints" in group.columns:
            one = one.with_columns(keypoints=column("keypoints", [self._keypoints(group)]))
        return one

    def _keypoints(self, group: Detections) -> list[dict[str, Any]]:
        """All keypoints, the surest of those of one class that are close together."""
        every = [point for points in group.columns["keypoints"] for point in points]
        kept: list[dict[str, Any]] = []
        for point in sorted(every, key=lambda each: -each["confidence"]):
            if not any(self._is_same(point, other) for other in kept):
                kept.append(point)
        return sorted(kept, key=lambda each: each["class_id"])

    def _is_same(self, one: dict[str, Any], other: dict[str, Any]) -> bool:
        apart = np.hypot(one["x"] - other["x"], one["y"] - other["y"])
        return one["class"] == other["class"] and bool(apart <= self.keypoint_merge_threshold)


def _overlaps(first: Detections, second: Detections) -> Any:
    """Intersection over union of each with each, (N, M): of masks where there are any."""
    if first.masks is None or second.masks is None:
        return overlaps(first.xyxy, second.xyxy)
    flat = [each.masks.reshape(len(each), -1) for each in (first, second)]  # type: ignore[union-attr]
    common = np.array([[(one & other).sum() for other in flat[1]] for one in flat[0]], float)
    union = flat[0].sum(1)[:, None] + flat[1].sum(1)[None] - common
    return np.divide(common, union, out=np.zeros_like(common), where=union > 0)


def _extent(mask: Any) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what is set; all 0 where nothing is."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return 0, 0, 0, 0
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _corners(box: list[float]) -> list[list[float]]:
    left, top, right, bottom = box
    return [[left, top], [right, top], [right, bottom], [left, bottom]]
