"""Blocks on sets of detections, and the velocity of tracks; values worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from inference_sdk.local.workflows.errors import WorkflowError
from tests.workflows import IMAGE, Steps, box, detections_input, found, picture, run, spec, step

CUP = {"class": "cup", "class_id": 1}
DOG = {"class": "dog", "class_id": 2}


def one(kind: str, *boxes: dict[str, Any], **fields: Any) -> Any:
    steps = Steps(kind, predictions="$inputs.det", **fields)
    return steps(det=found(*boxes))["predictions"]


def test_a_level_for_each_class() -> None:
    boxes = [box(10 * n, 10, 4, 4, **kind, confidence=c) for n, (kind, c) in enumerate(
        ((CUP, 0.3), (CUP, 0.2), (DOG, 0.5), (DOG, 0.4))
    )]  # fmt: skip
    kept = one(
        "per_class_confidence_filter@v1", *boxes, class_thresholds={"cup": 0.3},
        default_threshold=0.5,
    )  # fmt: skip
    assert kept.centers[:, 0].tolist() == [0, 20]


def test_all_become_one() -> None:
    merged = one(
        "detections_merge@v1", box(10, 10, 4, 4, confidence=0.9), box(30, 20, 10, 2, confidence=0.2)
    )
    assert merged.xyxy.tolist() == [[8, 8, 35, 21]]
    assert merged.confidence.tolist() == pytest.approx([0.2])
    assert merged.class_name.tolist() == ["merged_detection"]
    assert len(one("detections_merge@v1")) == 0


def test_two_sets_become_one() -> None:
    steps = Steps("detections_combine@v1", prediction_one="$inputs.a", prediction_two="$inputs.b")
    both = steps(a=found(box(10, 10, 4, 4)), b=found(box(20, 10, 4, 4), box(30, 10, 4, 4)))
    assert both["predictions"].centers[:, 0].tolist() == [10, 20, 30]
    assert len(steps(a=found(), b=found())["predictions"]) == 0


@pytest.mark.parametrize(
    ("fields", "edges"),
    [
        ({"offset_width": 11, "offset_height": 40}, [35, 20, 65, 80]),  # 5 and 20 on each side
        ({"offset_width": 50, "offset_height": 15, "units": "Percent (%)"}, [35, 39, 65, 61]),
        (
            {"offset_width": 400, "offset_height": 2},
            [0, 39, 100, 61],
        ),  # no further than the picture
    ],
)
def test_boxes_grow(fields: Any, edges: list[int]) -> None:
    grown = one("detection_offset@v1", box(50, 50, 20, 20, detection_id="before"), **fields)
    assert grown.xyxy.tolist() == [edges]
    assert grown.parent_id.tolist() == ["before"]
    assert grown.detection_id[0] != "before"


TRACKED = spec(
    step("per_class_confidence_filter@v1", "pass", predictions="$inputs.det", class_thresholds={}),
    step(
        "velocity@v1", "speed", image="$inputs.image", detections="$steps.pass.predictions",
        smoothing_alpha=0.5, pixels_per_meter=10.0,
    ),
    inputs=(IMAGE, detections_input()),
    found="$steps.speed.velocity_detections",
)  # fmt: skip


def test_velocities_of_tracks() -> None:
    """3 and 4 pixels in a tenth of a second, 10 pixels a metre: 3 and 4 m/s, so 5; then none."""
    frames = [
        picture(name="v", video_identifier="v", frame_number=n, fps=10, comes_from_video_file=True)
        for n in range(3)
    ]
    places = ((10, 10), (13, 14), (13, 14))
    given = [found(box(x, y, 4, 4, tracker_id=1)) for x, y in places]
    out = [each["found"].columns for each in run(TRACKED, image=frames, det=given)]
    assert [each["velocity"][0] for each in out] == [[0, 0], pytest.approx([3, 4]), [0, 0]]
    assert [each["speed"][0] for each in out] == pytest.approx([0, 5, 0])
    assert [each["smoothed_velocity"][0] for each in out] == [
        [0, 0], pytest.approx([1.5, 2]), pytest.approx([0.75, 1]),
    ]  # fmt: skip
    assert [each["smoothed_speed"][0] for each in out] == pytest.approx([0, 2.5, 1.25])


def test_the_velocity_of_what_was_not_tracked_is_unknown() -> None:
    with pytest.raises(WorkflowError, match="tracker_id: track them first"):
        run(TRACKED, image=picture(), det=found(box(5, 5, 4, 4)))
