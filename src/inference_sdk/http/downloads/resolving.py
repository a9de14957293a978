"""Names looked up and judged, for programs that make the connection themselves."""

from __future__ import annotations

import socket

from inference_sdk.http.downloads.policy import AddressRules
from inference_sdk.http.errors import (
    HTTPClientError,
    HTTPServerConnectionError,
    InvalidURLImageInput,
)


def resolve_and_validate_ips(host: str, port: int, allow_non_global_addresses: bool) -> list[str]:
    """Addresses of a host, in the order in which to try them.

    Raises:
        URLAddressNotAllowedError: one of them is refused. One is enough: a name that leads both
            outside and inside is not to be trusted.
        HTTPServerConnectionError: the name does not resolve.
        InvalidURLImageInput: the name cannot be one.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise unresolved(host, error) from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    AddressRules.of(allow_non_global_addresses).judge(host, addresses)
    return addresses


def unresolved(host: str, error: Exception) -> HTTPClientError:
    """The error for a name that leads nowhere."""
    if isinstance(error, UnicodeError):
        return InvalidURLImageInput(f"{host!r} is no valid host name.")
    return HTTPServerConnectionError(f"The host {host!r} cannot be resolved: {error}")
