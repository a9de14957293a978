"""Errors of the HTTP libraries, told as the package's own: what happened, with whom, what to do.

The libraries' texts quote whole URLs, keys included, so they are not repeated: what is kept as
`__cause__` is the system's error at the root ("Connection refused"), masked in case it quotes what
the server sent. Imports the libraries only once an error of theirs is there to be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from inference_sdk.http.errors import (
    HTTPClientError,
    HTTPConnectTimeoutError,
    HTTPServerConnectionError,
    HTTPServerDisconnectedError,
    HTTPServerTimeoutError,
    InvalidParameterError,
    InvalidServerResponseError,
)
from inference_sdk.http.utils.masked_copies import masked_alone
from inference_sdk.http.utils.requests import shown_url
from inference_sdk.utils.masking import mask
from inference_sdk.utils.shortening import shortened

_ROOT_MODULES = frozenset({"builtins", "socket", "ssl", "http.client", "_ssl"})
"""Where errors come from that describe a connection and quote no URL."""


# By name, so that neither library is imported to read an error of the other. `translate` looks
# in its own order: aiohttp's ConnectionTimeoutError is a TimeoutError too, its certificate errors
# connect, and requests' RemoteDisconnected is a bad status line.
_ADDRESS = frozenset(
    {
        "requests.exceptions.InvalidURL",
        "requests.exceptions.MissingSchema",
        "requests.exceptions.InvalidSchema",
        "aiohttp.client_exceptions.InvalidURL",
        "aiohttp.client_exceptions.NonHttpUrlClientError",
    }
)
_PROXY = frozenset(
    {
        "requests.exceptions.ProxyError",
        "aiohttp.client_exceptions.ClientProxyConnectionError",
        "aiohttp.client_exceptions.ClientHttpProxyError",
    }
)
_TLS = frozenset(
    {
        "requests.exceptions.SSLError",
        "aiohttp.client_exceptions.ClientSSLError",
        "ssl.SSLError",  # a server that refuses our certificate says so after the handshake
    }
)
_TLS_CUT_OFF = frozenset({"ssl.SSLEOFError", "ssl.SSLZeroReturnError"})
_CONNECTING_TOO_LONG = frozenset(
    {
        "requests.exceptions.ConnectTimeout",
        "urllib3.exceptions.ConnectTimeoutError",
        "aiohttp.client_exceptions.ConnectionTimeoutError",
    }
)
_CONNECTING = frozenset(
    {
        "urllib3.exceptions.NewConnectionError",
        "aiohttp.client_exceptions.ClientConnectorError",
    }
)
_SILENCE = frozenset(
    {
        "requests.exceptions.ReadTimeout",
        "urllib3.exceptions.ReadTimeoutError",
        "aiohttp.client_exceptions.ServerTimeoutError",
        "asyncio.exceptions.TimeoutError",
        "builtins.TimeoutError",
    }
)
_BODY = frozenset(
    {
        "requests.exceptions.ChunkedEncodingError",
        "aiohttp.client_exceptions.ClientPayloadError",
    }
)
_PACKED_WRONGLY = frozenset(
    {
        "requests.exceptions.ContentDecodingError",
        "urllib3.exceptions.DecodeError",
        "aiohttp.http_exceptions.ContentEncodingError",
    }
)
_DISCONNECTED = frozenset(
    {
        "http.client.RemoteDisconnected",
        "aiohttp.client_exceptions.ServerDisconnectedError",
        "aiohttp.client_exceptions.ClientOSError",
        "builtins.ConnectionError",
    }
)
_REDIRECTS = frozenset(
    {"requests.exceptions.TooManyRedirects", "aiohttp.client_exceptions.TooManyRedirects"}
)
_NOT_HTTP = frozenset(
    {"http.client.HTTPException", "aiohttp.client_exceptions.ClientResponseError"}
)


_LONGEST_REASON = 200


def host_of(url: str) -> str:
    """Scheme, host and port of a URL: enough to say whom, and never a key."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{place}" if parts.scheme else place or url.partition("?")[0]


def timed_out(url: str, seconds: float | None) -> HTTPServerTimeoutError:
    limit = "in time" if seconds is None else f"within {seconds:g} s"
    return HTTPServerTimeoutError(
        f"{host_of(url)} did not answer {limit}. If the model needs longer, raise read_timeout in "
        "InferenceConfiguration, or call with_options(timeout=…)."
    )


def unreachable(
    url: str, reason: object, kind: type[HTTPServerConnectionError] = HTTPServerConnectionError
) -> HTTPServerConnectionError:
    failure = kind(
        f"Could not connect to {host_of(url)}: {reason}. Is the server running, and is api_url "
        "its address?"
    )
    failure.may_have_arrived = False
    return failure


def connection_lost(url: str, reason: object) -> HTTPServerConnectionError:
    return HTTPServerConnectionError(
        f"The connection to {host_of(url)} was lost before the answer was complete: {reason}."
    )


def disconnected(url: str) -> HTTPServerDisconnectedError:
    return HTTPServerDisconnectedError(f"{host_of(url)} closed the connection without an answer.")


