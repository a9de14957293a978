"""Blocks that follow tracks from frame to frame, with values worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from inference_sdk.local.workflows.errors import WorkflowError
from tests.workflows import Steps, box, found, picture

IMAGE = {"image": "$inputs.image"}


def track(x: float, y: float = 50, tracker_id: int = 1) -> dict[str, Any]:
    return box(x, y, 10, 10, tracker_id=tracker_id)


def test_boxes_are_held_between_where_they_are_and_were() -> None:
    steady = Steps("stabilize_detections@v1", **IMAGE, detections="$inputs.det")
    places = [
        float(steady(image=picture(), det=found(track(x)))["tracked_detections"].centers[0, 0])
        for x in (20, 30, 50)
    ]
    assert places == [20, 0.2 * 30 + 0.8 * 20, 0.2 * 50 + 0.8 * 30]


def test_short_gaps_are_filled_where_the_track_would_be() -> None:
    steady = Steps(
        "stabilize_detections@v1",
        **IMAGE,
        detections="$inputs.det",
        smoothing_window_size=2,
        bbox_smoothing_coefficient=0.5,
    )
    both = [found(track(10), track(20, tracker_id=2)), found(track(12), track(30, tracker_id=2))]
    for det in both:
        steady(image=picture(), det=det)
    filled = []
    for x in (14, 16, 18):
        tracked = steady(image=picture(), det=found(track(x)))["tracked_detections"]
        filled.append(
            {i: float(c[0]) for i, c in zip(tracked.tracker_id, tracked.centers, strict=True)}
        )
    assert [each.get(2) for each in filled] == [35, 40, None]
    with pytest.raises(WorkflowError, match="needs a tracker_id"):
        steady(image=picture(), det=found(box(1, 1, 2, 2)))


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_how_far_a_track_strays_from_a_path(version: str) -> None:
    video = {"image": "$inputs.image"} if version == "v2" else {"metadata": "$inputs.meta"}
    deviation = Steps(
        f"path_deviation_analytics@{version}",
        kinds={"meta": "video_metadata"},
        detections="$inputs.det",
        reference_path=[[10, 50], [30, 50]],
        **video,
    )
    given = {"image": picture()} if version == "v2" else {"meta": {"video_identifier": "v"}}
    seen = [
        deviation.wire(det=found(track(x, y)), **given)["path_deviation_detections"]["predictions"][
            0
        ]
        for x, y in ((10, 50), (20, 57), (30, 50))
    ]
    # First the end of the path is 20 away; then (10, 7) from its nearer end; then 12.2 = |(10, 7)|.
    assert [one["path_deviation"] for one in seen] == pytest.approx([20, 149**0.5, 149**0.5])
    assert deviation(det=found(), **given)["path_deviation_detections"].tracker_id is None
