"""Reading a workflow specification: JSON in, checked definitions in running order out.

Pure, and the only place that knows how a specification is written. Everything that can be wrong
with one is found here, before a single picture is looked at, and said with the name of its part.
"""

from __future__ import annotations

import graphlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from inference_sdk.local.workflows import steps  # noqa: F401 - fills the table of step types
from inference_sdk.local.workflows.errors import WorkflowReferenceError, WorkflowSyntaxError
from inference_sdk.local.workflows.registry import STEP_TYPES, StepType
from inference_sdk.local.workflows.values import Predictions, WorkflowImage

IMAGE_INPUTS = frozenset({"InferenceImage", "WorkflowImage"})
PARAMETER_INPUTS = frozenset({"InferenceParameter", "WorkflowParameter"})


class Selector(NamedTuple):
    """`$inputs.name` or `$steps.name.output`: where a value comes from."""

    source: str
    name: str
    output: str = ""

    def __str__(self) -> str:
        return ".".join(filter(None, (f"${self.source}", self.name, self.output)))


@dataclass(frozen=True)
class InputDefinition:
    """A picture, or a parameter with perhaps a default."""

    is_image: bool
    required: bool
    default: Any = None


@dataclass(frozen=True)
class StepDefinition:
    """A step with its properties, in which each selector has been read."""

    name: str
    type: StepType
    properties: Mapping[str, Any]


@dataclass(frozen=True)
class OutputDefinition:
    """A name of the answer; crops' predictions are told in the whole picture unless `own`."""

    name: str
    selector: Selector
    own_coordinates: bool


@dataclass(frozen=True)
class Specification:
    """A checked specification; `steps` are in an order in which they can run."""

    inputs: Mapping[str, InputDefinition]
    steps: tuple[StepDefinition, ...]
    outputs: tuple[OutputDefinition, ...]


def parse_specification(specification: Any) -> Specification:
    """Check a specification and put its steps into order.

    Raises:
        WorkflowSyntaxError: a part is missing or of the wrong kind.
        WorkflowReferenceError: a selector leads nowhere, or steps wait for each other.
    """
    if not isinstance(specification, Mapping):
        raise WorkflowSyntaxError(
            f"A workflow specification is an object, not {type(specification).__name__}."
        )
    inputs = {name: _input(name, part) for name, part in _named(specification, "inputs")}
    parsed = {name: _step(name, part) for name, part in _named(specification, "steps")}
    outputs = tuple(_output(name, part) for name, part in _named(specification, "outputs"))
    for step in parsed.values():
        _check_step(step, inputs, parsed)
    for output in outputs:
        _kind_of(output.selector, f"Output '{output.name}'", inputs, parsed)
    return Specification(inputs, _ordered(parsed), outputs)


def selectors_in(value: Any) -> Iterator[Selector]:
    """All selectors in a property or in all properties, however nested."""
    if isinstance(value, Selector):
        yield value
    elif isinstance(value, (Mapping, list)):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from selectors_in(item)


