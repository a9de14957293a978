"""A client for vision inference servers: over HTTP, sync and async, and live over WebRTC.

    >>> from inference_sdk import InferenceHTTPClient
    >>> client = InferenceHTTPClient("http://localhost:9001")
    >>> client.infer("street.jpg", model_id="coco/3")

Names are loaded on first use, so that importing the package costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from inference_sdk.version import __version__

if TYPE_CHECKING:
    from inference_sdk.config import (
        INFERENCE_WARNINGS_DISABLED,
        InferenceSDKDeprecationWarning,
        InferenceSDKGuidanceWarning,
    )
    from inference_sdk.http.client import InferenceHTTPClient
    from inference_sdk.http.entities import (
        ApiKeyTransport,
        HTTPClientMode,
        InferenceConfiguration,
        VisualisationResponseFormat,
    )
    from inference_sdk.http.errors import HTTPCallErrorError, HTTPClientError

__all__ = [
    "INFERENCE_WARNINGS_DISABLED",
    "ApiKeyTransport",
    "HTTPCallErrorError",
    "HTTPClientError",
    "HTTPClientMode",
    "InferenceConfiguration",
    "InferenceHTTPClient",
    "InferenceSDKDeprecationWarning",
    "InferenceSDKGuidanceWarning",
    "VisualisationResponseFormat",
    "__version__",
]

_HOMES = {
    "ApiKeyTransport": "inference_sdk.http.entities",
    "HTTPCallErrorError": "inference_sdk.http.errors",
    "HTTPClientError": "inference_sdk.http.errors",
    "HTTPClientMode": "inference_sdk.http.entities",
    "InferenceConfiguration": "inference_sdk.http.entities",
    "InferenceHTTPClient": "inference_sdk.http.client",
    "InferenceSDKDeprecationWarning": "inference_sdk.config",
    "InferenceSDKGuidanceWarning": "inference_sdk.config",
    "VisualisationResponseFormat": "inference_sdk.http.entities",
}


def __getattr__(name: str) -> Any:
    if name == "INFERENCE_WARNINGS_DISABLED":
        from inference_sdk import config

        return config.INFERENCE_WARNINGS_DISABLED  # not kept: programs change it there
    if name not in _HOMES:
        from inference_sdk.utils.submodules import submodule

        return submodule(__name__, name)
    from importlib import import_module

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
