"""Pictures (and clips) by URL, under the documented names: what they do stands in `downloads`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from inference_sdk.http.downloads.addresses import address_is_global
from inference_sdk.http.downloads.fetching import (
    fetch_url_bytes,
    fetch_url_bytes_async,
    fetch_url_to_file,
)
from inference_sdk.http.downloads.policy import validate_url_destination
from inference_sdk.http.downloads.resolving import resolve_and_validate_ips
from inference_sdk.http.utils.requests import shown_url

if TYPE_CHECKING:
    from inference_sdk.http.downloads.aiohttp_resolver import ValidatingResolver
    from inference_sdk.http.downloads.requests_adapter import SSRFProtectedHTTPAdapter

__all__ = [
    "SSRFProtectedHTTPAdapter",
    "ValidatingResolver",
    "address_is_global",
    "fetch_url_bytes",
    "fetch_url_bytes_async",
    "fetch_url_to_file",
    "resolve_and_validate_ips",
    "shown_url",
    "validate_url_destination",
]


def __getattr__(name: str) -> Any:
    # For programs that use these libraries themselves: nobody else needs them imported.
    if name == "SSRFProtectedHTTPAdapter":
        from inference_sdk.http.downloads.requests_adapter import SSRFProtectedHTTPAdapter

        return SSRFProtectedHTTPAdapter
    if name == "ValidatingResolver":
        from inference_sdk.http.downloads.aiohttp_resolver import ValidatingResolver

        return ValidatingResolver
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
