"""Requests that webhook sinks send: under the policy for URLs, within a limit of time.

Apart from the block, so that it knows nothing of the network.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MAX_TIMEOUT = 60.0
"""Seconds that a request may take."""


def send_webhook(method: str, url: str, timeout: float, **parts: Any) -> None:
    """Send one request; its answer's body is of no interest.

    Args:
        method: of HTTP.
        url: judged by the policy for URLs, with the addresses that it leads to; redirects are not
            followed.
        timeout: seconds for connecting, and for each wait after that.
        parts: of `requests.request`: params, headers, json, data, files.

    Raises:
        ValueError: the URL is refused, or the request failed; the message is for the caller.
    """
    import requests

    from inference_sdk.http.downloads.policy import AddressRules, validate_url_destination
    from inference_sdk.http.downloads.requests_adapter import SSRFProtectedHTTPAdapter
    from inference_sdk.http.errors import HTTPClientError

    allowed = AddressRules.current().allow_non_global
    try:
        target = validate_url_destination(url)
        with requests.Session() as session:
            for scheme in ("http://", "https://"):
                adapter = SSRFProtectedHTTPAdapter(allow_non_global_addresses=allowed)
                session.mount(scheme, adapter)
            answer = session.request(
                method,
                target,
                timeout=min(timeout, MAX_TIMEOUT),
                allow_redirects=False,
                stream=True,
                **parts,
            )
            answer.close()
    except HTTPClientError as error:
        raise ValueError(str(error).replace("The URL of an image", "The URL")) from error
    except requests.RequestException as error:
        # What libraries say may hold the whole URL, and keys in it.
        raise ValueError(f"The request failed: {type(error).__name__}.") from None
    if answer.status_code >= 400:
        raise ValueError(f"The server answered with status {answer.status_code}.")


def as_texts(values: Mapping[str, Any]) -> dict[str, str]:
    """Headers: values as texts."""
    return {name: str(value) for name, value in values.items()}
