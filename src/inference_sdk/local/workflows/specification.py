"""The form of a specification: inputs, steps and outputs, each read and checked by itself.

What they say of each other is the business of `plan`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from inference_sdk.local.workflows.block import Block, FieldRule
from inference_sdk.local.workflows.errors import (
    DuplicatedNameError,
    NotSupportedExecutionEngineError,
    WorkflowDefinitionError,
    WorkflowSyntaxError,
)
from inference_sdk.local.workflows.kinds import ANY, IMAGE, VIDEO_METADATA
from inference_sdk.local.workflows.registry import find_block
from inference_sdk.local.workflows.selectors import (
    EXAMPLES,
    Selector,
    read_selector,
    with_selectors,
)

ENGINE_VERSION = (1, 17, 0)
"""Of the language that is spoken here, as Roboflow counts it."""

SECTIONS = ("version", "inputs", "steps", "outputs")
BATCH_INPUTS: Mapping[str, tuple[str, ...]] = {
    "WorkflowImage": (IMAGE,),
    "InferenceImage": (IMAGE,),
    "WorkflowVideoMetadata": (VIDEO_METADATA,),
    "WorkflowBatchInput": (ANY,),
}
PARAMETERS = ("WorkflowParameter", "InferenceParameter")
INPUT_TYPES = (*BATCH_INPUTS, *PARAMETERS)
MAX_DIMENSIONS = 8
"""Levels of a batch; more is a mistake."""


@dataclass(frozen=True)
class InputDefinition:
    """One input.

    Attributes:
        dimensions: levels of lists; 0 for a parameter.
        default: of a parameter.
    """

    name: str
    kinds: tuple[str, ...]
    dimensions: int = 1
    default: Any = None

    @property
    def is_image(self) -> bool:
        return IMAGE in self.kinds and self.dimensions > 0


@dataclass(frozen=True)
class StepDefinition:
    """One step: its block, and its fields as the block reads them; references are `Selector`s."""

    name: str
    type_name: str
    block: type[Block]
    fields: Mapping[str, Any]
    model: Block
    outputs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class OutputDefinition:
    """One output; `own` where coordinates are those of the picture that a model saw."""

    name: str
    selector: Selector
    own: bool = False


@dataclass(frozen=True)
class Specification:
    """All parts, in the order they were written."""

    inputs: Mapping[str, InputDefinition]
    steps: Mapping[str, StepDefinition]
    outputs: tuple[OutputDefinition, ...]


def read_specification(specification: Any) -> Specification:
    """Read the JSON of a specification.

    Raises:
        WorkflowDefinitionError, NotSupportedExecutionEngineError: it is none, or of a version
            that is not spoken here.
        WorkflowSyntaxError: a part is missing or of the wrong kind.
        DuplicatedNameError: two inputs, steps or outputs have one name.
    """
    if not isinstance(specification, Mapping):
        raise WorkflowDefinitionError(
            f"A workflow specification is an object, not {type(specification).__name__}."
        )
    _check_version(specification.get("version"))
    missing = [section for section in SECTIONS if section not in specification]
    if missing:
        raise WorkflowSyntaxError(
            f"The specification lacks {', '.join(missing)}: it has to have {', '.join(SECTIONS)}."
        )
    parts = {section: _named(specification, section) for section in SECTIONS[1:]}
    return Specification(
        {part["name"]: _input(part) for part in parts["inputs"]},
        {part["name"]: read_step(part) for part in parts["steps"]},
        tuple(_output(part) for part in parts["outputs"]),
    )


def _check_version(version: Any) -> None:
    if version is None:
        raise WorkflowDefinitionError('The specification has no version, as in "version": "1.0".')
    found = re.fullmatch(r"(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:[-+].*)?", str(version))
    if found is None:
        raise WorkflowDefinitionError(f'The version {version!r} is none; write "1.0".')
    wanted = tuple(int(number or 0) for number in found.groups())
    if wanted[0] != ENGINE_VERSION[0] or wanted > ENGINE_VERSION:
        spoken = ".".join(map(str, ENGINE_VERSION))
        raise NotSupportedExecutionEngineError(
            f"The specification asks for version {version} of the language; here {spoken} is "
            f"spoken, which takes 1.0.0 to {spoken}."
        )


def _named(specification: Mapping[str, Any], section: str) -> list[Mapping[str, Any]]:
    """The parts of a section, each with a name of its own."""
    parts = specification[section]
    if not isinstance(parts, list):
        raise WorkflowSyntaxError(f"'{section}' of a workflow specification must be a list.")
    seen: set[str] = set()
    for index, part in enumerate(parts):
        name = part.get("name") if isinstance(part, Mapping) else None
        if not isinstance(name, str) or not name:
            raise WorkflowSyntaxError(f"{section}[{index}] must be an object with a 'name'.")
        if name in seen:
            raise DuplicatedNameError(f"The name '{name}' occurs twice in '{section}'.")
        seen.add(name)
    return parts


def _input(part: Mapping[str, Any]) -> InputDefinition:
    name, kind = part["name"], str(part.get("type"))
    if kind in PARAMETERS:
        return InputDefinition(name, _kinds(part), 0, part.get("default_value"))
    if kind not in BATCH_INPUTS:
        raise WorkflowSyntaxError(
            f"Input '{name}' has the unknown type {kind!r}. Known: {', '.join(INPUT_TYPES)}."
        )
    if kind != "WorkflowBatchInput":
        return InputDefinition(name, BATCH_INPUTS[kind])
    dimensions = part.get("dimensionality", 1)
    if isinstance(dimensions, bool) or dimensions not in range(1, MAX_DIMENSIONS + 1):
        raise WorkflowSyntaxError(
            f"Input '{name}': dimensionality must be 1 to {MAX_DIMENSIONS}, not {dimensions!r}."
        )
    return InputDefinition(name, _kinds(part), int(dimensions))


def _kinds(part: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of kinds; each may stand as a text or as {"name": text}."""
    found = part.get("kind")
    if found is None:
        return (ANY,)
    names = [kind.get("name") if isinstance(kind, Mapping) else kind for kind in _as_list(found)]
    if not all(isinstance(name, str) for name in names):
        raise WorkflowSyntaxError(
            f"Input '{part['name']}': kind must be a list of names of kinds, not {found!r}."
        )
    return tuple(map(str, names)) or (ANY,)


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _output(part: Mapping[str, Any]) -> OutputDefinition:
    name, selector = part["name"], read_selector(part.get("selector"))
    system = part.get("coordinates_system", "parent")
    problem = None
    if part.get("type", "JsonField") != "JsonField":
        problem = f"has the unknown type {part['type']!r}. There is JsonField"
    elif selector is None or selector.is_step:
        problem = f"must have a selector such as {EXAMPLES}, not {part.get('selector')!r}"
    elif system not in ("own", "parent"):
        problem = f'must have the coordinates_system "own" or "parent", not {system!r}'
    if problem is not None or selector is None:
        raise WorkflowSyntaxError(f"Output '{name}' {problem}.", step="$outputs", field=name)
    return OutputDefinition(name, selector, system == "own")