def _named(specification: Mapping[str, Any], section: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The parts of a section, each with a name of its own."""
    parts = specification.get(section, [])
    if not isinstance(parts, list):
        raise WorkflowSyntaxError(f"'{section}' of a workflow specification must be a list.")
    seen: set[str] = set()
    for index, part in enumerate(parts):
        name = part.get("name") if isinstance(part, dict) else None
        if not isinstance(name, str) or not name:
            raise WorkflowSyntaxError(f"{section}[{index}] must be an object with a 'name'.")
        if name in seen:
            raise WorkflowSyntaxError(f"The name '{name}' occurs twice in '{section}'.")
        seen.add(name)
        yield name, part


def _input(name: str, part: Mapping[str, Any]) -> InputDefinition:
    kind = str(part.get("type"))
    if kind in IMAGE_INPUTS:
        return InputDefinition(is_image=True, required=True)
    if kind in PARAMETER_INPUTS:
        required = "default_value" not in part
        return InputDefinition(False, required, default=part.get("default_value"))
    known = ", ".join(sorted(IMAGE_INPUTS | PARAMETER_INPUTS))
    raise WorkflowSyntaxError(f"Input '{name}' has the unknown type {kind!r}. Known: {known}.")


def _step(name: str, part: Mapping[str, Any]) -> StepDefinition:
    kind = str(part.get("type"))
    found = STEP_TYPES.get(kind)
    if found is None:
        raise WorkflowSyntaxError(
            f"Step '{name}' has the type {kind!r}, which this server does not know. "
            f"Known: {', '.join(sorted(STEP_TYPES))}."
        )
    missing = sorted(found.required - part.keys())
    if missing:
        raise WorkflowSyntaxError(f"Step '{name}' ({kind}) lacks {', '.join(missing)}.")
    # As on other servers, properties that a step does not know are passed over.
    properties = {key: _read(part[key], f"Step '{name}'") for key in found.properties & part.keys()}
    return StepDefinition(name, found, properties)


def _output(name: str, part: Mapping[str, Any]) -> OutputDefinition:
    selector = _read(part.get("selector"), f"Output '{name}'")
    if part.get("type", "JsonField") != "JsonField" or not isinstance(selector, Selector):
        raise WorkflowSyntaxError(
            f"Output '{name}' must be a JsonField with a selector such as "
            "'$steps.name.predictions'."
        )
    return OutputDefinition(name, selector, part.get("coordinates_system") == "own")


def _read(value: Any, where: str) -> Any:
    """A property in which the texts that are selectors have become `Selector`s."""
    if isinstance(value, list):
        return [_read(item, where) for item in value]
    if isinstance(value, Mapping):
        return {key: _read(item, where) for key, item in value.items()}
    if not isinstance(value, str) or not value.startswith(("$inputs.", "$steps.")):
        return value
    source, name, output = (*value[1:].split(".", 2), "")[:3]
    if (source == "steps") != bool(output):
        raise WorkflowReferenceError(
            f"{where}: '{value}' is no selector. They look like '$inputs.image' and "
            "'$steps.name.output'."
        )
    return Selector(source, name, output)


def _check_step(
    step: StepDefinition,
    inputs: Mapping[str, InputDefinition],
    parsed: Mapping[str, StepDefinition],
) -> None:
    for name, value in step.properties.items():
        where = f"Step '{step.name}', property '{name}'"
        for selector in selectors_in(value):
            kind = _kind_of(selector, where, inputs, parsed)
            wanted = step.type.properties[name]
            if selector.output == "*":
                raise WorkflowReferenceError(f"{where}: only outputs may end in '.*'.")
            if wanted in (WorkflowImage, Predictions) and kind is not wanted:
                raise WorkflowReferenceError(
                    f"{where} must be {wanted.__name__}, and '{selector}' is not."
                )
        if step.type.properties[name] in (WorkflowImage, Predictions):
            _require_selector(value, where)


def _require_selector(value: Any, where: str) -> None:
    if not isinstance(value, Selector):
        raise WorkflowReferenceError(f"{where} must be one selector, not {str(value)!r}.")


def _kind_of(
    selector: Selector,
    where: str,
    inputs: Mapping[str, InputDefinition],
    parsed: Mapping[str, StepDefinition],
) -> type:
    """What a selector stands for: `WorkflowImage`, `Predictions`, or `object` for all else."""
    if selector.source == "inputs":
        if selector.name in inputs:
            return WorkflowImage if inputs[selector.name].is_image else object
        raise WorkflowReferenceError(
            f"{where}: '{selector}' is none of the inputs ({', '.join(inputs) or 'there are none'})."
        )
    if selector.name not in parsed:
        raise WorkflowReferenceError(
            f"{where}: '{selector}' is none of the steps ({', '.join(parsed) or 'there are none'})."
        )
    outputs = parsed[selector.name].type.outputs
    if selector.output != "*" and selector.output not in outputs:
        raise WorkflowReferenceError(
            f"{where}: step '{selector.name}' has no output '{selector.output}', only "
            f"{', '.join(outputs)}."
        )
    return outputs.get(selector.output, object)


def _ordered(parsed: Mapping[str, StepDefinition]) -> tuple[StepDefinition, ...]:
    needs = {
        name: {s.name for s in selectors_in(step.properties) if s.source == "steps"}
        for name, step in parsed.items()
    }
    try:
        order = list(graphlib.TopologicalSorter(needs).static_order())
    except graphlib.CycleError as error:
        raise WorkflowReferenceError(
            f"Steps wait for each other: {' -> '.join(reversed(error.args[1]))}."
        ) from error
    return tuple(parsed[name] for name in order)
