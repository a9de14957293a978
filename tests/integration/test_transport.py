"""Connections: kept, shared, dropped with their loop, left alone by forks; proxies; no cookies."""

from __future__ import annotations

import asyncio
import gc
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiohttp import web

from inference_sdk import InferenceHTTPClient
from inference_sdk.http import transport
from inference_sdk.http.errors import HTTPServerConnectionError, InvalidParameterError
from tests.callers import both_ways
from tests.programs import Face, Player, both_plays
from tests.raw_server import Connection, RawServer, answering
from tests.recording_server import Recorded, RecordingServer

IMAGE = "R0lGODlhaW1hZ2U="
KEY = "key-of-the-tests"
INFO = {"name": "server", "version": "1", "uuid": "u"}
ROOT = Path(__file__).parents[2]

Caller = Callable[..., Any]


@pytest.fixture(autouse=True)
def everything_is_closed() -> Any:
    """What is left open warns when it is collected, and warnings are errors."""
    yield
    gc.collect()


@pytest.fixture
def helpful(server: RecordingServer) -> RecordingServer:
    server.answer("/info", INFO)
    server.answer("/clip/embed_image", {"embeddings": [[0.5]]})
    server.answer("/w/workflows/f", {"outputs": [{"result": 1}]})
    server.answer("/ocr/trocr", {"result": "text"})
    return server


# -- kept ----------------------------------------------------------------------------------------


@both_plays
def test_one_after_the_other_is_one_connection(play: Player, helpful: RecordingServer) -> None:
    async def program(face: Face) -> None:
        for _ in range(5):
            await face.call("get_server_info")
            await face.call("get_clip_image_embeddings", [IMAGE] * 3)
            await face.call(
                "run_workflow", workspace_name="w", workflow_id="f", images={"image": IMAGE}
            )
            await face.call("ocr_image", IMAGE, model="trocr")

    play(InferenceHTTPClient(helpful.url, KEY), program)
    assert len(helpful.requests) == 30
    assert helpful.connections == 1


@both_plays
def test_copies_share_connections(play: Player, helpful: RecordingServer) -> None:
    client = InferenceHTTPClient(helpful.url)

    async def program(face: Face) -> None:
        for timeout in (1.0, 2.0, None):
            face.client = client.with_options(timeout=timeout, model_id="coco/3")
            await face.call("get_server_info")

    play(client, program)
    assert helpful.connections == 1


@both_plays
def test_batches_open_no_more_than_are_used_at_once(play: Player, helpful: RecordingServer) -> None:
    async def program(face: Face) -> None:
        for _ in range(5):
            await face.call("get_clip_image_embeddings", [IMAGE] * 40)

    client = InferenceHTTPClient(helpful.url).with_options(max_concurrent_requests=4)
    play(client, program)
    assert len(helpful.requests) == 200
    assert helpful.connections <= 4


def test_threads_share_connections(helpful: RecordingServer) -> None:
    with InferenceHTTPClient(helpful.url) as client, ThreadPoolExecutor(8) as executor:

        def call(i: int) -> Any:
            return client.get_server_info() if i % 2 else client.get_clip_image_embeddings(IMAGE)

        assert len(list(executor.map(call, range(120)))) == 120
        assert helpful.connections <= 8


async def test_tasks_share_connections(helpful: RecordingServer) -> None:
    async with InferenceHTTPClient(helpful.url) as client:
        for _ in range(10):
            await asyncio.gather(*(client.get_server_info_async() for _ in range(8)))
    assert helpful.connections <= 8


@both_plays
def test_an_idle_connection_is_not_used_for_ever(play: Player, helpful: RecordingServer) -> None:
    async def program(face: Face) -> None:
        kept = face.client
        for seconds in (None, 0.05, 0.0, 55.0):
            face.client = kept.with_options(idle_timeout=seconds)
            await face.call("get_server_info")
            await face.pause(0.06)

    play(InferenceHTTPClient(helpful.url), program)
    # Kept without end, kept for too short, not kept at all.
    assert helpful.connections == 3


