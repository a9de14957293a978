"""The policy for programs that use aiohttp: a resolver for a connector of theirs."""

from __future__ import annotations

import socket
from functools import partial
from typing import TYPE_CHECKING

from aiohttp.abc import AbstractResolver

from inference_sdk.http.downloads.policy import AddressRules
from inference_sdk.http.downloads.resolving import unresolved
from inference_sdk.http.workers import beside_loop

if TYPE_CHECKING:
    from aiohttp.abc import ResolveResult


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
        look_up = partial(socket.getaddrinfo, host, port, family, socket.SOCK_STREAM)
        try:
            found = await beside_loop(look_up)
        except UnicodeError as error:
            raise unresolved(host, error) from error
        families = {str(entry[4][0]): entry[0] for entry in found}
        AddressRules.of(self._allow_non_global_addresses).judge(host, families)
        return [
            {
                "hostname": host,
                "host": address,
                "port": port,
                "family": families[address],
                "proto": 0,
                "flags": socket.AI_NUMERICHOST,
            }
            for address in families
        ]

    async def close(self) -> None:
        """Nothing is held."""
