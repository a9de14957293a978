"""What goes wrong on a connection, told by how far the request had come."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from inference_sdk.http import faults
from inference_sdk.http.errors import (
    HTTPClientError,
    HTTPConnectTimeoutError,
    HTTPServerConnectionError,
)
from inference_sdk.http.faults import reason_of
from inference_sdk.http.transport.answer_reading import NotHTTPError
from inference_sdk.http.transport.body_decoding import TooLargeError, UnreadableBodyError
from inference_sdk.http.utils.masked_copies import masked_alone

if TYPE_CHECKING:
    from inference_sdk.http.transport.limits import Limits, TimeLimits

_CUT_OFF = (ssl.SSLEOFError, ssl.SSLZeroReturnError)
"""Not about trust: the other side left."""


def in_exchange(error: Exception, url: str, limits: Limits, anything_came: bool) -> HTTPClientError:
    """A request that was sent, or partly sent, and has no complete answer."""
    reason = reason_of(error)
    if isinstance(error, NotHTTPError):
        return faults.not_http(url, reason)
    if isinstance(error, TooLargeError):
        return faults.too_large(url, limits.largest)
    if isinstance(error, UnreadableBodyError):
        return faults.unreadable_body(url, reason)
    if isinstance(error, TimeoutError):
        return in_time(url, limits.time)
    if isinstance(error, ssl.SSLError) and not isinstance(error, _CUT_OFF):
        # A server that refuses our certificate says so after the handshake.
        return _caused(faults.untrusted(url, reason), error)
    if not anything_came:
        return _caused(faults.disconnected(url), error)
    return _caused(faults.connection_lost(url, reason), error)


def in_connecting(
    error: Exception, url: str, proxy: str | None, limits: TimeLimits
) -> HTTPClientError:
    """No connection to the server, or none to the proxy before it."""
    if limits.are_over:
        return faults.out_of_time(url)
    reason = reason_of(error)
    kind: type[HTTPServerConnectionError] = HTTPServerConnectionError
    if isinstance(error, TimeoutError):
        kind = HTTPConnectTimeoutError
        reason = reason if error.errno else f"no connection within {limits.connect:g} s"
    if proxy is not None:
        return _caused(faults.behind_proxy(url, reason, proxy, kind), error)
    return _caused(faults.unreachable(url, reason, kind), error)


def in_handshake(error: Exception, url: str, limits: TimeLimits) -> HTTPClientError:
    """TLS: distrust, or a server that leaves or says nothing."""
    if limits.are_over:
        return faults.out_of_time(url)
    reason = reason_of(error)
    if isinstance(error, TimeoutError):
        reason = f"the TLS handshake was not over within {limits.connect:g} s"
        return _caused(faults.unreachable(url, reason, HTTPConnectTimeoutError), error)
    if isinstance(error, (ssl.SSLError, ssl.CertificateError, ValueError)) and not isinstance(
        error, _CUT_OFF
    ):
        return _caused(faults.untrusted(url, reason), error)
    return _caused(faults.unreachable(url, f"it left in the TLS handshake: {reason}"), error)


def in_time(url: str, limits: TimeLimits) -> HTTPClientError:
    """Silence, or the end of the whole call's time."""
    if limits.are_over:
        return faults.out_of_time(url)
    return faults.timed_out(url, limits.silence)


def _caused(failure: HTTPClientError, error: BaseException) -> HTTPClientError:
    failure.__cause__ = masked_alone(error)
    return failure
