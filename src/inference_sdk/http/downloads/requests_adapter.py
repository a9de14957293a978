"""The policy for programs that use `requests`: an adapter to mount on a session of theirs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.models import PreparedRequest
from requests.utils import select_proxy

from inference_sdk.http.downloads.addresses import written_address
from inference_sdk.http.downloads.destinations import PORTS
from inference_sdk.http.downloads.policy import AddressRules
from inference_sdk.http.downloads.resolving import resolve_and_validate_ips

if TYPE_CHECKING:
    from urllib3 import HTTPConnectionPool


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
        port = parts.port or PORTS[parts.scheme]
        return resolve_and_validate_ips(
            parts.hostname or "", port, self._allow_non_global_addresses
        )

    def _judge_written_address(self, request: PreparedRequest) -> None:
        host = urlsplit(request.url or "").hostname or ""
        address = written_address(host)
        if address is not None:
            AddressRules.of(self._allow_non_global_addresses).judge(host, [str(address)])


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
    return host_and_port.removesuffix(f":{PORTS[parts.scheme]}")


def _never_connected(error: requests.ConnectionError) -> bool:
    """Whether nothing has been sent, so that another address may be tried."""
    inner = error.args[0] if error.args else None
    reason = getattr(inner, "reason", None)
    return isinstance(error, requests.ConnectTimeout) or isinstance(
        reason, urllib3.exceptions.NewConnectionError
    )
