"""Running a workflow: compiled once, then run on each request or each frame.

Every step is a function of one picture. Batches are lists around that, nested once more by each
step that makes several pictures out of one; the engine walks the lists, steps never see them.
Pure: what it needs of models is handed in, what it makes is handed back, nothing is sent.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Optional

from inference_sdk.local.workflows.errors import WorkflowInputError, WorkflowStepError
from inference_sdk.local.workflows.registry import MODELS
from inference_sdk.local.workflows.specification import (
    OutputDefinition,
    Selector,
    Specification,
    StepDefinition,
    parse_specification,
    selectors_in,
)
from inference_sdk.local.workflows.values import Models, Predictions, WorkflowImage

StepObserver = Callable[[str, float, float], None]
"""Called after each step with its name, when it began (s, monotonic) and how long it took (s)."""


@dataclass(frozen=True)
class Batch:
    """A value for every picture: `depth` levels of lists around what one step works on."""

    data: Any
    depth: int = 0

    def __getitem__(self, index: int) -> Batch:
        return Batch(self.data[index], self.depth - 1) if self.depth else self


Scope = dict[Selector, Batch]


class Workflow:
    """A specification that was checked and put into order; safe to run from any thread.

    Example:
        >>> workflow = Workflow(specification)
        >>> workflow.run({"image": WorkflowImage(pixels)}, models)
        [{"gray": <WorkflowImage>}]
    """

    def __init__(self, specification: Mapping[str, Any]) -> None:
        """Check and order a specification.

        Raises:
            WorkflowSyntaxError: a part of it is missing or of the wrong kind.
            WorkflowReferenceError: a selector leads nowhere, or steps wait for each other.
        """
        self._specification: Specification = parse_specification(specification)

    @property
    def image_inputs(self) -> list[str]:
        """Names of the inputs that are pictures."""
        return [name for name, given in self._specification.inputs.items() if given.is_image]

    @property
    def outputs(self) -> list[str]:
        """Names of the outputs, in the order of the specification."""
        return [output.name for output in self._specification.outputs]

    @property
    def model_ids(self) -> list[str]:
        """Models that the steps name, each once; ids that come in as parameters are not known."""
        named = (step.properties.get("model_id") for step in self._specification.steps)
        return list(dict.fromkeys(model_id for model_id in named if isinstance(model_id, str)))

    def run(
        self,
        inputs: Mapping[str, Any],
        models: Models,
        observer: Optional[StepObserver] = None,
    ) -> list[dict[str, Any]]:
        """Outputs by name, for each picture of the batch; one entry when there is no batch.

        Args:
            inputs: each picture as a `WorkflowImage` or a list of them, nested at will; parameters
                as they are.
            models: where model steps find their models.
            observer: told about each step as it ends.

        Raises:
            WorkflowInputError: an input is missing, or is of the wrong kind.
            WorkflowStepError: a step failed; the cause is kept.
        """
        scope = self._bind(inputs)
        for step in self._specification.steps:
            began = time.perf_counter()
            _run_step(step, scope, models)
            if observer is not None:
                observer(step.name, began, time.perf_counter() - began)
        return self._collect(scope)

    def check_inputs(self, names: Collection[str]) -> None:
        """Check that nothing is missing when these inputs are given.

        Raises:
            WorkflowInputError: an input without a default is not among them.
        """
        for name, wanted in self._specification.inputs.items():
            if wanted.required and name not in names:
                raise WorkflowInputError(
                    f"The workflow has an input '{name}', and no value was given for it. "
                    f"Given: {_listed(names)}."
                )

    def _bind(self, inputs: Mapping[str, Any]) -> Scope:
        self.check_inputs(inputs)
        scope: Scope = {}
        for name, given in self._specification.inputs.items():
            value = inputs.get(name, given.default)
            selector = Selector("inputs", name)
            scope[selector] = _image_batch(name, value) if given.is_image else Batch(value)
        return _same_size(scope)

    def _collect(self, scope: Scope) -> list[dict[str, Any]]:
        size = max((len(batch.data) for batch in scope.values() if batch.depth), default=1)
        collected = [(output, _output(output, scope)) for output in self._specification.outputs]
        return [
            {output.name: _placed(batch[index].data, output) for output, batch in collected}
            for index in range(size)
        ]


def _run_step(step: StepDefinition, scope: Scope, models: Models) -> None:
    """Run a step over the batch and put its outputs into the scope."""
    arguments = {selector: scope[selector] for selector in selectors_in(step.properties)}
    depth = max((batch.depth for batch in arguments.values()), default=0)
    extra = {MODELS: models} if step.type.needs_models else {}

    def run_on_one(values: Mapping[Selector, Any]) -> dict[str, Any]:
        properties = {name: _filled(value, values) for name, value in step.properties.items()}
        try:
            return step.type.function(**properties, **extra)
        # A step is anyone's code, on anyone's picture: whatever it raises is that step's failure.
        except Exception as error:
            raise WorkflowStepError(f"Step '{step.name}' failed: {error}") from error

    results = _map(run_on_one, arguments, step.name)
    for name in step.type.outputs:
        data = _picked(results, depth, name)
        scope[Selector("steps", step.name, name)] = Batch(data, depth + (name in step.type.lists))


def _map(
    function: Callable[[Mapping[Selector, Any]], Any],
    arguments: Mapping[Selector, Batch],
    step_name: str,
) -> Any:
    """Call `function` for each picture: lists are walked together, single values repeated."""
    sizes = {len(batch.data) for batch in arguments.values() if batch.depth}
    if not sizes:
        return function({selector: batch.data for selector, batch in arguments.items()})
    if len(sizes) > 1:
        raise WorkflowStepError(
            f"Step '{step_name}' takes batches of different sizes ({_listed(sorted(sizes))}): "
            "pictures and predictions must come from the same step."
        )
    return [
        _map(function, {s: batch[index] for s, batch in arguments.items()}, step_name)
        for index in range(sizes.pop())
    ]


def _picked(results: Any, depth: int, name: str) -> Any:
    if depth == 0:
        return results[name]
    return [_picked(result, depth - 1, name) for result in results]


def _filled(value: Any, values: Mapping[Selector, Any]) -> Any:
    """A property with each selector replaced by what it stands for."""
    if isinstance(value, Selector):
        return values[value]
    if isinstance(value, list):
        return [_filled(item, values) for item in value]
    if isinstance(value, dict):
        return {key: _filled(item, values) for key, item in value.items()}
    return value


def _image_batch(name: str, value: Any) -> Batch:
    """Pictures as a batch of at least one level."""
    batch = Batch([value], 1) if isinstance(value, WorkflowImage) else Batch(value, _depth(value))
    if batch.depth == 0 or not _all_images(value):
        raise WorkflowInputError(
            f"Input '{name}' must be a picture or a list of pictures that are equally nested, "
            f"not {type(value).__name__}."
        )
    return batch


def _depth(value: Any) -> int:
    if not isinstance(value, list):
        return 0
    return 1 + (_depth(value[0]) if value else 0)


def _all_images(value: Any) -> bool:
    """Whether all leaves are pictures at one depth; a list without pictures is none."""
    if not isinstance(value, list):
        return isinstance(value, WorkflowImage)
    depths = {_depth(item) for item in value}
    return len(depths) == 1 and all(map(_all_images, value))


def _same_size(scope: Scope) -> Scope:
    """One picture goes along with each of another input's many."""
    sizes = {len(batch.data) for batch in scope.values() if batch.depth} - {1}
    if len(sizes) > 1:
        raise WorkflowInputError(
            f"Inputs are batches of different sizes ({_listed(sorted(sizes))})."
        )
    size = sizes.pop() if sizes else 1
    return {
        selector: Batch(batch.data * size, batch.depth)
        if batch.depth and len(batch.data) == 1
        else batch
        for selector, batch in scope.items()
    }


def _output(output: OutputDefinition, scope: Scope) -> Batch:
    selector = output.selector
    if selector.output != "*":
        return scope[selector]
    found = {
        key.output: batch
        for key, batch in scope.items()
        if (key.source, key.name) == (selector.source, selector.name)
    }
    depth = max(batch.depth for batch in found.values())
    if not depth:
        return Batch({name: batch.data for name, batch in found.items()})
    # Outputs of one step differ in depth only below the batch, so one level is enough here.
    size = max(len(batch.data) for batch in found.values() if batch.depth)
    items = [{name: b[index].data for name, b in found.items()} for index in range(size)]
    return Batch(items, 1)


def _placed(value: Any, output: OutputDefinition) -> Any:
    """Predictions in the coordinates that the output asks for."""
    if isinstance(value, list):
        return [_placed(item, output) for item in value]
    if isinstance(value, dict):
        return {key: _placed(item, output) for key, item in value.items()}
    in_parent = isinstance(value, Predictions) and not output.own_coordinates
    return value.in_parent() if in_parent else value


def _listed(values: Iterable[Any]) -> str:
    return ", ".join(map(str, values)) or "nothing"
