"""Pictures (and clips) by URL: which URLs may be fetched, and fetching them, sync and async.

A URL may come from someone the program does not trust, and leads wherever its name, its
redirects and the DNS say. So the policy is applied twice: to the text of every URL on the way
(`validate_url_destination`), and to the addresses its host resolves to, in the very look-up that
the connection is made from (`SSRFProtectedHTTPAdapter`, `ValidatingResolver`): a name that
changes its address between check and use gains nothing.

Where the environment sets a proxy for a URL, the proxy resolves the name: then names, and
addresses written into the URL, are judged here, and the rest is the proxy's to judge.

The settings are read once, at import; by default everything is allowed that worked without them.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import socket
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast
from urllib.parse import SplitResult, urljoin, urlsplit

import aiohttp
import requests
import urllib3
from aiohttp.abc import AbstractResolver
from requests.adapters import HTTPAdapter
from requests.models import PreparedRequest
from requests.utils import select_proxy

from inference_sdk.http import faults
from inference_sdk.http.entities import InferenceConfiguration
from inference_sdk.http.errors import (
    HTTPClientError,
    HTTPServerConnectionError,
    HTTPServerTimeoutError,
    InvalidURLImageInput,
    URLAddressNotAllowedError,
    call_error,
)
from inference_sdk.http.transport.connection_settings import ConnectionSettings
from inference_sdk.http.utils.ip_addresses import address_is_global as address_is_global
from inference_sdk.http.utils.ip_addresses import meant_address, written_address
from inference_sdk.http.utils.masked_copies import masked_alone
from inference_sdk.http.utils.requests import shown_url as shown_url
from inference_sdk.utils.environment import comma_separated, flag

if TYPE_CHECKING:
    import ssl

    from aiohttp.abc import ResolveResult
    from urllib3 import HTTPConnectionPool

T = TypeVar("T")

ALLOW_URL_INPUT = flag("ALLOW_URL_INPUT", True)
ALLOW_NON_HTTPS_URL_INPUT = flag("ALLOW_NON_HTTPS_URL_INPUT", True)
ALLOW_URL_INPUT_WITHOUT_FQDN = flag("ALLOW_URL_INPUT_WITHOUT_FQDN", True)
"""Whether a host may be a bare name (`localhost`) or an address, rather than `name.domain`."""

WHITELISTED_DESTINATIONS_FOR_URL_INPUT = comma_separated("WHITELISTED_DESTINATIONS_FOR_URL_INPUT")
"""When not empty, the only hosts allowed: `host`, `host:port`, `*.domain`, or an address."""

BLACKLISTED_DESTINATIONS_FOR_URL_INPUT = comma_separated("BLACKLISTED_DESTINATIONS_FOR_URL_INPUT")
"""Hosts that are refused, written the same way; an address also where a name leads to it."""

VALIDATE_IMAGE_URL_REDIRECTS = flag("VALIDATE_IMAGE_URL_REDIRECTS", True)
"""Whether a redirect's target must satisfy the policy too. Its addresses must in any case."""

MAX_IMAGE_URL_REDIRECTS = int(os.environ.get("MAX_IMAGE_URL_REDIRECTS", "30"))
ALLOW_URL_TO_NON_GLOBAL_ADDRESSES = flag("ALLOW_URL_TO_NON_GLOBAL_ADDRESSES", True)
"""Whether loopback, private and link-local addresses may be connected to."""

CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 120.0
"""Seconds without a byte."""

_REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})
_DEFAULT_PORTS = {"http": 80, "https": 443}
LARGEST_DOWNLOAD_BYTES = 2**28
"""Of a picture by URL, unpacked; it is kept in memory."""

_CHUNK_SIZE = 64 * 1024

# Of connections only: a disk that is full or a CA bundle that is not there stays an OSError.
_SYNC_NETWORK_ERRORS = (requests.RequestException, urllib3.exceptions.HTTPError)
_ASYNC_NETWORK_ERRORS = (aiohttp.ClientError, asyncio.TimeoutError, ConnectionError)


