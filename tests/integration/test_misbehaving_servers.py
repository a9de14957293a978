"""Servers that are down, silent, broken or malicious: each ends in the documented error, in time.

Sync and async by one body: the same error, the same fields, as many tries.
"""

from __future__ import annotations

import gc
import json
import logging
import socket
import ssl
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trustme

from inference_sdk import InferenceHTTPClient
from inference_sdk.http.errors import (
    AuthenticationError,
    HTTPCallErrorError,
    HTTPClientError,
    HTTPConnectTimeoutError,
    HTTPServerConnectionError,
    HTTPServerDisconnectedError,
    HTTPServerTimeoutError,
    InvalidParameterError,
    InvalidServerResponseError,
    ServerError,
    ValidationError,
)
from inference_sdk.http.transport import Transport, limits
from tests import raw_server
from tests.callers import AsyncCaller, SyncCaller, both_ways
from tests.programs import Face, Player, both_plays
from tests.raw_server import RawServer, answering
from tests.recording_server import RecordingServer

KEY = "0123456789-the-secret-key"
IMAGE = "R0lGODlhaW1hZ2U="
INFO = {"name": "server", "version": "1", "uuid": "u"}
VECTOR = {"embeddings": [[0.5]]}

Caller = Callable[..., Any]


@dataclass
class Pauses:
    """A clock that does not run: notes how long it was asked to wait."""

    seconds: list[float] = field(default_factory=list)

    def transport(self) -> Transport:
        async def pause(seconds: float) -> None:
            self.seconds.append(seconds)

        return Transport(sleep=self.seconds.append, sleep_async=pause)


@pytest.fixture(autouse=True)
def no_authorities_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


def client_of(url: str, pauses: Pauses, **options: Any) -> InferenceHTTPClient:
    client = InferenceHTTPClient(url, KEY)
    client._transport = pauses.transport()
    return client.with_options(**{"read_timeout": 5.0, "connect_timeout": 5.0, **options})


# -- each fault, its error, and how often it is tried --------------------------------------------

HTML = b"<html>It works!</html>"


@dataclass(frozen=True)
class Fault:
    script: raw_server.Script
    error: type[HTTPClientError]
    text: str
    connections: int
    status: int | None = None
    message: str | None = None

    def client(self, server: RawServer, pauses: Pauses) -> InferenceHTTPClient:
        patience = 0.2 if self.error is HTTPServerTimeoutError else 5.0
        return client_of(server.url, pauses, read_timeout=patience)


