"""The operations language: pipes of operations on values, and statements that hold or do not.

`pipe` has the operations, `statements` the conditions; blocks take both as fields.
"""

from __future__ import annotations

from inference_sdk.local.workflows.operations.pipe import Operation, apply_all
from inference_sdk.local.workflows.operations.statements import StatementGroup

__all__ = ["Operation", "StatementGroup", "apply_all"]