def read_step(part: Mapping[str, Any]) -> StepDefinition:
    """Read one step.

    Raises:
        WorkflowSyntaxError: its type is unknown, or a field is missing or wrong.
    """
    name, type_name = str(part.get("name")), str(part.get("type"))
    block = find_block(part.get("type"), name)
    given = {
        key: _with_references(part[key], rule) for key, rule in block.rules().items() if key in part
    }
    try:
        model = block.model_validate(given)
    except ValidationError as error:
        raise _wrong_fields(error, name, type_name) from error
    fields = {key: getattr(model, key) for key in block.model_fields}
    return StepDefinition(name, type_name, block, fields, model, _outputs(model, name, type_name))


def _outputs(model: Block, name: str, type_name: str) -> Mapping[str, tuple[str, ...]]:
    try:
        return model.outputs()
    except ValueError as error:
        raise WorkflowSyntaxError(
            f"Step '{name}' ({type_name}): {error}", step=name, step_type=type_name
        ) from error


def _with_references(value: Any, rule: FieldRule) -> Any:
    if isinstance(value, (list, Mapping)):
        return with_selectors(value) if rule.items is not None else value
    return with_selectors(value) if rule.whole is not None else value


MAX_PROBLEMS = 5


def _wrong_fields(error: ValidationError, name: str, type_name: str) -> WorkflowSyntaxError:
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    sentences = list(dict.fromkeys(_sentence(problem) for problem in problems))
    place = problems[0]["loc"]
    return WorkflowSyntaxError(
        f"Step '{name}' ({type_name}): {'; '.join(sentences[:MAX_PROBLEMS])}.",
        step=name,
        step_type=type_name,
        field=str(place[0]) if place else None,
    )


def _sentence(problem: Mapping[str, Any]) -> str:
    place = ".".join(str(part) for part in problem["loc"] if not str(part).startswith("function-"))
    message = str(problem["msg"]).removeprefix("Value error, ")
    return f"field '{place}': {message[:1].lower()}{message[1:]}"