def untrusted(url: str, reason: object) -> HTTPClientError:
    return HTTPClientError(
        f"No secure connection to {host_of(url)}: {reason}. Name the CA bundle to trust in "
        "InferenceConfiguration(verify='/path/ca.pem') or in REQUESTS_CA_BUNDLE, and your own "
        "certificate, if the server asks for one, in client_certificate."
    )


def behind_proxy(
    url: str,
    reason: object,
    proxy: str | None = None,
    kind: type[HTTPServerConnectionError] = HTTPServerConnectionError,
) -> HTTPServerConnectionError:
    named = f" The proxy is {host_of(proxy)}." if proxy else ""
    failure = kind(
        f"The proxy does not connect to {host_of(url)}: {reason}. Check HTTP_PROXY, HTTPS_PROXY "
        f"and NO_PROXY, or InferenceConfiguration(proxy=…).{named}"
    )
    failure.may_have_arrived = False
    return failure


def out_of_time(url: str) -> HTTPServerTimeoutError:
    return HTTPServerTimeoutError(
        f"{host_of(url)} did not answer in the time that the call has: total_timeout of "
        "InferenceConfiguration or with_options; look-ups have two minutes at most."
    )


def too_large(url: str, limit: int | None) -> InvalidServerResponseError:
    size = "it may" if limit is None else f"{limit:,} bytes"
    return InvalidServerResponseError(
        f"The answer of {host_of(url)} is larger than {size}, unpacked. If that is right, raise "
        "max_response_size in InferenceConfiguration."
    )


def unreadable_body(url: str, reason: object) -> InvalidServerResponseError:
    return InvalidServerResponseError(
        f"The answer of {host_of(url)} cannot be unpacked: {reason}. If a proxy or gateway stands "
        "before the server, let it pass answers on as they are."
    )


def not_http(url: str, reason: object) -> InvalidServerResponseError:
    return InvalidServerResponseError(
        f"{host_of(url)} does not answer in HTTP: {reason}. Is api_url the address of an inference "
        "server?"
    )


def unreadable_redirect(url: str) -> InvalidServerResponseError:
    return InvalidServerResponseError(f"{host_of(url)} redirects to something that is no address.")


def redirects_without_end(url: str) -> InvalidServerResponseError:
    return InvalidServerResponseError(
        f"{host_of(url)} redirects again and again. Is api_url the address of an inference server?"
    )


def invalid_address(url: str) -> InvalidParameterError:
    return InvalidParameterError(
        f"{shown_url(url)!r} is no http(s) address. Check the api_url of the client."
    )


def moved(url: str, target: str) -> HTTPClientError:
    return HTTPClientError(
        f"{shown_url(url)} moved to {shown_url(target)}, and following would drop the request's "
        "body. Make the new address the api_url."
    )


def elsewhere(url: str, target: str) -> HTTPClientError:
    return HTTPClientError(
        f"{host_of(url)} redirects to {host_of(target)}. That is not followed, since the request "
        "carries your key and images. If you trust that host, make it the api_url."
    )


def reason_of(error: BaseException) -> str:
    """What an error says, as part of a sentence; it may quote what the server sent."""
    text = str(error) or type(error).__name__
    return shortened(mask(text).rstrip("."), _LONGEST_REASON)


def root_of(error: BaseException) -> BaseException | None:
    """The system's error at the bottom of a library's, None where there is none."""
    return next((e for e in _chain(error) if type(e).__module__ in _ROOT_MODULES), None)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and those it wraps: causes, `reason`s, and errors among its arguments."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        current = waiting.pop(0)
        if isinstance(current, BaseException) and id(current) not in seen:
            seen.add(id(current))
            yield current
            waiting += [current.__cause__, current.__context__, getattr(current, "reason", None)]
            waiting += current.args


def translate(error: Exception, url: str, read_timeout: float | None = None) -> HTTPClientError:
    """What an error of `requests`, aiohttp or the system means for the caller."""
    chain = list(_chain(error))
    kinds = {f"{kind.__module__}.{kind.__name__}" for e in chain for kind in type(e).__mro__}
    root = root_of(error)
    reason = type(error).__name__ if root is None else reason_of(root)
    meanings: list[tuple[frozenset[str], Callable[[], HTTPClientError]]] = [
        (_ADDRESS, lambda: invalid_address(url)),
        (_PROXY, lambda: behind_proxy(url, reason)),
        (frozenset() if kinds & _TLS_CUT_OFF else _TLS, lambda: untrusted(url, reason)),
        # First: to urllib3, a refused connection is one that took too long.
        (_CONNECTING, lambda: unreachable(url, reason)),
        (_CONNECTING_TOO_LONG, lambda: unreachable(url, reason, HTTPConnectTimeoutError)),
        (_SILENCE, lambda: timed_out(url, read_timeout)),
        (_PACKED_WRONGLY, lambda: unreadable_body(url, reason)),
        (_BODY, lambda: connection_lost(url, reason)),
        (_DISCONNECTED, lambda: disconnected(url)),
        (_REDIRECTS, lambda: redirects_without_end(url)),
        (_NOT_HTTP, lambda: not_http(url, reason)),
    ]
    means = (failure for signs, failure in meanings if kinds & signs)
    failure = next(means, lambda: unreachable(url, reason))()
    failure.__cause__ = masked_alone(root or error)
    return failure
