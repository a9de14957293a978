"""Running a workflow: compiled once, then run on each request or each frame.

Values lie flat, each under its index: () for one value, (2,) for the third picture, (2, 0) for its
first crop. So a step is a loop over indices however deep, a value of an outer level is found by the
beginning of an index, and lists are built only for what goes out.
Pure: what it needs is lent (`Services`), what it makes is handed back, nothing is sent.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Optional

import orjson

from inference_sdk.local.faults import RequestFault
from inference_sdk.local.gate.limits import check_wanted, require_elements
from inference_sdk.local.workflows.block import Block, FlowBlock, Services, StepContext
from inference_sdk.local.workflows.errors import (
    OperationFault,
    OperationStepError,
    WorkflowError,
    WorkflowInputError,
    WorkflowStepError,
)
from inference_sdk.local.workflows.inputs import check_given, check_parameters, read_inputs
from inference_sdk.local.workflows.outputs import collect
from inference_sdk.local.workflows.plan import (
    BATCH,
    Levels,
    Plan,
    PlannedStep,
    Reference,
    compile_specification,
)
from inference_sdk.local.workflows.selectors import Selector, filled

StepObserver = Callable[[str, float, float], None]
"""Called after each step with its name, when it began (s, monotonic) and how long it took (s)."""

Index = tuple[int, ...]

MAX_KEPT = 64
"""Compiled specifications; each is some kB."""

STEPS_AT_ONCE = 16
"""Of those that wait for models or the network, over all runs."""


@dataclass
class Scope:
    """All values of one run.

    Attributes:
        indices: of the elements at each level.
        values: of each selector, by index; None where nothing came.
        open: of each step of flow control, the steps that it let go on, by index.
    """

    indices: dict[Levels, list[Index]]
    values: dict[Selector, dict[Index, Any]]
    open: dict[str, dict[Index, Collection[Selector]]] = field(default_factory=dict)

    def below(self, levels: Levels, index: Index) -> list[Index]:
        """Indices at `levels` that begin with `index`."""
        return [other for other in self.indices[levels] if other[: len(index)] == index]

    def is_open(self, step: PlannedStep, index: Index) -> bool:
        """Whether all conditions on a step hold for an element."""
        target = Selector("steps", step.name)
        return all(target in _at(self.open[gate], index) for gate in step.gates)


def _at(decided: Mapping[Index, Collection[Selector]], index: Index) -> Collection[Selector]:
    """What was decided for an element, or for the one it is part of."""
    for length in range(len(index), -1, -1):
        if index[:length] in decided:
            return decided[index[:length]]
    return ()


class State:
    """What the steps of a workflow keep: for one request, or as long as a stream lives."""

    def __init__(self) -> None:
        self._kept: dict[str, dict[Any, Any]] = {}
        self.shared: dict[Any, Any] = {}
        """What all steps keep together."""

    def of(self, step: str) -> dict[Any, Any]:
        return self._kept.setdefault(step, {})


class Workflow:
    """A specification that was checked and put into order; safe to run from any thread.

    Example:
        >>> workflow = Workflow.of(specification)
        >>> workflow.run({"image": WorkflowImage(pixels)}, Services(models=store))
        [{"gray": <WorkflowImage>}]
    """

    def __init__(self, specification: Any) -> None:
        """Check and order a specification.

        Raises:
            WorkflowError: it is wrong: see `errors`.
        """
        self.plan: Plan = compile_specification(specification)

    @classmethod
    def of(cls, specification: Any) -> Workflow:
        """The same, compiled once for each specification and kept.

        Raises:
            WorkflowError: it is wrong: see `errors`.
        """
        try:
            key = orjson.dumps(specification)
        except TypeError:  # it is no JSON, which its check tells better
            return cls(specification)
        return _KEPT.get(key, lambda: cls(specification))

    @property
    def image_inputs(self) -> list[str]:
        """Names of the inputs that are pictures."""
        return [name for name, given in self.plan.inputs.items() if given.is_image]

    @property
    def outputs(self) -> list[str]:
        """Names of the outputs, in the order of the specification."""
        return [output.name for output in self.plan.outputs]

    @property
    def model_ids(self) -> list[str]:
        """Models that the steps name, each once; ids that come in as parameters are not known."""
        named = (step.definition.fields.get("model_id") for step in self.plan.steps.values())
        return list(dict.fromkeys(model_id for model_id in named if isinstance(model_id, str)))

    def check_inputs(self, names: Collection[str]) -> None:
        """Check that nothing is missing when these inputs are given.

        Raises:
            WorkflowInputError: a picture or batch is not among them.
        """
        check_given(self.plan, names)

    def run(
        self,
        inputs: Mapping[str, Any],
        services: Optional[Services] = None,
        observer: Optional[StepObserver] = None,
        state: Optional[State] = None,
    ) -> list[dict[str, Any]]:
        """Outputs by name, for each picture of the batch; one entry when there is no batch.

        Args:
            inputs: each picture as a `WorkflowImage` or a list of them; all else as JSON has it.
            services: what the steps may use.
            observer: told about each step as it ends.
            state: what steps keep, given again with the next frame of a stream; by default it
                lives for this run.

        Raises:
            WorkflowInputError: an input is missing, or is of the wrong kind.
            WorkflowStepError: a step failed; the cause is kept.
        """
        given = read_inputs(self.plan, inputs)
        scope = _scope(self.plan, given)
        parameters = {
            selector: values[()]
            for selector, values in scope.values.items()
            if not self.plan.levels_of(selector)
        }
        run = _Run(
            scope,
            check_parameters(self.plan, parameters),
            services or Services(),
            state or State(),
            observer,
        )
        for group in self.plan.groups:
            run.run_group(group)
        return collect(self.plan, scope)


class _Cache:
    """The workflows used last, by their specification."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[bytes, Workflow] = OrderedDict()

    def get(self, key: bytes, make: Callable[[], Workflow]) -> Workflow:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = make()
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > MAX_KEPT:
                self._kept.popitem(last=False)
        return made


