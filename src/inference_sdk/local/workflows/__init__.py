"""Workflows: several steps on a picture, described in JSON, run by the embedded server.

`plan` compiles a specification, `engine` runs it, `blocks` has what it can be made of, `routes` is
its door. A block of one's own is a subclass of `Block`. Loaded on first use: pydantic and OpenCV
come with it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inference_sdk.local.workflows.block import Block, FlowBlock, Services, refers, takes
    from inference_sdk.local.workflows.detections import Detections
    from inference_sdk.local.workflows.engine import State, Workflow
    from inference_sdk.local.workflows.images import WorkflowImage
    from inference_sdk.local.workflows.library import WORKFLOWS, NamedWorkflows
    from inference_sdk.local.workflows.registry import add_block, add_blocks_from
    from inference_sdk.local.workflows.routes import add_routes

_HOMES = {
    "WORKFLOWS": "library",
    "Block": "block",
    "Detections": "detections",
    "FlowBlock": "block",
    "NamedWorkflows": "library",
    "Services": "block",
    "State": "engine",
    "Workflow": "engine",
    "WorkflowImage": "images",
    "add_block": "registry",
    "add_blocks_from": "registry",
    "add_routes": "routes",
    "refers": "block",
    "takes": "block",
}

__all__ = [
    "WORKFLOWS",
    "Block",
    "Detections",
    "FlowBlock",
    "NamedWorkflows",
    "Services",
    "State",
    "Workflow",
    "WorkflowImage",
    "add_block",
    "add_blocks_from",
    "add_routes",
    "refers",
    "takes",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
