"""From where a request may come: pages in the user's browser reach this machine too.

A page may make a browser send requests here, and with a name that leads here (DNS rebinding) read
what comes. Browsers say which page asks (`Origin`, `Sec-Fetch-Site`) and by which name (`Host`);
programs say nothing of pages, and are not asked.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiohttp import web

from inference_sdk.local.faults import ForbiddenError

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler, Middleware

ANY = "*"
PREFLIGHT_SECONDS = 600
OWN_HEADERS = "X-Model-Id, X-Model-Cold-Start, X-Processing-Time, Retry-After"


class Origins:
    """Which pages may ask, and under which names this server is known.

    Args:
        allowed: origins of pages, such as "https://app.example", or "*" for all.
        names: what `Host` may be on a loopback address beside `localhost` and numbers.

    Raises:
        ValueError: an origin is none.
    """

    def __init__(self, allowed: Iterable[str] = (), names: Iterable[str] = ()) -> None:
        self._allowed = frozenset(map(_origin, allowed))
        self._names = frozenset(name.lower() for name in names)

    def middleware(self) -> Middleware:
        """Refuses what comes from elsewhere; answers what browsers ask first (CORS)."""

        @web.middleware
        async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
            self._check_host(request)
            origin = request.headers.get("Origin")
            if origin is None:
                _check_site(request)
                return await handler(request)
            self._check_origin(request, origin)
            asked = request.headers.get("Access-Control-Request-Method")
            if request.method == "OPTIONS" and asked is not None:
                response: web.StreamResponse = web.Response(status=204)
                response.headers["Access-Control-Allow-Methods"] = "GET, POST"
                response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
                response.headers["Access-Control-Allow-Private-Network"] = "true"
                response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
            else:
                response = await handler(request)
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = OWN_HEADERS
            response.headers["Vary"] = "Origin"
            return response

        return check

    def _check_host(self, request: web.Request) -> None:
        if not _on_loopback(request):
            return
        # Two of them, and this server would judge one while a proxy meant the other.
        hosts = request.headers.getall("Host", [])
        name = _host_name(hosts[0]) if len(hosts) == 1 else ""
        if not (_is_local(name) or name in self._names):
            raise ForbiddenError(
                "This server does not answer to the host name of this request. If it is yours, "
                "start the server with --allow-host NAME."
            )

    def _check_origin(self, request: web.Request, origin: str) -> None:
        # The scheme is not compared: a proxy before this server may speak TLS for it.
        own = origin.partition("://")[2] == request.host and origin != "null"
        if not (own or ANY in self._allowed or origin in self._allowed):
            raise ForbiddenError(
                "Pages of this origin may not use this server. If it is yours, start the server "
                "with --allow-origin ORIGIN."
            )


def is_from_browser(request: web.Request) -> bool:
    """Whether a page asks, and not a program."""
    return any(name in request.headers for name in ("Origin", "Sec-Fetch-Site", "Sec-Fetch-Mode"))


def _check_site(request: web.Request) -> None:
    """Without an origin: pictures, frames, links. A link of another page may be followed."""
    site = request.headers.get("Sec-Fetch-Site", "none")
    is_link = request.method == "GET" and request.headers.get("Sec-Fetch-Dest") == "document"
    if site not in ("none", "same-origin") and not is_link:
        raise ForbiddenError("Pages of another site may not use this server.")


def _on_loopback(request: web.Request) -> bool:
    own = None if request.transport is None else request.transport.get_extra_info("sockname")
    try:
        return ipaddress.ip_address(own[0]).is_loopback if own else False
    except ValueError:  # no address: a socket of the file system
        return False


def _host_name(host: str) -> str:
    """The name of a `Host` header, without its port; empty where it is malformed."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def _is_local(name: str) -> bool:
    """Names that no server for names can lead here: numbers, and those kept for this machine."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _origin(text: str) -> str:
    parts = urlsplit(text)
    if text != ANY and (
        parts.scheme not in ("http", "https") or not parts.netloc or parts.path not in ("", "/")
    ):
        raise ValueError(f"{text!r} is no origin: write one as in https://app.example, or *.")
    return text.rstrip("/").lower() if text != ANY else ANY
