"""Answers of all tasks in one form, and drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from inference_sdk.viz.drawing import annotate
from inference_sdk.viz.findings import BEST_CLASSES, Box, Finding, findings

BOX = {"x": 50, "y": 40, "width": 40, "height": 20, "confidence": 0.9, "class": "cat"}
BOX["class_id"] = 3  # type: ignore[assignment]


def answer(*predictions: dict[str, Any]) -> dict[str, Any]:
    return {"image": {"width": 100, "height": 80}, "predictions": list(predictions)}


def test_a_box_is_told_by_its_edges() -> None:
    assert findings(answer(BOX)) == [Finding("cat", 0.9, Box(30, 30, 70, 50))]


def test_a_classification_shows_its_best() -> None:
    classes = [{"class": f"c{i}", "class_id": i, "confidence": 0.1} for i in range(20)]
    found = findings(answer(*classes))
    assert [finding.name for finding in found] == [f"c{i}" for i in range(BEST_CLASSES)]


def test_labels_show_those_that_were_chosen() -> None:
    result = {
        "predictions": {"cat": {"confidence": 0.8}, "dog": {"confidence": 0.1}},
        "predicted_classes": ["cat"],
    }
    assert findings(result) == [Finding("cat", 0.8)]


@pytest.mark.parametrize("result", [{}, {"predictions": None}, {"predictions": []}])
def test_nothing_is_nothing(result: dict[str, Any]) -> None:
    assert findings(result) == []


def test_a_finding_reads_well() -> None:
    assert str(Finding("cat", 0.876)) == "cat 0.88"
    assert str(Finding("cat", None)) == "cat"


def grey() -> np.ndarray:
    return np.full((80, 100, 3), 128, np.uint8)


def changed(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    return (before != after).any(axis=2)


def test_a_box_is_drawn_on_a_copy() -> None:
    frame = grey()
    drawn = annotate(frame, answer({**BOX, "tracker_id": None, "points": None}))
    assert (frame == 128).all()
    where = changed(frame, drawn)
    assert where[40, 28:33].any()
    assert where[50, 30:70].all() or where[49, 30:70].all()
    assert not where[60:].any()


def test_keypoints_are_drawn() -> None:
    point = {"x": 80, "y": 70, "confidence": 0.9, "class_id": 0, "class": "nose"}
    drawn = annotate(grey(), answer({**BOX, "keypoints": [point]}))
    assert changed(grey(), drawn)[70, 80]


def test_masks_are_drawn() -> None:
    corners = [(32, 32), (68, 32), (68, 48), (32, 48)]
    points = [{"x": x, "y": y} for x, y in corners]
    drawn = annotate(grey(), answer({**BOX, "points": points}))
    assert changed(grey(), drawn)[40, 50]


def test_classes_of_the_whole_picture_are_written_on_it() -> None:
    drawn = annotate(grey(), answer({"class": "cat", "class_id": 0, "confidence": 0.9}))
    assert changed(grey(), drawn).any()


def test_nothing_found_leaves_the_picture() -> None:
    frame = grey()
    assert annotate(frame, answer()) is frame
