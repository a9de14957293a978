"""The edges of a process, each as a program of its own: its end, Ctrl+C, forks, threads, loops.

A program works with `client` on a server that holds answers to `/slow` inputs back for ever, so
that whatever ends in time has not waited for an answer. It prints what it found; what it leaves
behind shows as a warning, which `-X dev -W error` turns into text on stderr.
"""

from __future__ import annotations

import asyncio
import base64
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web

from tests.recording_server import Recorded, RecordingServer

SLOW = base64.b64encode(b"GIF89aslow").decode()
TIME = 8.0
"""Seconds in which a program ends, start of the interpreter included, on a busy machine."""

PRELUDE = """
import asyncio, gc, os, pickle, signal, sys, threading, time, warnings
import numpy as np
from inference_sdk import InferenceHTTPClient
from inference_sdk.http.entities import HTTPClientMode
client = InferenceHTTPClient(sys.argv[1], "key-of-the-tests").with_options(
    model_id="m/1", max_concurrent_requests=int(sys.argv[2]))
SLOW, QUICK = sys.argv[3], "R0lGODlhcXVpY2s="
pixels = [np.zeros((8, 8, 3), np.uint8)] * 6

async def many(inputs):
    return [result async for result in client.infer_many_async(inputs)]

FORMS = {
    "one": lambda inputs: client.infer(inputs[0]),
    "list": lambda inputs: client.infer(inputs),
    "many": lambda inputs: list(client.infer_many(iter(inputs))),
    "workflow": lambda inputs: client.run_workflow(
        workspace_name="w", workflow_id="i", images={"image": inputs}),
    "one-async": lambda inputs: asyncio.run(client.infer_async(inputs[0])),
    "list-async": lambda inputs: asyncio.run(client.infer_async(inputs)),
    "many-async": lambda inputs: asyncio.run(many(iter(inputs))),
    "workflow-async": lambda inputs: asyncio.run(client.run_workflow_async(
        workspace_name="w", workflow_id="i", images={"image": inputs})),
}
work = FORMS[sys.argv[4]]
"""

FORMS = ["one", "list", "many", "workflow"]
FORMS += [f"{form}-async" for form in FORMS]
each_form = pytest.mark.parametrize("form", FORMS)
each_window = pytest.mark.parametrize(
    ("form", "window"), [(form, 4) for form in FORMS] + [("list", 1), ("many-async", 1)]
)
some_forms = pytest.mark.parametrize("form", ["one", "many", "one-async", "many-async"])

on_posix = pytest.mark.skipif(os.name != "posix", reason="forks, and signals to processes")


@pytest.fixture
def holding(server: RecordingServer) -> Iterator[RecordingServer]:
    """A detector that does not answer slow pictures."""

    async def answer(recorded: Recorded, _: web.Request) -> web.Response:
        if SLOW in recorded.body.decode():
            await asyncio.sleep(60)
        return web.json_response({"predictions": []})

    async def outputs(recorded: Recorded, request: web.Request) -> web.Response:
        await answer(recorded, request)
        return web.json_response({"outputs": [{"out": 1}]})

    models = [{"model_id": "m/1", "task_type": "object-detection"}]
    server.answer("/model/registry", {"models": models})
    server.answer("/infer/object_detection", answer)
    server.answer("/w/workflows/i", outputs)
    server.answer("/infer/workflows/w/i", outputs)
    return server


def start(
    program: str, server: Any, form: str = "list", window: int = 4, host: str = ""
) -> subprocess.Popen[str]:
    url = server.url.replace("127.0.0.1", host or "127.0.0.1")
    code = PRELUDE + textwrap.dedent(program)
    options = ["-X", "dev", "-W", "error", "-W", "ignore::DeprecationWarning"]
    return subprocess.Popen(
        [sys.executable, *options, "-c", code, url, str(window), SLOW, form],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell that starts jobs in the background has them ignore Ctrl+C; Python keeps to that.
        preexec_fn=_heed_interrupts if os.name == "posix" else None,
    )


def _heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)


COMPLAINTS = ["Warning", "Exception ignored", "never retrieved", "Fatal", "was destroyed"]


def finish(
    process: subprocess.Popen[str], input: str | None = None, complaints: list[str] = COMPLAINTS
) -> tuple[str, str]:
    try:
        out, err = process.communicate(input, timeout=TIME)
    finally:
        process.kill()
    assert process.returncode == 0, err
    for complaint in complaints:
        assert complaint not in err, err
    return out.strip(), err


def slow_requests(server: RecordingServer) -> int:
    return sum(SLOW.encode() in request.body for request in server.requests)


def wait_for_slow(server: RecordingServer) -> None:
    end = time.monotonic() + TIME
    while not slow_requests(server):
        assert time.monotonic() < end, "no request came"
        time.sleep(0.005)


def play(program: str, server: RecordingServer, *arguments: Any, **options: Any) -> str:
    out, err = finish(start(program, server, *arguments, **options))
    # asyncio says in debug mode what took long, as everything does on a busy machine.
    assert not [line for line in err.splitlines() if "took" not in line], err
    return out


