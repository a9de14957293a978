"""The embedded server's life: a thread or a process that listens, and its end.

`LocalServer` is for programs and tests; `serve` is the whole life of a command. Knows nothing of
what is answered.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from types import FrameType, TracebackType
from typing import IO, Any, cast

import orjson
from aiohttp import web

from inference_sdk.local.admission import ADMISSION, MAX_QUEUE
from inference_sdk.local.faults import UnusableModelError
from inference_sdk.local.gate import Limits
from inference_sdk.local.gate.doors import Doors
from inference_sdk.local.models.fixed import Answer
from inference_sdk.local.settings import Models, ServerSettings
from inference_sdk.local.streaming.signalling import load_ahead
from inference_sdk.local.wire import LIMITS
from inference_sdk.local.workflows.settings import WorkflowSettings, WorkflowsGiven

logger = logging.getLogger(__name__)

START_TIMEOUT = 60.0
"""Seconds. A process on a busy machine needs a few for its imports."""

STOP_TIMEOUT = 10.0
"""Seconds that ending may take. A process that needs longer is killed."""

DRAIN_TIMEOUT = 2.0
"""Seconds that requests under way may take to end once a program stops its server."""

KEEPALIVE_TIMEOUT = 75.0
"""Seconds that a connection may be idle."""

LONG_DRAIN_TIMEOUT = 30.0
"""The same for a server that is a command: what it took on is for others, who wait for it."""


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
        max_queue: requests under way or waiting; those beyond are answered with 503.
        allow_url_input: fetch images by URL, from the public internet only.
        allow_file_input: a folder, below which requests may name files.
        allow_origins: pages in browsers that may ask, such as "https://app.example", or "*".
        allow_hosts: names of this machine that `Host` may say, beside localhost and numbers.
        limits: how much requests may take; see `Limits`.
        answers: of models that always say the same, by id, for tests: an answer of the API, a
            status to fail with, a list of these in order, or a function of the picture.

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
        max_queue: int = MAX_QUEUE,
        answers: Mapping[str, Answer] | None = None,
        allow_url_input: bool = False,
        allow_file_input: str | None = None,
        allow_origins: Sequence[str] = (),
        allow_hosts: Sequence[str] = (),
        limits: Limits | None = None,
    ) -> None:
        self._settings = ServerSettings(
            models,
            api_key,
            WorkflowSettings.of(workflows),
            max_queue,
            answers,
            allow_url_input,
            allow_file_input,
            allow_origins,
            allow_hosts,
            limits or Limits(),
        )
        if process and self._settings.has_code:
            raise TypeError(
                "A ModelStore cannot move to another process, nor can a factory. Pass "
                "models='package.module:function', the place of a function that makes a store."
            )
        self._host = host
        self._port = port
        self._in_process = process
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
        """Listen. Calling it on a running server does nothing.

        Returns:
            The server itself.
        """
        if self._running is None:
            warn_if_open(self._host, self._settings.api_key)
            kind = _ServerProcess if self._in_process else _ServerThread
            self._running = kind(self._host, self._port, self._settings)
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
    max_queue: int = MAX_QUEUE,
    drain_timeout: float = LONG_DRAIN_TIMEOUT,
    allow_url_input: bool = False,
    allow_file_input: str | None = None,
    allow_origins: Sequence[str] = (),
    allow_hosts: Sequence[str] = (),
    limits: Limits | None = None,
    on_ready: Callable[[str], None] | None = None,
    on_stop: Callable[[str], None] | None = None,
) -> None:
    """Serve in the main thread until SIGINT (Ctrl+C) or SIGTERM; requests under way end first.

    A second signal ends the process at once.

    Args:
        host: address to listen on.
        port: 0 takes a free one.
        api_key: when given, requests must carry it.
        models: as of `LocalServer`.
        workflows: as of `LocalServer`.
        max_queue: requests under way or waiting; those beyond are answered with 503.
        allow_url_input: fetch images by URL, from the public internet only.
        allow_file_input: a folder, below which requests may name files.
        allow_origins: pages in browsers that may ask, such as "https://app.example", or "*".
        allow_hosts: names of this machine that `Host` may say, beside localhost and numbers.
        limits: how much requests may take; see `Limits`.
        drain_timeout: seconds that requests under way may take to end.
        on_ready: called with the address once the server listens.
        on_stop: called with a sentence when requests are under way as the server is asked to stop,
            and with one on what became of them.

    Raises:
        OSError: the port is taken.
    """
    tell = on_stop or (lambda _: None)
    warn_if_open(host, api_key)
    with listen(host, port) as listener:
        address = _url(host, listener.getsockname()[1])
        settings = ServerSettings(
            models,
            api_key,
            WorkflowSettings.of(workflows),
            max_queue,
            allow_url_input=allow_url_input,
            allow_file_input=allow_file_input,
            allow_origins=allow_origins,
            allow_hosts=allow_hosts,
            limits=limits or Limits(),
        )
        app = settings.app()
        asyncio.run(_serve_until_signal(app, listener, address, drain_timeout, on_ready, tell))
    # Counted when the loop has ended, for only then has each of them heard of it.
    if app[ADMISSION].cut_off:
        tell(f"Cut off, for they took too long: {app[ADMISSION].cut_off} of what was under way.")


async def _serve_until_signal(
    app: web.Application,
    listener: socket.socket,
    address: str,
    drain_timeout: float,
    on_ready: Callable[[str], None] | None,
    on_stop: Callable[[str], None],
) -> None:
    stop = asyncio.Event()
    admission = app[ADMISSION]

    def ask_to_stop() -> None:
        stop.set()
        if admission.under_way:
            on_stop(
                f"Stopping once what is under way is done (requests: {admission.under_way}), in "
                f"{drain_timeout:g} s at most."
            )

    def ready() -> None:
        load_ahead()
        if on_ready is not None:
            on_ready(address)

    with _on_signals(asyncio.get_running_loop(), ask_to_stop):
        await run_until(app, listener, stop, ready, drain_timeout)


@contextlib.contextmanager
def _on_signals(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> Iterator[None]:
    """Call back on the first signal to stop; the second ends the process."""
    signals = 0

    def handle(number: int, _: FrameType | None) -> None:
        nonlocal signals
        signals += 1
        if signals > 1:  # whatever still works, in whichever thread, has had its chance
            os._exit(128 + number)
        loop.call_soon_threadsafe(callback)

    # signal.signal instead of loop.add_signal_handler: Windows has only the former.
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, handle) for number in numbers]
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
    drain_timeout: float | None = None,
) -> None:
    """Serve on a listening socket until `stop` is set, and what is under way has ended."""
    drain_timeout = DRAIN_TIMEOUT if drain_timeout is None else drain_timeout
    runner = web.AppRunner(
        app,
        access_log=None,
        shutdown_timeout=drain_timeout,
        handler_cancellation=True,  # a client that is gone waits for nothing
        auto_decompress=False,  # bodies are unpacked behind the gate, within limits
        keepalive_timeout=KEEPALIVE_TIMEOUT,
    )
    await runner.setup()
    make = cast("Callable[[], asyncio.Protocol]", runner.server)
    server: asyncio.Server | None = None
    try:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Doors(make, app[LIMITS]), sock=listener)
        on_ready()
        await stop.wait()
        app[ADMISSION].is_ending = True
    finally:
        if server is not None:
            server.close()
        await runner.cleanup()


def warn_if_open(host: str, api_key: str | None) -> None:
    """Warn of a server that others on the network may use as they like."""
    if api_key is None and host not in ("localhost", "127.0.0.1", "::1"):
        logger.warning(
            "This server listens on %s without a key: whoever reaches it can use it. Give it one "
            "(api_key, --api-key), or listen on 127.0.0.1.",
            host,
        )


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


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _ServerThread:
    """A server on an event loop in a thread of its own."""

    def __init__(self, host: str, port: int, settings: ServerSettings) -> None:
        app = settings.app()
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

    def __init__(self, host: str, port: int, settings: ServerSettings) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "inference_sdk.local"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
        try:
            self.port = self._hand_over({"host": host, "port": port, **settings.to_json()})
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
