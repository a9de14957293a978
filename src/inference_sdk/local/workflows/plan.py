"""What a specification means as a whole: which step needs what, in which order, how deep.

Compiled once for a specification, and kept. Pure.
"""

from __future__ import annotations

import graphlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Optional

from inference_sdk.local.workflows.block import FlowBlock, Takes
from inference_sdk.local.workflows.errors import (
    ControlFlowDefinitionError,
    ExecutionGraphStructureError,
    InvalidReferenceTargetError,
    ReferenceTypeError,
    StepInputDimensionalityError,
    StepInputLineageError,
)
from inference_sdk.local.workflows.kinds import ANY, fit
from inference_sdk.local.workflows.selectors import Selector, selectors_in
from inference_sdk.local.workflows.specification import (
    InputDefinition,
    OutputDefinition,
    Specification,
    StepDefinition,
    read_specification,
)

Levels = tuple[str, ...]
"""The levels of lists around a value, outermost first: () for one value, (BATCH,) for one of each
picture, (BATCH, "crop") for one of each crop that the step "crop" made."""

BATCH = "<batch>"


@dataclass(frozen=True)
class Reference:
    """One selector in one field.

    Attributes:
        levels: of what it points at.
        below: how many of these the step gets as lists.
        rule: what the field takes; None in a field that says nothing of it.
    """

    field: str
    selector: Selector
    levels: Levels
    below: int
    rule: Optional[Takes]


@dataclass(frozen=True)
class PlannedStep:
    """A step with its place among the others.

    Attributes:
        levels: those that it runs on, element by element.
        output_levels: those of what it gives out.
        gates: steps of flow control that say whether it runs.
        rank: steps of one rank do not wait for each other.
    """

    definition: StepDefinition
    references: tuple[Reference, ...]
    levels: Levels
    output_levels: Levels
    gates: tuple[str, ...]
    rank: int

    @property
    def name(self) -> str:
        return self.definition.name


@dataclass(frozen=True)
class Plan:
    """What `engine` runs: steps as they are written, and in groups that do not wait for each other.

    The groups are in an order in which they can run.
    """

    inputs: Mapping[str, InputDefinition]
    steps: Mapping[str, PlannedStep]
    outputs: tuple[OutputDefinition, ...]
    groups: tuple[tuple[PlannedStep, ...], ...]

    def levels_of(self, selector: Selector) -> Levels:
        """Around what a selector points at; for `.*`, those of the step's outputs."""
        if selector.source == "inputs":
            return input_levels(self.inputs[selector.name])
        return self.steps[selector.name].output_levels


def compile_specification(specification: Any) -> Plan:
    """Read a specification, check what its parts say of each other, and put them into order.

    Raises:
        WorkflowError: it is wrong; says where, and what would be right.
    """
    read = read_specification(specification)
    _check_targets(read)
    ranks = _ranks(read)
    gates = _gates(read)
    planned: dict[str, PlannedStep] = {}
    for name in sorted(ranks, key=lambda each: ranks[each]):
        planned[name] = _planned(read, read.steps[name], planned, gates.get(name, ()), ranks[name])
    groups: dict[int, list[PlannedStep]] = {}
    for step in planned.values():
        groups.setdefault(step.rank, []).append(step)
    as_written = {name: planned[name] for name in read.steps}
    return Plan(read.inputs, as_written, read.outputs, tuple(map(tuple, groups.values())))


def input_levels(given: InputDefinition) -> Levels:
    if given.dimensions == 0:
        return ()
    further = (f"$inputs.{given.name}[{level}]" for level in range(1, given.dimensions))
    return (BATCH, *further)


# --- What selectors point at --------------------------------------------------------------------


def _check_targets(read: Specification) -> None:
    for step in read.steps.values():
        for name, rule, selector in _selectors(step):
            _check_reference(read, step, name, rule, selector)
    for output in read.outputs:
        if _target_kinds(read, output.selector) is None:
            raise InvalidReferenceTargetError(
                f"Output '{output.name}': {_not_there(read, output.selector)}",
                step="$outputs",
                field=output.name,
            )


def _selectors(step: StepDefinition) -> Iterator[tuple[str, Optional[Takes], Selector]]:
    """Each selector of a step with its field and what that takes."""
    rules = step.block.rules()
    for name, value in step.fields.items():
        rule = rules[name].whole if isinstance(value, Selector) else rules[name].items
        for selector in selectors_in(value):
            yield name, rule, selector


def _check_reference(
    read: Specification, step: StepDefinition, name: str, rule: Optional[Takes], selector: Selector
) -> None:
    told = {"step": step.name, "step_type": step.type_name, "field": name}
    where = f"Step '{step.name}' ({step.type_name}), field '{name}'"
    if selector.output == "*":
        raise ExecutionGraphStructureError(f"{where}: only outputs may end in '.*'.", **told)
    offered = _target_kinds(read, selector)
    if offered is None:
        raise InvalidReferenceTargetError(f"{where}: {_not_there(read, selector)}", **told)
    if rule is not None and not selector.is_step and not fit(offered, rule.kinds):
        raise ReferenceTypeError(
            f"{where} takes {' or '.join(rule.kinds)}, and '{selector}' is {' or '.join(offered)}.",
            **told,
        )


