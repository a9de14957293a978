from __future__ import annotations

import socket
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from urllib3.util import parse_url
from yarl import URL

from inference_sdk import InferenceHTTPClient, config
from inference_sdk.http.downloads.destinations import Destination
from inference_sdk.http.errors import (
    HTTPServerConnectionError,
    InvalidURLImageInput,
    URLAddressNotAllowedError,
)
from inference_sdk.http.utils.url_utils import (
    ValidatingResolver,
    address_is_global,
    resolve_and_validate_ips,
    shown_url,
    validate_url_destination,
)
from tests.callers import both_ways

PUBLIC, OTHER_PUBLIC = "93.184.215.14", "2606:2800:21f:cb07::1"


@pytest.mark.parametrize("address", [PUBLIC, OTHER_PUBLIC, "8.8.8.8", "::ffff:8.8.8.8"])
def test_addresses_of_the_internet_are_global(address: str) -> None:
    assert address_is_global(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fec0::1",
        "ff02::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:a9fe:a9fe",
        "64:ff9b::10.0.0.1",
        "2002:7f00:1::",
        "not an address",
        "",
    ],
)
def test_other_addresses_are_not(address: str) -> None:
    assert not address_is_global(address)


@given(st.ip_addresses(v=4))
def test_a_mapped_address_is_as_global_as_the_one_it_stands_for(address: Any) -> None:
    assert address_is_global(f"::ffff:{address}") == address_is_global(str(address))
    assert address_is_global(f"64:ff9b::{address}") == address_is_global(str(address))


@pytest.mark.parametrize(
    ("url", "requested"),
    [
        ("http://some.com/image.jpg", "http://some.com/image.jpg"),
        ("https://some.com:8443/a?b=c%20d", "https://some.com:8443/a?b=c%20d"),
        ("HTTP://Some.COM/A b", "http://some.com/A%20b"),
        ("http://localhost:9001/x", "http://localhost:9001/x"),
        ("http://user:p%40ss@some.com/x", "http://user:p%40ss@some.com/x"),
        ("http://bücher.example/x", "http://xn--bcher-kva.example/x"),
        ("http://127.0.0.1/x", "http://127.0.0.1/x"),
        ("http://2130706433/x", "http://127.0.0.1/x"),
        ("http://0x7f.1:81/x", "http://127.0.0.1:81/x"),
        ("http://0177.0.0.1/x", "http://127.0.0.1/x"),
        ("http://u:p@127.1/x", "http://u:p@127.0.0.1/x"),
        ("http://[::1]:80/x", "http://[::1]:80/x"),
        ("http://127.0.0.1./x", "http://127.0.0.1/x"),
        ("http://0x7F000001/x", "http://127.0.0.1/x"),
        ("http://[0:0:0:0:0:0:0:1]/x", "http://[::1]/x"),
        (" https://some.com/x\n", "https://some.com/x"),
        ("https://some.com/x?s=%2f%2F&a[]=1|2#part", "https://some.com/x?s=%2f%2F&a[]=1|2"),
        ("https://some.com", "https://some.com/"),
        ("http://[::ffff:127.0.0.1]/x", "http://[::ffff:7f00:1]/x"),
    ],
)
def test_by_default_every_http_url_may_be_fetched(url: str, requested: str) -> None:
    assert validate_url_destination(url).lower() == requested.lower()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "some.com/image.jpg",
        "file:///etc/passwd",
        "ftp://some.com/x",
        "httpx://some.com/x",
        "http://",
        "http:///x",
        "http://?x",
        "http://[::1/x",
        "http://some.com:port/x",
        "http://①②⑦.0.0.1/x",
        "http://some.com:99999/x",
        "http://good.com\\@evil.com/x",
        "http://evil.com\\.good.com/x",
        "http://127.0.0.1%2f.good.com/x",
        "http://%31%32%37.0.0.1/x",
        "http://good.com evil.com/x",
        "http://[fe80::1%25eth0]/x",
        "http://[127.0.0.1]/x",
        "http://127.0.0.1../x",
        "http://.some.com/x",
        "http://some..com/x",
        "http://256.0.0.1/x",
        "http://1.2.3.4.5/x",
        "http://some.0x1/x",
        "http://\uff11\uff12\uff17.0.0.1/x",
        "http://127。0。0。1/x",
        "http://some.com\t.evil.org/x",
        "http://some.com/a\r\nX-Header: b",
        "http://some.com:\uff10/x",
        "http://some.com:0/x",
        "http:/some.com/x",
        "http:some.com/x",
        f"http://{'a' * 64}.com/x",
        f"http://{'a.' * 130}com/x",
    ],
)
def test_malformed_and_ambiguous_urls_are_refused(url: str) -> None:
    with pytest.raises(InvalidURLImageInput):
        validate_url_destination(url)