FAULTS = {
    "never answers": Fault(raw_server.silent, HTTPServerTimeoutError, "within 0.2 s", 1),
    "never reads": Fault(raw_server.never_reading, HTTPServerTimeoutError, "within 0.2 s", 1),
    "stalls in the body": Fault(raw_server.stalling, HTTPServerTimeoutError, "within 0.2 s", 1),
    "resets": Fault(raw_server.resetting, HTTPServerDisconnectedError, "without an answer", 4),
    "closes": Fault(raw_server.closing, HTTPServerDisconnectedError, "without an answer", 4),
    "resets in mid-body": Fault(
        raw_server.resetting_in_the_body, HTTPServerConnectionError, "was lost before", 3
    ),
    "ends in mid-body": Fault(
        raw_server.ending_early, HTTPServerConnectionError, "was lost before", 3
    ),
    "sends broken gzip": Fault(
        raw_server.broken_gzip, InvalidServerResponseError, "cannot be unpacked", 1
    ),
    "speaks another protocol": Fault(
        raw_server.speaking_another_protocol, InvalidServerResponseError, "in HTTP", 1
    ),
    "half a JSON": Fault(
        answering(b'{"name": "ser'), InvalidServerResponseError, "not with JSON", 1
    ),
    "HTML with 200": Fault(
        answering(HTML, Content_Type="text/html"), InvalidServerResponseError, "It works!", 1
    ),
    "empty body": Fault(answering(b""), InvalidServerResponseError, "0 bytes", 1),
    "JSON of another kind": Fault(answering([1]), InvalidServerResponseError, "object", 1),
    "HTML with 502": Fault(
        answering(HTML, "502 Bad Gateway"), ServerError, "502 Server Error: Bad Gateway", 1,
        502, HTML.decode(),
    ),
    "empty 500": Fault(answering(b"", "500 Oops"), ServerError, "500 Server", 1, 500, ""),
    "401": Fault(
        answering({"message": "wrong key"}, "401 Unauthorized"), AuthenticationError,
        "401 Client Error", 1, 401, "wrong key",
    ),
    "405": Fault(
        answering({"detail": "Method Not Allowed"}, "405 Method Not Allowed"), HTTPCallErrorError,
        "405", 1, 405, "Method Not Allowed",
    ),
    "422": Fault(
        answering(
            {"detail": [{"type": "missing", "loc": ["body", "model_id"], "msg": "Field required"}]},
            "422 Unprocessable Content",
        ),
        ValidationError, "422", 1, 422, "body.model_id: Field required",
    ),
    "400 of a workflow": Fault(
        answering(
            {"message": "wrong", "error_type": "E", "inner_error_message": "None"},
            "400 Bad Request",
        ),
        HTTPCallErrorError, "400", 1, 400, "wrong",
    ),
    "503 for ever": Fault(
        answering({"message": "busy"}, "503 Service Unavailable", Connection="close"),
        ServerError, "503", 3, 503, "busy",
    ),
    "304 to a request without conditions": Fault(
        answering(b"", "304 Not Modified"), InvalidServerResponseError, "304", 1
    ),
    "redirects in a circle": Fault(
        answering(b"", "307 Temporary Redirect", Location="/again"),
        InvalidServerResponseError, "again and again", 1,
    ),
    "redirects to nowhere": Fault(
        answering(b"", "302 Found", Location="http://[::1"),
        InvalidServerResponseError, "no address", 1,
    ),
    "redirects away": Fault(
        answering(b"", "302 Found", Location="http://elsewhere.test/info"),
        HTTPClientError, "redirects to http://elsewhere.test", 1,
    ),
}  # fmt: skip

all_faults = pytest.mark.parametrize("fault", FAULTS.values(), ids=list(FAULTS))


def failure(call: Caller, *arguments: Any, **options: Any) -> HTTPClientError:
    with pytest.raises(HTTPClientError) as caught:
        call(*arguments, **options)
    return caught.value


def failure_or_none(call: Caller, *arguments: Any, **options: Any) -> HTTPClientError | None:
    try:
        call(*arguments, **options)
    except HTTPClientError as error:
        return error
    return None


@both_ways
@all_faults
def test_each_fault_has_its_error(call: Caller, fault: Fault, pauses: Pauses) -> None:
    with RawServer(fault.script) as server:
        started = time.monotonic()
        error = failure(call, fault.client(server, pauses), "get_server_info")
        took = time.monotonic() - started
        assert type(error) is fault.error
        assert fault.text in getattr(error, "description", str(error))
        assert server.connections == fault.connections
    if not isinstance(error, InvalidServerResponseError):
        assert server.url in str(error)  # whom
    assert took < 3
    if isinstance(error, HTTPCallErrorError):
        assert (error.status_code, error.api_message) == (fault.status, fault.message)


@all_faults
def test_sync_and_async_raise_the_same(fault: Fault, pauses: Pauses) -> None:
    with RawServer(fault.script) as server:
        client = fault.client(server, pauses)
        one, other = (
            failure(call, client, "get_server_info") for call in (SyncCaller(), AsyncCaller())
        )
    assert type(one) is type(other)
    if isinstance(one, HTTPCallErrorError):
        assert repr(one) == repr(other)
    assert vars(one).keys() == vars(other).keys()


# -- no secret -----------------------------------------------------------------------------------

KEYED_CALLS: dict[str, tuple[str, list[Any], dict[str, Any]]] = {
    "in the query": ("list_loaded_models", [], {}),
    "in the body": ("get_clip_image_embeddings", [IMAGE], {}),
    "of v0": ("infer_from_api_v0", [IMAGE], {"model_id": "project/1"}),
}


def everything_of(error: BaseException) -> str:
    """What a log of the error shows, and what its chain holds."""
    chain: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        current = waiting.pop()
        if current is not None and current not in chain:
            chain.append(current)
            waiting += [current.__cause__, current.__context__]
    told = [text for e in chain for text in (str(e), repr(e), repr(e.args), repr(vars(e)))]
    return "\n".join([*told, *traceback.format_exception(error)])


