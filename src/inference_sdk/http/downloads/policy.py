"""Which pictures may be fetched: by the text of their URL, and by the addresses behind its host.

The settings stand in `inference_sdk.config` and are read when they are needed. Two of them guard
where nobody has said otherwise, whatever their value there, which is the one that peers have: a
redirect is judged like the URL itself, and a client whose server is elsewhere connects to no
address that is not global. The environment can say otherwise.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import urljoin, urlsplit

from inference_sdk import config
from inference_sdk.http.downloads.addresses import IPAddress, address_is_global, meant_address
from inference_sdk.http.downloads.destinations import Destination, ascii_host
from inference_sdk.http.errors import InvalidURLImageInput, URLAddressNotAllowedError
from inference_sdk.http.transport.connection_settings import is_this_machine
from inference_sdk.http.utils.requests import shown_url


@dataclass(frozen=True)
class AddressRules:
    """Which addresses may be connected to. A value: part of what connections are kept by."""

    allow_non_global: bool
    blocked: frozenset[IPAddress] = frozenset()

    @classmethod
    def of(cls, allow_non_global: bool) -> AddressRules:
        """With the addresses that are blocked now."""
        found = map(meant_address, config.BLACKLISTED_DESTINATIONS_FOR_URL_INPUT or ())
        return cls(allow_non_global, frozenset(address for address in found if address))

    @classmethod
    def current(cls, server_is_here: bool | None = None) -> AddressRules:
        """By the settings.

        Args:
            server_is_here: whether the server that the picture is for is on this machine; None
                where it is for none.
        """
        is_said = _is_set("ALLOW_URL_TO_NON_GLOBAL_ADDRESSES")
        allowed = config.ALLOW_URL_TO_NON_GLOBAL_ADDRESSES
        return cls.of(allowed and (is_said or server_is_here is not False))

    def judge(self, host: str, addresses: Iterable[str]) -> None:
        """Judge the addresses that a host leads to. One that is refused is enough: a name that
        leads both outside and inside is not to be trusted.

        Raises:
            URLAddressNotAllowedError: names it.
        """
        for address in addresses:
            if not (self.allow_non_global or address_is_global(address)):
                raise URLAddressNotAllowedError(
                    f"The host {host!r} leads to {address}, which is not an address of the public "
                    "internet. Set ALLOW_URL_TO_NON_GLOBAL_ADDRESSES=true in the environment to "
                    "allow it."
                )
            if self.blocked and meant_address(address) in self.blocked:
                raise URLAddressNotAllowedError(
                    f"The host {host!r} leads to {address}, which is blocked."
                )

    def after(self, before: Destination, target: Destination) -> AddressRules:
        """The rules for where a redirect leads: from outside it leads nowhere inside, unless the
        environment says so.
        """
        if (
            _is_set("ALLOW_URL_TO_NON_GLOBAL_ADDRESSES")
            or target.host == before.host
            or is_this_machine(before.host)
        ):
            return self
        return replace(self, allow_non_global=False)


def validate_url_destination(value: str) -> str:
    """Judge a URL by the policy; names are not resolved yet.

    Returns:
        The URL in the form in which it is requested: host in ASCII, addresses in one spelling,
        path and query as they are.

    Raises:
        InvalidURLImageInput: the URL is malformed, or the policy refuses it.
        URLAddressNotAllowedError: its host is written as an address that is refused.
    """
    return judged(value, AddressRules.current()).url


def judged(value: str, rules: AddressRules) -> Destination:
    """Read a URL and judge it; see `validate_url_destination`."""
    if not config.ALLOW_URL_INPUT:
        raise InvalidURLImageInput("Images by URL are switched off (ALLOW_URL_INPUT=false).")
    destination = Destination.parse(value)
    _judge_written(destination, rules)
    _judge_text(destination)
    return destination


def redirected(
    current: Destination, location: str, rules: AddressRules
) -> tuple[Destination, AddressRules]:
    """Where a redirect leads, judged, and the rules for the addresses there.

    Raises:
        InvalidURLImageInput, URLAddressNotAllowedError: see `validate_url_destination`.
    """
    try:
        target = Destination.parse(_joined(current.url, location))
    except ValueError:
        raise InvalidURLImageInput(
            f"{shown_url(current.url)} is redirected to something that is no URL."
        ) from None
    rules = rules.after(current, target)
    _judge_written(target, rules)
    if config.VALIDATE_IMAGE_URL_REDIRECTS or not _is_set("VALIDATE_IMAGE_URL_REDIRECTS"):
        _judge_text(target)
    return target, rules


def _joined(url: str, location: str) -> str:
    # `urljoin` tidies paths up, which breaks signatures; what is whole stays as it is.
    if location.startswith("/") and not location.startswith("//"):
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc}{location}"
    return location if "://" in location.partition("?")[0] else urljoin(url, location)


def _is_set(name: str) -> bool:
    return bool(os.environ.get(name, "").strip())


def _judge_written(destination: Destination, rules: AddressRules) -> None:
    if destination.ip is not None:
        rules.judge(destination.host, [destination.host])


def _judge_text(destination: Destination) -> None:
    if destination.scheme != "https" and not config.ALLOW_NON_HTTPS_URL_INPUT:
        raise InvalidURLImageInput(
            f"{shown_url(destination.url)} is not https (ALLOW_NON_HTTPS_URL_INPUT=false)."
        )
    is_named = "." in destination.host and destination.ip is None
    if not (is_named or config.ALLOW_URL_INPUT_WITHOUT_FQDN):
        raise InvalidURLImageInput(
            f"The host of {shown_url(destination.url)} is no fully qualified domain name "
            "(ALLOW_URL_INPUT_WITHOUT_FQDN=false)."
        )
    allowed = config.WHITELISTED_DESTINATIONS_FOR_URL_INPUT
    blocked = config.BLACKLISTED_DESTINATIONS_FOR_URL_INPUT
    if (allowed and not _is_among(destination, allowed)) or _is_among(destination, blocked or ()):
        raise InvalidURLImageInput(
            f"{shown_url(destination.url)} is not among the destinations that are allowed "
            "(WHITELISTED_ and BLACKLISTED_DESTINATIONS_FOR_URL_INPUT)."
        )


def _is_among(destination: Destination, entries: Iterable[str]) -> bool:
    return any(_matches(destination, entry.strip().lower()) for entry in entries)


def _matches(destination: Destination, entry: str) -> bool:
    host, port = destination.host, destination.port
    if entry.startswith("*."):
        return host.endswith(entry[1:])
    # An address may be written in several ways, a name only in one.
    address = meant_address(entry.strip("[]"))
    if address is not None:
        return address == meant_address(host)
    return ascii_host(entry.removesuffix(".")) in (host, f"{host}:{port}", f"[{host}]:{port}")
