"""Nothing is left over: threads, sockets, files, tasks; and memory does not grow with the work."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from aiohttp import web

from inference_sdk import InferenceHTTPClient
from inference_sdk.http.errors import HTTPClientError
from tests.programs import Face, Player, both_plays
from tests.recording_server import RecordingServer

IMAGE = "R0lGODlhaW1hZ2U="


@pytest.fixture
def busy(server: RecordingServer) -> RecordingServer:
    model = {"model_id": "m/1", "task_type": "object-detection"}
    server.answer("/model/registry", {"models": [model]})
    server.answer("/infer/object_detection", {"predictions": []})
    server.answer("/broken", lambda _: web.Response(body=b"<html>"))
    server.answer("/clip/embed_text", lambda _: web.json_response({}, status=500))
    return server


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


on_linux = pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs /proc")


async def calls(face: Face) -> None:
    for _ in range(3):
        await face.call("infer", [IMAGE] * 20, model_id="m/1")
        await face.list("infer_many", iter([IMAGE] * 20), model_id="m/1")
        with pytest.raises(HTTPClientError):
            await face.call("get_clip_text_embeddings", "text")
        with pytest.raises(HTTPClientError):
            await face.list("infer_many", [IMAGE, "gone.jpg", IMAGE, IMAGE], model_id="m/1")
        async for _ in face.each("infer_many", iter([IMAGE] * 20), model_id="m/1"):
            break


@both_plays
@on_linux
def test_threads_sockets_and_tasks_are_as_before(play: Player, busy: RecordingServer) -> None:
    async def program(face: Face) -> None:
        await calls(face)
        if face.is_async:
            await face.client.aclose()
            gc.collect()
            for _ in range(100):
                await asyncio.sleep(0)
            assert asyncio.all_tasks() == {asyncio.current_task()}

    client = InferenceHTTPClient(busy.url).with_options(max_concurrent_requests=4)
    play(client, program)  # what is imported and cached the first time
    gc.collect()
    busy.requests.clear()
    threads = set(threading.enumerate())
    files = open_files()
    play(client, program)
    gc.collect()
    assert set(threading.enumerate()) == threads
    # The server closes its side a moment after the client has closed.
    for _ in range(200):
        if open_files() <= files:
            break
        threading.Event().wait(0.01)
    assert open_files() <= files


@both_plays
def test_images_are_let_go(play: Player, busy: RecordingServer) -> None:
    """However many come: no more are alive than the window holds, and those in the caller's hand."""
    alive: weakref.WeakSet[Picture] = weakref.WeakSet()
    most = 0

    def camera() -> Iterator[Picture]:
        nonlocal most
        for i in range(300):
            picture = Picture(i)
            alive.add(picture)
            most = max(most, len(alive))
            yield picture
            del picture

    async def program(face: Face) -> int:
        count = 0
        async for _ in face.each("infer_many", camera(), model_id="m/1"):
            count += 1
        return count

    client = InferenceHTTPClient(busy.url).with_options(max_concurrent_requests=3, max_batch_size=2)
    busy.answer("/infer/object_detection", two_at_most)
    assert play(client, program) == 300
    window = 3 * 2
    assert most <= window + 2 + 1  # a batch that was just answered, and the one being made
    gc.collect()
    assert len(alive) == 0


class Picture:
    """An array-like that can be referred to weakly."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.full((8, 8), self.number % 256, np.uint8)


def two_at_most(request: Any) -> web.Response:
    image = request.json["image"]
    answers = [{"predictions": []} for _ in image] if isinstance(image, list) else {}
    return web.json_response(answers)


MEMORY = """
import asyncio, resource, sys
import numpy as np
from inference_sdk import InferenceHTTPClient

def camera(count):
    for i in range(count):
        yield np.full((400, 400, 3), i % 256, np.uint8)

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

def sync(count):
    return sum(1 for _ in client.infer_many(camera(count), "m/1"))

async def many(count):
    return [None async for _ in client.infer_many_async(camera(count), "m/1")]

client = InferenceHTTPClient(sys.argv[1]).with_options(max_concurrent_requests=4)
work = sync if sys.argv[2] == "sync" else lambda count: len(asyncio.run(many(count)))
assert work(40) == 40
before = peak()
assert work(300) == 300
client.close()
print(peak() - before)
"""


@pytest.mark.parametrize("form", ["sync", "async"])
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss has other units elsewhere")
def test_memory_does_not_grow_with_the_images(form: str, busy: RecordingServer) -> None:
    """300 pictures are 144 MB."""
    ended = subprocess.run(
        [sys.executable, "-c", MEMORY, busy.url, form],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert float(ended.stdout) < 20