@both_plays
@pytest.mark.parametrize(("said", "connections"), [("timeout=5, max=100", 1), ("timeout=1", 2)])
def test_a_server_says_how_long_it_keeps_connections(
    play: Player, helpful: RecordingServer, said: str, connections: int
) -> None:
    helpful.answer("/info", lambda _: web.json_response(INFO, headers={"Keep-Alive": said}))

    async def program(face: Face) -> None:
        for _ in range(2):
            await face.call("get_server_info")

    play(InferenceHTTPClient(helpful.url), program)
    assert helpful.connections == connections


# -- event loops -----------------------------------------------------------------------------------


def test_a_loop_after_the_other(helpful: RecordingServer) -> None:
    """`asyncio.run` over and over, with one client that nobody closes."""
    client = InferenceHTTPClient(helpful.url)
    for _ in range(5):
        assert asyncio.run(client.get_server_info_async()).name == "server"
    gc.collect()
    assert helpful.connections == 5
    assert len(client.transport._loops._held) <= 1


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_loop_that_is_not_shut_down(
    helpful: RecordingServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Closed at once, as some frameworks do: asyncio warns of its sockets, aiohttp is content."""
    client = InferenceHTTPClient(helpful.url)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(client.get_server_info_async())
    loop.close()
    assert asyncio.run(client.get_server_info_async()).name == "server"
    assert loop not in client.transport._loops._held
    del loop
    gc.collect()
    assert "Unclosed" not in caplog.text


def test_loops_in_many_threads(helpful: RecordingServer) -> None:
    client = InferenceHTTPClient(helpful.url)

    def program(_: int) -> str:
        async def calls() -> str:
            names = await asyncio.gather(*(client.get_server_info_async() for _ in range(3)))
            return names[0].name

        return asyncio.run(calls())

    with ThreadPoolExecutor(6) as executor:
        assert list(executor.map(program, range(40))) == ["server"] * 40
    assert len(client.transport._loops._held) <= 6


async def test_one_loop_has_one_pool(helpful: RecordingServer) -> None:
    async with InferenceHTTPClient(helpful.url) as client:
        await asyncio.gather(*(client.get_server_info_async() for _ in range(5)))
        assert len(client.transport._loops._held) == 1
        assert helpful.connections <= 5


# -- closing ---------------------------------------------------------------------------------------


@both_plays
def test_a_closed_client_opens_anew(play: Player, helpful: RecordingServer) -> None:
    async def program(face: Face) -> None:
        for _ in range(3):
            await face.call("get_server_info")
            await face.client.aclose() if face.is_async else face.client.close()

    play(InferenceHTTPClient(helpful.url), program)
    assert helpful.connections == 3


def kept_by_threads(client: InferenceHTTPClient) -> int:
    lines = client.transport._threads
    return 0 if lines is None else sum(map(len, lines.kept._idle.values()))


def test_with_closes(helpful: RecordingServer) -> None:
    with InferenceHTTPClient(helpful.url) as client:
        client.get_server_info()
        assert kept_by_threads(client) == 1
    assert kept_by_threads(client) == 0
    client.close()  # twice does no harm


async def test_async_with_closes_both(helpful: RecordingServer) -> None:
    async with InferenceHTTPClient(helpful.url) as client:
        await client.get_server_info_async()
        await asyncio.to_thread(client.get_server_info)
    assert kept_by_threads(client) == 0
    assert client.transport._loops._held == {}
    await client.aclose()


def test_closing_closes_even_what_an_error_keeps() -> None:
    """An error's traceback holds the answer, which holds its connection."""
    closed = threading.Event()

    def script(connection: Connection) -> None:
        answering(b"no JSON")(connection)
        closed.set()

    with RawServer(script) as server:
        client = InferenceHTTPClient(server.url)
        with pytest.raises(Exception, match="not with JSON") as caught:
            client.get_server_info()
        client.close()
        assert closed.wait(5)
        assert caught.value is not None


def test_closing_closes_connections_to_proxies() -> None:
    closed = threading.Event()

    def script(connection: Connection) -> None:
        answering(INFO)(connection)
        closed.set()

    with RawServer(script) as proxy:
        client = InferenceHTTPClient("http://target.test").with_options(proxy=proxy.url)
        assert client.get_server_info().name == "server"
        client.close()
        assert closed.wait(5)


def test_a_client_that_is_dropped(helpful: RecordingServer) -> None:
    for _ in range(3):
        InferenceHTTPClient(helpful.url).get_server_info()
    gc.collect()


# -- forks -----------------------------------------------------------------------------------------

FORKING = """
import asyncio, gc, os, sys
from inference_sdk import InferenceHTTPClient

client = InferenceHTTPClient(sys.argv[1])

def in_a_child(work):
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            gc.collect()
            status = 0
        finally:
            sys.stderr.flush()
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert status == 0, status

def sync_calls():
    for _ in range(2):
        client.get_server_info()

def async_calls():
    async def calls():
        for _ in range(2):
            await client.get_server_info_async()
    asyncio.run(calls())

def sync_and_close():
    client.close()  # the parent's is not ours to close
    client.get_server_info()

async def parent():
    await client.get_server_info_async()
    in_a_child(async_calls)
    await client.get_server_info_async()
    in_a_child(sync_calls)
    await client.get_server_info_async()

sync_calls()
in_a_child(sync_calls)
sync_calls()
in_a_child(sync_and_close)
sync_calls()
asyncio.run(parent())
"""


async def test_a_forked_child_leaves_its_parents_sessions_open(helpful: RecordingServer) -> None:
    """As the script below shows from outside: here the process only seems to be another."""
    async with InferenceHTTPClient(helpful.url) as client:
        await client.get_server_info_async()
        loops = client.transport._loops
        lines, lease = loops._held[asyncio.get_running_loop()]
        loops._process = -1
        await client.get_server_info_async()
        [[link]] = lines.kept._idle.values()
        assert await link.is_quiet()
    assert helpful.connections == 2
    assert await link.is_quiet()
    await lease.aclose()


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="no fork on this system")
def test_forks_open_their_own(helpful: RecordingServer) -> None:
    ended = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", FORKING, helpful.url],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "Unclosed" not in ended.stderr
    assert "Exception ignored" not in ended.stderr
    peers = [request.peer for request in helpful.requests]
    assert len(peers) == 6 + 2 + 1 + 3 + 2 + 2
    # The parent's two connections, and one for each child: none was used by two processes.
    assert len(set(peers)) == 2 + 4


