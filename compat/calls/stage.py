"""Programs of several steps, and helpers that others import: compared as calls are.

Each is a function of a `Stage`; what it returns, and how it changed its arguments, is what is
compared. Written for every version: what one does not have leaves the program out.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from case import KEY, boxes, registry

from inference_sdk import InferenceConfiguration, InferenceHTTPClient

MODELS = registry()["/model/registry"][0]["json"]


TWO = {"models": [*MODELS["models"], {"model_id": "cars/1", "task_type": "classification"}]}


@dataclass
class Stage:
    """What a program has: the server, its answers, the pictures of the cases."""

    url: str
    folder: str
    values: dict[str, Any]
    answer: Callable[[dict[str, Any]], None]

    def client(self, **settings: Any) -> InferenceHTTPClient:
        self.answer({"/model/registry": [{"json": TWO}], "/coco/3": [{"json": boxes()}]})
        client = InferenceHTTPClient(self.url, KEY)
        client.select_api_v1()
        return client.configure(InferenceConfiguration(**settings))


Program = Callable[[Stage], Any]


def tried(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except Exception as error:
        return raised(error)


def raised(error: BaseException) -> dict[str, Any]:
    return {"raised": [kind.__name__ for kind in type(error).__mro__]}


def function(path: str) -> Any:
    """A helper by `module.name` below `inference_sdk`; AttributeError where there is none."""
    module, name = path.rsplit(".", 1)
    return getattr(importlib.import_module(f"inference_sdk.{module}"), name)