@both_ways
@all_faults
@pytest.mark.parametrize("keyed", KEYED_CALLS.values(), ids=list(KEYED_CALLS))
def test_no_error_shows_the_key(
    call: Caller,
    fault: Fault,
    keyed: tuple[str, list[Any], dict[str, Any]],
    pauses: Pauses,
    caplog: pytest.LogCaptureFixture,
) -> None:
    method, arguments, options = keyed
    with RawServer(fault.script) as server, caplog.at_level(logging.DEBUG, "inference_sdk"):
        client = fault.client(server, pauses)
        error = failure_or_none(call, client, method, *arguments, **options)
    if error is None:
        # A list is an answer for the calls that take whatever JSON there is.
        assert fault is FAULTS["JSON of another kind"]
    else:
        assert KEY not in everything_of(error)
    told = [r.getMessage() for r in caplog.records if r.name.startswith("inference_sdk")]
    assert KEY not in "\n".join(told)
    assert KEY not in repr(client)


@both_ways
@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "http://not-known-here.invalid"])
def test_no_key_where_there_is_no_server(call: Caller, address: str, pauses: Pauses) -> None:
    error = failure(call, client_of(address, pauses), "list_loaded_models")
    assert KEY not in everything_of(error)


# -- the way to the server -----------------------------------------------------------------------


@both_ways
def test_a_closed_port(call: Caller, pauses: Pauses) -> None:
    with RawServer(raw_server.closing) as server:
        pass
    error = failure(call, client_of(server.url, pauses), "get_server_info")
    assert type(error) is HTTPServerConnectionError
    assert f"Could not connect to {server.url}: " in str(error)
    assert "Connection refused" in str(error) or "Connect call failed" in str(error)
    assert isinstance(error.__cause__, OSError)
    assert len(pauses.seconds) == 2  # three tries


@both_ways
def test_an_unknown_host(call: Caller, pauses: Pauses) -> None:
    error = failure(call, client_of("http://not-known-here.invalid", pauses), "get_server_info")
    assert type(error) is HTTPServerConnectionError
    assert "http://not-known-here.invalid" in str(error)


@both_ways
@pytest.mark.parametrize("address", ["ftp://host", "http://", "http:///path", ""])
def test_an_address_that_is_none(call: Caller, address: str, pauses: Pauses) -> None:
    error = failure(call, client_of(address, pauses), "list_loaded_models")
    assert type(error) is InvalidParameterError
    assert "Check the api_url" in str(error)
    assert KEY not in everything_of(error)
    assert pauses.seconds == []


@pytest.mark.parametrize("address", ["localhost:9001", "127.0.0.1", "me:hush-hush@host:9001"])
def test_an_address_without_its_beginning_is_told_at_once(address: str) -> None:
    host = address.rpartition("@")[2]
    with pytest.raises(InvalidParameterError, match=f"Write 'http://{host}'") as caught:
        InferenceHTTPClient(address, KEY)
    assert "hush-hush" not in str(caught.value)


@both_ways
def test_spaces_and_line_ends_around_address_and_key_do_not_count(call: Caller) -> None:
    with RawServer(answering({"models": []})) as server:
        call(InferenceHTTPClient(f" {server.url}/\n", f"{KEY}\r\n"), "list_loaded_models")
    assert f"api_key={KEY} ".encode() in server.requests[0]


@both_ways
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_is_no_number_is_not_sent(call: Caller, value: float) -> None:
    client = InferenceHTTPClient("http://127.0.0.1:9", KEY)
    told = str(value)
    in_query = failure(call, client.select_api_v0(), "infer", IMAGE, "a/1", confidence=value)
    client.select_api_v1()
    in_body = failure(call, client, "infer_from_yolo_world", IMAGE, ["cat"], confidence=value)
    for error in (in_query, in_body):
        assert type(error) is InvalidParameterError
        assert f"confidence is {told}" in str(error)
    error = failure(call, client, "run_workflow", specification={}, parameters={"a": [0.5, value]})
    assert f"inputs.a[1] is {told}" in str(error)


