"""Blocks that edit, merge and count what was found, with values worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from inference_sdk.local.workflows.errors import WorkflowError
from tests.workflows import Steps, box, detections_input, found, run, spec, step

DET = found(
    box(40, 30, 20, 10, detection_id="a"),
    box(95, 50, 10, 20, **{"class": "dog"}, confidence=0.8, detection_id="b"),
)


@pytest.mark.parametrize(
    ("fields", "boxes"),
    [
        ({"offset_width": 11, "offset_height": 6}, [[25, 22, 55, 38], [85, 37, 100, 63]]),
        (
            {"offset_width": 50, "offset_height": 20, "units": "Percent (%)"},
            [[25, 24, 55, 36], [88, 38, 100, 62]],
        ),
    ],
)
def test_boxes_grow_within_the_picture(fields: Any, boxes: Any) -> None:
    grown = Steps("DetectionOffset", predictions="$inputs.det", **fields)(det=DET)["predictions"]
    assert grown.xyxy.tolist() == boxes
    assert grown.parent_id.tolist() == ["a", "b"]
    assert grown.columns["root_parent_id"].tolist() == ["det", "det"]
    assert not set(grown.detection_id) & {"a", "b"}


def test_each_class_has_a_level_of_its_own() -> None:
    keep = Steps(
        "per_class_confidence_filter@v1",
        predictions="$inputs.det",
        class_thresholds={"dog": 0.9},
        default_threshold=0.5,
    )
    assert keep(det=DET)["predictions"].detection_id.tolist() == ["a"]


def test_one_box_round_all() -> None:
    merge = Steps("detections_merge@v1", predictions="$inputs.det", class_name="all")
    merged = merge(det=DET)["predictions"]
    assert merged.xyxy.tolist() == [[30, 25, 100, 60]]
    assert (merged.class_name.tolist(), merged.confidence.tolist()) == (["all"], [0.5])
    assert len(merge(det=found())["predictions"]) == 0


def test_two_sets_are_joined_when_they_carry_the_same() -> None:
    combine = Steps("detections_combine@v1", prediction_one="$inputs.a", prediction_two="$inputs.b")
    joined = combine(a=DET, b=found(box(10, 10, 5, 5)))["predictions"]
    assert joined.class_name.tolist() == ["cup", "dog", "cup"]
    with pytest.raises(WorkflowError, match="Only one of the two sets has tracker_id"):
        combine(a=DET, b=found(box(10, 10, 5, 5, tracker_id=3)))


def agreed(*sources: Any, **fields: Any) -> dict[str, Any]:
    names = "abc"[: len(sources)]
    agree = step(
        "DetectionsConsensus", predictions_batches=[f"$inputs.{name}" for name in names], **fields
    )
    inputs = tuple(detections_input(name) for name in names)
    given = dict(zip(names, sources, strict=True))
    (outputs,) = run(spec(agree, inputs=inputs, all="$steps.step.*"), **given)
    return dict(outputs["all"])


ONE = found(box(50, 50, 20, 20, confidence=0.6), box(10, 10, 4, 4))
OTHER = found(box(54, 50, 20, 20, confidence=0.8))
THIRD = found(box(50, 50, 20, 20, **{"class": "dog"}, class_id=2, confidence=0.9))


def test_boxes_that_enough_sources_found_are_merged() -> None:
    outputs = agreed(ONE, OTHER, required_votes=2)
    assert outputs["predictions"].xyxy.tolist() == [[42, 40, 62, 60]]
    assert outputs["predictions"].confidence.tolist() == pytest.approx([0.7])
    assert outputs["object_present"] is True
    assert outputs["presence_confidence"] == {"cup": pytest.approx(0.7)}
    assert len(agreed(ONE, OTHER, required_votes=1)["predictions"]) == 2
    nothing = agreed(ONE, OTHER, required_votes=2, iou_threshold=0.9)
    assert (nothing["object_present"], nothing["presence_confidence"]) == (False, {})


@pytest.mark.parametrize(
    ("fields", "count", "present"),
    [
        ({"required_votes": 3}, 0, False),
        ({"required_votes": 3, "class_aware": False}, 1, True),
        ({"required_votes": 2, "required_objects": 2}, 1, False),
        ({"required_votes": 2, "required_objects": {"cup": 1}}, 1, True),
        ({"required_votes": 2, "classes_to_consider": ["dog"]}, 0, False),
        ({"required_votes": 2, "confidence": 0.75}, 0, False),
    ],
)
def test_votes_and_what_is_required(fields: Any, count: int, present: bool) -> None:
    outputs = agreed(ONE, OTHER, THIRD, **fields)
    assert (len(outputs["predictions"]), outputs["object_present"]) == (count, present)


@pytest.mark.parametrize(("how", "edges"), [("max", [40, 40, 60, 60]), ("min", [46, 42, 62, 58])])
def test_the_largest_or_smallest_box_may_stand_for_all(how: str, edges: list[float]) -> None:
    outputs = agreed(
        found(box(50, 50, 20, 20)),
        found(box(54, 50, 16, 16)),
        required_votes=2,
        detections_merge_coordinates_aggregation=how,
        detections_merge_confidence_aggregation=how,
    )
    assert outputs["predictions"].xyxy.tolist() == [edges]


def test_values_are_aggregated_at_the_end_of_each_interval() -> None:
    modes = ["sum", "avg", "max", "min", "count", "distinct", "values_counts", "values_difference"]
    aggregate = Steps(
        "data_aggregator@v1",
        kinds={"x": "integer", "l": "*"},
        data={"x": "$inputs.x", "l": "$inputs.l"},
        data_operations={"x": [{"type": "Multiply", "other": 2}]},
        aggregation_mode={"x": modes, "l": ["count", "count_distinct"]},
        interval_unit="runs",
        interval=2,
    )
    between = aggregate(x=5, l=[["a", "b"]])
    assert set(between.values()) == {None}
    at_the_end = aggregate(x=1, l=[["a"]])
    assert sorted(at_the_end.pop("x_distinct")) == [2, 10]
    assert at_the_end == {
        "x_sum": 12,
        "x_avg": 6,
        "x_max": 10,
        "x_min": 2,
        "x_count": 2,
        "x_values_counts": {10: 1, 2: 1},
        "x_values_difference": 8,
        "l_count": 3,
        "l_count_distinct": 2,
    }
    assert set(aggregate(x=1, l=["c"]).values()) == {None}, "a new interval begins"


def test_what_vanished_stayed_and_came() -> None:
    fields = {"reference_predictions": "$inputs.a", "candidate_predictions": "$inputs.b"}
    differ = Steps("DetectionsDifference", **fields)
    before = found(box(20, 20, 10, 10), box(80, 80, 10, 10))
    # The first has moved by half its width (IoU 1/3: cost 0.4 x 2/3); the second is elsewhere.
    after = found(box(25, 20, 10, 10), box(80, 20, 10, 10, **{"class": "dog"}))
    outputs = differ(a=before, b=after)
    assert outputs["persisted_detections"].centers.tolist() == [[25, 20]]
    assert outputs["removed_detections"].centers.tolist() == [[80, 80]]
    assert outputs["new_detections"].centers.tolist() == [[80, 20]]
    assert (outputs["removed_count"], outputs["new_count"], outputs["verified"]) == (1, 1, True)
    near = Steps("DetectionsDifference", reject_cost=0.26, **fields)(a=before, b=after)
    assert near["removed_count"] == 2
    other = found(box(20, 20, 10, 10, **{"class": "dog"}))
    for strict, removed in ((False, 1), (True, 2)):
        outputs = Steps("detections_difference@v1", class_strict=strict, **fields)(
            a=before, b=other
        )
        assert outputs["removed_count"] == removed
    nothing = differ(a=found(), b=found())
    assert (nothing["removed_count"], nothing["verified"]) == (0, False)