# -- names and addresses -----------------------------------------------------------------------


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
        raise _unresolved(host, error) from error
    return _judged(host, (str(entry[4][0]) for entry in found), allow_non_global_addresses)


def _unresolved(host: str, error: Exception) -> HTTPClientError:
    if isinstance(error, UnicodeError):
        return InvalidURLImageInput(f"{host!r} is no valid host name.")
    return HTTPServerConnectionError(f"The host {host!r} cannot be resolved: {error}")


def _judged(host: str, addresses: Iterable[str], allow_non_global_addresses: bool) -> list[str]:
    distinct = list(dict.fromkeys(addresses))
    for address in distinct:
        _judge_address(host, address, allow_non_global_addresses)
    return distinct


def _judge_address(host: str, address: str, allow_non_global_addresses: bool) -> None:
    if not (allow_non_global_addresses or address_is_global(address)):
        raise URLAddressNotAllowedError(
            f"The host {host!r} leads to {address}, which is not an address of the public "
            "internet. Set ALLOW_URL_TO_NON_GLOBAL_ADDRESSES=true to allow it."
        )
    if meant_address(address) in map(meant_address, BLACKLISTED_DESTINATIONS_FOR_URL_INPUT):
        raise URLAddressNotAllowedError(f"The host {host!r} leads to {address}, which is blocked.")


# -- the text of URLs --------------------------------------------------------------------------


def validate_url_destination(value: str) -> str:
    """Judge a URL by the policy; names are not resolved yet.

    Returns:
        The URL in the form in which it is requested: host in ASCII, addresses in dotted form.

    Raises:
        InvalidURLImageInput: the URL is malformed, or the policy refuses it.
        URLAddressNotAllowedError: its host is written as an address that is refused.
    """
    if not ALLOW_URL_INPUT:
        raise InvalidURLImageInput("Images by URL are switched off (ALLOW_URL_INPUT=false).")
    destination = _Destination.parse(value)
    destination.check_policy()
    return destination.url


class _Destination(NamedTuple):
    """A URL that is well-formed, and what the policy looks at."""

    url: str
    scheme: str
    host: str
    port: int

    @classmethod
    def parse(cls, value: str) -> _Destination:
        parts = _parse(value)
        host = (parts.hostname or "").rstrip(".")
        address = written_address(host)
        if address is not None:
            _judge_address(host, str(address), ALLOW_URL_TO_NON_GLOBAL_ADDRESSES)
            parts = _with_host(parts, str(address))
            host = str(address)
        port = parts.port or _DEFAULT_PORTS[parts.scheme]
        return cls(parts.geturl(), parts.scheme, host, port)

    def check_policy(self) -> None:
        if self.scheme != "https" and not ALLOW_NON_HTTPS_URL_INPUT:
            raise InvalidURLImageInput(
                f"{shown_url(self.url)} is not https (ALLOW_NON_HTTPS_URL_INPUT=false)."
            )
        is_named = "." in self.host and written_address(self.host) is None
        if not (is_named or ALLOW_URL_INPUT_WITHOUT_FQDN):
            raise InvalidURLImageInput(
                f"The host of {shown_url(self.url)} is no fully qualified domain name "
                "(ALLOW_URL_INPUT_WITHOUT_FQDN=false)."
            )
        allowed = WHITELISTED_DESTINATIONS_FOR_URL_INPUT
        if (allowed and not self.is_among(allowed)) or self.is_among(
            BLACKLISTED_DESTINATIONS_FOR_URL_INPUT
        ):
            raise InvalidURLImageInput(
                f"{shown_url(self.url)} is not among the destinations that are allowed "
                "(WHITELISTED_ and BLACKLISTED_DESTINATIONS_FOR_URL_INPUT)."
            )

    def is_among(self, destinations: Iterable[str]) -> bool:
        return any(self._matches(entry.lower()) for entry in destinations)

    def _matches(self, entry: str) -> bool:
        if entry.startswith("*."):
            return self.host.endswith(entry[1:])
        # An address may be written in several ways, a name only in one.
        address = meant_address(entry.strip("[]"))
        own = (self.host, f"{self.host}:{self.port}", f"[{self.host}]:{self.port}")
        return entry in own or (address is not None and address == meant_address(self.host))


