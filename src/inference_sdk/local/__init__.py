"""An embedded inference server: the API of a big one, on this machine, with small real models.

It needs the extra `local`. Nothing is loaded before one of the names is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inference_sdk.local.app import MODELS, create_app
    from inference_sdk.local.faults import UnusableModelError
    from inference_sdk.local.gate import Limits
    from inference_sdk.local.models import InferenceParameters, Model, ModelFile, ModelStore
    from inference_sdk.local.server import LocalServer, serve

__all__ = [
    "MODELS",
    "InferenceParameters",
    "Limits",
    "LocalServer",
    "Model",
    "ModelFile",
    "ModelStore",
    "UnusableModelError",
    "create_app",
    "serve",
]

_HOMES = {
    "MODELS": "app",
    "create_app": "app",
    "InferenceParameters": "models",
    "Limits": "gate",
    "Model": "models",
    "ModelFile": "models",
    "ModelStore": "models",
    "UnusableModelError": "faults",
    "LocalServer": "server",
    "serve": "server",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *_HOMES]