# -- the end of the program ------------------------------------------------------------------------


@each_window
def test_threads_that_outlive_the_main_thread(
    form: str, window: int, holding: RecordingServer
) -> None:
    """With a host name: looking it up is work for a thread, too; and with pictures to encode."""
    program = """
        def late():
            threading.main_thread().join()
            results = work(pixels)
            print(len(results))
        threading.Thread(target=late).start()
    """
    results = 6 if form.startswith(("list", "many")) else 1
    assert play(program, holding, form, window, host="localhost") == str(results)


@each_window
def test_the_end_waits_for_no_daemon_thread(
    form: str, window: int, holding: RecordingServer
) -> None:
    program = """
        threading.Thread(target=work, args=([SLOW] * 50,), daemon=True).start()
        sys.stdin.readline()
    """
    process = start(program, holding, form, window)
    wait_for_slow(holding)
    begun = time.monotonic()
    finish(process, input="\n")
    assert time.monotonic() - begun < 4
    assert slow_requests(holding) <= window


@pytest.mark.parametrize("form", ["many", "many-async"])
def test_the_end_with_results_not_taken(form: str, holding: RecordingServer) -> None:
    """A generator that is still open, with requests under way."""
    program = """
        results = client.infer_many([SLOW, QUICK, *[SLOW] * 50], ordered=False)
        if sys.argv[4] == "many":
            print(next(results))
        else:
            async def main():
                global results
                results = client.infer_many_async([SLOW, QUICK, *[SLOW] * 50], ordered=False)
                print(await results.__anext__())
            asyncio.run(main())
    """
    assert play(program, holding, form) == "(1, {'predictions': []})"


@pytest.mark.parametrize("form", ["many", "many-async"])
def test_results_that_are_abandoned(form: str, holding: RecordingServer) -> None:
    """No thread, task or connection is left, and no answer is waited for."""
    program = """
        def descriptors():
            return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0

        def sync():
            for result in client.infer_many([SLOW, QUICK, *[SLOW] * 50], ordered=False):
                break
            client.close()

        async def run():
            async for result in client.infer_many_async([SLOW, QUICK, *[SLOW] * 50], ordered=False):
                break
            gc.collect()
            for _ in range(20):
                await asyncio.sleep(0.01)
            assert asyncio.all_tasks() == {asyncio.current_task()}, asyncio.all_tasks()
            await client.aclose()

        abandon = sync if sys.argv[4] == "many" else lambda: asyncio.run(run())
        abandon()
        gc.collect()
        before = descriptors(), threading.active_count()
        begun = time.monotonic()
        for _ in range(3):
            abandon()
        assert time.monotonic() - begun < 4
        gc.collect()
        assert (descriptors(), threading.active_count()) == before, threading.enumerate()
    """
    play(program, holding, form)


# -- Ctrl+C ----------------------------------------------------------------------------------------

INTERRUPTED = """
before = threading.active_count()
try:
    work([SLOW] * 50)
except KeyboardInterrupt:
    interrupted = time.monotonic()
    client.close()
    gc.collect()
    print("interrupted", threading.active_count() - before)
"""


def interrupt(process: subprocess.Popen[str], **options: Any) -> str:
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, _ = finish(process, **options)
    assert time.monotonic() - begun < 4
    return out


@on_posix
@each_window
def test_ctrl_c_while_the_server_works(form: str, window: int, holding: RecordingServer) -> None:
    process = start(INTERRUPTED, holding, form, window)
    wait_for_slow(holding)
    assert interrupt(process) == "interrupted 0"


@on_posix
@some_forms
def test_ctrl_c_between_two_tries(form: str, holding: RecordingServer) -> None:
    def refuse(_: Recorded) -> web.Response:
        return web.json_response({}, status=503, headers={"Retry-After": "30"})

    for path in ("/infer/object_detection", "/w/workflows/i", "/infer/workflows/w/i"):
        holding.answer(path, refuse)
    process = start(INTERRUPTED, holding, form)
    wait_for_slow(holding)
    assert interrupt(process) == "interrupted 0"


SENDING = """
# The API of which the first request is the one with the picture.
client = client.with_options(client_mode=HTTPClientMode.V0, model_id="m/1")
SLOW = "R0lGODlh" + "QUJD" * 4_000_000
"""


