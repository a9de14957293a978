"""The operations: each a model that describes itself, with what it makes of a value.

A list of them is a pipe: what one gives out goes into the next.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, Optional, Union

import numpy as np
import orjson
from pydantic import BaseModel, Field, TypeAdapter

from inference_sdk.local.workflows.detections import Detections
from inference_sdk.local.workflows.errors import InvalidInputType, OperationFault
from inference_sdk.local.workflows.operations import properties
from inference_sdk.local.workflows.operations.properties import is_number
from inference_sdk.local.workflows.wire import to_wire

if TYPE_CHECKING:
    from inference_sdk.local.workflows.operations.statements import StatementGroup

Parameters = Mapping[str, Any]
MAX_PATTERN = 500
"""Characters of a regular expression; a longer one is a mistake or an attack."""


class OperationBase(BaseModel):
    """One operation."""

    def apply(self, value: Any) -> Any:
        """What it makes of a value.

        Raises:
            OperationFault: it cannot be made of this value.
        """
        raise NotImplementedError

    def apply_with(self, value: Any, parameters: Parameters) -> Any:
        """The same, with what operands of statements within it can be named after."""
        del parameters  # most operations have no statements in them
        return self.apply(value)


def _wants(value: Any, kind: Any, noun: str) -> Any:
    if not isinstance(value, kind):
        raise InvalidInputType(f"{noun} is needed, not {properties._a(value)}")
    return value


def _text(value: Any) -> str:
    return str(_wants(value, str, "a text"))


def _sequence(value: Any) -> Sequence[Any]:
    return list(_wants(value, (list, tuple, np.ndarray), "a list"))


def _detections(value: Any) -> Detections:
    found: Detections = _wants(value, Detections, "a set of detections")
    return found


def _number(value: Any) -> Any:
    if not is_number(value):
        raise InvalidInputType(f"a number is needed, not {properties._a(value)}")
    return value


# --- Texts --------------------------------------------------------------------------------------


class StringToLowerCase(OperationBase):
    """Small letters."""

    type: Literal["StringToLowerCase"]

    def apply(self, value: Any) -> Any:
        return _text(value).lower()


class StringToUpperCase(OperationBase):
    """Capital letters."""

    type: Literal["StringToUpperCase"]

    def apply(self, value: Any) -> Any:
        return _text(value).upper()


class StringSubSequence(OperationBase):
    """From `start` up to, not with, `end`; counted from the end where negative."""

    type: Literal["StringSubSequence"]
    start: int = 0
    end: int = -1

    def apply(self, value: Any) -> Any:
        return _text(value)[self.start : self.end]


class StringMatches(OperationBase):
    """Whether a regular expression is found anywhere in a text."""

    type: Literal["StringMatches"]
    regex: Annotated[str, Field(max_length=MAX_PATTERN)]

    def apply(self, value: Any) -> Any:
        try:
            return re.search(self.regex, _text(value)) is not None
        except re.error as error:
            raise InvalidInputType(f"'{self.regex}' is no regular expression: {error}") from error


# --- Numbers ------------------------------------------------------------------------------------


class ToNumber(OperationBase):
    """A number out of a text or number; `int` cuts."""

    type: Literal["ToNumber"]
    cast_to: Literal["int", "float"]

    def apply(self, value: Any) -> Any:
        try:
            return int(float(value)) if self.cast_to == "int" else float(value)
        except (TypeError, ValueError, OverflowError) as error:
            raise InvalidInputType(f"{value!r} is no number") from error


class NumberRound(OperationBase):
    """Rounded to so many digits after the point."""

    type: Literal["NumberRound"]
    decimal_digits: int

    def apply(self, value: Any) -> Any:
        return round(_number(value), self.decimal_digits)


class Multiply(OperationBase):
    """Times `other`."""

    type: Literal["Multiply"]
    other: Union[int, float]

    def apply(self, value: Any) -> Any:
        return _number(value) * self.other


class Divide(OperationBase):
    """By `other`."""

    type: Literal["Divide"]
    other: Union[int, float]

    def apply(self, value: Any) -> Any:
        if self.other == 0:
            raise InvalidInputType("a number cannot be divided by 0")
        return _number(value) / self.other


class ToBoolean(OperationBase):
    """Whether Python takes it for true."""

    type: Literal["ToBoolean"]

    def apply(self, value: Any) -> Any:
        return bool(value)


# --- Anything -----------------------------------------------------------------------------------


class ToString(OperationBase):
    """As Python writes it."""

    type: Literal["ToString"]

    def apply(self, value: Any) -> Any:
        return str(value)


class LookupTable(OperationBase):
    """What a table has for a value."""

    type: Literal["LookupTable"]
    lookup_table: dict[Any, Any]

    def apply(self, value: Any) -> Any:
        return _looked_up(self.lookup_table, value)


def _looked_up(table: Mapping[Any, Any], value: Any) -> Any:
    try:
        return table[value]
    except (KeyError, TypeError) as error:
        known = ", ".join(map(repr, table))
        raise InvalidInputType(f"the lookup table has no {value!r}, only {known}") from error


class RandomNumber(OperationBase):
    """A number between two, by chance."""

    type: Literal["RandomNumber"]
    min_value: Optional[float] = None
    max_value: Optional[float] = None

    def apply(self, value: Any) -> Any:
        del value
        low = 0.0 if self.min_value is None else self.min_value
        high = 1.0 if self.max_value is None else self.max_value
        return random.uniform(low, high)  # noqa: S311 - nothing secret


class TimestampToISOFormat(OperationBase):
    """A moment as ISO 8601 text."""

    type: Literal["TimestampToISOFormat"]

    def apply(self, value: Any) -> Any:
        return _wants(value, (datetime, date), "a moment").isoformat()


# --- Lists --------------------------------------------------------------------------------------


class SequenceMap(OperationBase):
    """What a table has for each element."""

    type: Literal["SequenceMap"]
    lookup_table: dict[Any, Any]

    def apply(self, value: Any) -> Any:
        return [_looked_up(self.lookup_table, item) for item in _sequence(value)]


class SequenceApply(OperationBase):
    """Operations on each element."""

    type: Literal["SequenceApply"]
    operations: list[Operation]

    def apply_with(self, value: Any, parameters: Parameters) -> Any:
        return [apply_all(self.operations, item, parameters) for item in _sequence(value)]


class NumericSequenceAggregate(OperationBase):
    """Least, greatest or sum; of nothing, `neutral_value`."""

    type: Literal["NumericSequenceAggregate"]
    function: Literal["min", "max", "sum"]
    neutral_value: Optional[Union[int, float]] = None

    def apply(self, value: Any) -> Any:
        numbers = [_number(item) for item in _sequence(value)]
        if not numbers:
            return self.neutral_value
        if self.function == "sum":
            return sum(numbers)
        return min(numbers) if self.function == "min" else max(numbers)


class SequenceAggregate(OperationBase):
    """First, last, most or least common element."""

    type: Literal["SequenceAggregate"]
    mode: Literal["first", "last", "most_common", "least_common"]

    def apply(self, value: Any) -> Any:
        items = _sequence(value)
        if not items:
            raise InvalidInputType(f"an empty list has no '{self.mode}' element")
        if self.mode in ("first", "last"):
            return items[0 if self.mode == "first" else -1]
        common = Counter(items).most_common()
        return common[0 if self.mode == "most_common" else -1][0]


class SequenceLength(OperationBase):
    """How many elements, letters or detections."""

    type: Literal["SequenceLength"]

    def apply(self, value: Any) -> Any:
        kinds = (list, tuple, str, dict, np.ndarray, Detections)
        return len(_wants(value, kinds, "a list, a text or detections"))


class SequenceElementsCount(OperationBase):
    """How often each element occurs: {element: count}."""

    type: Literal["SequenceElementsCount"]

    def apply(self, value: Any) -> Any:
        return dict(Counter(_sequence(value)))


class SequenceJoin(OperationBase):
    """Elements as one text."""

    type: Literal["SequenceJoin"]
    separator: str = ", "

    def apply(self, value: Any) -> Any:
        return self.separator.join(map(str, _sequence(value)))


# --- Detections ---------------------------------------------------------------------------------

Property = Literal[properties.DETECTION_PROPERTIES]  # type: ignore[valid-type]


class DetectionsPropertyExtract(OperationBase):
    """A property of each detection, as a list."""

    type: Literal["DetectionsPropertyExtract"]
    property_name: Property

    def apply(self, value: Any) -> Any:
        return properties.detection_values(value, self.property_name)


class ExtractDetectionProperty(OperationBase):
    """A property of one detection."""

    type: Literal["ExtractDetectionProperty"]
    property_name: Property

    def apply(self, value: Any) -> Any:
        one = properties.one_detection(value)
        return properties.detection_values(one, self.property_name)[0]


class DetectionsFilter(OperationBase):
    """Detections for which a statement holds; each is the default operand of it."""

    type: Literal["DetectionsFilter"]
    filter_operation: StatementGroup

    def apply_with(self, value: Any, parameters: Parameters) -> Any:
        found = _detections(value)
        holds = [self.filter_operation.holds({**parameters, "_": one}) for one in found]
        return found.keep(np.asarray(holds, bool))


class DetectionsOffset(OperationBase):
    """Boxes grown by so much in all, half on each side."""

    type: Literal["DetectionsOffset"]
    offset_x: int
    offset_y: int

    def apply(self, value: Any) -> Any:
        return grown(_detections(value), self.offset_x, self.offset_y)


def grown(found: Detections, width: float, height: float) -> Detections:
    """Boxes grown by so many pixels in all, half on each side; new ids."""
    half = np.array([-width, -height, width, height]) / 2
    return found.with_boxes(found.xyxy + half).with_new_ids()


class DetectionsShift(OperationBase):
    """Boxes moved by so many pixels."""

    type: Literal["DetectionsShift"]
    shift_x: int
    shift_y: int

    def apply(self, value: Any) -> Any:
        return _detections(value).moved(self.shift_x, self.shift_y).with_new_ids()


class DetectionsSelection(OperationBase):
    """One of all: the left or right most, the surest, the first or last."""

    type: Literal["DetectionsSelection"]
    mode: Literal["left_most", "right_most", "top_confidence", "first", "last"]

    def apply(self, value: Any) -> Any:
        found = _detections(value)
        if not len(found):
            return found
        places: dict[str, Callable[[], Any]] = {
            "left_most": lambda: np.argmin(found.centers[:, 0]),
            "right_most": lambda: np.argmax(found.centers[:, 0]),
            "top_confidence": lambda: np.argmax(found.confidence),
            "first": lambda: 0,
            "last": lambda: len(found) - 1,
        }
        return found.row(int(places[self.mode]()))


class SortDetections(OperationBase):
    """In the order of a property."""

    type: Literal["SortDetections"]
    mode: Literal["confidence", "x_min", "x_max", "y_min", "y_max", "size", "center_x", "center_y"]
    ascending: bool = True

    def apply(self, value: Any) -> Any:
        found = _detections(value)
        keys = {
            "center_x": found.centers[:, 0],
            "center_y": found.centers[:, 1],
        }.get(self.mode)
        if keys is None:
            keys = np.asarray(properties.detection_values(found, self.mode), float)
        order = np.argsort(keys, kind="stable")
        return found.keep(order if self.ascending else order[::-1])


class DetectionsRename(OperationBase):
    """Other names of classes."""

    type: Literal["DetectionsRename"]
    class_map: dict[str, str]
    strict: bool = True
    new_classes_id_offset: int = 1024

    def apply(self, value: Any) -> Any:
        found = _detections(value)
        missing = sorted(set(found.class_name) - set(self.class_map)) if self.strict else []
        if missing:
            raise OperationFault(f"class_map has no {', '.join(map(repr, missing))}, and is strict")
        names = [self.class_map.get(name, name) for name in found.class_name]
        ids = self._ids(found)
        return found.with_classes(names, [ids[name] for name in names])

    def _ids(self, found: Detections) -> dict[str, int]:
        if self.strict:
            return {name: i for i, name in enumerate(dict.fromkeys(self.class_map.values()))}
        ids = dict(zip(found.class_name.tolist(), found.class_id.tolist(), strict=True))
        new = [name for name in dict.fromkeys(self.class_map.values()) if name not in ids]
        return {**ids, **{name: self.new_classes_id_offset + i for i, name in enumerate(new)}}


class DetectionsToDictionary(OperationBase):
    """As JSON has them."""

    type: Literal["DetectionsToDictionary"]

    def apply(self, value: Any) -> Any:
        return to_wire(_detections(value))


class PickDetectionsByParentClass(OperationBase):
    """Boxes of a class, then all others whose centre lies in one of them."""

    type: Literal["PickDetectionsByParentClass"]
    parent_class: str

    def apply(self, value: Any) -> Any:
        found = _detections(value)
        is_parent = found.class_name == self.parent_class
        parents = np.flatnonzero(is_parent)
        inside = [
            row
            for row in np.flatnonzero(~is_parent.astype(bool))
            if _in_any(found.centers[row], found.xyxy[parents])
        ]
        return found.keep([*parents.tolist(), *map(int, inside)])


def _in_any(center: Any, boxes: Any) -> bool:
    x, y = center
    within = (boxes[:, 0] <= x) & (x <= boxes[:, 2]) & (boxes[:, 1] <= y) & (y <= boxes[:, 3])
    return bool(within.any())


# --- Classifications, pictures, objects ---------------------------------------------------------


class ClassificationPropertyExtract(OperationBase):
    """A property of a classification."""

    type: Literal["ClassificationPropertyExtract"]
    property_name: Literal[properties.CLASSIFICATION_PROPERTIES]  # type: ignore[valid-type]

    def apply(self, value: Any) -> Any:
        return properties.classification_value(value, self.property_name)


class ExtractImageProperty(OperationBase):
    """Size in pixels, height, width or aspect ratio of a picture."""

    type: Literal["ExtractImageProperty"]
    property_name: Literal["size", "height", "width", "aspect_ratio"]

    def apply(self, value: Any) -> Any:
        return properties.IMAGE_PROPERTIES[self.property_name](properties.image_of(value))


class ExtractFrameMetadata(OperationBase):
    """What is known of a frame."""

    type: Literal["ExtractFrameMetadata"]
    property_name: Literal["frame_number", "frame_timestamp", "seconds_since_start"]

    def apply(self, value: Any) -> Any:
        return properties.FRAME_PROPERTIES[self.property_name](properties.image_of(value))


class ConvertImageToJPEG(OperationBase):
    """A picture as bytes of JPEG."""

    type: Literal["ConvertImageToJPEG"]
    compression_level: Annotated[int, Field(ge=1, le=100)] = 95

    def apply(self, value: Any) -> Any:
        return properties.image_of(value).to_jpeg(self.compression_level)


class ConvertImageToBase64(OperationBase):
    """A picture as JPEG in base64."""

    type: Literal["ConvertImageToBase64"]

    def apply(self, value: Any) -> Any:
        return properties.image_of(value).to_wire()["value"]


class ConvertDictionaryToJSON(OperationBase):
    """An object as JSON text."""

    type: Literal["ConvertDictionaryToJSON"]

    def apply(self, value: Any) -> Any:
        import json

        whole = orjson.loads(orjson.dumps(to_wire(_wants(value, dict, "an object"))))
        return json.dumps(whole)


OPERATIONS: tuple[type[OperationBase], ...] = tuple(OperationBase.__subclasses__())
Operation = Annotated[Union[OPERATIONS], Field(discriminator="type")]  # type: ignore[valid-type]


def apply_all(
    operations: Sequence[Any], value: Any, parameters: Optional[Parameters] = None
) -> Any:
    """Put a value through a pipe of operations.

    Args:
        operations: of the type `Operation`.
        value: what goes in.
        parameters: what operands of statements can be named after.

    Raises:
        OperationFault: one cannot be applied; says which.
    """
    for place, operation in enumerate(operations):
        try:
            value = operation.apply_with(value, parameters or {})
        except OperationFault as fault:
            raise fault.within(f"<root>[{place}]") from None
    return value


@cache
def operations_reader() -> TypeAdapter[list[Any]]:
    """Reads lists of operations out of JSON."""
    return TypeAdapter(list[Operation])


__all__ = ["OPERATIONS", "Operation", "apply_all", "grown", "operations_reader"]
