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


# --- The class of a track -----------------------------------------------------------------------

CLASSES = {"a": 0, "b": 1, "c": 2}


def locked(*frames: Any, **fields: Any) -> str:
    """Classes that come out, "-" for none, of frames of (track, class, confidence, x).

    A text is a frame for each letter: track 1, sure, or not sure where it is a capital letter.
    """
    settings = {"min_votes": 3, "vote_confidence": 0.5, "lead_margin": 1, "switch_after": 3}
    steps = Steps(
        "track_class_lock@v1", image="$inputs.image", detections="$inputs.det",
        **{**settings, **fields},
    )  # fmt: skip
    told = []
    for frame in _frames(frames):
        boxes = [
            box(x, 50, 20, 20, confidence=sure, tracker_id=track,
                **{"class": name, "class_id": CLASSES[name]})
            for track, name, sure, x in frame
        ]  # fmt: skip
        image = picture(name="v", video_identifier="v")
        out = steps(image=image, det=found(*boxes))["tracked_detections"]
        assert [CLASSES[name] for name in out.class_name] == out.class_id.tolist()
        told.append("+".join(out.class_name) or "-")
    return " ".join(told).replace(" ", "")


def _frames(given: Any) -> Any:
    for part in given:
        if isinstance(part, str):
            yield from ([(1, c.lower(), 0.4 if c.isupper() else 0.9, 50)] for c in part)
        else:
            yield part


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        ("aabaabbbb", "aabaaaabb"),  # locked at the third vote, let go at the third b on end
        ("aaaBBBBBB", "aaaaaaaaa"),  # who is not sure does not speak against it
        ("aaabbBbbb", "aaaaaaaab"),  # and breaks the row, as does the class itself
        ("aaabbabbb", "aaaaaaaab"),
        ("aaabbcbbb", "aaaaaaaab"),
        ("aaabbbaaa", "aaaaabbba"),  # the next class is locked at once
        ("ababab", "ababaa"),  # three to two
    ],
)
def test_a_class_that_was_voted_for_stays_until_another_comes_often(seen: str, told: str) -> None:
    assert locked(seen) == told


def test_a_lock_takes_a_lead() -> None:
    assert locked("abababaaaabb", lead_margin=3) == "abababaaaaaa"
    assert locked("abababaaaabb", lead_margin=0) == "ababaaaaaaaa"


def lost_for(frames: int, x: float = 50, track: int = 2, **fields: Any) -> str:
    """What a track is that comes `frames` after the last sight of a locked a."""
    return locked("aaa", *[[]] * (frames - 1), [(track, "b", 0.9, x)], **fields)[-1]


def test_a_new_track_where_a_locked_one_was_lost_goes_on_with_its_lock() -> None:
    assert (lost_for(4, reattach_window=4), lost_for(4, reattach_window=3)) == ("a", "b")
    assert (lost_for(2, x=60.7), lost_for(2, x=60.8)) == ("a", "b")  # IoU 0.303 and 0.299
    assert lost_for(2, x=90, reattach_iou=0) == "b"
    both = [(1, "a", 0.9, 50), (2, "b", 0.9, 52)]
    assert locked("aaa", both, both) == "aaaa+ba+b"  # not lost
    rivals = [(2, "b", 0.9, 54), (3, "b", 0.9, 51)]
    assert locked("aaa", [], rivals, rivals) == "aaa-a+ba+b"  # the first gets it
    assert locked("aa", [], [(2, "a", 0.9, 50)], [(2, "b", 0.9, 50)]) == "aa-ab"  # no lock yet


def test_tracks_are_forgotten_after_their_time() -> None:
    kept = {"track": 1, "reattach_window": 0}
    assert (lost_for(4, state_ttl=3, **kept), lost_for(4, state_ttl=2, **kept)) == ("a", "b")
    with pytest.raises(WorkflowError, match="'reattach_window' \\(30\\) must not be above"):
        locked("a", state_ttl=2)


def test_a_class_is_locked_of_tracks_only() -> None:
    steps = Steps("track_class_lock@v1", image="$inputs.image", detections="$inputs.det")
    with pytest.raises(WorkflowError, match="tracker_id: track the detections first"):
        steps(image=picture(), det=found(box(5, 5, 4, 4)))


def test_a_locked_class_is_as_sure_as_its_votes() -> None:
    steps = Steps(
        "track_class_lock@v1", image="$inputs.image", detections="$inputs.det", min_votes=3,
        vote_confidence=0.5, lead_margin=1, switch_after=2,
    )  # fmt: skip
    told = []
    for name, sure in [("a", 0.5), ("a", 0.6), ("a", 0.7), ("a", 0.9), ("b", 0.8), ("b", 0.9)]:
        one = box(9, 9, 4, 4, confidence=sure, tracker_id=1) | {"class": name}
        out = steps(image=picture(name="v"), det=found(one))["tracked_detections"]
        told.append(round(float(out.confidence[0]), 3))
    assert told == [0.5, 0.6, 0.6, 0.6, 0.6, 0.85]
