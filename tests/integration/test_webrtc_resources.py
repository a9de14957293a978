"""What a stream leaves behind: nothing; and what it costs while it runs."""

from __future__ import annotations

import contextlib
import gc
import os
import random
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from inference_sdk.webrtc import (
    ManualSource,
    RTSPSource,
    StreamConfig,
    VideoFileSource,
    WebRTCSession,
    WebRTCStartError,
)
from tests.integration.webrtc_peer import Behaviour, Worker, worker_process, write_video

pytestmark = pytest.mark.slow


def session(url, source, **config):
    settings = {"stream_output": ["image"], **config}
    return WebRTCSession(
        url, "key", source, "image", {"workflow_specification": {}}, StreamConfig(**settings)
    )


def descriptors():
    return len(os.listdir("/proc/self/fd"))


def settled(measure, expected, seconds=5.0):
    """Whether a count comes down: the worker of these tests, in this process, closes as well."""
    deadline = time.monotonic() + seconds
    while (found := measure()) > expected and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


def test_fifty_sessions_leave_nothing():
    with worker_process(frames=1000) as url:

        def one():
            with session(url, RTSPSource("rtsp://x")) as stream:
                next(stream.video())

        one()  # what is loaded and cached once
        threads, files = threading.active_count(), descriptors()
        for _ in range(50):
            one()
        assert threading.active_count() == threads
        assert descriptors() == files


def test_closing_at_any_moment_leaves_nothing(tmp_path):
    """While it starts, connects, uploads, runs and ends: sockets are open in all of them."""
    video = str(write_video(tmp_path / "v.avi", 20))
    chance = random.Random(1)
    with worker_process() as url:
        for number in range(26):
            if number == 1:
                threads, files = threading.active_count(), descriptors()
            stream = session(url, VideoFileSource(video))
            timer = threading.Timer(chance.uniform(0, 0.15), stream.close)
            timer.start()
            with contextlib.suppress(RuntimeError):  # closed before it could be used
                stream.wait(timeout=20)
            timer.join(10)
        gc.collect()  # what is forgotten warns, and a warning is an error here
        assert threading.active_count() == threads
        assert descriptors() == files


@pytest.mark.parametrize("status", [404, 500])
def test_a_start_that_fails_leaves_nothing(status):
    with Worker(Behaviour(status=status)) as worker:
        for attempt in range(6):
            if attempt == 1:
                threads, files = threading.active_count(), descriptors()
            with pytest.raises(WebRTCStartError):
                session(worker.url, ManualSource()).wait()
        assert threading.active_count() == threads
        # The worker's side of an HTTP connection may close a moment later.
        assert settled(descriptors, files) <= files


def test_a_forgotten_session_is_closed_with_a_warning():
    with Worker(Behaviour(frames=1000)) as worker:
        stream = session(worker.url, RTSPSource("rtsp://x"))
        frames = stream.video()
        next(frames)
        frames.close()
        with pytest.warns(ResourceWarning, match="never closed"):  # noqa: PT031
            del frames, stream
            gc.collect()
        worker.call(worker.sessions.pop().close())
        assert settled(own_threads, 0) == 0


def own_threads():
    return sum(thread.name.startswith("inference-webrtc") for thread in threading.enumerate())


def test_a_program_that_forgets_its_session_still_ends(tmp_path):
    program = """
        import sys, warnings
        warnings.simplefilter("ignore")
        sys.path.insert(0, sys.argv[1])
        from inference_sdk.webrtc import *
        stream = WebRTCSession(sys.argv[2], None, RTSPSource("rtsp://x"), "image",
                               {"workflow_specification": {}}, StreamConfig(stream_output=["image"]))
        next(stream.video())
        print("first frame")
    """
    with Worker(Behaviour(frames=100_000)) as worker:
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(program), os.path.dirname(__file__), worker.url],
            capture_output=True,
            text=True,
            timeout=30,
        )
    assert done.stdout.strip() == "first frame", done.stderr
    assert done.returncode == 0


class LoopLag:
    """The longest time for which the session's event loop did not run."""

    def __init__(self):
        self.worst = 0.0

    def watch(self, stream):
        loop = stream._connection._loop
        self.last = time.monotonic()

        def tick():
            now = time.monotonic()
            self.worst = max(self.worst, now - self.last - 0.002)
            self.last = now
            loop.call_later(0.002, tick)

        loop.call_soon_threadsafe(tick)


def test_the_event_loop_is_never_held_up(tmp_path):
    """720p JPEG pictures, slow handlers, an upload and its progress: none runs on the loop."""
    video = write_video(tmp_path / "v.avi", 20, size=(1280, 720))
    lag = LoopLag()
    with worker_process() as url:
        stream = session(
            url,
            VideoFileSource(str(video), on_upload_progress=lambda *_: time.sleep(0.01)),
            data_output=["number"],
        )
        stream.on_data("number")(lambda value: time.sleep(0.06))
        with stream:
            frames = stream.video()
            lag.watch(stream)
            assert sum(1 for _ in frames) == 20
    # The goal is 50 ms; the rest is for a busy machine of two cores.
    assert lag.worst < 0.15


def test_memory_stays_flat_over_many_frames():
    """A reader that is slower than the stream: frames are dropped, not piled up."""
    source = ManualSource()
    noise = np.random.default_rng(0).integers(0, 255, (90, 160, 3), np.uint8)
    picture = noise.repeat(8, axis=0).repeat(8, axis=1)
    stop = threading.Event()

    def send():
        while not stop.wait(0.02):
            source.send(np.roll(picture, 8, axis=1))

    with worker_process() as url, session(url, source) as stream:
        frames = stream.video()
        sender = threading.Thread(target=send)
        sender.start()
        try:
            take(frames, 40)
            before = resident()
            take(frames, 60)
            assert resident() - before < 80_000_000
        finally:
            stop.set()
            sender.join(5)


def take(frames, count):
    for _ in range(count):
        next(frames)


def resident():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