@both_ways
@pytest.mark.parametrize("argument", ["images", "parameters"])
@pytest.mark.parametrize("value", ["a.jpg", ["a.jpg"], 5])
def test_inputs_of_a_workflow_have_names(call: Caller, argument: str, value: Any) -> None:
    client = InferenceHTTPClient("http://127.0.0.1:9", KEY)
    error = failure(call, client, "run_workflow", specification={}, **{argument: value})
    assert type(error) is InvalidParameterError
    assert f"{argument} is {value!r}" in str(error)
    assert f"such as {argument}={{" in str(error)


@both_ways
def test_a_server_that_never_reads_a_large_body(call: Caller, pauses: Pauses) -> None:
    """Larger than what the sockets buffer: the body cannot be sent, which must not last."""
    with RawServer(raw_server.never_reading) as server:
        started = time.monotonic()
        client = client_of(server.url, pauses, read_timeout=0.3)
        error = failure(call, client, "get_clip_image_embeddings", b"GIF89a" + b"x" * 2**24)
        assert type(error) is HTTPServerTimeoutError
        assert time.monotonic() - started < 5
        assert server.connections == 1
        gc.collect()  # a socket that was left open would warn


def reading_slowly(connection: raw_server.Connection) -> None:
    """Takes longer over a request than may pass until a connection stands."""
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**16)
    first = connection.socket.recv(2**16, socket.MSG_PEEK)
    assert first
    time.sleep(0.6)
    connection.read_request()
    connection.answer(VECTOR)


@both_ways
@pytest.mark.parametrize("by_proxy", [False, True])
def test_a_slow_upload_is_not_a_slow_connection(
    call: Caller, by_proxy: bool, pauses: Pauses
) -> None:
    with RawServer(reading_slowly) as server:
        address, proxy = ("http://target.test", server.url) if by_proxy else (server.url, None)
        client = client_of(address, pauses, connect_timeout=0.25, proxy=proxy)
        assert call(client, "get_clip_image_embeddings", b"GIF89a" + b"x" * 2**23) == VECTOR
        assert server.connections == 1


@both_ways
def test_a_slow_answer_is_no_silence(call: Caller, pauses: Pauses) -> None:
    def trickling(connection: raw_server.Connection) -> None:
        connection.read_request()
        content = json.dumps(INFO).encode()
        connection.send_head(length=len(content))
        for byte in content[:5]:
            time.sleep(0.1)
            connection.socket.sendall(bytes([byte]))
        connection.socket.sendall(content[5:])

    with RawServer(trickling) as server:
        client = client_of(server.url, pauses, read_timeout=0.3)
        assert call(client, "get_server_info").name == "server"


# -- what passes ---------------------------------------------------------------------------------


@both_ways
def test_a_busy_server_gets_the_pause_it_asks_for(call: Caller) -> None:
    """The one test that really waits."""

    def then_fine(connection: raw_server.Connection) -> None:
        connection.read_request()
        connection.answer({}, "429 Too Many Requests", Retry_After="1")
        answering(INFO)(connection)

    with RawServer(then_fine) as server:
        started = time.monotonic()
        assert call(InferenceHTTPClient(server.url), "get_server_info").name == "server"
        assert 1.0 <= time.monotonic() - started < 3
        assert len(server.requests) == 2


@both_ways
@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({"Retry_After": "1"}, 1.0),
        ({"Retry_After": "3600"}, 30.0),
        (
            {
                "Date": "Sun, 06 Nov 1994 08:49:37 GMT",
                "Retry_After": "Sun, 06 Nov 1994 08:49:42 GMT",
            },
            5.0,
        ),
    ],
)
def test_retry_after(call: Caller, headers: dict[str, str], pause: float, pauses: Pauses) -> None:
    with RawServer(
        answering({}, "503 Service Unavailable", Connection="close", **headers), answering(INFO)
    ) as server:
        assert call(client_of(server.url, pauses), "get_server_info").name == "server"
    assert pauses.seconds == [pause]


@both_ways
def test_tries_are_configurable(call: Caller, pauses: Pauses) -> None:
    with RawServer(answering({}, "503 Service Unavailable")) as server:
        failure(call, client_of(server.url, pauses, max_tries=5), "get_server_info")
        assert len(server.requests) == 5
    assert len(pauses.seconds) == 4
    assert all(0 <= s <= 0.5 * 2**i for i, s in enumerate(pauses.seconds))


