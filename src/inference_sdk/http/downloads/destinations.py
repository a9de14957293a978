"""The text of a URL: read once, strictly, in the form in which it is requested.

Parsers of URLs differ, and where they do, what one judged another would connect to. So there is
one reading, and what could be read in two ways is refused. Path and query travel byte for byte:
encoding a signed query anew would break its signature.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from inference_sdk.http.downloads.addresses import IPAddress, as_host, written_address
from inference_sdk.http.errors import InvalidURLImageInput
from inference_sdk.http.transport.outgoing import Address, basic
from inference_sdk.utils.masking import mask

PORTS = {"http": 80, "https": 443}

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_AUTHORITY = re.compile(
    r"(?:(?P<userinfo>[^\\\s]*)@)?(?:\[(?P<ip>[0-9A-Fa-f:.]+)\]|(?P<name>[^@:\[\]]+))(?::(?P<port>[0-9]{0,5}))?"
)
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*", re.IGNORECASE)
_ENDS_IN_NUMBER = re.compile(r"(?:^|\.)(?:[0-9]+|0[xX][0-9A-Fa-f]*)$")
_LONGEST_NAME = 253
_VISIBLE = "".join(map(chr, range(0x21, 0x7F)))


@dataclass(frozen=True)
class Destination:
    """A URL that is well-formed, and what the policy looks at.

    Attributes:
        url: in the form in which it is requested: host in ASCII, addresses in one spelling.
        host: without brackets and without the dot at its end.
        ip: the address that the host is written as, None where it is a name.
        address: the same as the parts of a request.
    """

    url: str = field(repr=False)
    scheme: str
    host: str
    port: int
    ip: IPAddress | None
    address: Address = field(repr=False)

    @classmethod
    def parse(cls, value: str) -> Destination:
        """Read a URL.

        Raises:
            InvalidURLImageInput: it is malformed, not http(s), or other parsers might see another
                host in it.
        """
        scheme, authority, target = _split(value)
        found = _AUTHORITY.fullmatch(authority)
        if found is None or not _is_port(found["port"]):
            raise _impossible_host(authority)
        text, ip = _host(found["name"], found["ip"])
        host = text.removesuffix(".")
        port = int(found["port"]) if found["port"] else PORTS[scheme]
        shown = _with_port(text, port if found["port"] else None)
        userinfo = "" if found["userinfo"] is None else f"{found['userinfo']}@"
        netloc = _with_port(host, None if port == PORTS[scheme] else port)
        return cls(
            f"{scheme}://{userinfo}{shown}{target}",
            scheme,
            host,
            port,
            ip,
            Address(scheme, host, port, netloc, target, _credentials(found["userinfo"])),
        )


def _split(value: str) -> tuple[str, str, str]:
    """Scheme, authority, and what is asked for there."""
    text = value.strip()
    if _CONTROL.search(text):
        raise InvalidURLImageInput("The URL of an image holds a control character.")
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in PORTS or not parts.netloc:
        raise InvalidURLImageInput("The URL of an image is malformed, or is not http(s).")
    query = text.partition("#")[0].partition("?")
    target = (parts.path or "/") + query[1] + query[2]
    return parts.scheme, parts.netloc, quote(target, safe=_VISIBLE, errors="replace")


def _impossible_host(authority: str) -> InvalidURLImageInput:
    host = authority.rpartition("@")[2]
    shown = mask(host)[:200]
    return InvalidURLImageInput(f"The URL of an image names a host that cannot be: {shown!r}.")


def _is_port(text: str | None) -> bool:
    return not text or 0 < int(text) < 2**16


def _host(name: str | None, bracketed: str | None) -> tuple[str, IPAddress | None]:
    """The host in its one spelling, and the address that it is written as, if it is."""
    if name is None:
        ip = written_address(bracketed or "")
        if ip is None or ip.version != 6:
            raise _impossible_host(f"[{bracketed}]")
        return as_host(ip), ip
    text = _ascii_name(name)
    plain = text.removesuffix(".")
    ip = written_address(plain) if _NAME.fullmatch(plain) else None
    if ip is not None:
        return as_host(ip), ip
    # What ends in a number is an address to some, and a name to others.
    if not _NAME.fullmatch(plain) or len(plain) > _LONGEST_NAME or _ENDS_IN_NUMBER.search(plain):
        raise _impossible_host(name)
    return text, None


def _ascii_name(name: str) -> str:
    """A name as the DNS knows it. One that turns out to be an address is none: it was hidden."""
    if name.isascii():
        return name.lower()
    import idna

    try:
        encoded = idna.encode(name, uts46=True).decode("ascii")
    except UnicodeError:  # idna's own errors are such
        raise _impossible_host(name) from None
    if written_address(encoded.rstrip(".")) is not None:
        raise _impossible_host(name)
    return encoded


def ascii_host(host: str) -> str:
    """As `_ascii_name`, of an entry in a list; what cannot be a name is left as it is."""
    try:
        return _ascii_name(host)
    except InvalidURLImageInput:
        return host


def _with_port(host: str, port: int | None) -> str:
    bracketed = f"[{host}]" if ":" in host else host
    return bracketed if port is None else f"{bracketed}:{port}"


def _credentials(userinfo: str | None) -> str | None:
    if userinfo is None:
        return None
    user, _, password = userinfo.partition(":")
    return basic(user, password)
