"""The table of step types: a step is a function, and its signature is its description.

A parameter is a property of the step in the specification, required unless it has a default; one
annotated `WorkflowImage` or `Predictions` must be given a selector of that kind. A parameter named
`models` gets the server's models. The function returns one value per declared output. Knows
nothing of running a workflow.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Outputs = dict[str, Any]
StepFunction = Callable[..., Outputs]

MODELS = "models"


@dataclass(frozen=True)
class StepType:
    """What the engine knows of a type of step.

    Attributes:
        outputs: what each output holds.
        lists: outputs that are a list for one picture, as crops are: a nested batch.
        properties: names of the properties, with what each must be.
        required: properties without a default.
    """

    function: StepFunction
    outputs: Mapping[str, type]
    lists: frozenset[str] = frozenset()
    properties: Mapping[str, Any] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    needs_models: bool = False


STEP_TYPES: dict[str, StepType] = {}
"""Every step type this server knows, by its name in a specification."""


def step(
    *names: str, outputs: Mapping[str, type], lists: frozenset[str] = frozenset()
) -> Callable[[StepFunction], StepFunction]:
    """Enter a function into the table under `names`.

    Example:
        >>> @step("my_plugin/invert@v1", outputs={"image": WorkflowImage})
        ... def invert(image: WorkflowImage) -> Outputs:
        ...     return {"image": image.with_pixels(255 - image.pixels)}
    """

    def register(function: StepFunction) -> StepFunction:
        described = _describe(function, outputs, lists)
        STEP_TYPES.update(dict.fromkeys(names, described))
        return function

    return register


def _describe(
    function: StepFunction, outputs: Mapping[str, type], lists: frozenset[str]
) -> StepType:
    kinds = typing.get_type_hints(function)
    parameters = inspect.signature(function).parameters
    properties = {name: kinds[name] for name in parameters if name != MODELS}
    required = (name for name in properties if parameters[name].default is inspect.Parameter.empty)
    return StepType(
        function,
        outputs,
        lists=lists,
        properties=properties,
        required=frozenset(required),
        needs_models=MODELS in parameters,
    )