def _parse(value: str) -> SplitResult:
    """Split a URL as `requests` reads it: what is judged here is what is connected to.

    Raises:
        InvalidURLImageInput: it is malformed, not http(s), or other parsers might see another
            host in it.
    """
    request = PreparedRequest()
    try:
        authority = urlsplit(value).netloc
        request.prepare_url(value, None)
        parts = urlsplit(request.url or "")
        valid = parts.scheme in _DEFAULT_PORTS and parts.hostname and parts.port != 0
    except (requests.RequestException, ValueError):
        valid = False
    if not valid:
        raise InvalidURLImageInput("The URL of an image is malformed, or is not http(s).")
    host = authority.rpartition("@")[2]
    if "\\" in authority or any(character in host for character in "% \t\r\n"):
        raise InvalidURLImageInput(f"The URL of an image names a host that cannot be: {host!r}.")
    return parts


def _with_host(parts: SplitResult, address: str) -> SplitResult:
    userinfo, at, _ = parts.netloc.rpartition("@")
    port = f":{parts.port}" if parts.port else ""
    bracketed = f"[{address}]" if ":" in address else address
    return parts._replace(netloc=f"{userinfo}{at}{bracketed}{port}")


# -- the way: redirects, proxies, errors (pure) ------------------------------------------------


def _next_hop(url: str, status: int, location: str | None, followed: int) -> str | None:
    """Where an answer redirects to, judged; None when it is the answer itself.

    Args:
        followed: redirects on the way so far.

    Raises:
        InvalidURLImageInput: too many redirects, or to a URL that is refused.
        URLAddressNotAllowedError: see `validate_url_destination`.
        HTTPCallErrorError: the answer is an error.
    """
    if status >= 400:
        raise call_error(f"Could not download {shown_url(url)}: status {status}.", status, None)
    if status not in _REDIRECT_STATUSES or not location:
        return None
    if followed >= MAX_IMAGE_URL_REDIRECTS:
        raise InvalidURLImageInput(
            f"{shown_url(url)} is redirected more than {MAX_IMAGE_URL_REDIRECTS} times."
        )
    target = urljoin(url, location)
    if VALIDATE_IMAGE_URL_REDIRECTS:
        return validate_url_destination(target)
    return _Destination.parse(target).url


def _settings(url: str) -> ConnectionSettings:
    """Proxy and certificates that the environment sets for a URL."""
    return ConnectionSettings.of(url, InferenceConfiguration())


@functools.lru_cache(maxsize=4)
def _tls_context(verify: bool | str) -> ssl.SSLContext:
    """Kept: reading the authorities takes longer than many a download."""
    return ConnectionSettings(None, verify, None).for_aiohttp(tls=True)["ssl"]


def _time_limits(request_timeout: float | None) -> tuple[float, float]:
    """Seconds to connect, and seconds of silence."""
    limit = READ_TIMEOUT if request_timeout is None else request_timeout
    return min(CONNECT_TIMEOUT, limit), limit


def _failure(error: Exception, url: str) -> HTTPClientError:
    """The package's error for a library's.

    Raise it where the other is no longer being handled: the texts of libraries show whole URLs,
    and those of presigned URLs are secrets. What is kept as cause quotes none.
    """
    root = faults.root_of(error)
    reason = str(root or "") or type(root or error).__name__
    failure: HTTPClientError
    if _is_time_out(error):
        failure = HTTPServerTimeoutError(f"{shown_url(url)} did not answer in time.")
    else:
        failure = HTTPServerConnectionError(f"Could not download {shown_url(url)}: {reason}.")
    failure.__cause__ = root and masked_alone(root)
    return failure


