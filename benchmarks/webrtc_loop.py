"""Event loops: the longest time for which the client's and the server's stood still.

    python benchmarks/webrtc_loop.py [--seconds 20]

Three streams, one after the other: a file of 40 MB on its way up, 720p both ways over video
tracks, and 720p pictures over the data channel in batch mode. Both loops are asked for a turn
every 2 ms; what is told is how late the turn came, which on a busy machine is the machine's doing
too. Our embedded server runs in a process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from webrtc_memory import make_video
from workers.webrtc_frames import GREY, backgrounds, send_when_started

from inference_sdk import InferenceHTTPClient
from inference_sdk.webrtc import ManualSource, StreamConfig, VideoFileSource, WebRTCSession

TURN = 0.002
PADDING_BYTES = 40_000_000
MANY = 4000


class Watch:
    """Notes how late a loop gives turns."""

    def __init__(self) -> None:
        self.late: list[float] = []

    async def run(self) -> None:
        while True:
            due = time.perf_counter() + TURN
            await asyncio.sleep(TURN)
            self.late.append(time.perf_counter() - due)

    def take(self) -> dict[str, float]:
        """Milliseconds since the last call."""
        late, self.late = sorted(self.late), []
        if not late:
            return {}
        return {"p99": 1000 * late[int(len(late) * 0.99)], "longest": 1000 * late[-1]}


def serve() -> None:
    """The server's process: each line that comes in is answered with how late its loop was."""
    from aiohttp import web

    from inference_sdk.local.app import create_app

    async def main() -> None:
        runner = web.AppRunner(create_app(), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        print("http://{}:{}".format(*runner.addresses[0][:2]), flush=True)
        watch = Watch()
        task = asyncio.ensure_future(watch.run())
        while await asyncio.to_thread(sys.stdin.readline):
            print(json.dumps(watch.take()), flush=True)
        task.cancel()
        await runner.cleanup()

    asyncio.run(main())


@contextlib.contextmanager
def server() -> Iterator[tuple[str, Callable[[], dict[str, float]]]]:
    """The address of a server, and a function that asks how late its loop was."""
    with subprocess.Popen(
        [sys.executable, __file__, "--serve"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        url = process.stdout.readline().strip()

        def take() -> dict[str, float]:
            process.stdin.write("\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        try:
            yield url, take
        finally:
            process.communicate(timeout=20)


class WatchedFile(VideoFileSource):
    """A file whose stream tells of its loop."""

    def __init__(self, path: Path, watch: Watch) -> None:
        super().__init__(str(path))
        self._watch = watch
        self.uploaded = threading.Event()

    async def begin(self) -> None:
        task = asyncio.ensure_future(self._watch.run())
        try:
            await super().begin()
            self.uploaded.set()
            await asyncio.Event().wait()
        finally:
            task.cancel()


class WatchedFrames(ManualSource):
    """Frames whose stream tells of its loop."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch = watch

    async def begin(self) -> None:
        await self._watch.run()


def upload(session: WebRTCSession, source: WatchedFile) -> None:
    """Start, and leave once the file is there."""
    frames = session.video()
    assert source.uploaded.wait(300)
    next(frames)


def send(session: WebRTCSession, source: WatchedFrames, seconds: float) -> None:
    """720p at 15 frames a second, both ways."""
    pictures = backgrounds("moving")

    def feed() -> None:
        begun = due = send_when_started(source, next(pictures))
        while due - begun < seconds:
            due += 1 / 15
            time.sleep(max(0.0, due - time.perf_counter()))
            source.send(next(pictures))
        session.close()

    thread = threading.Thread(target=feed)
    thread.start()
    for _ in session.video():
        pass
    thread.join()


def receive(session: WebRTCSession, seconds: float) -> None:
    """As many frames as come in that time."""
    until = time.monotonic() + seconds
    for _ in session.video():
        if time.monotonic() > until:
            return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve()
        return
    watch = Watch()
    config = StreamConfig(stream_output=["out"])
    found = {}
    with tempfile.TemporaryDirectory() as directory, server() as (url, take):
        long, large = Path(directory, "long.mp4"), Path(directory, "large.mp4")
        make_video(long, MANY)
        make_video(large, 100)
        with large.open("ab") as file:  # a box of nothing, which players skip
            file.write(PADDING_BYTES.to_bytes(4, "big") + b"free" + bytes(PADDING_BYTES - 8))
        client = InferenceHTTPClient(url, api_key="none")
        up, down, frames = WatchedFile(large, watch), WatchedFile(long, watch), WatchedFrames(watch)
        scenarios = {
            "upload": (up, lambda session: upload(session, up)),
            "video": (frames, lambda session: send(session, frames, options.seconds)),
            "pictures": (down, lambda session: receive(session, options.seconds)),
        }
        for name, (source, work) in scenarios.items():
            take()
            with client.webrtc.stream(source, workflow=GREY, config=config) as session:
                work(session)
            found[name] = {"client": watch.take(), "server": take()}
            for side, late in found[name].items():
                print(
                    "{:9} {}: longest pause {longest:5.1f} ms, p99 {p99:5.1f} ms".format(
                        name, side, **late
                    ),
                    flush=True,
                )
    print(f"load {os.getloadavg()[0]:.1f}")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
