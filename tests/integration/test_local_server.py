"""The life of the embedded server: thread and process, ports, keys, and nothing left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pybase64
import pytest
import requests

from inference_sdk.local import LocalServer, ModelStore

EXAMPLES = Path(__file__).parents[2] / "examples"
IMAGE = {
    "type": "base64",
    "value": pybase64.b64encode((EXAMPLES / "astronaut.jpg").read_bytes()).decode(),
}


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


def _refuses(url: str) -> bool:
    host, port = url.removeprefix("http://").rsplit(":", 1)
    with socket.socket() as connection:
        return connection.connect_ex((host, int(port))) != 0


def _infer(session: requests.Session, url: str) -> str:
    body = {"model_id": "coco/3", "image": IMAGE}
    response = session.post(f"{url}/infer/object_detection", json=body, timeout=30)
    return response.json()["predictions"][0]["class"]


@pytest.mark.parametrize("process", [False, True])
def test_ready_when_it_returns_and_gone_when_it_exits(
    session: requests.Session, process: bool
) -> None:
    with LocalServer(process=process) as server:
        assert server.url.startswith("http://127.0.0.1:")
        assert _infer(session, server.url) == "person"
        url = server.url
    assert _refuses(url)
    with pytest.raises(RuntimeError, match="not running"):
        _ = server.url


@pytest.mark.parametrize("process", [False, True])
def test_started_again_and_stopped_twice(session: requests.Session, process: bool) -> None:
    server = LocalServer(process=process)
    try:
        assert server.start() is server.start()
        server.stop()
        server.stop()
        server.start()
        assert session.get(f"{server.url}/readiness", timeout=10).json() == {"status": "ready"}
    finally:
        server.stop()


@pytest.mark.parametrize("process", [False, True])
def test_a_port_that_is_taken_is_a_clear_error(process: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=rf"Cannot listen on 127\.0\.0\.1:{port}: Address"):
            LocalServer(port=port, process=process).start()


def test_a_host_that_does_not_exist_is_a_clear_error() -> None:
    with pytest.raises(OSError, match=r"Cannot listen on host\.invalid:0"):
        LocalServer("host.invalid").start()


def test_a_chosen_port_is_used_and_free_again(session: requests.Session) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    for _ in range(2):
        with LocalServer(port=port) as server:
            assert server.url == f"http://127.0.0.1:{port}"
            assert session.get(f"{server.url}/healthz", timeout=10).ok


def test_ipv6(session: requests.Session) -> None:
    try:
        server = LocalServer("::1").start()
    except OSError:
        pytest.skip("no IPv6 here")
    with server:
        assert server.url.startswith("http://[::1]:")
        assert session.get(f"{server.url}/healthz", timeout=10).ok


def test_the_end_of_a_block_that_raises() -> None:
    urls = []

    def block() -> None:
        with LocalServer() as server:
            urls.append(server.url)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        block()
    assert _refuses(urls[0])


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts files in /proc")
def test_nothing_is_left_over() -> None:
    def cycle(process: bool = False) -> None:
        with LocalServer(process=process) as server, requests.Session() as session:
            assert _infer(session, server.url) == "person"

    cycle()
    cycle(process=True)
    threads, files = set(threading.enumerate()), len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        cycle()
    cycle(process=True)
    assert set(threading.enumerate()) == threads
    assert len(os.listdir("/proc/self/fd")) == files


def test_a_kept_connection_does_not_hold_up_the_end(session: requests.Session) -> None:
    with LocalServer() as server:
        session.get(f"{server.url}/info", timeout=10)
        stopper = threading.Thread(target=server.stop)
        stopper.start()
        stopper.join(1.5)
        assert not stopper.is_alive()


class Slow:
    """A model that says when it is asked, and answers when it is told to."""

    description = {"model_id": "slow/1", "task_type": "object-detection"}

    def __init__(self) -> None:
        self.asked, self.go_on = threading.Event(), threading.Event()

    def infer(self, image: Any, parameters: Any) -> dict[str, Any]:
        self.asked.set()
        assert self.go_on.wait(20)
        return {"predictions": []}


def _ask_slow(url: str) -> requests.Response | requests.RequestException:
    body = {"model_id": "slow/1", "image": IMAGE}
    try:
        return requests.post(f"{url}/infer/object_detection", json=body, timeout=30)
    except requests.RequestException as error:
        return error


@pytest.fixture
def slow() -> Iterator[Slow]:
    model = Slow()
    yield model
    model.go_on.set()


@pytest.fixture
def slow_server(slow: Slow) -> LocalServer:
    models = ModelStore()
    models.register("slow/1", lambda _: slow)
    return LocalServer(models=models)


def test_inference_does_not_hold_up_other_requests(
    session: requests.Session, slow_server: LocalServer, slow: Slow
) -> None:
    with slow_server as server, ThreadPoolExecutor(1) as pool:
        asking = pool.submit(_ask_slow, server.url)
        assert slow.asked.wait(20)
        assert session.get(f"{server.url}/healthz", timeout=5).json() == {"status": "healthy"}
        assert not asking.done()
        slow.go_on.set()
        answer = asking.result(20)
    assert isinstance(answer, requests.Response)
    assert answer.json()["predictions"] == []


def test_stopping_tells_of_a_model_that_will_not_end(
    slow_server: LocalServer, slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inference_sdk.local.server.STOP_TIMEOUT", 0.05)
    monkeypatch.setattr("inference_sdk.local.server.DRAIN_TIMEOUT", 0.01)
    before = set(threading.enumerate())
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(_ask_slow, slow_server.start().url)
        assert slow.asked.wait(20)
        with pytest.raises(RuntimeError, match="still busy"):
            slow_server.stop()
        slow.go_on.set()
        asking.result(20)
    _until(lambda: set(threading.enumerate()) <= before)


def test_a_process_that_will_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inference_sdk.local.server.STOP_TIMEOUT", 0.2)
    server = LocalServer(process=True, models=f"{__name__}:make_models").start()
    url = server.url
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(_ask_slow, url)
        _until(lambda: requests.get(f"{url}/model/registry", timeout=5).json()["models"] != [])
        server.stop()
        assert isinstance(asking.result(20), requests.ConnectionError)
    assert _refuses(url)


def test_a_start_that_fails_raises_its_error(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: Any) -> None:
        raise OSError("no files left")

    monkeypatch.setattr("inference_sdk.local.server.run_until", fail)
    with pytest.raises(OSError, match="no files left"):
        LocalServer().start()


def test_a_server_that_breaks_down_later_can_still_be_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def break_down(app: Any, listener: Any, stop: Any, on_ready: Callable[[], None]) -> None:
        on_ready()
        raise OSError("no files left")

    told: list[Any] = []
    monkeypatch.setattr("threading.excepthook", told.append)
    monkeypatch.setattr("inference_sdk.local.server.run_until", break_down)
    LocalServer().start().stop()
    assert str(told[0].exc_value) == "no files left"


def test_many_at_once(inference_server: LocalServer) -> None:
    with ThreadPoolExecutor(8) as pool, requests.Session() as session:
        found = pool.map(lambda _: _infer(session, inference_server.url), range(24))
        assert set(found) == {"person"}


def test_who_it_is(session: requests.Session) -> None:
    from inference_sdk.version import __version__

    with LocalServer() as first, LocalServer() as second:
        about = session.get(f"{first.url}/info", timeout=10).json()
        assert about["version"] == __version__
        assert "embedded" in about["name"]
        assert session.get(first.url, timeout=10).json() == about
        assert session.get(f"{second.url}/info", timeout=10).json()["uuid"] != about["uuid"]


def test_the_registry(session: requests.Session) -> None:
    with LocalServer() as server:

        def ids(response: requests.Response) -> list[str]:
            assert response.status_code == 200, response.text
            return [model["model_id"] for model in response.json()["models"]]

        def post(action: str, **body: Any) -> list[str]:
            return ids(session.post(f"{server.url}/model/{action}", json=body, timeout=30))

        registry = f"{server.url}/model/registry"
        assert ids(session.get(registry, params={"api_key": "x"}, timeout=10)) == []
        assert post("add", model_id="yolov8n-640", api_key=None) == ["coco/3"]
        assert post("add", model_id="coco-pose-detection/1") == ["coco/3", "coco-pose-detection/1"]
        assert post("remove", model_id="coco/3") == ["coco-pose-detection/1"]
        assert _infer(session, server.url) == "person"  # loads what it needs
        assert ids(session.get(registry, timeout=10)) == ["coco-pose-detection/1", "coco/3"]
        assert ids(session.post(f"{server.url}/model/clear", timeout=10)) == []


@pytest.mark.parametrize("process", [False, True])
def test_the_key_in_body_query_or_header(session: requests.Session, process: bool) -> None:
    with LocalServer(api_key="s€cret", process=process) as server:

        def status(path: str = "/model/add", **kwargs: Any) -> int:
            body = {"model_id": "coco/3", **kwargs.pop("json", {})}
            return session.post(server.url + path, json=body, timeout=30, **kwargs).status_code

        assert status(json={"api_key": "s€cret"}) == 200
        assert status(params={"api_key": "s€cret"}) == 200
        assert status(headers={"Authorization": "Bearer s€cret".encode()}) == 200
        assert status() == 401
        assert status(json={"api_key": "wrong"}) == 401
        assert status(json={"api_key": 3}) == 401
        assert status(params={"api_key": "wrong"}) == 401
        assert status(headers={"Authorization": "Bearer wrong"}) == 401
        assert status("/coco/3", params={"api_key": "s"}) == 401
        assert session.get(f"{server.url}/model/registry", timeout=10).status_code == 401
        refused = session.post(server.url + "/coco/3", data="{", timeout=10)
        assert refused.status_code == 401
        assert "key" in refused.json()["message"]
        for path in ("/", "/info", "/healthz", "/readiness"):
            assert session.get(server.url + path, timeout=10).status_code == 200


def test_a_store_cannot_go_into_a_process() -> None:
    with pytest.raises(TypeError, match=r"package\.module:function"):
        LocalServer(process=True, models=ModelStore())


def make_models() -> ModelStore:
    models = ModelStore()
    models.register("slow/1", lambda _: Slow())
    return models


def make_nothing() -> None:
    return None


@pytest.mark.parametrize("process", [False, True])
def test_models_by_the_place_of_a_function(session: requests.Session, process: bool) -> None:
    with LocalServer(process=process, models=f"{__name__}:make_models") as server:
        response = session.post(f"{server.url}/model/add", json={"model_id": "slow/1"}, timeout=30)
        assert response.json()["models"] == [Slow.description]


def test_a_function_that_makes_no_store(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(TypeError, match="has to make a ModelStore, not NoneType"):
        LocalServer(models=f"{__name__}:make_nothing").start()
    with pytest.raises(RuntimeError, match="ended before it was ready"):
        LocalServer(models=f"{__name__}:make_nothing", process=True).start()
    assert "has to make a ModelStore" in capfd.readouterr().err


def _run(program: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, text=True
    )


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def _until(condition: Callable[[], bool]) -> None:
    gone = threading.Event()
    for _ in range(200):
        if condition():
            return
        gone.wait(0.05)
    raise AssertionError("It did not happen within 10 s.")


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_a_server_process_dies_with_its_parent(session: requests.Session) -> None:
    parent = _run("""
        import time
        from inference_sdk.local import LocalServer
        with LocalServer(process=True) as server:
            print(server.url, flush=True)
            time.sleep(60)
    """)
    with parent:
        url = _line(parent)
        assert session.get(f"{url}/healthz", timeout=10).ok
        parent.kill()
    _until(lambda: _refuses(url))


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_ends_well_on_signals(session: requests.Session, number: signal.Signals) -> None:
    serving = _run("""
        from inference_sdk.local import serve
        serve(port=0, on_ready=lambda url: print(url, flush=True))
        print("ended", flush=True)
    """)
    with serving:
        url = _line(serving)
        assert _infer(session, url) == "person"
        serving.send_signal(number)
        assert _line(serving) == "ended"
        assert serving.wait(20) == 0
    assert _refuses(url)


def test_serve_on_a_port_that_is_taken() -> None:
    from inference_sdk.local import serve

    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(OSError, match="Choose another port"),
    ):
        serve(port=taken.getsockname()[1])
