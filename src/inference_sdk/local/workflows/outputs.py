"""What a workflow gives out: for each element of the batch, a value for each output.

Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from inference_sdk.local.workflows.detections import Detections
from inference_sdk.local.workflows.kinds import SECRET
from inference_sdk.local.workflows.plan import BATCH, Levels, Plan
from inference_sdk.local.workflows.selectors import Selector
from inference_sdk.local.workflows.specification import OutputDefinition

HIDDEN = "********"

if TYPE_CHECKING:
    from inference_sdk.local.workflows.engine import Index, Scope


def collect(plan: Plan, scope: Scope) -> list[dict[str, Any]]:
    """Outputs by name, one dict for each element; a single one where no output is a batch."""
    is_batch = any(plan.levels_of(output.selector) for output in plan.outputs)
    elements = scope.indices[BATCH,] if is_batch else [()]
    return [
        {output.name: _placed(_value(plan, scope, output, at), output) for output in plan.outputs}
        for at in elements
    ]


def _value(plan: Plan, scope: Scope, output: OutputDefinition, at: Index) -> Any:
    selector = output.selector
    levels = plan.levels_of(selector)
    if selector.output != "*":
        return _nested(scope, levels, at, _reader(plan, scope, selector))
    names = plan.steps[selector.name].definition.outputs
    readers = {n: _reader(plan, scope, Selector("steps", selector.name, n)) for n in names}
    return _nested(scope, levels, at, lambda i: {n: read(i) for n, read in readers.items()})


def _reader(plan: Plan, scope: Scope, selector: Selector) -> Callable[[Index], Any]:
    """The value of a selector by its index; secrets never leave."""
    values = scope.values.get(selector, {})
    outputs = plan.steps[selector.name].definition.outputs if selector.source == "steps" else {}
    if SECRET in outputs.get(selector.output, ()):
        return lambda _: HIDDEN
    return values.get


def _nested(scope: Scope, levels: Levels, at: Index, leaf: Callable[[Index], Any]) -> Any:
    """What is below an index, as nested lists."""
    if len(levels) <= len(at):
        return leaf(at[: len(levels)])
    deeper = levels[: len(at) + 1]
    return [_nested(scope, levels, index, leaf) for index in scope.below(deeper, at)]


def _placed(value: Any, output: OutputDefinition) -> Any:
    """Predictions in the coordinates that the output asks for."""
    if output.own:
        return value
    if isinstance(value, Detections):
        return value.in_root()
    if isinstance(value, list):
        return [_placed(item, output) for item in value]
    if isinstance(value, Mapping):
        return {key: _placed(item, output) for key, item in value.items()}
    return value