def _is_time_out(error: Exception) -> bool:
    # Silence in mid-body is a ConnectionError to requests, with urllib3's error inside.
    inner = error.args[0] if error.args else None
    return isinstance(error, (requests.Timeout, asyncio.TimeoutError, TimeoutError)) or isinstance(
        inner, urllib3.exceptions.ReadTimeoutError
    )


# -- sync --------------------------------------------------------------------------------------


class SSRFProtectedHTTPAdapter(HTTPAdapter):
    """Connects to the addresses that it has judged, and to no others.

    TLS (SNI, certificate) and the `Host` header go by the name. Addresses are tried in turn.
    Without direct connections, behind a proxy, only addresses written into the URL are judged.
    """

    __attrs__: list[str] = [*HTTPAdapter.__attrs__, "_allow_non_global_addresses"]  # noqa: RUF012 - what requests pickles

    def __init__(self, *, allow_non_global_addresses: bool, **kwargs: Any) -> None:
        self._allow_non_global_addresses = allow_non_global_addresses
        super().__init__(**kwargs)

    def send(self, request: PreparedRequest, **kwargs: Any) -> requests.Response:  # type: ignore[override]  # as in the contract
        """Send a request to one of its host's addresses.

        Raises:
            URLAddressNotAllowedError: see `resolve_and_validate_ips`.
        """
        if select_proxy(request.url or "", kwargs.get("proxies")):
            self._judge_written_address(request)
            return super().send(request, **kwargs)
        *others, last = self._addresses(request)
        for address in others:
            response = self._send_if_reachable(address, request, **kwargs)
            if response is not None:
                return response
        return self._send_to(last, request, **kwargs)

    def get_connection_with_tls_context(  # type: ignore[override]  # as in the contract
        self,
        request: PreparedRequest,
        verify: bool | str,
        proxies: Mapping[str, str] | None = None,
        cert: str | tuple[str, str] | None = None,
    ) -> HTTPConnectionPool:
        """The pool of connections to the judged address (the first, when there are several)."""
        if select_proxy(request.url or "", dict(proxies or {})):
            self._judge_written_address(request)
            pool = super().get_connection_with_tls_context(
                request, verify, dict(proxies or {}), cert
            )
            return cast("HTTPConnectionPool", pool)
        if isinstance(request, _PinnedRequest):
            address = request.address
        else:
            address = self._addresses(request)[0]
        host, pool_options = self.build_connection_pool_key_attributes(request, verify, cert)
        options: dict[str, Any] = {**pool_options}
        if host["scheme"] == "https" and host["host"] != address:
            options["server_hostname"] = host["host"]
        return self.poolmanager.connection_from_host(
            host=address, port=host["port"], scheme=host["scheme"], pool_kwargs=options
        )

    def get_connection(
        self, url: str | bytes, proxies: Mapping[str, str] | None = None
    ) -> HTTPConnectionPool:
        """As `get_connection_with_tls_context`; older versions of requests call this one."""
        request = requests.Request("GET", url).prepare()
        return self.get_connection_with_tls_context(request, verify=True, proxies=proxies)

    def _send_to(self, address: str, request: PreparedRequest, **kwargs: Any) -> requests.Response:
        response = super().send(_PinnedRequest(request, address), **kwargs)
        response.request = request
        return response

    def _send_if_reachable(
        self, address: str, request: PreparedRequest, **kwargs: Any
    ) -> requests.Response | None:
        try:
            return self._send_to(address, request, **kwargs)
        except requests.ConnectionError as error:
            if _never_connected(error):
                return None
            raise

    def _addresses(self, request: PreparedRequest) -> list[str]:
        parts = urlsplit(request.url or "")
        port = parts.port or _DEFAULT_PORTS[parts.scheme]
        return resolve_and_validate_ips(
            parts.hostname or "", port, self._allow_non_global_addresses
        )

    def _judge_written_address(self, request: PreparedRequest) -> None:
        host = urlsplit(request.url or "").hostname or ""
        address = written_address(host)
        if address is not None:
            _judge_address(host, str(address), self._allow_non_global_addresses)