@both_ways
def test_statuses_to_try_again_are_configurable(call: Caller, pauses: Pauses) -> None:
    with RawServer(answering({}, "502 Bad Gateway", Connection="close"), answering(INFO)) as server:
        client = client_of(server.url, pauses, retry_statuses={502})
        assert call(client, "get_server_info").name == "server"


@both_ways
@pytest.mark.parametrize(
    ("script", "sent"),
    [
        (raw_server.resetting_in_the_body, 1),
        (answering({}, "504 Gateway Timeout"), 1),
        (answering({}, "503 Service Unavailable"), 3),
    ],
    ids=["loses the answer", "504", "503"],
)
@pytest.mark.parametrize("what", ["pipeline", "clip"])
@pytest.mark.filterwarnings("ignore:.* is experimental")
def test_what_must_not_happen_twice(
    call: Caller,
    script: raw_server.Script,
    sent: int,
    what: str,
    pauses: Pauses,
    tmp_path: Path,
) -> None:
    """A second pipeline on one camera, a clip that is billed twice."""
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"clip")
    method, options = {
        "pipeline": (
            "start_inference_pipeline_with_workflow",
            {"video_reference": 0, "workflow_specification": {}},
        ),
        "clip": ("infer_on_video_from_api_v0", {"video_reference": str(clip), "model_id": "a/1"}),
    }[what]
    with RawServer(script) as server:
        error = failure(call, client_of(server.url, pauses), method, **options)
        assert (len(server.requests), error.tries) == (sent, sent)


@both_ways
def test_a_client_does_not_hammer_a_server_that_is_down(call: Caller, pauses: Pauses) -> None:
    with RawServer(answering({}, "503 Service Unavailable")) as server:
        client = client_of(server.url, pauses, retry_budget=4)
        tries = [failure(call, client, "get_server_info").tries for _ in range(4)]
    assert tries == [3, 3, 1, 1]


@both_plays
@pytest.mark.parametrize("body", [IMAGE, b"GIF89a" + b"x" * 2**22], ids=["small", "large"])
def test_a_connection_that_was_kept_too_long(play: Player, body: Any, pauses: Pauses) -> None:
    """The server closed it meanwhile: nobody's fault, so it is sent again, retries or not."""
    closed = threading.Event()

    def once(connection: raw_server.Connection) -> None:
        connection.read_request()
        connection.answer(VECTOR)
        connection.socket.close()
        closed.set()

    async def program(face: Face) -> None:
        for _ in range(3):
            closed.clear()
            assert await face.call("get_clip_image_embeddings", body) == VECTOR
            assert closed.wait(5)

    with RawServer(once) as server:
        play(client_of(server.url, pauses, max_tries=1, read_timeout=5.0), program)
        assert server.connections == 3
    assert pauses.seconds == []


@both_plays
@pytest.mark.parametrize("ending", ["close", "reset"])
@pytest.mark.parametrize("body", [IMAGE, b"GIF89a" + b"x" * 2**22], ids=["small", "large"])
def test_a_kept_connection_that_ends_with_the_next_request(
    play: Player, ending: str, body: Any, pauses: Pauses
) -> None:
    """The race that no look at the socket can win: it ends while the request is under way."""

    def once(connection: raw_server.Connection) -> None:
        connection.read_request()
        connection.answer(VECTOR)
        connection.socket.recv(100)
        if ending == "reset":
            connection.reset()

    async def program(face: Face) -> None:
        for _ in range(3):
            assert await face.call("get_clip_image_embeddings", body) == VECTOR

    with RawServer(once) as server:
        play(client_of(server.url, pauses, max_tries=1, read_timeout=5.0), program)
        assert server.connections == 3
    assert pauses.seconds == []


# -- redirects -----------------------------------------------------------------------------------


