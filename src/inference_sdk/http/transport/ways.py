"""The way to a server: directly or by a proxy, in the clear or under TLS."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, TypeAlias
from urllib.parse import unquote, urlsplit

from inference_sdk.http.errors import InvalidParameterError
from inference_sdk.http.faults import host_of
from inference_sdk.http.transport.connection_settings import ConnectionSettings
from inference_sdk.http.transport.outgoing import Address, basic

if TYPE_CHECKING:
    import ssl

_PROXY_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080, "socks4": 1080}
_PROXY_PORTS["socks4a"] = 1080


class Proxy(NamedTuple):
    """A proxy's address; `str()` gives it without its password."""

    scheme: str
    host: str
    port: int
    user: str | None
    password: str | None

    @classmethod
    def of(cls, url: str) -> Proxy:
        """Read it from its URL.

        Raises:
            InvalidParameterError: it is none.
        """
        try:
            parts = urlsplit(url)
            scheme = "socks5h" if parts.scheme == "socks" else parts.scheme
            host, port = parts.hostname or "", parts.port or _PROXY_PORTS[scheme]
        except (ValueError, KeyError):
            host = ""
        if not host:
            raise InvalidParameterError(
                f"{host_of(url)!r} is no address of a proxy. Its URL begins with http://, "
                "https://, socks5:// or socks4://."
            )
        user, password = (text and unquote(text) for text in (parts.username, parts.password))
        return cls(scheme, host, port, user, password)

    @property
    def is_socks(self) -> bool:
        return self.scheme.startswith("socks")

    @property
    def authorization(self) -> str:
        """The header with user and password, or nothing."""
        told = basic(self.user, self.password)
        return f"Proxy-Authorization: Basic {told}\r\n" if told else ""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


Judge: TypeAlias = "Callable[[str, Iterable[str]], None]"
"""Given a host and the addresses that its name led to, raises where one must not be spoken to."""


@dataclass(frozen=True, eq=False)
class Way:
    """To one server, under one set of settings. Connections are kept by it.

    Without a proxy, `judge` is asked in the look-up that the connection is made from: a name that
    changes its address between check and use gains nothing.
    """

    scheme: str
    host: str
    port: int
    netloc: str
    settings: ConnectionSettings
    judge: Judge | None = None

    @classmethod
    def to(cls, address: Address, settings: ConnectionSettings, judge: Judge | None = None) -> Way:
        return cls(address.scheme, address.host, address.port, address.netloc, settings, judge)

    @cached_property
    def proxy(self) -> Proxy | None:
        return Proxy.of(self.settings.proxy) if self.settings.proxy else None

    @property
    def is_secure(self) -> bool:
        return self.scheme == "https"

    @cached_property
    def tls(self) -> ssl.SSLContext:
        return self.settings.tls_context()

    @cached_property
    def headers_for_proxy(self) -> str | None:
        """Where a proxy passes requests on: the headers it wants; None where none reads them."""
        if self.proxy is None or self.proxy.is_socks or self.is_secure:
            return None
        return self.proxy.authorization