_KEPT = _Cache()


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(STEPS_AT_ONCE, thread_name_prefix="workflow-step")


def _scope(plan: Plan, given: Mapping[Selector, Any]) -> Scope:
    """The inputs in their places: batches spread out, single ones repeated for each element."""
    scope = Scope({(): [()]}, {})
    for selector, value in given.items():
        levels = plan.levels_of(selector)
        spread = dict(_spread(value, len(levels)))
        scope.values[selector] = spread
        for depth in range(1, len(levels) + 1):
            found = dict.fromkeys(index[:depth] for index in spread)
            scope.indices.setdefault(levels[:depth], list(found))
    return scope


def _spread(value: Any, depth: int, index: Index = ()) -> Iterator[tuple[Index, Any]]:
    if depth == 0:
        yield index, value
        return
    for position, item in enumerate(value):
        yield from _spread(item, depth - 1, (*index, position))


@dataclass
class _Run:
    """One run under way."""

    scope: Scope
    checked: Mapping[tuple[str, str], Any]
    """Parameters as the fields they go to read them, by step and field."""
    services: Services
    state: State
    observer: Optional[StepObserver]

    def run_group(self, group: Sequence[PlannedStep]) -> None:
        """Run steps that do not wait for each other; those that take long beside the rest."""
        slow = [step for step in group if step.definition.block.WAITS]
        if len(slow) < 2:
            for step in group:
                self.run_step(step)
            return
        beside = [_threads().submit(copy_context().run, self.run_step, step) for step in slow[1:]]
        try:
            for step in group:
                if step is slow[0] or step not in slow:
                    self.run_step(step)
        finally:
            # Their results go into the scope of this run: none may outlive it.
            errors = [future.exception() for future in beside]
        for error in errors:
            if error is not None:
                raise error

    def run_step(self, step: PlannedStep) -> None:
        """Run a step on all elements it has to run on, and put its outputs into the scope."""
        check_wanted()
        began = time.perf_counter()
        indices = [
            index for index in self.scope.indices.get(step.levels, []) if self._runs_on(step, index)
        ]
        kept = self.state.of(step.name)
        context = StepContext(step.name, self.services, kept, self.state.shared)
        elements = [self._element(step, index, context) for index in indices]
        results = dict(zip(indices, self._results(step, elements), strict=True))
        if issubclass(step.definition.block, FlowBlock):
            self.scope.open[step.name] = {i: result or () for i, result in results.items()}
        else:
            self._keep(step, results)
        if self.observer is not None:
            self.observer(step.name, began, time.perf_counter() - began)

    def _runs_on(self, step: PlannedStep, index: Index) -> bool:
        """Whether the conditions hold and nothing is missing."""
        if not self.scope.is_open(step, index):
            return False
        if step.definition.block.TAKES_NULL:
            return True
        return not any(self._is_missing(reference, index) for reference in step.references)

    def _is_missing(self, reference: Reference, index: Index) -> bool:
        if not reference.levels and reference.selector.source == "inputs":
            return False
        if reference.below:
            # Elements of a list may be missing; an empty one is as good as none.
            return not self.scope.below(reference.levels, index)
        return self._value(reference, index) is None

    def _value(self, reference: Reference, index: Index) -> Any:
        values = self.scope.values[reference.selector]
        if not reference.levels:
            return values[()]
        if reference.below:
            return [values.get(at) for at in self.scope.below(reference.levels, index)]
        return values.get(index)

    def _element(self, step: PlannedStep, index: Index, context: StepContext) -> Block:
        """The block with the values of one element in its fields."""
        fields = dict(step.definition.fields)
        for name in dict.fromkeys(reference.field for reference in step.references):
            values = {
                reference.selector: self._value(reference, index)
                for reference in step.references
                if reference.field == name
            }
            if (step.name, name) in self.checked:
                fields[name] = self.checked[step.name, name]
            else:
                fields[name] = filled(fields[name], values)
        element = step.definition.block.model_construct(**fields)
        element._context = context
        return element

    def _results(self, step: PlannedStep, elements: Sequence[Block]) -> list[Any]:
        if not elements:
            return []
        try:
            return list(step.definition.block.run_batch(elements))
        except WorkflowError:
            raise
        except OperationFault as fault:
            raise OperationStepError(
                fault, step=step.name, step_type=step.definition.type_name
            ) from fault
        # A step is anyone's code, on anyone's picture: whatever it raises is that step's failure.
        except Exception as error:
            raise _failure(step, error) from error

    def _keep(self, step: PlannedStep, results: Mapping[Index, Any]) -> None:
        outputs = step.definition.outputs
        kept: dict[str, dict[Index, Any]] = {name: {} for name in outputs}
        makes_lists = step.output_levels != step.levels
        children: list[Index] = []
        for index, result in results.items():
            if not makes_lists:
                for name in outputs:
                    kept[name][index] = None if result is None else result.get(name)
                continue
            made = {name: list((result or {}).get(name, ())) for name in outputs}
            for position in range(max(map(len, made.values()), default=0)):
                child = (*index, position)
                children.append(child)
                for name, items in made.items():
                    kept[name][child] = items[position] if position < len(items) else None
        if makes_lists:
            require_elements(step.name, len(children))
            self.scope.indices[step.output_levels] = children
        for name, values in kept.items():
            if not step.levels and not makes_lists:
                values.setdefault((), None)
            self.scope.values[Selector("steps", step.name, name)] = values


OWN_MISTAKES = (ValueError, TypeError, LookupError, ArithmeticError)
"""What a step raises when what it was given cannot be; anything else is a fault of the step."""


def _failure(step: PlannedStep, error: Exception) -> WorkflowStepError:
    failure = WorkflowStepError(
        f"Step '{step.name}' ({step.definition.type_name}) failed: {error}",
        step=step.name,
        step_type=step.definition.type_name,
    )
    if isinstance(error, RequestFault):
        failure.status = error.status
    elif not isinstance(error, OWN_MISTAKES):
        failure.status = 500
    return failure


__all__ = ["BATCH", "Scope", "State", "StepObserver", "Workflow", "WorkflowInputError"]