class _PinnedRequest(PreparedRequest):
    """A request, and the address it has to go to."""

    def __init__(self, request: PreparedRequest, address: str) -> None:
        super().__init__()
        self.__dict__.update(request.copy().__dict__)
        self.address = address
        # The connection knows only the address; left alone, it would name that as the host.
        self.headers.setdefault("Host", _host_header(request.url or ""))


def _host_header(url: str) -> str:
    parts = urlsplit(url)
    host_and_port = parts.netloc.rpartition("@")[2]
    return host_and_port.removesuffix(f":{_DEFAULT_PORTS[parts.scheme]}")


def _never_connected(error: requests.ConnectionError) -> bool:
    """Whether nothing has been sent, so that another address may be tried."""
    inner = error.args[0] if error.args else None
    reason = getattr(inner, "reason", None)
    return isinstance(error, requests.ConnectTimeout) or isinstance(
        reason, urllib3.exceptions.NewConnectionError
    )


def fetch_url_bytes(url: str, request_timeout: float | None = None) -> bytes:
    """Download what a URL leads to.

    Args:
        url: http(s) URL.
        request_timeout: seconds of silence that end the download; 120 by default. Connecting
            may take 10 s, or this where it is less.

    Raises:
        InvalidURLImageInput: the policy refuses the URL, or one it is redirected to.
        URLAddressNotAllowedError: a host on the way leads to an address that is refused.
        HTTPServerTimeoutError: no answer in time.
        HTTPServerConnectionError: no connection, or it was lost.
        HTTPCallErrorError: the status is 400 or more.
    """
    return _fetch(url, request_timeout, _take_body)


def _take_body(response: requests.Response) -> bytes:
    body = _Body(response.url)
    for chunk in response.iter_content(_CHUNK_SIZE):
        body.add(chunk)
    return body.content()


