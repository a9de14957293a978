from __future__ import annotations

import asyncio
import base64
import gzip
import logging
import pickle
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import requests
import requests_mock
import trustme
from aioresponses import aioresponses

from inference_sdk import InferenceHTTPClient, config
from inference_sdk.http.caller import called_by
from inference_sdk.http.downloads import fetching, following, policy
from inference_sdk.http.errors import (
    EncodingError,
    HTTPCallErrorError,
    HTTPClientError,
    HTTPServerConnectionError,
    HTTPServerTimeoutError,
    InvalidURLImageInput,
    URLAddressNotAllowedError,
)
from inference_sdk.http.utils import loaders
from inference_sdk.http.utils.url_utils import (
    SSRFProtectedHTTPAdapter,
    fetch_url_bytes,
    fetch_url_bytes_async,
    fetch_url_to_file,
)
from tests.callers import both_ways
from tests.integration.test_drop_in import InterceptedResponse
from tests.raw_server import Connection, RawServer, answering

Fetch = Callable[..., bytes]
PICTURE = b"\xff\xd8 a picture"


def gif() -> bytes:
    """The smallest picture."""
    return base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


class PictureServer(ThreadingHTTPServer):
    """Answers by path; keeps what it was asked."""

    daemon_threads = True

    def __init__(self, address: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__((address, port), PictureHandler)
        self.asked: list[tuple[str, str]] = []
        self.passwords: list[str | None] = []
        self.released = threading.Event()
        self.redirects: dict[str, str] = {}
        self.body = PICTURE
        self.content_type: str | None = None
        self.keeps = True
        self.connections = 0

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections += 1
        super().process_request(request, client_address)

    @property
    def port(self) -> int:
        return self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are what some tests are about."""


class PictureHandler(BaseHTTPRequestHandler):
    server: PictureServer
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: else the second waits for the first's echo

    def do_GET(self) -> None:
        self.server.asked.append((self.headers["Host"], self.path))
        self.server.passwords.append(self.headers["Authorization"])
        path = self.path.partition("?")[0]
        kind, _, number = path[1:].partition("/")
        special = getattr(self, f"send_{kind.replace('-', '_')}", None)
        if path in self.server.redirects:
            self.answer(302, b"moved", Location=self.server.redirects[path])
        elif special:
            special(int(number or 0))
        else:
            kind = self.server.content_type
            self.answer(200, self.server.body, **({"Content-Type": kind} if kind else {}))

    def send_status(self, status: int) -> None:
        self.answer(status, b"sorry")

    def send_hop(self, hops: int) -> None:
        self.answer(302, b"", Location=f"/hop/{hops - 1}" if hops > 1 else "/picture.jpg")

    def send_hang_up(self, _: int) -> None:
        self.close_connection = True

    def send_packed(self, _: int) -> None:
        self.answer(200, gzip.compress(bytes(2**20)), **{"Content-Encoding": "gzip"})

    def send_silent(self, _: int) -> None:
        self.server.released.wait(10)

    def send_slow_body(self, _: int) -> None:
        self.answer(200, b"half", length=100)
        self.server.released.wait(10)

    def send_cut_short(self, _: int) -> None:
        self.answer(200, b"half", length=100)
        self.close_connection = True

    def send_drip(self, _: int) -> None:
        self.answer(200, b"", length=10**6)
        with suppress(OSError):
            while not self.server.released.wait(0.02):
                self.wfile.write(b"x")
                self.wfile.flush()

    def send_endless(self, _: int) -> None:
        self.answer(200, b"", Connection="close")
        with suppress(OSError):
            while not self.server.released.is_set():
                self.wfile.write(bytes(2**16))

    def answer(self, status: int, body: bytes, length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if not self.server.keeps:
            self.send_header("Connection", "close")
        if headers.get("Connection") != "close":
            self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_: Any) -> None:
        pass


def serving(server: PictureServer) -> Iterator[PictureServer]:
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.released.set()
    server.shutdown()
    thread.join(10)
    server.server_close()


@pytest.fixture(autouse=True)
def no_kept_connections() -> Iterator[None]:
    """So that the servers of a test end with it."""
    yield
    fetching._of_process().close()


@pytest.fixture
def server() -> Iterator[PictureServer]:
    yield from serving(PictureServer())


@pytest.fixture
def other_server(server: PictureServer) -> Iterator[PictureServer]:
    """At the same port of another address."""
    yield from serving(PictureServer("127.0.0.2", server.port))


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Names and their addresses: a list, or an iterator of lists, one for each look-up."""
    table: dict[str, Any] = {}
    resolve = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *rest: Any, **options: Any) -> list[Any]:
        found = table.get(host, [host])
        if not isinstance(found, list):
            found = next(found)
        return [entry for address in found for entry in resolve(address, port, *rest, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return table


@pytest.fixture(params=["sync", "async"])
def fetch(request: pytest.FixtureRequest) -> Fetch:
    if request.param == "sync":
        return fetch_url_bytes
    return lambda *arguments: asyncio.run(fetch_url_bytes_async(*arguments))


@pytest.fixture
def only_global(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuses loopback, except for 127.0.0.2, which plays the public internet."""
    monkeypatch.setattr(config, "ALLOW_URL_TO_NON_GLOBAL_ADDRESSES", False)
    monkeypatch.setattr(policy, "address_is_global", lambda address: address == "127.0.0.2")


def test_a_picture_is_fetched_by_address_and_by_name(
    fetch: Fetch, server: PictureServer, names: dict[str, Any]
) -> None:
    names["pictures.test"] = ["127.0.0.1"]
    assert fetch(f"http://127.0.0.1:{server.port}/picture.jpg") == PICTURE
    assert fetch(f"http://2130706433:{server.port}/picture.jpg") == PICTURE
    assert fetch(f"http://pictures.test:{server.port}/picture.jpg?a=b") == PICTURE
    assert server.asked[-1] == (f"pictures.test:{server.port}", "/picture.jpg?a=b")


def test_addresses_are_tried_in_turn(
    fetch: Fetch, server: PictureServer, names: dict[str, Any]
) -> None:
    names["pictures.test"] = ["127.0.0.3", "127.0.0.4", "127.0.0.1"]
    assert fetch(f"http://pictures.test:{server.port}/picture.jpg") == PICTURE


# -- redirects ---------------------------------------------------------------------------------


def test_redirects_are_followed(fetch: Fetch, server: PictureServer, names: Any) -> None:
    names["pictures.test"] = ["127.0.0.1"]
    server.redirects = {
        "/relative": "picture.jpg",
        "/absolute": f"http://pictures.test:{server.port}/relative",
    }
    assert fetch(f"http://127.0.0.1:{server.port}/absolute") == PICTURE
    assert [host for host, _ in server.asked] == [
        f"127.0.0.1:{server.port}",
        f"pictures.test:{server.port}",
        f"pictures.test:{server.port}",
    ]


def test_a_redirect_may_be_written_in_utf_8(fetch: Fetch, server: PictureServer) -> None:
    server.redirects = {"/start": "/b\u00fccher.jpg".encode().decode("latin-1")}
    assert fetch(f"http://127.0.0.1:{server.port}/start") == PICTURE
    assert server.asked[-1][1] == "/b%C3%BCcher.jpg"


def test_a_redirect_that_is_no_text_is_an_error_of_ours(
    fetch: Fetch, server: PictureServer
) -> None:
    server.redirects = {"/start": "http://\xff\xfe/\xff.jpg"}
    with pytest.raises((InvalidURLImageInput, HTTPServerConnectionError)):
        fetch(f"http://127.0.0.1:{server.port}/start")


def test_redirects_have_an_end(
    fetch: Fetch, server: PictureServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "MAX_IMAGE_URL_REDIRECTS", 3)
    assert fetch(f"http://127.0.0.1:{server.port}/hop/3") == PICTURE
    with pytest.raises(InvalidURLImageInput, match="more than 3 times"):
        fetch(f"http://127.0.0.1:{server.port}/hop/4")


@pytest.mark.parametrize("target", ["ftp://some.com/x", "file:///etc/passwd", "http://a\\@b/"])
def test_a_redirect_to_what_is_no_http_url_is_refused(
    fetch: Fetch, server: PictureServer, target: str
) -> None:
    server.redirects = {"/start": target}
    with pytest.raises(InvalidURLImageInput):
        fetch(f"http://127.0.0.1:{server.port}/start")


def test_the_policy_judges_each_redirect(
    fetch: Fetch, server: PictureServer, names: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    names["evil.test"] = ["127.0.0.1"]
    server.redirects = {"/start": f"http://evil.test:{server.port}/picture.jpg"}
    url = f"http://127.0.0.1:{server.port}/start"
    blocked = frozenset({"evil.test"})
    monkeypatch.setattr(config, "BLACKLISTED_DESTINATIONS_FOR_URL_INPUT", blocked)
    with pytest.raises(InvalidURLImageInput, match=r"evil\.test.*not among"):
        fetch(url)
    monkeypatch.setenv("VALIDATE_IMAGE_URL_REDIRECTS", "false")
    assert fetch(url) == PICTURE
    monkeypatch.setattr(config, "VALIDATE_IMAGE_URL_REDIRECTS", True)
    with pytest.raises(InvalidURLImageInput, match=r"evil\.test.*not among"):
        fetch(url)


@pytest.mark.parametrize("validate", [True, False])
@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "inside.test"])
def test_addresses_are_judged_on_each_redirect(
    fetch: Fetch,
    server: PictureServer,
    other_server: PictureServer,
    names: Any,
    only_global: None,
    monkeypatch: pytest.MonkeyPatch,
    host: str,
    validate: bool,
) -> None:
    names.update({"outside.test": ["127.0.0.2"], "inside.test": ["127.0.0.1"]})
    monkeypatch.setenv("VALIDATE_IMAGE_URL_REDIRECTS", str(validate).lower())
    other_server.redirects = {"/start": f"http://{host}:{server.port}/picture.jpg"}
    with pytest.raises(URLAddressNotAllowedError, match=r"127\.0\.0\.1"):
        fetch(f"http://outside.test:{server.port}/start")
    assert server.asked == []


def test_a_redirect_leads_inside_only_where_that_is_said(
    fetch: Fetch,
    server: PictureServer,
    names: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names.update({"outside.test": ["127.0.0.1"], "inside.test": ["127.0.0.1"]})
    server.redirects = {
        "/in": f"http://inside.test:{server.port}/picture.jpg",
        "/written": f"http://127.0.0.1:{server.port}/picture.jpg",
        "/here": "/picture.jpg",
    }
    start = f"http://outside.test:{server.port}"
    assert fetch(f"{start}/here") == PICTURE
    for path in ("/in", "/written"):
        with pytest.raises(URLAddressNotAllowedError, match="127"):
            fetch(f"{start}{path}")
        assert fetch(f"http://localhost:{server.port}{path}") == PICTURE
    monkeypatch.setenv("ALLOW_URL_TO_NON_GLOBAL_ADDRESSES", "true")
    assert fetch(f"{start}/in") == PICTURE


# -- addresses ---------------------------------------------------------------------------------


@both_ways
def test_a_client_of_a_server_elsewhere_connects_to_nothing_inside(
    call: Any, server: PictureServer, names: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    names["inside.test"] = ["127.0.0.1"]
    server.body = gif()
    elsewhere = InferenceHTTPClient("http://192.0.2.1:9001")
    urls = [f"http://{host}:{server.port}/a.gif" for host in ("127.0.0.1", "[::1]", "inside.test")]
    for url in urls:
        with pytest.raises(URLAddressNotAllowedError, match="ALLOW_URL_TO_NON_GLOBAL_ADDRESSES"):
            call(elsewhere, "depth_estimation", url)
    assert server.asked == []
    for address in ("http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1"):
        with pytest.raises(HTTPServerConnectionError, match=r"api_url"):  # which came after
            call(
                InferenceHTTPClient(address).with_options(max_tries=1), "depth_estimation", urls[0]
            )
    assert len(server.asked) == 3
    monkeypatch.setattr(config, "ALLOW_URL_TO_NON_GLOBAL_ADDRESSES", False)
    with pytest.raises(URLAddressNotAllowedError):
        call(InferenceHTTPClient("http://127.0.0.1:1"), "depth_estimation", urls[0])


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "[::ffff:127.0.0.1]", "inside.test"])
def test_refused_addresses_are_not_connected_to(
    fetch: Fetch, server: PictureServer, names: Any, only_global: None, host: str
) -> None:
    names["inside.test"] = ["127.0.0.2", "127.0.0.1"]
    with pytest.raises(URLAddressNotAllowedError):
        fetch(f"http://{host}:{server.port}/picture.jpg")
    assert server.asked == []


def test_a_name_that_changes_its_address_gains_nothing(
    fetch: Fetch,
    server: PictureServer,
    other_server: PictureServer,
    names: Any,
    only_global: None,
) -> None:
    names["rebinding.test"] = iter([["127.0.0.2"], ["127.0.0.1"], ["127.0.0.1"]])
    other_server.keeps = False
    url = f"http://rebinding.test:{server.port}/picture.jpg"
    assert fetch(url) == PICTURE
    assert len(other_server.asked) == 1
    with pytest.raises(URLAddressNotAllowedError):
        fetch(url)
    assert server.asked == []


# -- failures ----------------------------------------------------------------------------------


def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def everything_said(error: BaseException) -> str:
    chain: BaseException | None = error
    said = "".join(traceback.format_exception(error))
    while chain is not None:
        said += repr(chain)
        chain = chain.__cause__ or chain.__context__
    return said


def test_a_refused_connection_says_where_and_keeps_the_secret(fetch: Fetch, names: Any) -> None:
    names["pictures.test"] = ["127.0.0.1", "127.0.0.2"]
    port = closed_port()
    with pytest.raises(HTTPServerConnectionError) as caught:
        fetch(f"http://user:pass-word@pictures.test:{port}/picture.jpg?signature=se-cret")
    assert f"http://pictures.test:{port}/picture.jpg" in str(caught.value)
    assert not isinstance(caught.value, HTTPServerTimeoutError)
    said = everything_said(caught.value).replace(__file__, "")
    shown = "\n".join(line for line in said.splitlines() if "fetch(f" not in line)
    assert "se-cret" not in shown
    assert "pass-word" not in shown


def test_an_unknown_name_is_a_connection_error(
    fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", unknown)
        with pytest.raises(HTTPServerConnectionError, match=r"nowhere\.test.*not known"):
            fetch("http://nowhere.test/picture.jpg")


@pytest.mark.parametrize("path", ["/silent", "/slow-body"])
def test_silence_ends_in_a_time_out(fetch: Fetch, server: PictureServer, path: str) -> None:
    with pytest.raises(HTTPServerTimeoutError, match=path):
        fetch(f"http://127.0.0.1:{server.port}{path}", 0.2)


def test_a_small_download_that_unpacks_to_a_large_one_is_refused(
    fetch: Fetch, server: PictureServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"http://127.0.0.1:{server.port}/packed?signature=secret"
    assert len(fetch(url)) == 2**20
    monkeypatch.setattr(following, "LARGEST_DOWNLOAD_BYTES", 2**19)
    with pytest.raises(InvalidURLImageInput, match=r"/packed holds more than 0 MiB") as caught:
        fetch(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("path", ["/drip", "/hop/20", "/silent"])
def test_the_whole_has_an_end(
    fetch: Fetch, server: PictureServer, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(following, "LONGEST_DOWNLOAD_SECONDS", 0.3 if path != "/hop/20" else 0.0)
    begun = time.monotonic()
    with pytest.raises(HTTPServerTimeoutError, match=r"(?s)127.*in the time that it has"):
        fetch(f"http://127.0.0.1:{server.port}{path}")
    assert time.monotonic() - begun < 5


@both_ways
def test_the_time_of_a_call_is_that_of_its_downloads(call: Any, server: PictureServer) -> None:
    client = InferenceHTTPClient("http://127.0.0.1:1").with_options(total_timeout=0.3)
    with pytest.raises(HTTPServerTimeoutError, match="/drip"):
        call(client, "depth_estimation", f"http://127.0.0.1:{server.port}/drip")


@pytest.mark.parametrize("path", ["/endless", "/packed"])
def test_too_much_is_noticed_while_it_comes(
    fetch: Fetch, server: PictureServer, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(following, "LARGEST_DOWNLOAD_BYTES", 2**19)
    with pytest.raises(InvalidURLImageInput, match="more than 0 MiB"):
        fetch(f"http://127.0.0.1:{server.port}{path}")


PAGE = b"<!DOCTYPE html><title>Sign in</title>"


@both_ways
@pytest.mark.parametrize("limits", [{}, {"max_height": 9, "max_width": 9}], ids=["", "scaled"])
def test_a_page_behind_an_address_is_named(
    call: Any, server: PictureServer, limits: dict[str, int]
) -> None:
    load = loaders.load_static_inference_input
    if call.name == "async":

        def load(*arguments: Any, **options: Any) -> Any:
            return asyncio.run(loaders.load_static_inference_input_async(*arguments, **options))

    server.body, server.content_type = PAGE, "text/html; charset=utf-8"
    url = f"http://127.0.0.1:{server.port}/picture.jpg?signature=secret"
    with pytest.raises(EncodingError) as caught:
        load(url, **limits)
    said = str(caught.value)
    for part in ("/picture.jpg", "an HTML page", "status 200", "text/html", "37 bytes"):
        assert part in said
    assert "secret" not in said


def test_a_body_that_is_cut_short_is_a_connection_error(
    fetch: Fetch, server: PictureServer
) -> None:
    with pytest.raises(HTTPServerConnectionError, match="/cut-short"):
        fetch(f"http://127.0.0.1:{server.port}/cut-short")


def test_what_is_no_http_server_is_a_connection_error(fetch: Fetch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up() -> None:
            with suppress(OSError):  # one client tries twice, the other is gone after once
                for _ in range(2):
                    connection, _address = listener.accept()
                    connection.recv(100)
                    connection.close()

        thread = threading.Thread(target=hang_up, daemon=True)
        thread.start()
        port = listener.getsockname()[1]
        with pytest.raises(HTTPServerConnectionError):
            fetch(f"http://127.0.0.1:{port}/picture.jpg")


def test_passwords_of_netrc_stay_at_home(
    fetch: Fetch, server: PictureServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in calls: the URL of a picture may come from anyone."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    assert fetch(f"http://127.0.0.1:{server.port}/picture.jpg") == PICTURE
    assert server.passwords == [None]


@pytest.mark.parametrize("status", [400, 404, 503])
def test_an_error_status_is_raised_without_the_query(
    fetch: Fetch, server: PictureServer, status: int
) -> None:
    with pytest.raises(HTTPCallErrorError) as caught:
        fetch(f"http://127.0.0.1:{server.port}/status/{status}?signature=secret")
    assert caught.value.status_code == status
    assert f"http://127.0.0.1:{server.port}/status/{status}:" in caught.value.description
    assert "secret" not in str(caught.value)


# -- TLS ---------------------------------------------------------------------------------------


@pytest.fixture
def tls_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PictureServer]:
    import ssl

    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("pictures.test").configure_cert(context)
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    server = PictureServer()
    server.socket = context.wrap_socket(server.socket, server_side=True)
    yield from serving(server)


def test_tls_goes_by_the_name(fetch: Fetch, tls_server: PictureServer, names: Any) -> None:
    names.update({"pictures.test": ["127.0.0.1"], "other.test": ["127.0.0.1"]})
    assert fetch(f"https://pictures.test:{tls_server.port}/picture.jpg") == PICTURE
    assert tls_server.asked == [(f"pictures.test:{tls_server.port}", "/picture.jpg")]
    with pytest.raises(HTTPServerConnectionError, match=r"(?i)certificate"):
        fetch(f"https://other.test:{tls_server.port}/picture.jpg")
    assert len(tls_server.asked) == 1


def test_an_unknown_authority_is_refused(
    fetch: Fetch, tls_server: PictureServer, names: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    names["pictures.test"] = ["127.0.0.1"]
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with pytest.raises(HTTPServerConnectionError, match=r"(?i)certificate"):
        fetch(f"https://pictures.test:{tls_server.port}/picture.jpg")


def test_authorities_may_be_a_folder(
    fetch: Fetch,
    tls_server: PictureServer,
    names: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names["pictures.test"] = ["127.0.0.1"]
    empty = tmp_path / "authorities"
    empty.mkdir()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(empty))
    with pytest.raises(HTTPServerConnectionError, match=r"(?i)certificate"):
        fetch(f"https://pictures.test:{tls_server.port}/picture.jpg")


# -- connections -------------------------------------------------------------------------------


@both_ways
def test_many_downloads_take_one_connection(
    call: Any, tls_server: PictureServer, names: Any
) -> None:
    names["pictures.test"] = ["127.0.0.1"]
    tls_server.body = gif()
    urls = [f"https://pictures.test:{tls_server.port}/{n}.gif" for n in range(20)]
    client = InferenceHTTPClient("http://127.0.0.1:1")

    async def one_after_the_other() -> None:
        with called_by(client.transport, ("http://127.0.0.1:1",)):
            for url in urls:
                await fetch_url_bytes_async(url)
        await client.aclose()

    if call.name == "async":
        asyncio.run(one_after_the_other())
    else:
        with called_by(client.transport, ("http://127.0.0.1:1",)):
            for url in urls:
                fetch_url_bytes(url)
        client.close()
    assert len(tls_server.asked) == 20
    assert tls_server.connections == 1


def test_a_connection_that_ends_as_it_is_used_again_costs_nothing(fetch: Fetch) -> None:
    def leave(connection: Connection) -> None:
        connection.read_request()
        connection.answer("first")
        connection.read_request()

    with RawServer(leave, answering("second")) as host:

        async def twice() -> list[bytes]:
            return [await fetch_url_bytes_async(f"{host.url}/{n}.jpg") for n in range(2)]

        if fetch is fetch_url_bytes:
            fetched = [fetch(f"{host.url}/{n}.jpg") for n in range(2)]
        else:
            fetched = asyncio.run(twice())
        fetching._of_process().close()
        assert fetched == [b'"first"', b'"second"']
        assert [request.split()[1] for request in host.requests] == [
            b"/0.jpg",
            b"/1.jpg",
            b"/1.jpg",
        ]


def test_other_rules_are_other_connections(
    server: PictureServer, names: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that was opened before an address was blocked is not used after."""
    names["pictures.test"] = ["127.0.0.1"]
    url = f"http://pictures.test:{server.port}/picture.jpg"
    assert fetch_url_bytes(url) == fetch_url_bytes(url) == PICTURE
    assert server.connections == 1
    monkeypatch.setattr(config, "BLACKLISTED_DESTINATIONS_FOR_URL_INPUT", {"127.0.0.1"})
    with pytest.raises(URLAddressNotAllowedError, match="blocked"):
        fetch_url_bytes(url)


@pytest.mark.parametrize(
    "target",
    [
        "/b/key?X-Amz-Credential=AK%2F2026&X-Amz-Signature=a%2Fb%3D&x=%e4+~!$'()*,;:@/?[]|{}^",
        "/a%20b/c%2Fd//e/../f;v=1?response-content-disposition=inline%3B%20filename%3D%22a.jpg%22",
        "/100%/x?y=%zz",
        "/?",
    ],
)
def test_a_signed_url_travels_byte_for_byte(
    fetch: Fetch, server: PictureServer, target: str
) -> None:
    fetch(f"http://127.0.0.1:{server.port}{target}")
    server.redirects = {"/start": target}
    fetch(f"http://127.0.0.1:{server.port}/start")
    assert [path for _, path in server.asked] == [target, "/start", target]


# -- proxies -----------------------------------------------------------------------------------


def test_a_proxy_resolves_the_name(
    fetch: Fetch, server: PictureServer, monkeypatch: pytest.MonkeyPatch, only_global: None
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.port}")
    assert fetch("http://not-known-here.test/picture.jpg") == PICTURE
    assert server.asked == [("not-known-here.test", "http://not-known-here.test/picture.jpg")]


def test_addresses_written_into_a_url_are_judged_for_a_proxy_too(
    fetch: Fetch, server: PictureServer, monkeypatch: pytest.MonkeyPatch, only_global: None
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.port}")
    with pytest.raises(URLAddressNotAllowedError):
        fetch("http://10.0.0.1/picture.jpg")
    assert server.asked == []


# -- files -------------------------------------------------------------------------------------


def test_a_download_is_written_to_its_file(server: PictureServer, tmp_path: Path) -> None:
    server.body = bytes(range(256)) * 1000
    destination = tmp_path / "clip.mp4"
    destination.write_bytes(b"older")
    fetch_url_to_file(f"http://127.0.0.1:{server.port}/clip.mp4", str(destination))
    assert destination.read_bytes() == server.body
    assert list(tmp_path.iterdir()) == [destination]


@pytest.mark.parametrize("path", ["/cut-short", "/status/404"])
def test_a_failed_download_leaves_everything_as_it_was(
    server: PictureServer, tmp_path: Path, path: str
) -> None:
    destination = tmp_path / "clip.mp4"
    destination.write_bytes(b"older")
    with pytest.raises((HTTPServerConnectionError, HTTPCallErrorError)):
        fetch_url_to_file(f"http://127.0.0.1:{server.port}{path}", str(destination))
    assert destination.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [destination]


def test_a_folder_that_is_not_there_is_an_os_error(server: PictureServer, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        fetch_url_to_file(
            f"http://127.0.0.1:{server.port}/clip.mp4", str(tmp_path / "none" / "clip.mp4")
        )
    assert server.asked == []


# -- the adapter -------------------------------------------------------------------------------


def guarded_session(allow: bool) -> requests.Session:
    session = requests.Session()
    session.mount("http://", SSRFProtectedHTTPAdapter(allow_non_global_addresses=allow))
    return session


def test_the_adapter_serves_any_session(server: PictureServer, names: Any) -> None:
    names["pictures.test"] = ["127.0.0.1"]
    url = f"http://pictures.test:{server.port}/picture.jpg"
    with guarded_session(allow=True) as session:
        for _ in range(2):
            response = session.get(url, timeout=5)
            assert response.content == PICTURE
            assert (response.url, response.request.url) == (url, url)
            assert "Host" not in response.request.headers
    with guarded_session(allow=False) as session, pytest.raises(URLAddressNotAllowedError):
        session.get(url, timeout=5)


def test_the_adapter_tries_addresses_in_turn_until_one_accepts(
    server: PictureServer, names: Any
) -> None:
    names["pictures.test"] = ["127.0.0.3", "127.0.0.1", "127.0.0.4"]
    with guarded_session(allow=True) as session:
        response = session.get(f"http://pictures.test:{server.port}/picture.jpg", timeout=5)
    assert response.content == PICTURE


def test_what_the_first_address_lost_is_not_asked_of_the_next(
    server: PictureServer, other_server: PictureServer, names: Any
) -> None:
    names["pictures.test"] = ["127.0.0.1", "127.0.0.2"]
    with guarded_session(allow=True) as session, pytest.raises(requests.ConnectionError):
        session.get(f"http://pictures.test:{server.port}/hang-up", timeout=5)
    assert (len(server.asked), other_server.asked) == (1, [])


def test_a_request_that_was_sent_is_not_sent_again(server: PictureServer, names: Any) -> None:
    names["pictures.test"] = ["127.0.0.1", "127.0.0.2"]
    with guarded_session(allow=True) as session, pytest.raises(requests.ReadTimeout):
        session.get(f"http://pictures.test:{server.port}/silent", timeout=0.2)
    assert len(server.asked) == 1


def test_the_adapter_survives_pickling() -> None:
    adapter = SSRFProtectedHTTPAdapter(allow_non_global_addresses=False, max_retries=2)
    copy = pickle.loads(pickle.dumps(adapter))
    with pytest.raises(URLAddressNotAllowedError):
        copy.get_connection("http://127.0.0.1/")
    assert copy.max_retries.total == 2


def test_pools_are_those_of_judged_addresses(names: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    names["pictures.test"] = ["127.0.0.1"]
    request = requests.Request("GET", "https://pictures.test:81/x").prepare()
    allowing = SSRFProtectedHTTPAdapter(allow_non_global_addresses=True)
    pool = allowing.get_connection_with_tls_context(request, verify=True)
    assert (pool.scheme, pool.host, pool.port) == ("https", "127.0.0.1", 81)
    assert allowing.get_connection("http://pictures.test/x").host == "127.0.0.1"

    refusing = SSRFProtectedHTTPAdapter(allow_non_global_addresses=False)
    with pytest.raises(URLAddressNotAllowedError):
        refusing.get_connection_with_tls_context(request, verify=True)

    proxies = {"https": "http://proxy.test:3128"}
    written = requests.Request("GET", "https://10.0.0.1/x").prepare()
    with pytest.raises(URLAddressNotAllowedError):
        refusing.get_connection_with_tls_context(written, True, proxies)
    through_proxy = refusing.get_connection_with_tls_context(request, True, proxies)
    assert through_proxy.host == "pictures.test"
    for adapter in (allowing, refusing):
        adapter.close()


# -- users' tests ------------------------------------------------------------------------------


def test_requests_mock_intercepts_downloads() -> None:
    with requests_mock.Mocker() as mocker:
        mocker.get("http://some.com/image.jpg", content=PICTURE)
        mocker.get("http://some.com/moved.jpg", status_code=301, headers={"Location": "image.jpg"})
        mocker.get("http://some.com/书.jpg", status_code=301, headers={"Location": "/书/image.jpg"})
        mocker.get("http://some.com/书/image.jpg", content=PICTURE)
        mocker.get("http://some.com/missing.jpg", status_code=404)
        mocker.get("http://some.com/down.jpg", exc=requests.ConnectionError)
        assert fetch_url_bytes("http://some.com/image.jpg") == PICTURE
        assert fetch_url_bytes("http://some.com/moved.jpg") == PICTURE
        assert fetch_url_bytes("http://some.com/书.jpg") == PICTURE
        with pytest.raises(HTTPCallErrorError):
            fetch_url_bytes("http://some.com/missing.jpg")
        with pytest.raises(HTTPServerConnectionError):
            fetch_url_bytes("http://some.com/down.jpg")


def test_white_space_around_a_url_is_passed_over(server: PictureServer) -> None:
    server.body = gif()
    [(encoded, _)] = loaders.load_static_inference_input(
        f" \thttp://127.0.0.1:{server.port}/a.gif\n"
    )
    assert base64.b64decode(encoded) == gif()


async def test_aioresponses_intercepts_downloads() -> None:
    mocked = {"response_class": InterceptedResponse}
    with aioresponses() as mocker:
        mocker.get("http://some/image.jpg?s=a%2Fb", body=PICTURE, **mocked)
        headers = {"Location": "/there.jpg"}
        mocker.get("http://some/moved.jpg", status=302, headers=headers, **mocked)
        mocker.get("http://some/there.jpg", body=PICTURE, **mocked)
        mocker.get("http://some/missing.jpg", status=404, **mocked)
        mocker.get("http://some/down.jpg", exception=aiohttp.ClientConnectionError("no"))
        assert await fetch_url_bytes_async("http://some/image.jpg?s=a%2Fb") == PICTURE
        assert await fetch_url_bytes_async("http://some/moved.jpg") == PICTURE
        with pytest.raises(HTTPCallErrorError):
            await fetch_url_bytes_async("http://some/missing.jpg")
        with pytest.raises(HTTPServerConnectionError):
            await fetch_url_bytes_async("http://some/down.jpg")


# -- hosts that repeat what they were told -----------------------------------------------------

SECRETS = ("pass-word-1", "se-cret-sig-2")
REPEATED = {
    "status line": "HTTP/1.1 abc {0} {1}\r\n\r\n",
    "reason": "HTTP/1.1 500 {0} {1}\r\nContent-Length: 0\r\n\r\n",
    "header": "HTTP/1.1 200 OK\r\nbad header {0} {1}\r\n\r\n",
    "chunk": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{0}{1}\r\n",
    "host": "HTTP/1.1 302 OK\r\nLocation: http://{0}%{1}/\r\nContent-Length: 0\r\n\r\n",
    "path": "HTTP/1.1 302 OK\r\nLocation: http://127.0.0.1:1/{0}/{1}\r\nContent-Length: 0\r\n\r\n",
    "content type": "HTTP/1.1 200 OK\r\nContent-Type: a/{0};{1}\r\nContent-Length: 5\r\n\r\n<html",
    "encoding": "HTTP/1.1 200 OK\r\nContent-Encoding: {0}{1}\r\nContent-Length: 1\r\n\r\nx",
}


@both_ways
@pytest.mark.parametrize("place", REPEATED)
def test_secrets_of_a_url_are_masked_whoever_repeats_them(
    call: Any, place: str, caplog: pytest.LogCaptureFixture
) -> None:
    def repeat(connection: Connection) -> None:
        connection.read_request()
        connection.socket.sendall(REPEATED[place].format(*SECRETS).encode())

    with RawServer(repeat) as host, caplog.at_level(logging.DEBUG):
        url = f"http://user:{SECRETS[0]}@{host.url[7:]}/p.jpg?signature={SECRETS[1]}"
        with pytest.raises(HTTPClientError) as caught:
            call(InferenceHTTPClient("http://127.0.0.1:1"), "depth_estimation", url)
    said = everything_said(caught.value) + str(vars(caught.value)) + caplog.text
    assert not any(secret in said for secret in SECRETS)