@pytest.mark.parametrize(
    ("setting", "refused", "accepted"),
    [
        ("ALLOW_URL_INPUT", ["https://some.com/x"], []),
        ("ALLOW_NON_HTTPS_URL_INPUT", ["http://some.com/x"], ["https://some.com/x"]),
        (
            "ALLOW_URL_INPUT_WITHOUT_FQDN",
            ["http://localhost/x", "http://localhost./x", "http://127.0.0.1/x", "http://[::1]/x"],
            ["http://some.com/x", "http://some.com./x"],
        ),
    ],
)
def test_the_switches_refuse(
    monkeypatch: pytest.MonkeyPatch, setting: str, refused: list[str], accepted: list[str]
) -> None:
    monkeypatch.setattr(config, setting, False)
    for url in refused:
        with pytest.raises(InvalidURLImageInput, match=f"{setting}=false"):
            validate_url_destination(url)
    for url in accepted:
        assert validate_url_destination(url) == url


LISTED = frozenset({"some.com", "Other.org:8080", "*.wild.net", "10.0.0.1", "[::1]:81"})
AMONG = [
    "http://some.com/x",
    "http://some.com:81/x",
    "http://SOME.com./x",
    "http://other.org:8080/x",
    "http://a.b.wild.net/x",
    "http://10.0.0.1/x",
    "http://167772161/x",
    "http://[::ffff:10.0.0.1]/x",
    "http://[::1]:81/x",
]
NOT_AMONG = [
    "http://a.some.com/x",
    "http://some.com.evil.org/x",
    "http://awesome.com/x",
    "http://other.org/x",
    "http://wild.net/x",
    "http://10.0.0.2/x",
    "http://[::1]/x",
    "http://some.com@evil.org/x",
]


