"""The client's public names, by introspection: those that call a server, and those that do not."""

from __future__ import annotations

from inference_sdk import InferenceHTTPClient

SETTINGS = {
    "init",
    "inference_configuration",
    "client_mode",
    "selected_model",
    "api_key",
    "stats",
    "timings",
    "listeners",
    "traffic",
    "transport",
    "webrtc",
    "configure",
    "use_configuration",
    "select_api_v0",
    "select_api_v1",
    "use_api_v0",
    "use_api_v1",
    "select_model",
    "use_model",
    "forget_model",
    "require_changeable",
    "with_options",
    "close",  # its twin is `aclose`, as everywhere in Python
    "aclose",
}
"""Public names that wait for nobody, and so have no twin."""


def public_names() -> set[str]:
    return {name for name in dir(InferenceHTTPClient) if not name.startswith("_")}


CALLS = sorted(name for name in public_names() - SETTINGS if not name.endswith("_async"))
