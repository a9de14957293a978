"""What goes wrong with a download, told with the URL of the picture, and never what is secret in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference_sdk.http import faults
from inference_sdk.http.errors import (
    HTTPClientError,
    HTTPServerConnectionError,
    HTTPServerTimeoutError,
    InvalidServerResponseError,
    InvalidURLImageInput,
)
from inference_sdk.http.utils.requests import shown_url

if TYPE_CHECKING:
    from inference_sdk.http.transport.limits import TimeLimits


def lost(failure: HTTPClientError, url: str, limits: TimeLimits) -> HTTPClientError:
    """The error of our connections, which speaks of a server and its `api_url`, as one of a picture."""
    shown = shown_url(url)
    told: HTTPClientError
    if isinstance(failure, TimeoutError) or limits.are_over:
        when = "in the time that it has" if limits.are_over else "in time"
        told = HTTPServerTimeoutError(f"{shown} did not answer {when}.")
    else:
        told = HTTPServerConnectionError(f"Could not download {shown}: {_reason(failure)}.")
    told.__cause__ = failure.__cause__
    return told


def _reason(failure: HTTPClientError) -> str:
    if failure.__cause__ is not None:
        return faults.reason_of(failure.__cause__)
    if isinstance(failure, InvalidServerResponseError):
        return "its host does not answer in HTTP"
    return str(failure).rstrip(".")


def too_large(url: str, limit: int) -> InvalidURLImageInput:
    return InvalidURLImageInput(
        f"{shown_url(url)} holds more than {limit >> 20} MiB, which no picture does."
    )


def too_many_redirects(url: str, limit: int) -> InvalidURLImageInput:
    return InvalidURLImageInput(f"{shown_url(url)} is redirected more than {limit} times.")
