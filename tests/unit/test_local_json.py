"""What models of users answer with, as JSON."""

from __future__ import annotations

import enum
import math
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from inference_sdk.local.faults import UnspeakableAnswerError
from inference_sdk.local.json_answers import to_json


class Colour(enum.Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.arange(6).reshape(2, 3).T, [[0, 3], [1, 4], [2, 5]]),
        (np.arange(6)[::2], [0, 2, 4]),
        (np.float16(0.5), 0.5),
        (np.bool_(True), True),
        (np.str_("cat"), "cat"),
        (np.array(["a", "b"]), ["a", "b"]),
        (np.array(3), 3),
        ({1: "one", np.int64(2): "two", None: 0}, {"1": "one", "2": "two", "None": 0}),
        ({"a": {3}}, {"a": [3]}),
        ((1, (2,)), [1, [2]]),
        (frozenset({"x"}), ["x"]),
        ([{2**70}], [[float(2**70)]]),
        ({math.nan}, [None]),
        ({Colour.RED}, ["red"]),
        ({Path("/a")}, ["/a"]),
    ],
)
def test_what_has_a_form_gets_it(value: Any, expected: Any) -> None:
    assert orjson.loads(to_json(value)) == expected


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"predictions": [{"mask": b"x"}]}, r"predictions\[0\]\.mask is a bytes"),
        ({"a": {1: object()}}, r"a\.1 is a object"),
        (object(), "it is a object"),
    ],
)
def test_what_has_none_is_told_with_its_place(value: Any, place: str) -> None:
    with pytest.raises(UnspeakableAnswerError, match=place):
        to_json(value)


def test_circles_end() -> None:
    circle: list[Any] = [{1}]
    circle.append(circle)
    with pytest.raises(UnspeakableAnswerError, match="levels"):
        to_json(circle)