@pytest.mark.parametrize("url", AMONG)
def test_only_listed_destinations_pass_a_whitelist(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setattr(config, "WHITELISTED_DESTINATIONS_FOR_URL_INPUT", LISTED)
    validate_url_destination(url)


@pytest.mark.parametrize("url", NOT_AMONG)
def test_others_do_not_pass_a_whitelist(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setattr(config, "WHITELISTED_DESTINATIONS_FOR_URL_INPUT", LISTED)
    with pytest.raises(InvalidURLImageInput, match="not among"):
        validate_url_destination(url)


@pytest.mark.parametrize("url", AMONG)
def test_listed_destinations_do_not_pass_a_blacklist(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setattr(config, "BLACKLISTED_DESTINATIONS_FOR_URL_INPUT", LISTED)
    with pytest.raises((InvalidURLImageInput, URLAddressNotAllowedError)):
        validate_url_destination(url)


@pytest.mark.parametrize("url", NOT_AMONG)
def test_others_pass_a_blacklist(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setattr(config, "BLACKLISTED_DESTINATIONS_FOR_URL_INPUT", LISTED)
    validate_url_destination(url)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "2130706433", "0x7f000001", "017700000001", "[::1]", "[::ffff:10.0.0.1]", "0"],
)
def test_written_addresses_are_judged_before_anything_is_sent(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setattr(config, "ALLOW_URL_TO_NON_GLOBAL_ADDRESSES", False)
    with pytest.raises(URLAddressNotAllowedError, match="ALLOW_URL_TO_NON_GLOBAL_ADDRESSES=true"):
        validate_url_destination(f"http://{host}/x")


def test_an_error_shows_neither_query_nor_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "ALLOW_NON_HTTPS_URL_INPUT", False)
    with pytest.raises(InvalidURLImageInput) as caught:
        validate_url_destination("http://user:secret@some.com/path?signature=secret#secret")
    assert "http://some.com/path" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert shown_url("https://u:p@h:1/a?b#c") == "https://h:1/a"


# -- names -------------------------------------------------------------------------------------


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Names and the addresses that the system's resolver finds for them."""
    table: dict[str, list[str]] = {}

    def getaddrinfo(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        if host not in table:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                (address, port),
            )
            for address in table[host]
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return table


def test_addresses_are_distinct_and_in_order(names: dict[str, list[str]]) -> None:
    names["some.com"] = [OTHER_PUBLIC, PUBLIC, OTHER_PUBLIC]
    assert resolve_and_validate_ips("some.com", 80, False) == [OTHER_PUBLIC, PUBLIC]


def test_one_refused_address_refuses_the_name(names: dict[str, list[str]]) -> None:
    names["some.com"] = [PUBLIC, "10.0.0.1"]
    with pytest.raises(URLAddressNotAllowedError, match=r"'some.com' leads to 10\.0\.0\.1"):
        resolve_and_validate_ips("some.com", 80, False)
    assert resolve_and_validate_ips("some.com", 80, True) == [PUBLIC, "10.0.0.1"]


def test_a_blocked_address_is_refused_behind_a_name(
    names: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    names["some.com"] = ["::ffff:169.254.169.254"]
    blocked = frozenset({"169.254.169.254", "evil.org"})
    monkeypatch.setattr(config, "BLACKLISTED_DESTINATIONS_FOR_URL_INPUT", blocked)
    with pytest.raises(URLAddressNotAllowedError, match="blocked"):
        resolve_and_validate_ips("some.com", 80, True)


def test_a_name_that_does_not_resolve(names: dict[str, list[str]]) -> None:
    with pytest.raises(HTTPServerConnectionError, match=r"'nowhere\.test' cannot be resolved"):
        resolve_and_validate_ips("nowhere.test", 80, True)


def test_a_name_that_cannot_be_one() -> None:
    with pytest.raises(InvalidURLImageInput, match="no valid host name"):
        resolve_and_validate_ips("a" * 64 + ".com", 80, True)


async def test_the_resolver_of_aiohttp_judges_alike(names: dict[str, list[str]]) -> None:
    names.update({"some.com": [PUBLIC, OTHER_PUBLIC], "inside.com": ["10.0.0.1"]})
    resolver = ValidatingResolver(allow_non_global_addresses=False)
    found = await resolver.resolve("some.com", 80)
    assert [(entry["host"], entry["port"], entry["hostname"]) for entry in found] == [
        (PUBLIC, 80, "some.com"),
        (OTHER_PUBLIC, 80, "some.com"),
    ]
    assert [entry["family"] for entry in found] == [socket.AF_INET, socket.AF_INET6]
    with pytest.raises(URLAddressNotAllowedError):
        await resolver.resolve("inside.com", 80)
    with pytest.raises(OSError, match="not known"):
        await resolver.resolve("nowhere.test", 80)
    await resolver.close()


async def test_the_resolver_of_aiohttp_refuses_what_cannot_be_a_name() -> None:
    resolver = ValidatingResolver(allow_non_global_addresses=True)
    with pytest.raises(InvalidURLImageInput):
        await resolver.resolve("a" * 64 + ".com", 80)


@both_ways
def test_a_malformed_url_in_a_list_is_named_by_its_place(call: Any) -> None:
    client = InferenceHTTPClient("http://127.0.0.1:1")
    with pytest.raises(InvalidURLImageInput, match=r"inputs\[1\] \(a malformed URL\)"):
        call(client, "depth_estimation", [b"GIF89a", "http://[bad/x.jpg"])


# -- one reading -------------------------------------------------------------------------------

_PIECES = st.sampled_from(
    [
        *"./:@?#[]\\%&=-_~!$'()*+,;<>|^`{}\" \t\n\0",
        *("http://", "https://", "//", "user:pass@", "some.com", "evil.org", "127.0.0.1"),
        *("[::1]", "[::ffff:7f00:1]", "0x7f", "2130706433", "%2e", "%40", "%00", ":80", ":443"),
        *(
            "b\u00fccher.example",
            "\u2460",
            "\uff0e",
            "\u3002",
            "\u00ad",
            "\u212a",
            "\uff0f",
            "a",
            "1",
        ),
    ]
)
_URLS = st.builds(
    lambda scheme, pieces: scheme + "".join(pieces),
    st.sampled_from(["http://", "https://", "HTTP://", "http:/", "//", ""]),
    st.lists(_PIECES | st.text(max_size=2), max_size=8),
)


@settings(max_examples=200, deadline=None)
@given(_URLS)
def test_what_is_judged_is_what_other_parsers_see(text: str) -> None:
    try:
        destination = Destination.parse(text)
    except InvalidURLImageInput:
        return
    url = destination.url
    assert Destination.parse(url) == destination
    assert urlsplit(url).hostname.rstrip(".") == destination.host
    assert parse_url(url).host.strip("[]").rstrip(".") == destination.host
    assert URL(url, encoded=True).raw_host.rstrip(".") == destination.host
    port = urlsplit(url).port or {"http": 80, "https": 443}[destination.scheme]
    assert port == destination.port == URL(url, encoded=True).port
    address = destination.address
    assert address.target.isascii()
    assert not any(character in address.target for character in " \t\r\n\0")
    assert address.netloc.removesuffix(f":{port}").strip("[]") == destination.host
