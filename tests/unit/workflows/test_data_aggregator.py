"""Values over some runs, or some time."""

from __future__ import annotations

from typing import Any

import pytest

from inference_sdk.local.workflows.blocks import data_aggregator
from inference_sdk.local.workflows.errors import WorkflowError
from tests.workflows import Steps


def over(values: list[Any], *modes: str, **fields: Any) -> list[Any]:
    """What is told after each value, null where that is all of it."""
    settings = {"interval": 3, "interval_unit": "runs", **fields}
    steps = Steps(
        "data_aggregator@v1", data={"x": "$inputs.v"}, aggregation_mode={"x": list(modes)},
        **settings,
    )  # fmt: skip
    told = [steps(v=value) for value in values]
    return [None if all(v is None for v in each.values()) else each for each in told]


def test_numbers_over_runs() -> None:
    modes = ("sum", "avg", "max", "min", "count", "values_difference")
    assert over([1, 2, 6, 5], *modes) == [
        None,
        None,
        {
            "x_sum": 9, "x_avg": 3, "x_max": 6, "x_min": 1, "x_count": 3, "x_values_difference": 5,
        },
        None,
    ]  # fmt: skip


def test_texts_and_the_elements_of_lists_are_counted() -> None:
    modes = ("distinct", "count_distinct", "values_counts", "count")
    expected = {
        "x_distinct": ["a", "b"], "x_count_distinct": 2, "x_values_counts": {"a": 2, "b": 1},
        "x_count": 3,
    }  # fmt: skip
    assert over(["a", "b", "a"], *modes) == [None, None, expected]
    assert over([["a"], ["b", "a"], []], *modes) == [None, None, expected]


def test_operations_come_first() -> None:
    length = {"x": [{"type": "SequenceLength"}]}
    assert over(["a", "bcd"], "sum", interval=2, data_operations=length) == [None, {"x_sum": 4}]


def test_an_interval_of_time(monkeypatch: pytest.MonkeyPatch) -> None:
    # Asked at the beginning of each interval, and after each value.
    clock = iter([0.0, 30.0, 59.0, 60.0, 60.0, 61.0, 120.0, 120.0])
    monkeypatch.setattr(data_aggregator, "monotonic", lambda: next(clock))
    told = over([1, 2, 3, 4, 5], "sum", interval=1, interval_unit="minutes")
    assert told == [None, None, {"x_sum": 6}, None, {"x_sum": 9}]


@pytest.mark.parametrize(
    ("values", "mode", "says"),
    [(["a"], "sum", "only numbers"), ([[1]], "max", "only numbers"), ([{}], "distinct", "texts")],
)
def test_what_has_no_sum_is_said(values: list[Any], mode: str, says: str) -> None:
    with pytest.raises(WorkflowError, match=says):
        over(values, mode, interval=1)
