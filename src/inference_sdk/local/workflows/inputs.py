"""What a caller gives to a workflow: is all there, and is it of its kind?

Pictures come as `WorkflowImage`; all else as JSON has it. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from typing import Annotated, Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from inference_sdk.local.workflows.block import Block
from inference_sdk.local.workflows.detections import Detections
from inference_sdk.local.workflows.errors import WorkflowInputError
from inference_sdk.local.workflows.images import WorkflowImage
from inference_sdk.local.workflows.kinds import IMAGE, read_value
from inference_sdk.local.workflows.plan import Plan, PlannedStep
from inference_sdk.local.workflows.selectors import Selector
from inference_sdk.local.workflows.specification import InputDefinition


def check_given(plan: Plan, names: Collection[str]) -> None:
    """Check that no picture and no batch is missing; a parameter may be.

    Raises:
        WorkflowInputError: one is.
    """
    for name, wanted in plan.inputs.items():
        if wanted.dimensions and name not in names:
            raise WorkflowInputError(
                f"The workflow has an input '{name}', and no value was given for it. "
                f"Given: {', '.join(names) or 'nothing'}."
            )


def read_inputs(plan: Plan, inputs: Mapping[str, Any]) -> dict[Selector, Any]:
    """Every input by its selector: parameters as they are, batches as lists of one length.

    Raises:
        WorkflowInputError: one is missing, is of the wrong kind, or batches differ in length.
    """
    check_given(plan, inputs)
    read = {
        Selector("inputs", name): _batch(wanted, inputs[name])
        if wanted.dimensions
        else inputs.get(name, wanted.default)
        for name, wanted in plan.inputs.items()
    }
    lengths = {str(s): len(value) for s, value in read.items() if plan.levels_of(s)}
    longest = max(lengths.values(), default=1)
    odd = {name: length for name, length in lengths.items() if length not in (1, longest)}
    if odd:
        told = ", ".join(f"'{name}' {length}" for name, length in lengths.items())
        raise WorkflowInputError(
            f"Batches of one request have one length, or a single element; here: {told}."
        )
    return {
        selector: value * longest if plan.levels_of(selector) and len(value) == 1 else value
        for selector, value in read.items()
    }


def _batch(wanted: InputDefinition, value: Any) -> list[Any]:
    """A batch of what the input takes; a single value is a batch of one."""
    items = value if isinstance(value, list) else [value]
    if not items:
        raise WorkflowInputError(f"Input '{wanted.name}' is an empty list: a batch has elements.")
    single = not isinstance(value, list) and wanted.dimensions == 1
    return [
        _element(
            wanted, item, wanted.dimensions - 1, wanted.name if single else f"{wanted.name}.[{i}]"
        )
        for i, item in enumerate(items)
    ]


def _element(wanted: InputDefinition, value: Any, depth: int, name: str) -> Any:
    if depth:
        if not isinstance(value, list):
            raise WorkflowInputError(
                f"Input '{name}' has to be a list: '{wanted.name}' has the dimensionality "
                f"{wanted.dimensions}."
            )
        return [_element(wanted, item, depth - 1, f"{name}.[{i}]") for i, item in enumerate(value)]
    if isinstance(value, (WorkflowImage, Detections)):
        return value
    if wanted.kinds == (IMAGE,):
        raise WorkflowInputError(
            f"Input '{name}' must be a picture or a list of pictures, not {type(value).__name__}."
        )
    try:
        return read_value(value, wanted.kinds, name)
    except (ValueError, TypeError, KeyError) as error:
        raise WorkflowInputError(
            f"Input '{name}' is not of the kind {' or '.join(wanted.kinds)}: {error}."
        ) from error


# --- Parameters ---------------------------------------------------------------------------------


def check_parameters(plan: Plan, parameters: Mapping[Selector, Any]) -> dict[tuple[str, str], Any]:
    """Each parameter as the field reads it that refers to it, by step and field.

    Raises:
        WorkflowInputError: a field does not take it: as if its value stood there.
    """
    read: dict[tuple[str, str], Any] = {}
    for step in plan.steps.values():
        for name, value in step.definition.fields.items():
            if isinstance(value, Selector) and value in parameters:
                read[step.name, name] = _parameter(step, name, value, parameters[value])
    return read


def _parameter(step: PlannedStep, name: str, selector: Selector, value: Any) -> Any:
    try:
        return _reader(step.definition.block, name).validate_python(value)
    except ValidationError as error:
        problem = str(error.errors(include_url=False)[0]["msg"]).removeprefix("Value error, ")
        raise WorkflowInputError(
            f"Input '{selector.name}' does not fit field '{name}' of step '{step.name}' "
            f"({step.definition.type_name}): {problem[:1].lower()}{problem[1:]}.",
            step=step.name,
            step_type=step.definition.type_name,
            field=name,
        ) from error


@cache
def _reader(block: type[Block], name: str) -> TypeAdapter[Any]:
    info = block.model_fields[name]
    annotation: Any = info.annotation
    for item in info.metadata:
        annotation = Annotated[annotation, item]
    return TypeAdapter(annotation, config=ConfigDict(arbitrary_types_allowed=True))
