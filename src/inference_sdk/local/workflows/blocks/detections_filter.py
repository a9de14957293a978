"""Detections for which a statement holds."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import AnyBoxes, Block, Outputs, Value
from inference_sdk.local.workflows.detections import Detections
from inference_sdk.local.workflows.operations import Operation, apply_all


class DetectionsFilter(Block):
    """Keeps detections that a statement group accepts."""

    TYPES = ("roboflow_core/detections_filter@v1", "DetectionsFilter")
    OUTPUTS = {"predictions": k.ALL_BOXES}

    predictions: AnyBoxes
    operations: list[Operation]
    operations_parameters: dict[str, Value] = Field(default_factory=dict)

    def run(self) -> Outputs:
        return {
            "predictions": apply_all(self.operations, self.predictions, self.operations_parameters)
        }


class DetectionsTransformation(DetectionsFilter):
    """A pipe of operations on detections; has to give detections."""

    TYPES = ("roboflow_core/detections_transformation@v1", "DetectionsTransformation")

    def run(self) -> Outputs:
        outputs: Any = super().run()
        if not isinstance(outputs["predictions"], Detections):
            raise ValueError(
                "operations of detections_transformation have to end in detections, not in "
                f"{type(outputs['predictions']).__name__}; property_definition takes anything"
            )
        return outputs
