"""What can stand in a JSON body, and how what cannot is refused."""

from __future__ import annotations

import datetime
import json
import re
import uuid
from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from enum import Enum, IntEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_sdk.http.errors import InvalidParameterError
from inference_sdk.http.transport.json_body import encode_json


class Colour(Enum):
    RED = "red"


class Level(IntEnum):
    HIGH = 2


@dataclass
class Region:
    name: str
    corners: np.ndarray[Any, Any]


Point = namedtuple("Point", "x y")
GRID = np.arange(12, dtype=np.float32).reshape(3, 4)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float32(0.5), 0.5),
        (np.float16(0.5), 0.5),
        (np.int64(7), 7),
        (np.uint8(255), 255),
        (np.bool_(True), True),
        (np.str_("text"), "text"),
        (np.array(3), 3),
        (GRID, GRID.tolist()),
        (GRID.T, GRID.T.tolist()),
        (GRID[::2, 1:], GRID[::2, 1:].tolist()),
        (np.array([1, None], dtype=object), [1, None]),
        (np.array(["a", "b"]), ["a", "b"]),
        (np.zeros((0, 2)), []),
        (np.datetime64("2024-05-06T07:08:09"), "2024-05-06T07:08:09"),
        (datetime.date(2024, 5, 6), "2024-05-06"),
        (datetime.datetime(2024, 5, 6, 7, 8, 9), "2024-05-06T07:08:09"),
        (datetime.time(7, 8), "07:08:00"),
        (Path("folder/image.jpg"), "folder/image.jpg"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Colour.RED, "red"),
        (Level.HIGH, 2),
        ({1}, [1]),
        (frozenset({"a"}), ["a"]),
        ((1, 2), [1, 2]),
        (Point(1, 2), [1, 2]),
        (OrderedDict(a=1), {"a": 1}),
        (MappingProxyType({"a": Colour.RED}), {"a": "red"}),
        (Region("door", GRID[0]), {"name": "door", "corners": [0, 1, 2, 3]}),
        ({1: "a", None: "b"}, {"1": "a", "null": "b"}),
        ("Größe 😀", "Größe 😀"),
        (None, None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_callers_have_in_hand(value: Any, expected: Any) -> None:
    def plain(encoded: bytes) -> Any:
        return json.loads(encoded)

    assert plain(encode_json({"inputs": [value]})) == {"inputs": [expected]}
    assert plain(encode_json(value)) == expected


@dataclass
class Odd:
    thing: object


@pytest.mark.parametrize(
    ("payload", "place"),
    [
        ({"inputs": {"region": [1, 2, object()]}}, "inputs.region[2] (a object)"),
        ({"a": 1, "b": 1j}, "b (a complex)"),
        ([[b"bytes"]], "[0][0] (a bytes)"),
        ({"inputs": {"odd": Odd(object())}}, "inputs.odd (a Odd)"),
        ({"inputs": (1, {2j})}, "inputs[1] (a set)"),
        ({"n": 2**80}, "n (a int)"),
        ({"swapped": GRID.astype(">f4")}, "swapped (a ndarray)"),
        ({"text": "\ud800"}, "text (a str)"),
        ({"tags": {"a": MappingProxyType({"b": 1j})}}, "tags.a.b (a complex)"),
        (
            {"when": datetime.timedelta(seconds=1)},
            "when (a timedelta)",
        ),
    ],
)
def test_refusals_name_the_place(payload: Any, place: str) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        encode_json(payload)
    assert str(caught.value).startswith(f"{place} cannot be sent as JSON: ")
    assert "Convert it to plain" in str(caught.value)


def test_a_key_that_is_no_text() -> None:
    with pytest.raises(InvalidParameterError, match=r"^The request cannot be sent as JSON: .*key"):
        encode_json({"a": {(1, 2): 3}})


def test_a_payload_that_holds_itself() -> None:
    payload: dict[str, Any] = {}
    payload["self"] = payload
    with pytest.raises(InvalidParameterError, match="The request cannot be sent as JSON"):
        encode_json(payload)


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        ({"a": [1, {"b": float("nan")}]}, "a[1].b is nan"),
        ({"a": np.float32("inf")}, "a holds NaN or infinity"),
        ({"a": np.array([0.5, np.nan])}, "a holds NaN or infinity"),
        (float("-inf"), "The request is -inf"),
    ],
    ids=str,
)
def test_what_json_has_no_number_for(payload: Any, told: str) -> None:
    with pytest.raises(InvalidParameterError, match=re.escape(told)):
        encode_json(payload)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(VALUES)
def test_plain_json_is_kept(value: Any) -> None:
    assert json.loads(encode_json(value)) == value
