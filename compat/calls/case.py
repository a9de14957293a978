"""A call that is compared: a client's settings, a method, its arguments, the answers.

In values that every version understands; `run.py` carries them out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

KEY = "a-key-of-nineteen-c"


BASE64 = "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAAAAABX3VL4AAAADklEQVR4nGPkZGBiYAAAAD8ADdx46sQAAAAASUVORK5CYII="
"""A grey PNG of 2x2."""


@dataclass(frozen=True)
class Case:
    method: str
    arguments: dict[str, Any] = field(default_factory=dict)
    mode: str = "v1"
    key: str | None = KEY
    configuration: dict[str, Any] = field(default_factory=dict)
    model: str | None = None
    answers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    context: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    concurrent: bool = False

    @property
    def name(self) -> str:
        parts = [self.mode, self.method]
        for label, value in (
            ("", self.arguments),
            ("configuration", self.configuration),
            ("context", self.context),
            ("environment", self.environment),
            ("model", self.model),
            ("key", None if self.key == KEY else [self.key]),
            ("answers", self.answers),
        ):
            if value:
                parts.append(f"{label} {json.dumps(value, default=str, sort_keys=True)[:160]}")
        return " | ".join(parts)


SEVERAL = ["$jpeg", BASE64, "$array"]


SPECIFICATION = {"version": "1.0", "inputs": [], "steps": [], "outputs": []}


def registry(task: str = "object-detection", model: str = "coco/3", **rest: Any) -> dict[str, Any]:
    models = [{"model_id": model, "task_type": task, "batch_size": 1, **rest}]
    return {"/model/registry": [{"json": {"models": models}}]}


def vectors(count: int = 1) -> dict[str, Any]:
    embeddings = [[n + 0.25, 0.5] for n in range(count)]
    return {"frame_id": None, "time": 0.25, "embeddings": embeddings}


def boxes(**image: int) -> dict[str, Any]:
    box = {"x": 50.0, "y": 20.0, "width": 10.0, "height": 6.0, "confidence": 0.5, "class": "a"}
    return {"time": 1.0, "image": image or {"width": 64, "height": 48}, "predictions": [box]}


TASKS = ["object-detection", "instance-segmentation", "classification", "keypoint-detection"]


CONTEXTS: list[dict[str, Any]] = [
    {"execution_id": "run-1"},
    {"usage_source_tags": {"source": "tagged"}},
    {"usage_source_tags": {"source_info": "si", "extra": "e"}},
    {"outbound_service_secret": "outer-secret"},
    {"apply_duration_minimum": True},
]
