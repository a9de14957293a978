"""Flow control: which steps go on."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from inference_sdk.local.workflows.block import FlowBlock, Image, NextStep, Number, Value
from inference_sdk.local.workflows.operations import StatementGroup
from inference_sdk.local.workflows.selectors import Selector

NextSteps = Annotated[list[NextStep], Field(min_length=1)]


class ContinueIf(FlowBlock):
    """Runs next_steps where the statement holds."""

    TYPES = ("roboflow_core/continue_if@v1", "ContinueIf")

    condition_statement: StatementGroup
    evaluation_parameters: dict[str, Value] = Field(default_factory=dict)
    next_steps: NextSteps
    stop_delay: Number = 0

    def targets(self) -> list[Selector]:
        return self.next_steps

    def run(self) -> list[Selector]:
        return self.next_steps if self.condition_statement.holds(self.evaluation_parameters) else []


class DeltaFilter(FlowBlock):
    """Runs next_steps when value differs from the last one of this video."""

    TYPES = ("roboflow_core/delta_filter@v1",)

    image: Image
    value: Value
    next_steps: NextSteps

    def targets(self) -> list[Selector]:
        return self.next_steps

    def run(self) -> list[Selector]:
        last = self.kept(self.image.video_identifier, lambda: [_NOTHING])
        changed = last[0] is _NOTHING or last[0] != self.value
        last[0] = self.value
        return self.next_steps if changed else []


_NOTHING = object()
