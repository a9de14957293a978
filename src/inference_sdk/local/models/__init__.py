"""The models that the embedded server answers with, and the store they are looked up in.

Knows nothing of HTTP: arrays and parameters in, answers of the API as plain dicts out. numpy,
Pillow and ONNX Runtime are loaded with the first model.
"""

from __future__ import annotations

from inference_sdk.local.models.base import Model, ModelFactory
from inference_sdk.local.models.model_file import ModelFile
from inference_sdk.local.models.parameters import InferenceParameters
from inference_sdk.local.models.store import ModelStore

__all__ = ["InferenceParameters", "Model", "ModelFactory", "ModelFile", "ModelStore"]
