from __future__ import annotations

import asyncio
import gzip
import pickle
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
import requests_mock
import trustme

from inference_sdk.http.errors import (
    HTTPCallErrorError,
    HTTPServerConnectionError,
    HTTPServerTimeoutError,
    InvalidURLImageInput,
    URLAddressNotAllowedError,
)
from inference_sdk.http.utils import url_utils
from inference_sdk.http.utils.url_utils import (
    SSRFProtectedHTTPAdapter,
    fetch_url_bytes,
    fetch_url_bytes_async,
    fetch_url_to_file,
)

Fetch = Callable[..., bytes]
PICTURE = b"\xff\xd8 a picture"


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

    @property
    def port(self) -> int:
        return self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are what some tests are about."""


class PictureHandler(BaseHTTPRequestHandler):
    server: PictureServer

    def do_GET(self) -> None:
        self.server.asked.append((self.headers["Host"], self.path))
        self.server.passwords.append(self.headers["Authorization"])
        path = self.path.partition("?")[0]
        if path in self.server.redirects:
            self.answer(302, b"moved", Location=self.server.redirects[path])
        elif path.startswith("/status/"):
            self.answer(int(path.rpartition("/")[2]), b"sorry")
        elif path.startswith("/hop/"):
            hops = int(path.rpartition("/")[2])
            self.answer(302, b"", Location=f"/hop/{hops - 1}" if hops > 1 else "/picture.jpg")
        elif path == "/hang-up":
            self.close_connection = True
        elif path == "/packed":
            packed = gzip.compress(bytes(2**20))
            self.answer(200, packed, **{"Content-Encoding": "gzip"})
        elif path == "/silent":
            self.server.released.wait(10)
        elif path == "/slow-body":
            self.answer(200, b"half", length=100)
            self.server.released.wait(10)
        elif path == "/cut-short":
            self.answer(200, b"half", length=100)
        else:
            self.answer(200, self.server.body)

    def answer(self, status: int, body: bytes, length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
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
    monkeypatch.setattr(url_utils, "ALLOW_URL_TO_NON_GLOBAL_ADDRESSES", False)
    monkeypatch.setattr(url_utils, "address_is_global", lambda address: address == "127.0.0.2")


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
    monkeypatch.setattr(url_utils, "MAX_IMAGE_URL_REDIRECTS", 3)
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
    monkeypatch.setattr(url_utils, "BLACKLISTED_DESTINATIONS_FOR_URL_INPUT", blocked)
    with pytest.raises(InvalidURLImageInput, match=r"evil\.test.*not among"):
        fetch(url)
    monkeypatch.setattr(url_utils, "VALIDATE_IMAGE_URL_REDIRECTS", False)
    assert fetch(url) == PICTURE


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
    monkeypatch.setattr(url_utils, "VALIDATE_IMAGE_URL_REDIRECTS", validate)
    other_server.redirects = {"/start": f"http://{host}:{server.port}/picture.jpg"}
    with pytest.raises(URLAddressNotAllowedError, match=r"127\.0\.0\.1"):
        fetch(f"http://outside.test:{server.port}/start")
    assert server.asked == []


# -- addresses ---------------------------------------------------------------------------------


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
    monkeypatch.setattr(url_utils, "LARGEST_DOWNLOAD_BYTES", 2**19)
    with pytest.raises(InvalidURLImageInput, match=r"/packed holds more than 0 MiB") as caught:
        fetch(url)
    assert "secret" not in str(caught.value)


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
