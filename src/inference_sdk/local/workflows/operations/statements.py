"""Statements: comparisons of operands, joined by "and" or "or"."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Union

from pydantic import BaseModel, Field

from inference_sdk.local.workflows.detections import Detections
from inference_sdk.local.workflows.errors import (
    EvaluationFault,
    OperationFault,
    UndeclaredSymbol,
)
from inference_sdk.local.workflows.operations import pipe
from inference_sdk.local.workflows.operations.pipe import Operation, apply_all
from inference_sdk.local.workflows.operations.properties import is_number

DEFAULT_OPERAND = "_"
Parameters = Mapping[str, Any]


class StaticOperand(BaseModel):
    """A value that stands in the specification."""

    type: Literal["StaticOperand"]
    value: Any
    operations: list[Operation] = Field(default_factory=list)

    def read(self, parameters: Parameters) -> Any:
        return apply_all(self.operations, self.value, parameters)


class DynamicOperand(BaseModel):
    """A value by its name; in a filter, "_" is the detection in question."""

    type: Literal["DynamicOperand"]
    operand_name: str = DEFAULT_OPERAND
    operations: list[Operation] = Field(default_factory=list)

    def read(self, parameters: Parameters) -> Any:
        if self.operand_name not in parameters:
            known = ", ".join(parameters) or "nothing"
            raise UndeclaredSymbol(f"there is no operand '{self.operand_name}', only {known}")
        return apply_all(self.operations, parameters[self.operand_name], parameters)


Operand = Annotated[Union[StaticOperand, DynamicOperand], Field(discriminator="type")]


# --- Comparators --------------------------------------------------------------------------------


def _numbers(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def checked(left: Any, right: Any) -> bool:
        if not (is_number(left) and is_number(right)):
            raise EvaluationFault(f"two numbers are compared, not {left!r} and {right!r}")
        return compare(left, right)

    return checked


def _texts(compare: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    def checked(left: Any, right: Any) -> bool:
        if not (isinstance(left, str) and isinstance(right, str)):
            raise EvaluationFault(f"two texts are compared, not {left!r} and {right!r}")
        return compare(left, right)

    return checked


def _members(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def checked(left: Any, right: Any) -> bool:
        try:
            return compare(left, right)
        except TypeError as error:
            raise EvaluationFault(f"the right side is a list, not {right!r}") from error

    return checked


def _in_range(left: Any, right: Any) -> bool:
    if not (is_number(left) and isinstance(right, (list, tuple)) and len(right) == 2):
        raise EvaluationFault(f"a number lies in [low, high]; not {left!r} in {right!r}")
    return bool(right[0] <= left <= right[1])


def _in_zone(left: Any, right: Any) -> bool:
    import cv2
    import numpy as np

    try:
        x, y = left
        zone = np.asarray(right, np.float32).reshape(-1, 1, 2)
    except (TypeError, ValueError) as error:
        raise EvaluationFault(f"a point lies in a polygon; not {left!r} in {right!r}") from error
    return bool(cv2.pointPolygonTest(zone, (float(x), float(y)), measureDist=False) > 0)


def _equal(left: Any, right: Any) -> bool:
    return bool(left == right)


def _unequal(left: Any, right: Any) -> bool:
    return bool(left != right)


BINARY: Mapping[str, Callable[[Any, Any], bool]] = {
    "(Number) ==": _equal,
    "==": _equal,
    "(Number) !=": _unequal,
    "!=": _unequal,
    "(Number) >": _numbers(lambda left, right: left > right),
    "(Number) >=": _numbers(lambda left, right: left >= right),
    "(Number) <": _numbers(lambda left, right: left < right),
    "(Number) <=": _numbers(lambda left, right: left <= right),
    "(Number) in range": _in_range,
    "(String) startsWith": _texts(str.startswith),
    "(String) endsWith": _texts(str.endswith),
    "(String) contains": _texts(str.__contains__),
    "in (Sequence)": _members(lambda left, right: left in right),
    "all in (Sequence)": _members(lambda left, right: all(item in right for item in left)),
    "any in (Sequence)": _members(lambda left, right: any(item in right for item in left)),
    "(Detection) in zone": _in_zone,
}


def _length(value: Any) -> int:
    if not isinstance(value, (list, tuple, dict, str, Detections)):
        raise EvaluationFault(f"a list is empty or not, {value!r} is none")
    return len(value)


UNARY: Mapping[str, Callable[[Any], bool]] = {
    "Exists": lambda value: value is not None,
    "DoesNotExist": lambda value: value is None,
    "(Boolean) is True": lambda value: value is True,
    "(Boolean) is False": lambda value: value is False,
    "(Sequence) is empty": lambda value: _length(value) == 0,
    "(Sequence) is not empty": lambda value: _length(value) > 0,
}


class BinaryComparator(BaseModel):
    """How two operands are compared."""

    type: Literal[tuple(BINARY)]  # type: ignore[valid-type]


class UnaryOperator(BaseModel):
    """What is asked of an operand."""

    type: Literal[tuple(UNARY)]  # type: ignore[valid-type]


# --- Statements ---------------------------------------------------------------------------------


class BinaryStatement(BaseModel):
    """Two operands, compared."""

    type: Literal["BinaryStatement"]
    left_operand: Operand
    comparator: BinaryComparator
    right_operand: Operand
    negate: bool = False

    def holds(self, parameters: Parameters) -> bool:
        left, right = self.left_operand.read(parameters), self.right_operand.read(parameters)
        return BINARY[self.comparator.type](left, right) != self.negate


class UnaryStatement(BaseModel):
    """Something said of one operand."""

    type: Literal["UnaryStatement"]
    operand: Operand
    operator: UnaryOperator
    negate: bool = False

    def holds(self, parameters: Parameters) -> bool:
        return UNARY[self.operator.type](self.operand.read(parameters)) != self.negate


class StatementGroup(BaseModel):
    """Statements of which all ("and") or any ("or") have to hold."""

    type: Literal["StatementGroup"]
    statements: Annotated[
        list[
            Annotated[
                Union[BinaryStatement, UnaryStatement, StatementGroup],
                Field(discriminator="type"),
            ]
        ],
        Field(min_length=1),
    ]
    operator: Literal["and", "or"] = "or"

    def holds(self, parameters: Parameters) -> bool:
        """Whether it is true.

        Args:
            parameters: operands by name; "_" is the default one.

        Raises:
            OperationFault: values cannot be compared, or an operand is not there.
        """
        every = self.operator == "and"
        for place, statement in enumerate(self.statements):
            try:
                held = statement.holds(parameters)
            except OperationFault as fault:
                raise fault.within(f"<root>.statements[{place}]") from None
            if held != every:
                return held
        return every


def _complete() -> None:
    """The language refers to itself: operations to statements, these to operations."""
    names = {"StatementGroup": StatementGroup, "Operation": Operation}
    for model in (pipe.DetectionsFilter, pipe.SequenceApply):
        model.model_rebuild(force=True, _types_namespace={**vars(pipe), **names})
    for other in (StaticOperand, DynamicOperand, BinaryStatement, UnaryStatement, StatementGroup):
        other.model_rebuild(force=True)


_complete()

__all__ = ["BINARY", "DEFAULT_OPERAND", "UNARY", "Operand", "StatementGroup"]
