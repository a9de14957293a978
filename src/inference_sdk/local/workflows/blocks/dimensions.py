"""Lists as values, and values out of several."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import Block, Outputs, Value


class DimensionCollapse(Block):
    """The list of one level as one value; what is missing is left out."""

    TYPES = ("roboflow_core/dimension_collapse@v1", "DimensionCollapse")
    OUTPUTS = {"output": (k.LIST,)}
    OUTPUT_DIMENSION = -1

    data: Value

    def run(self) -> Outputs:
        return {"output": [item for item in self.data if item is not None]}


class FirstNonEmptyOrDefault(Block):
    """The first of data that is there."""

    TYPES = ("roboflow_core/first_non_empty_or_default@v1", "FirstNonEmptyOrDefault")
    OUTPUTS = {"output": (k.ANY,)}
    TAKES_NULL = True

    data: Annotated[list[Value], Field(min_length=1)]
    default: Any = None

    def run(self) -> Outputs:
        there = (item for item in self.data if item is not None)
        return {"output": next(there, self.default)}
