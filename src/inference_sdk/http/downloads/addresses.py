"""What IP addresses are, and mean. Pure: no names are resolved here, and no policy is known."""

from __future__ import annotations

import ipaddress
import socket

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def address_is_global(address: str) -> bool:
    """Whether an IP address is reachable on the public internet.

    An IPv6 address that stands for an IPv4 one (mapped, 6to4, NAT64) is as global as that is.
    Text that is no address is not.

    Example:
        >>> address_is_global("::ffff:127.0.0.1")
        False
    """
    try:
        meant = _embedded(ipaddress.ip_address(address))
    except ValueError:
        return False
    site_local = isinstance(meant, ipaddress.IPv6Address) and meant.is_site_local
    return meant.is_global and not (meant.is_multicast or meant.is_reserved or site_local)


def written_address(host: str) -> IPAddress | None:
    """The address that a host is written as, in any form that the system's resolver takes.

    Example:
        >>> written_address("0x7f.1")
        IPv4Address('127.0.0.1')
    """
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except (OSError, ValueError):
        return None


def as_host(address: IPAddress) -> str:
    """An address as the host of a URL, without brackets: the same text on every Python.

    Example:
        >>> as_host(ipaddress.IPv6Address("::ffff:127.0.0.1"))
        '::ffff:7f00:1'
    """
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    if mapped is None:
        return str(address)
    high, low = divmod(int(mapped), 2**16)  # from Python 3.13 on, `str` writes it with dots
    return f"::ffff:{high:x}:{low:x}"


def meant_address(host: str) -> IPAddress | None:
    """As `written_address`, an IPv6 address that stands for an IPv4 one being that."""
    address = written_address(host)
    return None if address is None else _embedded(address)


def _embedded(address: IPAddress) -> IPAddress:
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour or address
