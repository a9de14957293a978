"""A request as the bytes that go over the wire: worked out once where it can be, never copied."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes, urlencode, urlsplit

from inference_sdk.http import faults
from inference_sdk.http.entities import RequestMethod
from inference_sdk.http.errors import InvalidParameterError
from inference_sdk.http.transport.json_body import encode_json
from inference_sdk.http.transport.query import query_values
from inference_sdk.http.utils.request_building import RequestData
from inference_sdk.version import __version__

JOINED_BYTES = 2**16
"""Bodies up to this are sent in one piece with their head; larger ones are not worth the copy."""

PART_BYTES = 2**21
"""A server must take a part of this size within `read_timeout`: under the default, 18 kB a second
are fast enough. A time-out on the whole would have to be long enough for the largest body on the
slowest link."""

_PORTS = {"http": 80, "https": 443}
_IN_PATH = "/%:@!$&'()*+,;=~"
_IN_QUERY = _IN_PATH + "?"

_STANDING = (
    f"User-Agent: inference-sdk/{__version__}\r\nAccept-Encoding: gzip, deflate\r\nAccept: */*\r\n"
)


class Address(NamedTuple):
    """The parts of a URL that a request needs."""

    scheme: str
    host: str
    port: int
    netloc: str
    """Host and port as the `Host` header shows them."""
    target: str
    user: str | None
    """User and password, percent-decoded and in base64."""

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.netloc}"


@dataclass(frozen=True)
class Outgoing:
    """One request, ready to be sent."""

    url: str = field(repr=False)
    address: Address = field(repr=False)
    method: str
    head: str = field(repr=False)
    """All that follows the request line."""
    body: bytes = field(repr=False)

    def parts(self, *, by_proxy: str | None = None) -> list[memoryview]:
        """What is to be sent, in pieces that are watched one by one.

        Args:
            by_proxy: for a proxy that is given the whole URL: the headers that are meant for it.
        """
        where = (
            self.address.target if by_proxy is None else self.address.origin + self.address.target
        )
        head = f"{self.method} {where} HTTP/1.1\r\n{by_proxy or ''}{self.head}".encode("latin-1")
        if len(self.body) <= JOINED_BYTES:
            return [memoryview(head + self.body)]
        body = memoryview(self.body)
        starts = range(0, len(body), PART_BYTES)
        return [memoryview(head), *(body[start : start + PART_BYTES] for start in starts)]


def outgoing(request: RequestData, method: RequestMethod) -> Outgoing:
    """A request as it is sent.

    Raises:
        InvalidParameterError: the payload is no JSON, a header or the address is malformed.
    """
    url, body = request.url, _body(request)
    if request.parameters:
        query = urlencode(query_values(request.parameters) or {}, doseq=True)
        url = f"{url}{'&' if '?' in url else '?'}{query}" if query else url
    address = address_of(url)
    headers = tuple((request.headers or {}).items())
    kind = request.payload is not None
    length = len(body) if body is not None else None
    return Outgoing(
        url, address, method.value.upper(), _head(address, headers, kind, length), body or b""
    )


def getting(url: str, address: Address) -> Outgoing:
    """A GET of an address whose parts are encoded already: they travel as they are."""
    return Outgoing(url, address, "GET", _head(address, (), is_json=False, length=None), b"")


def redirected(sent: Outgoing, url: str) -> Outgoing:
    """The same request to another address of the same server."""
    address = address_of(url)
    before, after = sent.address.netloc, address.netloc
    head = sent.head.replace(f"Host: {before}\r\n", f"Host: {after}\r\n", 1)
    return Outgoing(url, address, sent.method, head, sent.body)


def _body(request: RequestData) -> bytes | None:
    if request.payload is not None:
        return encode_json(request.payload)
    return request.data.encode() if isinstance(request.data, str) else request.data


def _head(
    address: Address, headers: tuple[tuple[str, str], ...], is_json: bool, length: int | None
) -> str:
    try:
        own = _own_headers(headers, is_json, address.user)
    except TypeError:  # values that cannot be hashed, and are no text
        own = _own_headers.__wrapped__(headers, is_json, address.user)
    size = "" if length is None else f"Content-Length: {length}\r\n"
    return f"Host: {address.netloc}\r\n{own}{size}\r\n"


@lru_cache(maxsize=256)
def _own_headers(headers: tuple[tuple[str, str], ...], is_json: bool, user: str | None) -> str:
    names = {name.lower() for name, _ in headers}
    standing = [
        line for line in _STANDING.splitlines(True) if line.partition(":")[0].lower() not in names
    ]
    if is_json and "content-type" not in names:
        standing.append("Content-Type: application/json\r\n")
    if user is not None and "authorization" not in names:
        standing.append(f"Authorization: Basic {user}\r\n")
    own = [_header(name, value) for name, value in headers]
    return "".join(standing + own)


def _header(name: str, value: str) -> str:
    line = f"{name}: {value}"
    if any(character < " " and character != "\t" for character in line):
        raise InvalidParameterError(
            f"The header {name!r} holds a line break or another control character."
        )
    try:
        line.encode("latin-1")
    except UnicodeEncodeError:
        line = line.encode().decode("latin-1")
    return f"{line}\r\n"


@lru_cache(maxsize=1024)
def address_of(url: str) -> Address:
    """The parts of an http(s) URL, encoded for the wire.

    Raises:
        InvalidParameterError: it is none.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
        host = _ascii(parts.hostname or "")
    except ValueError:  # UnicodeError is one
        raise faults.invalid_address(url) from None
    if parts.scheme not in _PORTS or not host:
        raise faults.invalid_address(url)
    shown = f"[{host}]" if ":" in host else host
    target = quote(parts.path or "/", safe=_IN_PATH)
    if parts.query:
        target += "?" + quote(parts.query, safe=_IN_QUERY)
    return Address(
        parts.scheme,
        host,
        port or _PORTS[parts.scheme],
        shown if port in (None, _PORTS[parts.scheme]) else f"{shown}:{port}",
        target,
        basic(parts.username, parts.password),
    )


def basic(user: str | None, password: str | None) -> str | None:
    """User and password of a URL as `Basic` wants them; None where there is neither."""
    if user is None and password is None:
        return None
    text = b"%s:%s" % (unquote_to_bytes(user or ""), unquote_to_bytes(password or ""))
    return b64encode(text).decode()


def _ascii(host: str) -> str:
    return host if host.isascii() else host.encode("idna").decode("ascii")