@both_ways
@pytest.mark.parametrize("status", ["307 Temporary Redirect", "308 Permanent Redirect"])
def test_redirects_on_the_same_host_are_followed(call: Caller, status: str, pauses: Pauses) -> None:
    def script(connection: raw_server.Connection) -> None:
        connection.read_request()
        connection.answer(b"", status, Location="/clip/moved")
        answering(VECTOR)(connection)

    with RawServer(script) as server:
        client = client_of(server.url, pauses, api_key_transport="both")
        assert call(client, "get_clip_image_embeddings", IMAGE) == VECTOR
        first, second = server.requests
    assert first.startswith(b"POST /clip/embed_image HTTP/1.1")
    assert second.startswith(b"POST /clip/moved HTTP/1.1")
    assert first.partition(b"\r\n\r\n")[2] == second.partition(b"\r\n\r\n")[2]
    assert f"Authorization: Bearer {KEY}".encode() in second


@both_ways
@pytest.mark.parametrize("header", ["Location", "URI"])
@pytest.mark.parametrize("place", ["//127.0.0.1:{port}/x", "http://localhost:{port}/x"])
@pytest.mark.parametrize("transport", ["legacy", "header"])
def test_redirects_elsewhere_are_refused(
    call: Caller, header: str, place: str, transport: str, server: RecordingServer, pauses: Pauses
) -> None:
    port = server.url.rpartition(":")[2]
    location = place.format(port=port)
    script = answering(VECTOR, "307 Temporary Redirect", **{header: location})
    with RawServer(script) as redirecting:
        client = client_of(redirecting.url, pauses, api_key_transport=transport)
        error = failure_or_none(call, client, "get_clip_image_embeddings", IMAGE)
        assert len(redirecting.requests) == 1
    if header == "URI":
        # That is no header of HTTP: neither a result nor a way on.
        assert type(error) is InvalidServerResponseError
    else:
        assert f"{redirecting.url} redirects to " in str(error)
        assert port in str(error)
    assert server.requests == []


# -- TLS -----------------------------------------------------------------------------------------


@dataclass
class Authority:
    """Issues certificates; its own is in the file `bundle`."""

    folder: Path
    ca: trustme.CA = field(default_factory=trustme.CA)

    @property
    def bundle(self) -> str:
        path = self.folder / "ca.pem"
        self.ca.cert_pem.write_to_path(str(path))
        return str(path)

    def server_context(self, name: str = "127.0.0.1") -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(name).configure_cert(context)
        return context

    def client_certificate(self) -> tuple[str, str]:
        issued = self.ca.issue_cert("me@client.test")
        certificate, key = self.folder / "client.pem", self.folder / "client.key"
        issued.cert_chain_pems[0].write_to_path(str(certificate))
        issued.private_key_pem.write_to_path(str(key))
        return str(certificate), str(key)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@both_ways
def test_an_untrusted_certificate(call: Caller, authority: Authority, pauses: Pauses) -> None:
    with RawServer(answering(INFO), tls=authority.server_context()) as server:
        error = failure(call, client_of(server.url, pauses), "list_loaded_models")
        assert server.requests == []
    assert type(error) is HTTPClientError
    assert "certificate verify failed" in str(error).lower()
    assert "REQUESTS_CA_BUNDLE" in str(error)
    assert KEY not in everything_of(error)
    assert pauses.seconds == []


@both_ways
def test_a_certificate_of_another_name(call: Caller, authority: Authority, pauses: Pauses) -> None:
    with RawServer(answering(INFO), tls=authority.server_context("other.test")) as server:
        client = client_of(server.url, pauses, verify=authority.bundle)
        assert type(failure(call, client, "get_server_info")) is HTTPClientError


@both_ways
@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_trust_by_configuration(call: Caller, authority: Authority, pauses: Pauses) -> None:
    with RawServer(answering(INFO), tls=authority.server_context()) as server:
        for verify in (authority.bundle, False):
            client = client_of(server.url, pauses, verify=verify)
            assert call(client, "get_server_info").name == "server"