# -- proxies ---------------------------------------------------------------------------------------


@both_ways
@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("scheme", ["http://", ""])
def test_a_proxy_of_the_environment(
    call: Caller, variable: str, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RawServer(answering(INFO)) as proxy:
        monkeypatch.setenv(variable, f"{scheme}127.0.0.1:{proxy.port}")
        client = InferenceHTTPClient("http://target.test:9001", KEY)
        assert call(client, "get_server_info").name == "server"
    assert proxy.requests[0].startswith(b"GET http://target.test:9001/info HTTP/1.1\r\n")


@both_ways
def test_a_proxy_of_the_configuration(call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with RawServer(answering(INFO)) as proxy:
        client = InferenceHTTPClient("http://target.test").with_options(proxy=proxy.url)
        assert call(client, "get_server_info").name == "server"
    assert proxy.requests[0].startswith(b"GET http://target.test/info HTTP/1.1\r\n")


@both_ways
def test_a_proxy_with_a_password(call: Caller) -> None:
    with RawServer(answering(INFO)) as proxy:
        address = proxy.url.replace("//", "//me:secret@")
        client = InferenceHTTPClient("http://target.test").with_options(proxy=address)
        assert call(client, "get_server_info").name == "server"
    assert b"Proxy-Authorization: Basic bWU6c2VjcmV0" in proxy.requests[0]


@both_ways
@pytest.mark.parametrize("variable", ["NO_PROXY", "no_proxy"])
@pytest.mark.parametrize("hosts", ["127.0.0.1", "*", "other.test,127.0.0.0/8"])
def test_hosts_without_a_proxy(
    call: Caller,
    variable: str,
    hosts: str,
    helpful: RecordingServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv(variable, hosts)
    assert call(InferenceHTTPClient(helpful.url), "get_server_info").name == "server"


@both_ways
def test_https_through_a_proxy(call: Caller, tmp_path: Path) -> None:
    """The proxy is asked for a tunnel, and learns the host's name and nothing else."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("target.test").configure_cert(context)

    def tunnel(connection: Connection) -> None:
        connection.read_request()
        connection.socket.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        connection.socket = context.wrap_socket(connection.socket, server_side=True)
        connection.read_request()
        connection.answer(INFO)
        connection.socket.close()

    with RawServer(tunnel) as proxy:
        client = InferenceHTTPClient("https://target.test", KEY).with_options(
            proxy=proxy.url, verify=str(tmp_path / "ca.pem")
        )
        assert call(client, "get_server_info").name == "server"
    first, second = proxy.requests
    assert first.startswith(b"CONNECT target.test:443 HTTP/1.")
    assert KEY.encode() not in first
    assert second.startswith(b"GET /info HTTP/1.1\r\n")


@both_ways
@pytest.mark.parametrize("target", ["http://target.test", "https://target.test"])
def test_a_proxy_that_is_not_there(call: Caller, target: str) -> None:
    client = InferenceHTTPClient(target).with_options(
        proxy="http://127.0.0.1:1", retry_backoff=0.01
    )
    with pytest.raises(HTTPServerConnectionError, match=f"proxy does not connect to {target}"):
        call(client, "get_server_info")


@both_ways
def test_a_proxy_that_refuses(call: Caller) -> None:
    with RawServer(answering({}, "407 Proxy Authentication Required")) as proxy:
        client = InferenceHTTPClient("https://target.test").with_options(
            proxy=proxy.url, retry_backoff=0.01
        )
        with pytest.raises(HTTPServerConnectionError, match="The proxy does not connect"):
            call(client, "get_server_info")


def by_socks(connection: Connection) -> None:
    """A SOCKS5 proxy for user and password, which answers for the server, too."""
    told = connection.socket.recv(100)
    connection.socket.sendall(b"\x05\x02")
    told += connection.socket.recv(100)
    connection.socket.sendall(b"\x01\x00")
    told += connection.socket.recv(100)
    connection.socket.sendall(b"\x05\x00\x00\x01" + bytes(6))
    connection.server.requests.append(told)
    answering(INFO)(connection)


@both_ways
@pytest.mark.parametrize("scheme", ["socks5h", "socks"])
def test_socks(call: Caller, scheme: str) -> None:
    with RawServer(by_socks) as proxy:
        address = f"{scheme}://me:secret@127.0.0.1:{proxy.port}"
        client = InferenceHTTPClient("http://target.test:9001").with_options(proxy=address)
        assert call(client, "get_server_info").name == "server"
    told, request = proxy.requests
    assert b"\x02me\x06secret" in told
    assert b"target.test" in told
    assert request.startswith(b"GET /info HTTP/1.1\r\nHost: target.test:9001\r\n")


@both_ways
def test_socks_with_names_looked_up_here(call: Caller) -> None:
    with RawServer(by_socks) as proxy:
        client = InferenceHTTPClient("http://localhost:9001").with_options(
            proxy=f"socks5://me:secret@127.0.0.1:{proxy.port}"
        )
        assert call(client, "get_server_info").name == "server"
    assert b"localhost" not in proxy.requests[0]


@both_ways
def test_socks_that_is_refused(call: Caller) -> None:
    def refusing(connection: Connection) -> None:
        connection.socket.recv(100)
        connection.socket.sendall(b"\x05\xff")

    with RawServer(refusing) as proxy:
        client = InferenceHTTPClient("http://target.test").with_options(
            proxy=f"socks5h://me:hush-hush@127.0.0.1:{proxy.port}", max_tries=1
        )
        with pytest.raises(HTTPServerConnectionError, match="it refuses: ") as caught:
            call(client, "get_server_info")
    assert "hush" not in str(caught.value)


@both_ways
def test_socks_without_its_extra(call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("python_socks")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "inference_sdk.http.transport.socks", raising=False)
    monkeypatch.delattr(transport, "socks", raising=False)
    monkeypatch.setitem(sys.modules, "python_socks", None)
    client = InferenceHTTPClient("http://target.test").with_options(proxy="socks5://127.0.0.1:1")
    with pytest.raises(InvalidParameterError, match=r"inference-sdk\[socks\]"):
        call(client, "get_server_info")


# -- what is not kept, and what is not read --------------------------------------------------------


@both_plays
def test_cookies_are_not_kept(play: Player, helpful: RecordingServer) -> None:
    def with_cookie(recorded: Recorded) -> web.Response:
        response = web.json_response(INFO)
        response.set_cookie("session", "secret")
        return response

    async def program(face: Face) -> None:
        for _ in range(2):
            await face.call("get_server_info")

    helpful.answer("/info", with_cookie)
    play(InferenceHTTPClient(helpful.url), program)
    assert "Cookie" not in helpful.last.headers


@both_ways
@pytest.mark.parametrize("transport", ["legacy", "header"])
def test_netrc_is_not_read(
    call: Caller,
    transport: str,
    helpful: RecordingServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login me password of-netrc\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    client = InferenceHTTPClient(helpful.url, KEY).with_options(api_key_transport=transport)
    helpful.answer("/model/registry", {"models": []})
    call(client, "list_loaded_models")
    expected = f"Bearer {KEY}" if transport == "header" else None
    assert helpful.last.headers.get("Authorization") == expected


@both_ways
@pytest.mark.parametrize("size", [0, 10, 2**16 - 40, 2**16, 2**20, 2**22 + 1])
def test_bodies_of_any_size_arrive_whole(call: Caller, size: int, helpful: RecordingServer) -> None:
    text = "ä" * (size // 2)
    helpful.answer("/clip/embed_text", {"embeddings": []})
    call(InferenceHTTPClient(helpful.url), "get_clip_text_embeddings", text)
    assert helpful.last.json["text"] == text
    assert helpful.last.headers["Content-Type"] == "application/json"
    assert "Transfer-Encoding" not in helpful.last.headers


def test_the_way_is_worked_out_once_for_a_host(helpful: RecordingServer) -> None:
    with InferenceHTTPClient(helpful.url) as client:
        for _ in range(3):
            client.get_server_info()
            client.get_clip_image_embeddings(IMAGE)
        assert len(client.transport._ways) == 1


@both_plays
def test_the_environment_is_that_of_each_call(
    play: Player, helpful: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RawServer(answering(INFO)) as proxy:
        client = InferenceHTTPClient("http://127.0.0.1.invalid").with_options(max_tries=1)

        async def program(face: Face) -> None:
            with pytest.raises(HTTPServerConnectionError):
                await face.call("get_server_info")
            monkeypatch.setenv("HTTP_PROXY", proxy.url)
            assert (await face.call("get_server_info")).name == "server"
            monkeypatch.delenv("HTTP_PROXY")
            with pytest.raises(HTTPServerConnectionError):
                await face.call("get_server_info")

        play(client, program)


@both_ways
@pytest.mark.parametrize("variable", ["HTTP_PROXY", "ALL_PROXY"])
def test_this_machine_is_not_reached_by_the_proxy_of_the_environment(
    call: Caller, variable: str, helpful: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "http://127.0.0.1:1")
    for url in (helpful.url, helpful.url.replace("127.0.0.1", "localhost")):
        assert call(InferenceHTTPClient(url), "get_server_info").name == "server"


@both_ways
def test_this_machine_is_reached_by_the_proxy_of_the_configuration(call: Caller) -> None:
    with RawServer(answering(INFO)) as proxy:
        client = InferenceHTTPClient("http://localhost:1").with_options(proxy=proxy.url)
        assert call(client, "get_server_info").name == "server"


@both_ways
def test_an_error_names_the_proxy_without_its_password(call: Caller) -> None:
    client = InferenceHTTPClient("http://target.test").with_options(
        proxy="http://me:hush-hush@127.0.0.1:1", max_tries=1
    )
    with pytest.raises(HTTPServerConnectionError, match=r"http://127\.0\.0\.1:1") as caught:
        call(client, "get_server_info")
    assert "hush" not in str(caught.value)
