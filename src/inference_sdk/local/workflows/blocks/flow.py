"""Flow control: which steps go on."""

from __future__ import annotations

import math
import time
from typing import Annotated, Any, Optional, Union

from pydantic import Field

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import (
    FlowBlock,
    Image,
    NextStep,
    Number,
    Value,
    refers,
    takes,
)
from inference_sdk.local.workflows.images import WorkflowImage
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


class SwitchCase(FlowBlock):
    """Runs the step of the case that equals value, else the default ones."""

    TYPES = ("roboflow_core/switch_case@v1", "SwitchCase")

    value: Annotated[Union[str, int, float, bool], takes(k.ANY)]
    cases: dict[str, NextStep] = Field(default_factory=dict)
    case_insensitive: bool = False
    default_next_steps: list[NextStep] = Field(default_factory=list)

    def targets(self) -> list[Selector]:
        return [*self.cases.values(), *self.default_next_steps]

    def run(self) -> list[Selector]:
        wanted = self._key(self.value)
        for case, step in self.cases.items():
            if self._key(case) == wanted:
                return [step]
        return self.default_next_steps

    def _key(self, value: Any) -> str:
        return str(value).lower() if self.case_insensitive else str(value)


class RateLimiter(FlowBlock):
    """Runs next_steps at most once in cooldown_seconds: of the video, when a picture is given."""

    TYPES = ("roboflow_core/rate_limiter@v1",)

    cooldown_seconds: Annotated[float, Field(ge=0)] = 1.0
    depends_on: Value
    next_steps: NextSteps
    video_reference_image: Annotated[Optional[WorkflowImage], refers(k.IMAGE)] = None

    def targets(self) -> list[Selector]:
        return self.next_steps

    def run(self) -> list[Selector]:
        image = self.video_reference_image
        video, now = (
            (None, time.monotonic())
            if image is None
            else (
                image.video_identifier,
                image.seconds,
            )
        )
        last = self.kept(video, lambda: [-math.inf])
        if now - last[0] < self.cooldown_seconds:
            return []
        last[0] = now
        return self.next_steps
