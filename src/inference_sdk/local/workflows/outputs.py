"""What a workflow gives out: for each element of the batch, a value for each output.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from inference_sdk.local.workflows.detections import Detections
from inference_sdk.local.workflows.plan import BATCH, Levels, Plan
from inference_sdk.local.workflows.selectors import Selector
from inference_sdk.local.workflows.specification import OutputDefinition

if TYPE_CHECKING:
    from inference_sdk.local.workflows.engine import Index, Scope


def collect(plan: Plan, scope: Scope) -> list[dict[str, Any]]:
    """Outputs by name, one dict for each element; one where no input is a batch."""
    elements = scope.indices.get((BATCH,), [()])
    return [
        {output.name: _placed(_value(plan, scope, output, at), output) for output in plan.outputs}
        for at in elements
    ]


def _value(plan: Plan, scope: Scope, output: OutputDefinition, at: Index) -> Any:
    selector = output.selector
    if selector.output != "*":
        return _nested(scope, selector, plan.levels_of(selector), at)
    names = plan.steps[selector.name].definition.outputs
    return {name: _value_of_step(plan, scope, selector.name, name, at) for name in names}


def _value_of_step(plan: Plan, scope: Scope, step: str, name: str, at: Index) -> Any:
    selector = Selector("steps", step, name)
    return _nested(scope, selector, plan.levels_of(selector), at)


def _nested(scope: Scope, selector: Selector, levels: Levels, at: Index) -> Any:
    """The values below an index as nested lists; null where a step did not run."""
    values = scope.values.get(selector, {})
    if len(levels) <= len(at):
        return values.get(at[: len(levels)])
    deeper = levels[: len(at) + 1]
    if at in scope.absent.get(deeper, ()):
        return None
    return [_nested(scope, selector, levels, index) for index in scope.below(deeper, at)]


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
