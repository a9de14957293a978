"""A pipe of operations on any value."""

from __future__ import annotations

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import Block, Outputs, Value
from inference_sdk.local.workflows.operations import Operation, apply_all


class PropertyDefinition(Block):
    """A pipe of operations on one value."""

    TYPES = (
        "roboflow_core/property_definition@v1",
        "PropertyDefinition",
        "PropertyExtraction",
    )
    OUTPUTS = {"output": (k.ANY,)}

    data: Value
    operations: list[Operation]

    def run(self) -> Outputs:
        return {"output": apply_all(self.operations, self.data)}
