"""The embedded server's life: a thread or a process that listens, and its end.

`LocalServer` is for programs and tests; `serve` is the whole life of a command. Knows nothing of
what is answered.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from types import TracebackType
from typing import IO, Any, Union, cast

import orjson
from aiohttp import web

from inference_sdk.local.app import create_app
from inference_sdk.local.faults import UnusableModelError
from inference_sdk.local.models import ModelStore
from inference_sdk.local.streaming.signalling import load_ahead
from inference_sdk.local.workflows.settings import WorkflowSettings, WorkflowsGiven

START_TIMEOUT = 60.0
"""Seconds. A process on a busy machine needs a few for its imports."""

STOP_TIMEOUT = 10.0
"""Seconds that ending may take. A process that needs longer is killed."""

DRAIN_TIMEOUT = 2.0
"""Seconds that requests under way may take to end once the server stops."""

Models = Union[ModelStore, Mapping[str, Any], str, None]
"""What a server answers with: a store; files and factories by id, as `ModelStore` takes them; or
"package.module:function" that makes a store. None for the packaged models alone."""


class LocalServer:
    """An inference server on this machine: ready when started, gone when stopped.

    Args:
        host: address to listen on. Whoever can reach it can use it: think before leaving loopback.
        port: 0 takes a free one.
        process: run in a process of its own, so that it neither shares the interpreter's lock
            with the program nor goes down with it. `models` must then be files or a text.
        api_key: when given, requests must carry it.
        models: ONNX files by id (paths, or `ModelFile` for what a file does not say of itself), a
            `ModelStore`, or "package.module:function" that makes one.
        workflows: a folder of JSON files, each a workflow known by its name, or
            `WorkflowSettings` for what else they may do.

    Raises:
        OSError: on start, when the port is taken.
        UnusableModelError: on start, when a file is broken or of no known kind.

    Example:
        >>> with LocalServer() as server:
        ...     client = InferenceHTTPClient(server.url)
        ...     client.infer("photo.jpg", model_id="coco/3")
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        process: bool = False,
        api_key: str | None = None,
        models: Models = None,
        workflows: WorkflowsGiven = None,
    ) -> None:
        if process and _has_code(models):
            raise TypeError(
                "A ModelStore cannot move to another process, nor can a factory. Pass "
                "models='package.module:function', the place of a function that makes a store."
            )
        self._host = host
        self._port = port
        self._in_process = process
        self._api_key = api_key
        self._models = models
        self._workflows = WorkflowSettings.of(workflows)
        self._running: _ServerThread | _ServerProcess | None = None

    @property
    def url(self) -> str:
        """Base address, as in "http://127.0.0.1:43121".

        Raises:
            RuntimeError: the server is not running.
        """
        if self._running is None:
            raise RuntimeError("The server is not running: call start(), or use it in a `with`.")
        return _url(self._host, self._running.port)

    def start(self) -> LocalServer:
        """Listen. Calling it on a running server does nothing."""
        if self._running is None:
            kind = _ServerProcess if self._in_process else _ServerThread
            self._running = kind(
                self._host, self._port, self._api_key, self._models, self._workflows
            )
        return self

    def stop(self) -> None:
        """End what is under way, close all sockets, end the thread or process."""
        running, self._running = self._running, None
        if running is not None:
            running.stop()

    def __enter__(self) -> LocalServer:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def serve(
    host: str = "127.0.0.1",
    port: int = 9001,
    *,
    api_key: str | None = None,
    models: Models = None,
    workflows: WorkflowsGiven = None,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Serve in the main thread until SIGINT (Ctrl+C) or SIGTERM; requests under way end first.

    Args:
        host: address to listen on.
        port: 0 takes a free one.
        api_key: when given, requests must carry it.
        models: as of `LocalServer`.
        workflows: as of `LocalServer`.
        on_ready: called with the address once the server listens.

    Raises:
        OSError: the port is taken.
    """
    with listen(host, port) as listener:
        address = _url(host, listener.getsockname()[1])
        app = create_app(models=resolve_models(models), api_key=api_key, workflows=workflows)
        asyncio.run(_serve_until_signal(app, listener, address, on_ready))


async def _serve_until_signal(
    app: web.Application,
    listener: socket.socket,
    address: str,
    on_ready: Callable[[str], None] | None,
) -> None:
    stop = asyncio.Event()

    def ready() -> None:
        load_ahead()
        if on_ready is not None:
            on_ready(address)

    with _on_signals(asyncio.get_running_loop(), stop.set):
        await run_until(app, listener, stop, ready)


@contextlib.contextmanager
def _on_signals(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> Iterator[None]:
    # signal.signal instead of loop.add_signal_handler: Windows has only the former.
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(callback)) for number in numbers
    ]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


async def run_until(
    app: web.Application,
    listener: socket.socket,
    stop: asyncio.Event,
    on_ready: Callable[[], None],
) -> None:
    """Serve on a listening socket until `stop` is set."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=DRAIN_TIMEOUT)
    try:
        await runner.setup()
        await web.SockSite(runner, listener).start()
        on_ready()
        await stop.wait()
    finally:
        await runner.cleanup()


def listen(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        OSError: with a message that names the port, when it is taken or not ours to take.
    """
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address, family=family, backlog=128)
    except OSError as error:
        raise OSError(
            error.errno,
            f"Cannot listen on {host}:{port}: {error.strerror}. "
            "Choose another port, or 0 for any free one",
        ) from error


def resolve_models(models: Models) -> ModelStore:
    """The store behind each of the forms that `models` may have."""
    if models is None:
        return ModelStore()
    if isinstance(models, ModelStore):
        return models
    if isinstance(models, Mapping):
        store = ModelStore(models)
        store.open_files()
        return store
    from pkgutil import resolve_name

    store = resolve_name(models)()
    if not isinstance(store, ModelStore):
        raise TypeError(f"'{models}' has to make a ModelStore, not {type(store).__name__}.")
    return store


def _has_code(models: Models) -> bool:
    if isinstance(models, Mapping):
        return any(callable(source) for source in models.values())
    return isinstance(models, ModelStore)


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _ServerThread:
    """A server on an event loop in a thread of its own."""

    def __init__(
        self,
        host: str,
        port: int,
        api_key: str | None,
        models: Models,
        workflows: WorkflowSettings,
    ) -> None:
        app = create_app(models=resolve_models(models), api_key=api_key, workflows=workflows)
        self._started: Future[None] = Future()
        self._loop: asyncio.AbstractEventLoop
        self._stop: asyncio.Event
        listener = listen(host, port)
        self.port: int = listener.getsockname()[1]
        self._thread = threading.Thread(
            target=self._run, args=(app, listener), name="inference-sdk-server", daemon=True
        )
        self._thread.start()
        self._started.result(START_TIMEOUT)

    def stop(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop ended before us, after an error
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(STOP_TIMEOUT)
        if self._thread.is_alive():
            raise RuntimeError(
                f"The server did not stop within {STOP_TIMEOUT:g} s: a model is still busy."
            )

    def _run(self, app: web.Application, listener: socket.socket) -> None:
        try:
            with listener:
                asyncio.run(self._main(app, listener))
        except BaseException as error:
            if self._started.done():
                raise
            self._started.set_exception(error)  # raised by whoever started the thread

    async def _main(self, app: web.Application, listener: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        await run_until(app, listener, self._stop, lambda: self._started.set_result(None))


class _ServerProcess:
    """A server in a process of its own, which ends when its standard input does.

    So it ends with the program that started it, however that ends, on every platform. What it
    needs to know goes through that pipe too: an argument list is for all users to see.
    """

    def __init__(
        self,
        host: str,
        port: int,
        api_key: str | None,
        models: Models,
        workflows: WorkflowSettings,
    ) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "inference_sdk.local"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
        try:
            self.port = self._hand_over(
                {
                    "host": host,
                    "port": port,
                    "api_key": api_key,
                    "models": models,
                    "workflows": workflows.to_json(),
                }
            )
        except BaseException:
            self.stop()
            raise

    def _hand_over(self, settings: dict[str, Any]) -> int:
        stdin, stdout = _pipes(self._process)
        stdin.write(orjson.dumps(settings, default=str) + b"\n")
        stdin.flush()
        # A line comes, or the pipe ends with the process: after START_TIMEOUT it is made to.
        watchdog = threading.Timer(START_TIMEOUT, self._process.kill)
        watchdog.start()
        try:
            line = stdout.readline()
        finally:
            watchdog.cancel()
            watchdog.join()
        if not line:
            raise RuntimeError("The server process ended before it was ready; see its output.")
        answer = orjson.loads(line)
        if "unusable" in answer:
            raise UnusableModelError(answer["unusable"])
        if "error" in answer:
            raise OSError(answer["errno"], answer["error"])
        return int(answer["port"])

    def stop(self) -> None:
        stdin, stdout = _pipes(self._process)
        with contextlib.suppress(BrokenPipeError):  # the process ended before us
            stdin.close()
        try:
            self._process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        stdout.close()


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    return cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout)
