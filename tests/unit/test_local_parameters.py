"""Parameters of a request: read, defaulted, or refused with their place."""

from __future__ import annotations

import math
from typing import Any

import pytest

from inference_sdk.local.faults import InvalidRequestError
from inference_sdk.local.models import InferenceParameters


def test_nothing_given_is_all_defaults() -> None:
    assert InferenceParameters.from_wire({}) == InferenceParameters()


def test_none_is_not_given() -> None:
    assert InferenceParameters.from_wire({"confidence": None}).confidence == 0.4


@pytest.mark.parametrize(
    ("name", "sent", "read"),
    [
        ("confidence", 0.1, 0.1),
        ("confidence", "0.1", 0.1),
        ("confidence", "best", 0.4),
        ("confidence", "default", 0.4),
        ("iou_threshold", 1, 1.0),
        ("max_detections", 5, 5),
        ("max_detections", "5", 5),
        ("max_candidates", 0, 0),
        ("class_filter", ["cat", "dog"], ("cat", "dog")),
        ("class_filter", "cat, dog", ("cat", "dog")),
        ("class_filter", [], None),
        ("class_filter", "", None),
        ("class_agnostic_nms", True, True),
        ("class_agnostic_nms", "False", False),
        ("keypoint_confidence", 0.2, 0.2),
        ("visualize_predictions", "on", True),
        ("visualization_labels", 1, True),
        ("visualization_stroke_width", 3, 3),
    ],
)
def test_read(name: str, sent: Any, read: Any) -> None:
    assert getattr(InferenceParameters.from_wire({name: sent}), name) == read


@pytest.mark.parametrize(
    ("name", "sent", "kind"),
    [
        ("confidence", "high", "float_parsing"),
        ("confidence", True, "float_parsing"),
        ("confidence", math.nan, "float_parsing"),
        ("confidence", [], "float_parsing"),
        ("confidence", 1.5, "out_of_range"),
        ("iou_threshold", -0.1, "out_of_range"),
        ("keypoint_confidence", 2, "out_of_range"),
        ("max_detections", 1.5, "int_parsing"),
        ("max_detections", -1, "greater_than_equal"),
        ("max_detections", "many", "float_parsing"),
        ("max_detections", math.inf, "int_parsing"),
        ("class_filter", [1], "list_type"),
        ("class_filter", 3, "list_type"),
        ("class_agnostic_nms", "perhaps", "bool_parsing"),
        ("visualization_stroke_width", 0, "greater_than_equal"),
    ],
)
def test_refused(name: str, sent: Any, kind: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        InferenceParameters.from_wire({name: sent})
    (detail,) = caught.value.body["detail"]
    assert (detail["type"], detail["loc"]) == (kind, ["body", name])
    assert detail["input"] in (sent, repr(sent)) or math.isnan(sent)


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        InferenceParameters.from_wire({"confidence": 2, "max_detections": -1})
    assert [detail["loc"][1] for detail in caught.value.details] == ["confidence", "max_detections"]


def test_other_names_are_read_and_told() -> None:
    names = {"iou_threshold": "overlap"}
    read = InferenceParameters.from_wire({"overlap": "0.7"}, names=names)
    assert read.iou_threshold == 0.7
    with pytest.raises(InvalidRequestError) as caught:
        InferenceParameters.from_wire({"overlap": "x"}, names=names, location="query")
    assert caught.value.details[0]["loc"] == ["query", "overlap"]


def test_further_holds_all_that_was_sent() -> None:
    parameters = InferenceParameters.from_wire({"prompt": "a dog"})
    assert parameters.further == {"prompt": "a dog"}
    assert "dog" not in repr(parameters)  # it may be a whole image


@pytest.mark.parametrize("value", ["x" * 10_000, ["x" * 10_000], {"x": ["x" * 10_000] * 100}])
def test_a_long_value_is_cut_in_the_message(value: Any) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        InferenceParameters.from_wire({"confidence": value})
    assert len(caught.value.details[0]["input"]) < 300