def _target_kinds(read: Specification, selector: Selector) -> Optional[tuple[str, ...]]:
    """The kinds of what a selector points at; None where it points at nothing."""
    if selector.source == "inputs":
        given = read.inputs.get(selector.name)
        return None if given is None else given.kinds
    step = read.steps.get(selector.name)
    if step is None:
        return None
    if selector.output in ("", "*"):
        return (ANY,)
    return step.outputs.get(selector.output)


def _not_there(read: Specification, selector: Selector) -> str:
    known: Mapping[str, Any] = read.inputs if selector.source == "inputs" else read.steps
    if selector.name not in known:
        there = ", ".join(known) or "there are none"
        return f"'{selector}' is none of the {selector.source} ({there})."
    outputs = ", ".join(read.steps[selector.name].outputs) or "none"
    return f"step '{selector.name}' has no output '{selector.output}'; it has {outputs}."


# --- Order --------------------------------------------------------------------------------------


def _ranks(read: Specification) -> dict[str, int]:
    """How many steps have to run before each; in an order in which they can run."""
    needs: dict[str, set[str]] = {name: set() for name in read.steps}
    for step in read.steps.values():
        for _, _, selector in _selectors(step):
            if selector.is_step:
                needs[selector.name].add(step.name)
            elif selector.source == "steps":
                needs[step.name].add(selector.name)
    try:
        order = list(graphlib.TopologicalSorter(needs).static_order())
    except graphlib.CycleError as error:
        circle = " -> ".join(reversed(error.args[1]))
        raise ExecutionGraphStructureError(f"Steps wait for each other: {circle}.") from error
    ranks: dict[str, int] = {}
    for name in order:
        ranks[name] = 1 + max((ranks[other] for other in needs[name]), default=-1)
    return ranks


def _gates(read: Specification) -> dict[str, tuple[str, ...]]:
    """For each step, the steps of flow control that decide on it."""
    gates: dict[str, tuple[str, ...]] = {}
    for step in read.steps.values():
        if isinstance(step.model, FlowBlock):
            for target in dict.fromkeys(step.model.targets()):
                gates[target.name] = (*gates.get(target.name, ()), step.name)
    return gates


# --- Depth --------------------------------------------------------------------------------------


def _planned(
    read: Specification,
    step: StepDefinition,
    planned: Mapping[str, PlannedStep],
    gates: tuple[str, ...],
    rank: int,
) -> PlannedStep:
    block = step.block
    gathers = int(block.OUTPUT_DIMENSION < 0)
    references = tuple(
        Reference(
            name,
            selector,
            _levels(read, planned, selector),
            block.DIMENSIONS.get(name, 0) + gathers,
            rule,
        )
        for name, rule, selector in _selectors(step)
        if not selector.is_step
    )
    levels = _common_levels(step, references)
    levels = _gated_levels(step, levels, [planned[gate].levels for gate in gates])
    output_levels = (*levels, step.name) if block.OUTPUT_DIMENSION > 0 else levels
    return PlannedStep(step, references, levels, output_levels, gates, rank)


def _levels(read: Specification, planned: Mapping[str, PlannedStep], selector: Selector) -> Levels:
    if selector.source == "inputs":
        return input_levels(read.inputs[selector.name])
    return planned[selector.name].output_levels


def _common_levels(step: StepDefinition, references: tuple[Reference, ...]) -> Levels:
    """The levels that a step runs on: what all its inputs have in common, single values aside."""
    found: dict[Levels, Reference] = {}
    for reference in references:
        if not reference.levels:
            continue
        if len(reference.levels) < reference.below:
            raise _different(
                step,
                reference,
                f"'{reference.selector}' has to be {reference.below} level(s) deeper than that",
            )
        found.setdefault(reference.levels[: len(reference.levels) - reference.below], reference)
    if len(found) > 1:
        one, other, *_ = found.values()
        raise _different(
            step,
            other,
            f"'{one.selector}' is nested {_nested(one)}, '{other.selector}' {_nested(other)}: "
            "bring them to one depth, as with dimension_collapse",
            StepInputLineageError
            if len(one.levels) == len(other.levels)
            else StepInputDimensionalityError,
        )
    return next(iter(found), ())


def _nested(reference: Reference) -> str:
    inner = [level for level in reference.levels if level != BATCH]
    return f"{len(reference.levels)} deep" + (f" (by {', '.join(inner)})" if inner else "")


def _different(
    step: StepDefinition,
    reference: Reference,
    problem: str,
    kind: type[StepInputDimensionalityError] = StepInputDimensionalityError,
) -> StepInputDimensionalityError:
    return kind(
        f"Step '{step.name}' ({step.type_name}), field '{reference.field}': {problem}.",
        step=step.name,
        step_type=step.type_name,
        field=reference.field,
    )


def _gated_levels(step: StepDefinition, levels: Levels, gates: list[Levels]) -> Levels:
    """The levels of a step under conditions: one without any of its own runs on theirs."""
    deepest = max([levels, *gates], key=len)
    levels = levels or deepest
    for gate in gates:
        if levels[: len(gate)] != gate:
            raise ControlFlowDefinitionError(
                f"Step '{step.name}' runs once for each of {_names(levels)}, but a condition that "
                f"leads to it once for each of {_names(gate)}. Decide on the outer one.",
                step=step.name,
                step_type=step.type_name,
            )
    return levels


def _names(levels: Levels) -> str:
    return " / ".join("the pictures" if level == BATCH else level for level in levels) or "a run"
