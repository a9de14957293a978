"""By which proxy and with which certificates a host is reached: configuration, else environment.

The same answer for both senders, so that sync and async calls take the same way. The environment
is read as `requests` reads it (`HTTPS_PROXY`, `NO_PROXY`, `REQUESTS_CA_BUNDLE`, …), except that
`.netrc` is not: an entry there would replace the key in the `Authorization` header.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from inference_sdk.http.errors import InvalidParameterError
from inference_sdk.utils.masking import remember_url

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
        """Settings for the host of a URL.

        Raises:
            InvalidParameterError: a certificate is not where it should be.
        """
        from requests.utils import get_environ_proxies, select_proxy

        proxy = configuration.proxy
        if proxy is None:
            proxy = select_proxy(url, get_environ_proxies(url))
        if proxy and "://" not in proxy:
            proxy = f"http://{proxy}"
        remember_url(proxy)  # the environment's: its password turns up in texts of the libraries
        verify = configuration.verify
        if verify is True:
            environ = os.environ
            verify = environ.get("REQUESTS_CA_BUNDLE") or environ.get("CURL_CA_BUNDLE") or True
        settings = cls(proxy or None, verify, configuration.client_certificate)
        settings._require_files()
        return settings

    def _require_files(self) -> None:
        certificate = self.client_certificate or ()
        paths = [certificate] if isinstance(certificate, str) else list(certificate)
        if isinstance(self.verify, str):
            paths.append(self.verify)
        missing = next((path for path in paths if not os.path.exists(path)), None)
        if missing is not None:
            raise InvalidParameterError(
                f"The certificate {missing!r} is not there. Check verify and client_certificate in "
                "InferenceConfiguration, or REQUESTS_CA_BUNDLE in the environment."
            )

    def for_requests(self) -> dict[str, Any]:
        if self._is_socks and find_spec("socks") is None:
            raise InvalidParameterError(
                "A SOCKS proxy needs PySocks: pip install 'requests[socks]'."
            )
        proxies = {"http": self.proxy, "https": self.proxy} if self.proxy else {}
        return {"proxies": proxies, "verify": self.verify, "cert": self.client_certificate}

    def for_aiohttp(self, *, tls: bool) -> dict[str, Any]:
        """Only what differs from aiohttp's own defaults."""
        if self._is_socks:
            raise InvalidParameterError(
                "Async calls go through HTTP proxies only. For SOCKS, use the sync form."
            )
        arguments: dict[str, Any] = {"proxy": self.proxy} if self.proxy else {}
        if tls:
            arguments["ssl"] = self._tls_context()
        return arguments

    @property
    def _is_socks(self) -> bool:
        return (self.proxy or "").lower().startswith("socks")

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
