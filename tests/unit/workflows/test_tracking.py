"""Blocks that follow objects over the frames of a video."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_sdk.local.workflows.errors import WorkflowError
from inference_sdk.local.workflows.tracking import ByteTracker, assigned, overlaps
from tests.workflows import Steps, box, found, picture

LATEST = "byte_tracker@v3"


def follow(kind: str = LATEST, **settings: Any) -> Any:
    """A tracker as a function from x of 40 x 40 boxes and their confidences to their ids, by x."""
    steps = Steps(kind, image="$inputs.image", detections="$inputs.det", **settings)

    def frame(*boxes: tuple[float, float], video: str = "v") -> dict[float, int]:
        given = found(*(box(x, 100, 40, 40, confidence=sure) for x, sure in boxes))
        out = steps(image=picture(name=video, video_identifier=video), det=given)
        tracked = out["tracked_detections"]
        frame.outputs = out  # type: ignore[attr-defined]
        xs = tracked.centers[:, 0].tolist()
        return dict(zip(xs, tracked.tracker_id.tolist(), strict=True))

    return frame


def test_an_object_keeps_its_id_and_another_gets_the_next() -> None:
    frame = follow()
    assert frame((100, 0.9)) == {100: 1}
    assert frame((103, 0.9), (300, 0.9)) == {103: 1}  # later ones are told when seen again
    assert frame((298, 0.9), (106, 0.9)) == {106: 1, 298: 2}
    assert frame() == {}
    assert frame((112, 0.9), (294, 0.9)) == {112: 1, 294: 2}


def test_an_unsure_box_goes_on_with_a_track_and_begins_none() -> None:
    frame = follow()
    assert frame((100, 0.9), (300, 0.3)) == {100: 1}  # 0.35 begins one
    assert frame((101, 0.15), (300, 0.3)) == {101: 1}
    assert frame((102, 0.05)) == {}
    assert frame((103, 0.9)) == {103: 1}


def test_a_lost_track_is_remembered_for_its_time() -> None:
    for gap, seen in ((3, {103: 1}), (4, {})):
        frame = follow(lost_track_buffer=2)
        assert [frame((100, 0.9)), frame((101, 0.9))] == [{100: 1}, {101: 1}]
        for _ in range(gap):
            assert frame() == {}
        assert frame((103, 0.9)) == seen
        if not seen:
            assert frame((104, 0.9)) == {104: 2}


def test_an_id_may_take_several_frames() -> None:
    frame = follow(minimum_consecutive_frames=3)
    assert [frame((100 + n, 0.9)) for n in range(4)] == [{}, {}, {102: 1}, {103: 1}]
    broken_off = follow(minimum_consecutive_frames=2)
    assert [broken_off((100, 0.9)), broken_off(), broken_off((101, 0.9))] == [{}, {}, {}]


def test_new_objects_are_told_apart_from_known_ones() -> None:
    frame = follow()
    for x, new, known in ((100, 1, 0), (101, 0, 1)):
        frame((x, 0.9))
        assert len(frame.outputs["new_instances"]) == new
        assert len(frame.outputs["already_seen_instances"]) == known
    forgetful = follow(instances_cache_size=1)
    forgetful((100, 0.9), (300, 0.9))
    forgetful((100, 0.9))
    assert len(forgetful.outputs["new_instances"]) == 1  # 2 came after 1, which was forgotten


def test_each_video_has_its_own_tracks() -> None:
    frame = follow("byte_tracker@v2")
    assert frame((100, 0.9), video="a") == {100: 1}
    assert frame((300, 0.9), video="b") == {300: 1}
    assert frame((101, 0.9), video="a") == {101: 1}


def test_version_1_takes_the_metadata_of_the_video() -> None:
    steps = Steps(
        "byte_tracker@v1", kinds={"video": "video_metadata"}, metadata="$inputs.video",
        detections="$inputs.det",
    )  # fmt: skip
    metadata = picture(name="v").metadata
    for _ in range(2):
        out = steps(video=dict(metadata), det=found(box(50, 50, 20, 20, confidence=0.9)))
        assert out["tracked_detections"].tracker_id.tolist() == [1]


# --- Lines and zones ----------------------------------------------------------------------------


def track(number: int, x: float, y: float) -> dict[str, Any]:
    return box(x, y, 10, 10, tracker_id=number)


@pytest.mark.parametrize("kind", ["line_counter@v1", "line_counter@v2"])
def test_a_line_counts_those_that_cross_it_both_ways(kind: str) -> None:
    """A line from top to bottom at x = 50: to the left is out."""
    fields = {"line_segment": [[50, 0], [50, 100]], "triggering_anchor": "CENTER"}
    steps = Steps(
        kind, kinds={"video": "video_metadata"}, detections="$inputs.det",
        **({"metadata": "$inputs.video"} if kind.endswith("1") else {"image": "$inputs.image"}),
        **fields,
    )  # fmt: skip
    counts = []
    for first, second in ((20, 80), (40, 60), (60, 40), (80, 20), (40, 20)):
        given = found(track(1, first, 50), track(2, second, 50))
        image = picture(name="v", video_identifier="v")
        out = steps(image=image, video=dict(image.metadata), det=given)
        counts.append((out["count_in"], out["count_out"]))
    assert counts == [(0, 0), (0, 0), (1, 1), (1, 1), (1, 2)]
    if kind.endswith("2"):
        crossed = [out["detections_in"], out["detections_out"]]
        assert sorted(len(each) for each in crossed) == [0, 1]


@pytest.mark.parametrize("points", [[[1, 2]], [[1, 2], [3]], "x"])
def test_a_line_has_two_points(points: Any) -> None:
    steps = Steps(
        "line_counter@v2", image="$inputs.image", detections="$inputs.det", line_segment=points
    )
    with pytest.raises(WorkflowError, match="line_segment"):
        steps(image=picture(), det=found(track(1, 5, 5)))


ZONE = [[0, 0], [50, 0], [50, 100], [0, 100]]


def in_zone(*xs: float, **fields: Any) -> list[list[float]]:
    """Times of one object at these places, ten frames a second, in a file."""
    steps = Steps(
        "time_in_zone@v3", image="$inputs.image", detections="$inputs.det",
        **{"zone": ZONE, **fields},
    )  # fmt: skip
    times = []
    for number, x in enumerate(xs):
        image = picture(
            name="v", video_identifier="v", frame_number=number, fps=10, comes_from_video_file=True
        )
        out = steps(image=image, det=found(track(7, x, 50)))["timed_detections"]
        times.append([round(t, 3) for t in out.columns.get("time_in_zone", [])])
    return times


def test_the_time_in_a_zone_begins_anew_when_it_was_left() -> None:
    assert in_zone(20, 30, 40, 80, 30, 20) == [[0.0], [0.1], [0.2], [], [0.0], [0.1]]


def test_or_goes_on() -> None:
    assert in_zone(20, 30, 80, 30, reset_out_of_zone_detections=False) == [[0.0], [0.1], [], [0.3]]


def test_those_outside_may_be_kept_without_a_time() -> None:
    for reset in (True, False):
        kept = {"reset_out_of_zone_detections": reset, "remove_out_of_zone_detections": False}
        assert in_zone(20, 30, 80, 30, **kept) == [[0.0], [0.1], [0.0], [0.0]]


def test_a_zone_may_be_several() -> None:
    others = [ZONE, [[70, 0], [100, 0], [100, 100], [70, 100]]]
    assert in_zone(20, 80, 60, zone=others) == [[0.0], [0.1], []]
    with pytest.raises(WorkflowError, match="three points or more"):
        in_zone(20, zone=[[1, 2], [3, 4]])


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("line_counter@v2", {"line_segment": [[50, 0], [50, 100]]}),
        ("time_in_zone@v2", {"zone": ZONE}),
    ],
)
def test_what_was_not_tracked_cannot_be_followed(kind: str, fields: Any) -> None:
    steps = Steps(kind, image="$inputs.image", detections="$inputs.det", **fields)
    with pytest.raises(WorkflowError, match="tracker_id: track them first"):
        steps(image=picture(), det=found(box(5, 5, 4, 4)))


# --- The algorithm ------------------------------------------------------------------------------


def test_two_that_cross_keep_their_ids() -> None:
    """Each goes on as it went: 10 pixels a frame, one to the right and one to the left."""
    tracker = ByteTracker()
    ids = []
    for n in range(21):
        right, left = 10.0 * n, 200 - 10.0 * n
        boxes = np.array([[right, 0, right + 20, 40], [left, 25, left + 30, 60]])
        ids.append(tracker.update(boxes, np.array([0.9, 0.9])))
    assert ids == [{0: 1, 1: 2}] * 21


def test_overlaps_and_assignments() -> None:
    boxes = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [50, 50, 50, 50]], float)
    assert overlaps(boxes, boxes)[0].tolist() == pytest.approx([1, 1 / 3, 0])
    assert assigned(np.array([[0.1, 0.2], [0.1, 0.9]]), 0.5) == [(0, 1), (1, 0)]
    assert assigned(np.zeros((0, 3)), 0.5) == []


@given(
    st.lists(
        st.lists(
            st.tuples(
                st.floats(-1e4, 1e4), st.floats(-1e4, 1e4), st.floats(0, 1e3), st.floats(0, 1e3),
                st.floats(0, 1),
            ),
            max_size=5,
        ),
        max_size=6,
    ),
    st.integers(1, 3),
)  # fmt: skip
def test_any_boxes_get_ids_that_are_their_own(frames: Any, consecutive: int) -> None:
    tracker = ByteTracker(consecutive=consecutive)
    for rows in frames:
        table = np.array(rows, float).reshape(-1, 5)
        xyxy = np.concatenate([table[:, :2], table[:, :2] + table[:, 2:4]], axis=1)
        told = tracker.update(xyxy, table[:, 4])
        assert set(told) <= set(range(len(rows)))
        assert len(set(told.values())) == len(told)