@both_ways
@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_trust_by_environment(
    call: Caller,
    variable: str,
    authority: Authority,
    pauses: Pauses,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(variable, authority.bundle)
    with RawServer(answering(INFO), tls=authority.server_context()) as server:
        assert call(client_of(server.url, pauses), "get_server_info").name == "server"


@both_ways
def test_a_folder_of_authorities(call: Caller, tmp_path: Path, pauses: Pauses) -> None:
    """Folders hold certificates under hashed names; in this one there is none."""
    own = Authority(tmp_path)
    with RawServer(answering(INFO), tls=own.server_context()) as server:
        client = client_of(server.url, pauses, verify=str(tmp_path))
        assert type(failure(call, client, "get_server_info")) is HTTPClientError


@both_ways
def test_client_certificates(call: Caller, authority: Authority, pauses: Pauses) -> None:
    context = authority.server_context()
    authority.ca.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    certificate, key = authority.client_certificate()
    joined = authority.folder / "joined.pem"
    joined.write_bytes(Path(certificate).read_bytes() + Path(key).read_bytes())
    with RawServer(answering(INFO), tls=context) as server:
        client = client_of(server.url, pauses, verify=authority.bundle)
        for given in ((certificate, key), str(joined)):
            known = client.with_options(client_certificate=given)
            assert call(known, "get_server_info").name == "server"
        error = failure(call, client, "get_server_info")
        assert type(error) is HTTPClientError
        assert "client_certificate" in str(error)


@both_ways
@pytest.mark.parametrize("setting", ["verify", "client_certificate"])
def test_certificates_that_are_not_there(call: Caller, setting: str, pauses: Pauses) -> None:
    client = client_of("https://127.0.0.1:1", pauses, **{setting: "/not/here.pem"})
    error = failure(call, client, "get_server_info")
    assert type(error) is InvalidParameterError
    assert "/not/here.pem" in str(error)


@both_ways
def test_a_bundle_that_is_none(
    call: Caller, authority: Authority, tmp_path: Path, pauses: Pauses
) -> None:
    text = tmp_path / "text.pem"
    text.write_text("no certificate")
    with RawServer(answering(INFO), tls=authority.server_context()) as server:
        client = client_of(server.url, pauses, verify=str(text))
        assert type(failure(call, client, "get_server_info")) is InvalidParameterError


@both_ways
def test_https_to_a_server_that_speaks_http(call: Caller, pauses: Pauses) -> None:
    def puzzled(connection: raw_server.Connection) -> None:
        connection.socket.recv(100)
        connection.answer({"message": "What?"}, "400 Bad Request")

    with RawServer(puzzled) as server:
        address = server.url.replace("http:", "https:")
        error = failure(call, client_of(address, pauses), "get_server_info")
    assert type(error) is HTTPClientError
    assert "No secure connection" in str(error)


@both_ways
def test_a_server_that_leaves_in_the_handshake(call: Caller, pauses: Pauses) -> None:
    def leave(connection: raw_server.Connection) -> None:
        connection.socket.recv(100)
        connection.reset()

    with RawServer(leave) as server:
        address = server.url.replace("http:", "https:")
        error = failure(call, client_of(address, pauses), "get_server_info")
    assert isinstance(error, HTTPServerConnectionError)
    assert len(pauses.seconds) == 2


@both_ways
def test_a_handshake_that_never_comes(call: Caller, pauses: Pauses) -> None:
    with RawServer(raw_server.never_reading) as server:
        address = server.url.replace("http:", "https:")
        client = client_of(address, pauses, connect_timeout=0.1)
        error = failure(call, client, "get_server_info")
    assert type(error) is HTTPConnectTimeoutError
    assert "the TLS handshake was not over within 0.1 s" in str(error)
    assert len(pauses.seconds) == 2
    gc.collect()  # a socket that was left open would warn


@both_ways
def test_an_untrusted_server_leaves_no_socket(
    call: Caller, authority: Authority, pauses: Pauses
) -> None:
    with RawServer(answering(INFO), tls=authority.server_context()) as server:
        error = failure(call, client_of(server.url, pauses), "get_server_info")
    assert type(error) is HTTPClientError
    gc.collect()


def dripping(connection: raw_server.Connection) -> None:
    connection.read_request()
    connection.send_head(length=10**6)
    while not connection.server.over.wait(0.01):
        connection.socket.sendall(b" " * 2048)  # too much for silence


@both_ways
def test_a_look_up_ends_however_it_drips(
    call: Caller, pauses: Pauses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LONGEST_LOOK_UP", 0.2)
    with RawServer(dripping) as server:
        started = time.monotonic()
        error = failure(call, client_of(server.url, pauses), "get_server_info")
    assert type(error) is HTTPServerTimeoutError
    assert "in the time that the call has" in str(error)
    assert time.monotonic() - started < 2
