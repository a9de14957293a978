"""How fast tracks move, with values worked out by hand."""

from __future__ import annotations

import pytest

from inference_sdk.local.workflows.errors import WorkflowError
from tests.workflows import IMAGE, box, detections_input, found, picture, run, spec, step

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