@on_posix
@some_forms
def test_ctrl_c_while_sending(form: str) -> None:
    """To a server that takes no more of the body than fits into its buffers."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        server = SimpleNamespace(url=f"http://127.0.0.1:{deaf.getsockname()[1]}")
        process = start(SENDING + INTERRUPTED, server, form)
        accepted, _ = deaf.accept()
        with accepted:
            assert accepted.recv(1)
            assert interrupt(process) == "interrupted 0"


@on_posix
@some_forms
def test_ctrl_c_while_connecting(form: str) -> None:
    """To a server whose queue of connections is full."""
    with ExitStack() as open_sockets:
        full = open_sockets.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            filler = open_sockets.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        server = SimpleNamespace(url=f"http://127.0.0.1:{full.getsockname()[1]}")
        process = start('print("begun", flush=True)' + SENDING + INTERRUPTED, server, form)
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        time.sleep(0.5)  # nothing outside shows when it connects; sooner would only test less
        # urllib3 leaves it to the collector to close a socket that was interrupted.
        assert interrupt(process, complaints=COMPLAINTS[2:]).startswith("interrupted")


@on_posix
@pytest.mark.parametrize("form", ["many", "many-async"])
def test_ctrl_c_in_the_source_and_in_the_consumer(form: str, holding: RecordingServer) -> None:
    """A camera that gives no picture, beside requests under way; and a consumer that works."""
    program = """
        def camera():
            yield SLOW
            print("begun", flush=True)
            time.sleep(60)
            yield SLOW
        try:
            work(camera())
        except KeyboardInterrupt:
            print("interrupted")
    """
    process = start(program, holding, form)
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    assert interrupt(process) == "interrupted"


# -- forks, spawned processes, pickles -------------------------------------------------------------


@on_posix
@some_forms
def test_forks_beside_a_batch(form: str, holding: RecordingServer) -> None:
    """Children of a program that has called, and calls: they work, and disturb their parent not."""
    program = """
        work([QUICK] * 6)
        batch = client.infer_many([SLOW, QUICK, SLOW, SLOW], ordered=False)
        next(batch)
        children = []
        for _ in range(3):
            child = os.fork()
            if child == 0:
                status = 1
                try:
                    work([QUICK] * 6)
                    del batch
                    gc.collect()
                    client.close()
                    status = 0
                finally:
                    sys.stderr.flush()
                    os._exit(status)
            children.append(child)
        for child in children:
            assert os.waitpid(child, 0)[1] == 0
        work([QUICK] * 6)
        alive = [thread for thread in threading.enumerate() if thread.name == "inference-sdk"]
        assert alive  # the children did not end what waits here
        batch.close()
    """
    play(program, holding, form)


@on_posix
def test_a_stream_does_not_go_on_in_a_fork(holding: RecordingServer) -> None:
    program = """
        batch = client.infer_many([QUICK] * 20)
        next(batch)
        if os.fork() == 0:
            try:
                list(batch)
            except RuntimeError as error:
                print(error, flush=True)
            os._exit(0)
        os.wait()
        print(len(list(batch)))
    """
    out = play(program, holding, "many")
    assert out == "Work that was begun in one process cannot go on in a fork of it.\n19"


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
@pytest.mark.parametrize("form", ["list", "list-async"])
def test_pools_of_processes(
    method: str, form: str, holding: RecordingServer, tmp_path: Path
) -> None:
    """The client is an argument of what the pool does; the key comes with the environment."""
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"{method} is not to be had on this system")
    program = tmp_path / "pooled.py"
    program.write_text(
        textwrap.dedent(
            """
            import asyncio, multiprocessing, os, sys
            from inference_sdk import InferenceHTTPClient

            def work(client):
                if sys.argv[2] == "list":
                    return len(client.infer(["R0lGODlhcXVpY2s="] * 6))
                return len(asyncio.run(client.infer_async(["R0lGODlhcXVpY2s="] * 6)))

            if __name__ == "__main__":
                client = InferenceHTTPClient(sys.argv[1], "a-key").with_options(
                    model_id="m/1", max_concurrent_requests=4)
                print(work(client), end=" ")
                os.environ["ROBOFLOW_API_KEY"] = "the-key-of-the-environment"
                context = multiprocessing.get_context(sys.argv[3])
                with context.Pool(2) as pool:
                    print(*pool.map(work, [client] * 3))
            """
        )
    )
    ended = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", program, holding.url, form, method],
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (0, "6 6 6 6\n"), ended.stderr
    keys = [request.json["api_key"] for request in holding.requests if request.method == "POST"]
    assert sorted(set(keys)) == ["a-key", "the-key-of-the-environment"]
    assert keys.count("a-key") == 6


# -- threads and loops -----------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["list", "list-async", "many", "many-async", "workflow-async"])
def test_one_client_in_many_threads(form: str, holding: RecordingServer) -> None:
    """32 threads, those of the async form with a loop each, again and again."""
    program = """
        def run():
            for _ in range(3):
                work([QUICK] * 6)
            done.append(1)
        done, threads = [], [threading.Thread(target=run) for _ in range(32)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        print(len(done), threading.active_count())
    """
    assert play(program, holding, form) == "32 1"


def test_asyncio_run_again_and_again(holding: RecordingServer) -> None:
    program = """
        work([QUICK] * 6)
        gc.collect()
        files = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
        for _ in range(30):
            work([QUICK] * 6)
        gc.collect()
        assert not files or len(os.listdir("/proc/self/fd")) <= files
        print(threading.active_count())
    """
    assert play(program, holding, "list-async") == "1"
