"""Which boxes an answer keeps, and how it spells them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_sdk.local.models import InferenceParameters, boxes

NAMES = ("cat", "dog")
BOXES = np.array(
    [
        [0, 0, 10, 10],
        [1, 0, 11, 10],  # overlaps the first by 9/11
        [0, 0, 10, 9],  # overlaps the first by 9/10, of another class
        [50, 50, 60, 60],
    ],
    np.float32,
)
SCORES = np.array([0.9, 0.8, 0.7, 0.5], np.float32)
CLASSES = np.array([0, 0, 1, 0])


def _select(**parameters: object) -> list[int]:
    chosen = boxes.select(BOXES, SCORES, CLASSES, NAMES, InferenceParameters(**parameters))
    return chosen.tolist()


def test_the_less_certain_of_two_that_overlap_is_left_out_within_its_class() -> None:
    assert _select() == [0, 2, 3]


def test_class_agnostic_suppression_compares_all() -> None:
    assert _select(class_agnostic_nms=True) == [0, 3]


def test_a_higher_iou_threshold_keeps_more() -> None:
    assert _select(iou_threshold=0.85) == [0, 1, 2, 3]


def test_confidence_is_a_lower_bound_that_is_itself_enough() -> None:
    assert _select(confidence=float(SCORES[2])) == [0, 2]


def test_class_filter_goes_by_name() -> None:
    assert _select(class_filter=("dog",)) == [2]
    assert _select(class_filter=("zebra",)) == []


def test_max_detections_keeps_the_most_certain() -> None:
    assert _select(max_detections=2) == [0, 2]
    assert _select(max_detections=0) == []


def test_max_candidates_are_cut_before_overlaps_are_looked_at() -> None:
    assert _select(max_candidates=2) == [0]


def test_the_order_is_by_confidence() -> None:
    reversed_scores = SCORES[::-1].copy()
    chosen = boxes.select(BOXES, reversed_scores, CLASSES, NAMES, InferenceParameters())
    assert chosen.tolist() == [3, 2, 1]


_side = st.floats(0, 100, width=32)


@given(st.lists(st.tuples(_side, _side, _side, _side), max_size=12), st.floats(0, 1))
def test_no_two_that_are_kept_overlap_more_than_allowed(corners: list, threshold: float) -> None:
    array = np.array(corners, np.float32).reshape(-1, 4)
    array = np.concatenate([np.minimum(array[:, :2], array[:, 2:]),
                            np.maximum(array[:, :2], array[:, 2:])], axis=1)  # fmt: skip
    order = np.arange(len(array))
    kept = boxes.suppress(array, np.zeros(len(array), int), order, threshold)
    for place, index in enumerate(kept):
        overlaps = boxes.intersection_over_union(array[index], array[kept[place + 1 :]])
        assert (overlaps <= threshold).all()
    assert len(kept) > 0 or len(array) == 0


def test_prediction_has_its_centre_and_every_documented_key() -> None:
    spelled = boxes.prediction(np.array([10, 20, 30, 60], np.float32), 0.5, 1, "dog")
    assert spelled.pop("detection_id")
    assert spelled == {
        "x": 20.0, "y": 40.0, "width": 20.0, "height": 40.0, "confidence": 0.5, "class": "dog",
        "class_id": 1, "class_confidence": None, "tracker_id": None, "parent_id": None,
    }  # fmt: skip


def test_boxes_are_cut_to_the_image() -> None:
    cut = boxes.clip(np.array([[-5, -5, 200, 40]], np.float32), height=30, width=100)
    assert cut.tolist() == [[0, 0, 100, 30]]


def test_boxes_without_area_overlap_nothing() -> None:
    flat = np.array([3, 3, 3, 3], np.float32)
    assert boxes.intersection_over_union(flat, flat[None])[0] == pytest.approx(0)
