"""Whose fault a failure is, and how it is told in one line that is the same in each run."""

from __future__ import annotations

import re
from typing import Any

from inference_sdk.http.errors import (
    HTTPCallErrorError,
    HTTPClientError,
    HTTPServerConnectionError,
)
from inference_sdk.http.operations.loading import describe

_REFUSALS = frozenset({401, 402, 403, 404, 429, 503})
"""Statuses that are about the server or the key, and would come for any picture."""

_TRIES = re.compile(r" \(\d+ tries in [\d.]+ s\)$")


def is_fault_of_server(error: Any) -> bool:
    """Whether another picture would fare no better."""
    if isinstance(error, HTTPCallErrorError):
        return error.status_code in _REFUSALS
    return isinstance(error, HTTPServerConnectionError)


def failure(error: Exception, reference: Any) -> dict[str, Any]:
    """What a record says of a failure: the reason, its class, and how often it was tried."""
    told: dict[str, Any] = {"error": reason_of(error, reference)}
    told["error_class"] = type(error).__name__
    if (tries := getattr(error, "tries", None)) is not None:
        told["tries"] = tries
    return told


def reason_of(error: Exception, reference: Any) -> str:
    """What an error says, without the place of its input and how long it took."""
    text = _TRIES.sub("", " ".join(str(error).split())) or type(error).__name__
    if isinstance(error, HTTPClientError) and error.input_index is not None:
        text = text.replace(f"inputs[{error.input_index}] ({describe(reference)}): ", "", 1)
    return text
