"""Workflows: several steps on a picture, described in JSON, run by the embedded server.

`engine` runs one, `steps` has what it can be made of, `routes` is its door. A step of one's own is
a function with the decorator `step`.
"""

from __future__ import annotations

from inference_sdk.local.workflows.engine import Workflow
from inference_sdk.local.workflows.registry import step
from inference_sdk.local.workflows.routes import WORKFLOWS, NamedWorkflows, add_routes
from inference_sdk.local.workflows.values import Predictions, WorkflowImage

__all__ = [
    "WORKFLOWS",
    "NamedWorkflows",
    "Predictions",
    "Workflow",
    "WorkflowImage",
    "add_routes",
    "step",
]
