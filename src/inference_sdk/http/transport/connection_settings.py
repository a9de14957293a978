"""By which proxy and with which certificates a host is reached: configuration, else environment.

The same answer for sync and async, so that both take the same way. Proxies are read from the
environment as `requests` reads them (`HTTPS_PROXY`, `NO_PROXY`, …), but for this machine itself:
a proxy is for what is outside. `.netrc` is not read: an entry there would replace the key in the
`Authorization` header.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from inference_sdk.http.errors import InvalidParameterError
from inference_sdk.utils.masking import remember_url

if TYPE_CHECKING:
    import ssl

    from inference_sdk.http.entities import InferenceConfiguration

_PROXIES = ("ALL_PROXY", "NO_PROXY", "HTTP_PROXY", "HTTPS_PROXY")
_TRUST = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
_VARIABLES = {
    "http": ("all_proxy", "no_proxy", "http_proxy", "ALL_PROXY", "NO_PROXY", "HTTP_PROXY"),
    "https": (*_PROXIES, *map(str.lower, _PROXIES), *_TRUST),
}

_SETS_PROXIES_ELSEWHERE = sys.platform in ("win32", "darwin")


def environment(scheme: str, host: str) -> tuple[str | None, ...]:
    """All of the environment that settings depend on; another tuple calls for other settings."""
    if scheme == "http" and is_this_machine(host):
        return ()
    return tuple(map(os.environ.get, _VARIABLES[scheme]))


@dataclass(frozen=True)
class ConnectionSettings:
    """Proxy and TLS of the connections to one host.

    Attributes:
        proxy: its URL.
        verify: whether to verify the server's certificate, or the CA bundle (a file or a folder)
            to do it with.
        client_certificate: a file, or (certificate, key).
    """

    proxy: str | None
    verify: bool | str
    client_certificate: str | tuple[str, str] | None

    @classmethod
    def of(cls, url: str, configuration: InferenceConfiguration) -> ConnectionSettings:
        """Settings for the host of a URL.

        Raises:
            InvalidParameterError: a certificate is not where it should be.
        """
        proxy = configuration.proxy
        if proxy is None:
            proxy = _proxy_of_environment(url)
        if proxy and "://" not in proxy:
            proxy = f"http://{proxy}"
        remember_url(proxy)  # the environment's: its password turns up in texts of the libraries
        verify = configuration.verify
        if verify is True:
            set_ones = (os.environ.get(name) for name in _TRUST)
            verify = next(filter(None, set_ones), True)
        settings = cls(proxy or None, verify, configuration.client_certificate)
        settings._require_files()
        return settings

    def _require_files(self) -> None:
        certificate = self.client_certificate or ()
        paths = [certificate] if isinstance(certificate, str) else list(certificate)
        if isinstance(self.verify, str) and self.verify != os.environ.get("SSL_CERT_DIR"):
            paths.append(self.verify)
        missing = next((path for path in paths if not os.path.exists(path)), None)
        if missing is not None:
            raise InvalidParameterError(
                f"The certificate {missing!r} is not there. Check verify and client_certificate in "
                "InferenceConfiguration, or REQUESTS_CA_BUNDLE and SSL_CERT_FILE in the "
                "environment."
            )

    def for_requests(self) -> dict[str, Any]:
        """As `requests` takes them."""
        proxies = {"http": self.proxy, "https": self.proxy} if self.proxy else {}
        return {"proxies": proxies, "verify": self.verify, "cert": self.client_certificate}

    def for_aiohttp(self, *, tls: bool) -> dict[str, Any]:
        """As aiohttp takes them, and only what differs from its own defaults."""
        arguments: dict[str, Any] = {"proxy": self.proxy} if self.proxy else {}
        if tls:
            arguments["ssl"] = self.tls_context()
        return arguments

    def tls_context(self) -> ssl.SSLContext:
        """What TLS is spoken with.

        Raises:
            InvalidParameterError: a certificate is none.
        """
        try:
            return _tls_context(self.verify, self.client_certificate)
        except OSError as error:  # ssl.SSLError is one
            raise InvalidParameterError(
                f"A certificate is not readable: {error}. Check verify and client_certificate in "
                "InferenceConfiguration, or REQUESTS_CA_BUNDLE and SSL_CERT_FILE in the "
                "environment."
            ) from error


@lru_cache(maxsize=64)
def _tls_context(
    verify: bool | str, client_certificate: str | tuple[str, str] | None
) -> ssl.SSLContext:
    import ssl

    if isinstance(verify, str):
        # A folder may be a list of folders, as in SSL_CERT_DIR.
        is_file = os.path.isfile(verify)
        context = ssl.create_default_context(
            cafile=verify if is_file else None, capath=None if is_file else verify
        )
    elif verify:
        import certifi

        # The system's store, where companies put their own; and where there is none, certifi's.
        context = ssl.create_default_context()
        context.load_verify_locations(certifi.where())
    else:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if client_certificate:
        parts = client_certificate
        context.load_cert_chain(*((parts,) if isinstance(parts, str) else parts))
    return context


def _proxy_of_environment(url: str) -> str | None:
    if is_this_machine(urlsplit(url).hostname or ""):
        return None
    names = {name.lower() for name in os.environ}
    if not _SETS_PROXIES_ELSEWHERE and not names.intersection(map(str.lower, _PROXIES)):
        return None
    # Not for the sake of two functions imported at each start: most machines have no proxy.
    from requests.utils import get_environ_proxies, select_proxy

    return select_proxy(url, get_environ_proxies(url))


@lru_cache(maxsize=64)
def is_this_machine(host: str) -> bool:
    """Whether a host's name or address is one of loopback."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        ip = ip_address(host)
    except ValueError:
        return False
    return ip.is_loopback or ip.is_unspecified  # where a server listens on all addresses
