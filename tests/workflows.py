"""What tests of workflows share: specifications in one line, steps alone, made-up detections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from inference_sdk.local.workflows import Services, Workflow, WorkflowImage
from inference_sdk.local.workflows.engine import State
from inference_sdk.local.workflows.images import Lineage, still_metadata
from inference_sdk.local.workflows.wire import to_wire

IMAGE = {"type": "WorkflowImage", "name": "image"}


def detections_input(
    name: str = "det", kind: str = "object_detection_prediction"
) -> dict[str, Any]:
    """An input of made-up predictions."""
    return {"type": "WorkflowBatchInput", "name": name, "kind": [kind]}


def box(x: float, y: float, width: float, height: float, **more: Any) -> dict[str, Any]:
    """One prediction by its centre; a sure cup, if nothing else is said."""
    given = {"x": x, "y": y, "width": width, "height": height}
    return {**given, "confidence": 0.5, "class": "cup", "class_id": 1, **more}


def found(*boxes: dict[str, Any], width: int = 100, height: int = 100) -> dict[str, Any]:
    """Predictions as a server answers them."""
    return {"image": {"width": width, "height": height}, "predictions": list(boxes)}


def picture(
    width: int = 100,
    height: int = 100,
    value: Any = 0,
    *,
    name: str = "image",
    pixels: Any = None,
    **metadata: Any,
) -> WorkflowImage:
    """One colour (BGR or grey value), or these pixels."""
    if pixels is None:
        pixels = np.full((height, width, 3), value, np.uint8)
    told = {**still_metadata(name), **metadata}
    return WorkflowImage(np.asarray(pixels, np.uint8), metadata=told, lineage=Lineage(name))


def spec(*steps: Any, inputs: Any = (IMAGE,), **outputs: Any) -> dict[str, Any]:
    """A specification; an output is a selector, or a dict of its fields."""
    return {
        "version": "1.0",
        "inputs": list(inputs),
        "steps": list(steps),
        "outputs": [
            {
                "type": "JsonField",
                "name": name,
                **(given if isinstance(given, dict) else {"selector": given}),
            }
            for name, given in outputs.items()
        ],
    }


def step(kind: str, name: str = "step", **fields: Any) -> dict[str, Any]:
    """A step; `roboflow_core/` may be left out of its type."""
    known = "/" in kind or "@" not in kind
    return {"type": kind if known else f"roboflow_core/{kind}", "name": name, **fields}


def run(
    specification: Any, services: Services | None = None, **inputs: Any
) -> list[dict[str, Any]]:
    """Outputs as steps give them out."""
    return Workflow(specification).run(inputs, services)


class Steps:
    """One step, run on one element after another with its state kept, as on a stream.

    Args:
        kind: type name; `roboflow_core/` may be left out.
        kinds: of the inputs that are predictions or other batches, by their name; pictures are
            seen by their type, all else is a parameter.
        services: what the server lends.
        fields: of the step; those that name an input have its selector.

    Example:
        >>> blur = Steps("image_blur@v1", image="$inputs.image", kernel_size=3)
        >>> blur(image=picture())["image"].pixels
    """

    def __init__(
        self,
        kind: str,
        *,
        kinds: Mapping[str, str] | None = None,
        services: Services | None = None,
        **fields: Any,
    ) -> None:
        self.kinds = dict(kinds or {})
        self.step = step(kind, **fields)
        self.services = services
        self.state = State()

    def __call__(self, **inputs: Any) -> dict[str, Any]:
        """All outputs of the step."""
        (outputs,) = Workflow.of(self._specification(inputs)).run(
            inputs, self.services, state=self.state
        )
        return dict(outputs["all"])

    def wire(self, **inputs: Any) -> dict[str, Any]:
        """The same as JSON has them."""
        return dict(to_wire(self(**inputs)))

    def _specification(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        declared = [self._input(name, value) for name, value in inputs.items()]
        return spec(self.step, inputs=declared, all="$steps.step.*")

    def _input(self, name: str, value: Any) -> dict[str, Any]:
        if isinstance(value, WorkflowImage):
            return {"type": "WorkflowImage", "name": name}
        if name in self.kinds or (isinstance(value, dict) and "predictions" in value):
            return detections_input(name, self.kinds.get(name, "object_detection_prediction"))
        return {"type": "WorkflowParameter", "name": name}
