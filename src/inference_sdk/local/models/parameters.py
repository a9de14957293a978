"""The parameters of an inference, read from the wire and checked.

One reader per kind of value, so that each wrong value is a sentence with its place; all mistakes
of a request are reported at once, as pydantic does on the servers whose answers these are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from inference_sdk.local.faults import InvalidRequestError, detail


@dataclass(frozen=True)
class InferenceParameters:
    """What a request asks of a model, beside the image. Fields are named as on the wire (v1)."""

    confidence: float = 0.4
    """Predictions below it are left out; 0..1."""

    iou_threshold: float = 0.3
    """Of two boxes that overlap by more than this (0..1), the less certain is left out."""

    max_detections: int = 300
    max_candidates: int = 3000
    """Boxes considered before overlapping ones are removed, the most certain first."""

    class_filter: tuple[str, ...] | None = None
    """Names of the classes to keep; None keeps all, and so does an empty list on the wire."""

    class_agnostic_nms: bool = False
    """Compare boxes of different classes too when removing overlapping ones."""

    keypoint_confidence: float = 0.0
    """Keypoints below it are left out; 0..1."""

    response_mask_format: str = "polygon"
    """How masks are given: "polygon" or "rle"."""

    generate_bounding_boxes: bool = False
    """Of OCR: say where each text stands."""

    visualize_predictions: bool = False
    visualization_labels: bool = False
    visualization_stroke_width: int = 1

    further: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """The whole mapping it was read from, for models that know more parameters."""

    @classmethod
    def from_wire(
        cls,
        mapping: Mapping[str, Any],
        *,
        location: str = "body",
        names: Mapping[str, str] = MappingProxyType({}),
    ) -> InferenceParameters:
        """Read a JSON body, or a query whose values are texts. None means not given.

        Args:
            mapping: what was sent; keys that are no parameters are passed over.
            location: what the mapping is, for messages: "body" or "query".
            names: of the fields that are called otherwise in `mapping`.

        Raises:
            InvalidRequestError: lists every value that is wrong.
        """
        values: dict[str, Any] = {"further": mapping}
        problems: list[dict[str, Any]] = []
        for field_name, read in _READERS.items():
            name = names.get(field_name, field_name)
            if mapping.get(name) is None:
                continue
            try:
                values[field_name] = read(mapping[name])
            except _WrongValueError as problem:
                place = (location, name)
                problems.append(detail(place, problem.kind, str(problem), mapping[name]))
        if problems:
            raise InvalidRequestError(*problems)
        return cls(**{name: value for name, value in values.items() if value is not None})


class _WrongValueError(Exception):
    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def _number(value: Any) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if math.isnan(number):
        raise _WrongValueError("float_parsing", "Input should be a valid number")
    return number


def _share(value: Any) -> float:
    number = _number(value)
    if not 0 <= number <= 1:
        raise _WrongValueError("out_of_range", "Input should be between 0 and 1")
    return number


def _confidence(value: Any) -> float | None:
    # Newer clients may leave the threshold to the model; ours has none better than the default.
    return None if value in ("best", "default") else _share(value)


def _count(least: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        number = _number(value)
        if not number.is_integer():
            raise _WrongValueError("int_parsing", "Input should be a valid integer")
        if number < least:
            raise _WrongValueError("greater_than_equal", f"Input should be at least {least}")
        return int(number)

    return read


def _one_of(*words: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in words:
            raise _WrongValueError("enum", f"Input should be {' or '.join(map(repr, words))}")
        return str(value)

    return read


_FLAGS = {"true": True, "on": True, "1": True, "yes": True,
          "false": False, "off": False, "0": False, "no": False}  # fmt: skip


def _flag(value: Any) -> bool:
    try:
        return _FLAGS[str(value).lower()]
    except KeyError:
        raise _WrongValueError("bool_parsing", "Input should be a valid boolean") from None


def _names(value: Any) -> tuple[str, ...] | None:
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise _WrongValueError("list_type", "Input should be a list of class names")
    return tuple(name.strip() for name in names if name.strip()) or None


_READERS: dict[str, Callable[[Any], Any]] = {
    "confidence": _confidence,
    "iou_threshold": _share,
    "max_detections": _count(0),
    "max_candidates": _count(0),
    "class_filter": _names,
    "class_agnostic_nms": _flag,
    "keypoint_confidence": _share,
    "response_mask_format": _one_of("polygon", "rle"),
    "generate_bounding_boxes": _flag,
    "visualize_predictions": _flag,
    "visualization_labels": _flag,
    "visualization_stroke_width": _count(1),
}