class _Body:
    """What was read of a download: unpacked, a small one may have no end."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._parts: list[bytes] = []
        self._size = 0

    def add(self, part: bytes) -> None:
        """Raises:
        InvalidURLImageInput: it is larger than any picture.
        """
        self._parts.append(part)
        self._size += len(part)
        if self._size > LARGEST_DOWNLOAD_BYTES:
            raise InvalidURLImageInput(
                f"{shown_url(self._url)} holds more than {LARGEST_DOWNLOAD_BYTES >> 20} MiB, which "
                "no picture does."
            )

    def content(self) -> bytes:
        return b"".join(self._parts)


def fetch_url_to_file(
    url: str, destination_path: str, request_timeout: float | None = None
) -> None:
    """Download what a URL leads to into a file, which is there whole or not at all.

    Raises:
        OSError: the file cannot be written.
        HTTPClientError: see `fetch_url_bytes`.
    """
    # Beside the destination: a rename is atomic only within one file system.
    partial_path = f"{destination_path}.{uuid.uuid4().hex}.part"
    try:
        with open(partial_path, "xb") as file:
            _fetch(url, request_timeout, functools.partial(_copy_body, file=file))
        os.replace(partial_path, destination_path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(partial_path)
        raise


def _copy_body(response: requests.Response, file: Any) -> None:
    for chunk in response.iter_content(_CHUNK_SIZE):
        file.write(chunk)


def _fetch(url: str, request_timeout: float | None, take: Callable[[requests.Response], T]) -> T:
    try:
        return _follow(url, _time_limits(request_timeout), take)
    except _SYNC_NETWORK_ERRORS as error:
        failure = _failure(error, url)
    raise failure


class _Session(requests.Session):
    """Leaves redirects to the caller; requests would prepare them even where it does not follow."""

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002 - none has one
        return None


def _follow(url: str, limits: tuple[float, float], take: Callable[[requests.Response], T]) -> T:
    current = validate_url_destination(url)
    followed = 0
    with _Session() as session:
        # The environment is read by `_settings`, for each host on the way, as for async calls.
        session.trust_env = False
        adapter = SSRFProtectedHTTPAdapter(
            allow_non_global_addresses=ALLOW_URL_TO_NON_GLOBAL_ADDRESSES
        )
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        while True:
            with session.get(
                current,
                stream=True,
                allow_redirects=False,
                timeout=limits,
                **_settings(current).for_requests(),
            ) as response:
                location = _as_utf8(response.headers.get("Location"))
                target = _next_hop(current, response.status_code, location, followed)
                if target is None:
                    return take(response)
            current = target
            followed += 1


def _as_utf8(header: str | None) -> str | None:
    """A header that requests read as Latin-1, read as servers (and aiohttp) mean it."""
    try:
        return header and header.encode("latin-1").decode()
    except UnicodeError:
        return header


# -- async -------------------------------------------------------------------------------------


class ValidatingResolver(AbstractResolver):
    """Resolves names for aiohttp to addresses that are judged; it connects to no others."""

    def __init__(self, allow_non_global_addresses: bool) -> None:
        self._allow_non_global_addresses = allow_non_global_addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Addresses of a host, in the order in which to try them.

        Raises:
            URLAddressNotAllowedError, InvalidURLImageInput: see `resolve_and_validate_ips`.
            OSError: the name does not resolve.
        """
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family)
        except UnicodeError as error:
            raise _unresolved(host, error) from error
        families = {str(entry[4][0]): entry[0] for entry in found}
        return [
            {
                "hostname": host,
                "host": address,
                "port": port,
                "family": families[address],
                "proto": 0,
                "flags": socket.AI_NUMERICHOST,
            }
            for address in _judged(host, families, self._allow_non_global_addresses)
        ]

    async def close(self) -> None:
        """Nothing is held."""


async def fetch_url_bytes_async(url: str, request_timeout: float | None = None) -> bytes:
    """The twin of `fetch_url_bytes`."""
    try:
        return await _follow_async(url, _time_limits(request_timeout))
    except _ASYNC_NETWORK_ERRORS as error:
        failure = _failure(error, url)
    raise failure


async def _follow_async(url: str, limits: tuple[float, float]) -> bytes:
    current = validate_url_destination(url)
    followed = 0
    cookies = aiohttp.CookieJar()
    timeout = aiohttp.ClientTimeout(total=None, connect=limits[0], sock_read=limits[1])
    while True:
        settings = _settings(current)
        async with (
            aiohttp.ClientSession(
                connector=_connector(proxied=settings.proxy is not None),
                cookie_jar=cookies,
                timeout=timeout,
            ) as session,
            session.get(
                current,
                allow_redirects=False,
                proxy=settings.proxy,
                ssl=_tls_context(settings.verify) if current.startswith("https:") else True,
            ) as response,
        ):
            location = response.headers.get("Location")
            target = _next_hop(current, response.status, location, followed)
            if target is None:
                body = _Body(current)
                async for chunk in response.content.iter_chunked(_CHUNK_SIZE):
                    body.add(chunk)
                return body.content()
        current = target
        followed += 1


def _connector(proxied: bool) -> aiohttp.TCPConnector:
    # The resolver is asked for the proxy's name too, which mostly is inside, and rightly so.
    resolver = None if proxied else ValidatingResolver(ALLOW_URL_TO_NON_GLOBAL_ADDRESSES)
    return aiohttp.TCPConnector(resolver=resolver)
