"""What was found in crops, on the picture that they were cut from."""

from __future__ import annotations

from typing import Any

import pytest

from inference_sdk.local.workflows.errors import WorkflowError
from tests.workflows import box, detections_input, found, run, spec, step

PARENTS = (box(30, 30, 40, 40), box(50, 30, 40, 40))
"""Crops at (10, 10) and (30, 10)."""


def rolled(*children: Any, kind: str = "object_detection_prediction", **fields: Any) -> Any:
    """Outputs for a set of boxes in each of the two crops."""
    given = detections_input("child", kind) | {"dimensionality": 2}
    made = spec(
        step("dimension_collapse@v1", "list", data="$inputs.child"),
        step("detections_list_rollup@v1", parent_detection="$inputs.det",
             child_detections="$steps.list.output", **fields),
        inputs=(detections_input(), given),
        out="$steps.step.*",
    )  # fmt: skip
    sets = [found(*boxes, width=40, height=40) for boxes in children]
    return run(made, det=[found(*PARENTS[: len(children)])], child=[sets])[0]["out"]


def places(out: Any) -> list[Any]:
    made = out["rolled_up_detections"]
    return [
        (name, sure, *(float(edge) for edge in edges))
        for name, sure, edges in zip(
            made.class_name, made.confidence.round(3), made.xyxy, strict=True
        )
    ]


def cup(x: float, confidence: float = 0.8, **more: Any) -> Any:
    return box(x, 20, 10, 10, confidence=confidence, **more)


def test_boxes_are_where_their_crops_were() -> None:
    out = rolled([cup(20)], [cup(30)])
    assert places(out) == [("cup", 0.8, 25, 25, 35, 35), ("cup", 0.8, 55, 25, 65, 35)]
    assert out["crop_zones"][0] == [[10, 10], [50, 10], [50, 50], [10, 50]]
    assert out["rolled_up_detections"].size == (100, 100)


@pytest.mark.parametrize(("strategy", "sure"), [("max", 0.8), ("mean", 0.7), ("min", 0.6)])
def test_what_two_crops_saw_is_one(strategy: str, sure: float) -> None:
    out = rolled([cup(30)], [cup(14, 0.6)], confidence_strategy=strategy)
    assert places(out) == [("cup", sure, 35, 25, 49, 35)]


def test_only_what_overlaps_enough_and_is_of_one_class() -> None:
    def count(*children: Any, **fields: Any) -> int:
        return len(places(rolled(*children, **fields)))

    assert count([cup(30)], [cup(20)]) == 2  # they touch
    assert count([cup(30)], [cup(10, **{"class": "hand", "class_id": 2})]) == 2
    assert count([cup(30)], [cup(14)], overlap_threshold=0.4) == 1  # 6 of 14
    assert count([cup(30)], [cup(14)], overlap_threshold=0.5) == 2
    assert count([cup(10), cup(26), cup(18)]) == 1  # by the one in between
    assert count([], []) == 0


def outline(*points: tuple[float, float]) -> Any:
    return [{"x": x, "y": y} for x, y in points]


def test_masks_overlap_as_masks_and_are_joined() -> None:
    first = outline((5, 5), (25, 5), (5, 25))
    second = outline((25, 25), (25, 8), (8, 25))
    two = [box(15, 15, 20, 20, points=first), box(16, 16, 17, 17, points=second)]
    kind = "instance_segmentation_prediction"
    apart = rolled(two, kind=kind)["rolled_up_detections"]
    assert len(apart) == 2  # the boxes overlap, the triangles do not
    square = outline((5, 5), (25, 5), (25, 25), (5, 25))
    two[1] = box(15, 15, 20, 20, points=square)
    joined = rolled(two, kind=kind)["rolled_up_detections"]
    assert joined.masks.shape == (1, 100, 100)
    assert joined.masks.sum() == 21 * 21
    assert joined.xyxy.tolist() == [[15, 15, 36, 36]]


def test_keypoints_that_are_one_are_told_once() -> None:
    def points(x: float, sure: float) -> Any:
        return [{"class_id": 0, "class": "lid", "confidence": sure, "x": x, "y": 20}]

    def kept(threshold: float) -> Any:
        out = rolled(
            [cup(30, keypoints=points(27, 0.8))], [cup(10, keypoints=points(9, 0.9))],
            kind="keypoint_detection_prediction", keypoint_merge_threshold=threshold,
        )["rolled_up_detections"]  # fmt: skip
        return sorted(point["x"] for point in out.columns["keypoints"][0])

    assert kept(10) == [39]
    assert kept(1) == [37, 39]


def test_there_is_one_set_for_each_crop() -> None:
    made = spec(
        step("detections_list_rollup@v1", parent_detection="$inputs.det",
             child_detections="$inputs.list"),
        inputs=(detections_input(), detections_input("list", "list_of_values")),
        out="$steps.step.*",
    )  # fmt: skip
    with pytest.raises(WorkflowError, match="has 0 elements and 'parent_detection' 2"):
        run(made, det=[found(*PARENTS)], list=[[]])
    with pytest.raises(WorkflowError, match="one of its elements is int"):
        run(made, det=[found(*PARENTS)], list=[[1, 2]])
