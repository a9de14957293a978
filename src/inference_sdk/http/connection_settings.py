"""By which proxy and with which certificates a host is reached: configuration, else environment.

The same answer for both senders, so that sync and async calls take the same way. The environment
is read as `requests` reads it (`HTTPS_PROXY`, `NO_PROXY`, `REQUESTS_CA_BUNDLE`, …), except that
`.netrc` is not: an entry there would replace the key in the `Authorization` header.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ssl

    from inference_sdk.http.entities import InferenceConfiguration


@dataclass(frozen=True)
class ConnectionSettings:
    """Proxy and TLS of the connections to one host."""

    proxy: str | None
    verify: bool | str
    client_certificate: str | tuple[str, str] | None

    @classmethod
    def of(cls, url: str, configuration: InferenceConfiguration) -> ConnectionSettings:
        from requests.utils import get_environ_proxies, select_proxy

        proxy = configuration.proxy or select_proxy(url, get_environ_proxies(url))
        verify = configuration.verify
        if verify is True:
            environ = os.environ
            verify = environ.get("REQUESTS_CA_BUNDLE") or environ.get("CURL_CA_BUNDLE") or True
        return cls(proxy, verify, configuration.client_certificate)

    def for_requests(self) -> dict[str, Any]:
        proxies = {"http": self.proxy, "https": self.proxy} if self.proxy else {}
        return {"proxies": proxies, "verify": self.verify, "cert": self.client_certificate}

    def for_aiohttp(self, *, tls: bool) -> dict[str, Any]:
        """Only what differs from aiohttp's own defaults."""
        arguments: dict[str, Any] = {"proxy": self.proxy} if self.proxy else {}
        if tls:
            arguments["ssl"] = self._tls_context()
        return arguments

    def _tls_context(self) -> ssl.SSLContext:
        import ssl

        import certifi

        context = ssl.create_default_context()
        if self.verify is False:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif isinstance(self.verify, str):
            folder = os.path.isdir(self.verify)
            context = ssl.create_default_context(
                capath=self.verify if folder else None, cafile=None if folder else self.verify
            )
        else:
            # What `requests` trusts, so that an address works sync and async or not at all.
            context.load_verify_locations(certifi.where())
        if self.client_certificate:
            parts = self.client_certificate
            context.load_cert_chain(*((parts,) if isinstance(parts, str) else parts))
        return context
