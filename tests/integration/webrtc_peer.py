"""A WebRTC worker to test against: aiohttp and aiortc on loopback, with knobs for what goes wrong.

Speaks the contract with code of its own: nothing of the package is used, so that a mistake in the
package's codecs cannot hide itself. Run as a program it serves until its input closes.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gzip
import io
import json
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from fractions import Fraction
from pathlib import Path
from typing import Any, Optional

import av
import numpy as np
from aiohttp import web
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from PIL import Image


@dataclass
class Behaviour:
    """What the worker does. Defaults: as a good worker."""

    ack_window: int = 1
    chunk_size: int = 16000
    gzip: bool = False
    chunked: bool = True
    interleave: bool = False
    paced: bool = True
    """Whether acknowledgements are waited for, once one came."""
    status: int = 200
    raw_answer: Optional[bytes] = None
    answer_delay: float = 0.0
    errors: list[str] = field(default_factory=list)
    send_pictures: bool = True
    complete: bool = True
    leave_after: Optional[int] = None
    """Close the connection after so many frames."""
    leaves: int = 10**9
    """How many connections leave so."""
    junk: list[Any] = field(default_factory=list)
    """Sent on the channel before the first result."""
    frames: int = 30
    """Of a stream that the worker pulls."""
    fps: float = 30.0
    silent: bool = False
    """Connected, and nothing comes."""
    pts_offset: int = 0
    predictions: Optional[Callable[[int], Any]] = None
    frame_delay: float = 0.0
    end_of_stream_message: bool = False
    leave_when_complete: bool = False


class Outlet(MediaStreamTrack):
    """A track of what is put into a queue."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self.queue: asyncio.Queue[Optional[av.VideoFrame]] = asyncio.Queue()
        self._taken = False

    async def recv(self) -> av.VideoFrame:
        if self._taken:  # and sent, for the sender asks for the next one
            self.queue.task_done()
        frame = await self.queue.get()
        self._taken = True
        if frame is None:
            self.stop()
            raise MediaStreamError
        return frame


class WorkerSession:
    """One peer connection of the worker."""

    def __init__(self, behaviour: Behaviour, body: dict[str, Any]) -> None:
        self.behaviour = behaviour
        self.body = body
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.channel: Any = None
        self.channel_open = asyncio.Event()
        self.acked = 0
        self.acks: list[int] = []
        self.ack_changed = asyncio.Event()
        self.upload: dict[int, bytes] = {}
        self.uploaded = asyncio.Event()
        self.upload_begun = threading.Event()
        self.results = 0
        self.received: list[float] = []
        self.max_ahead = 0
        self.outlet: Optional[Outlet] = None
        self.tasks: list[asyncio.Task[Any]] = []
        self.pc.on("datachannel", self.on_channel)
        self.pc.on("track", self.on_track)

    @property
    def realtime(self) -> bool:
        return bool(self.body["webrtc_realtime_processing"])

    async def answer(self) -> RTCSessionDescription:
        offer = RTCSessionDescription(**self.body["webrtc_offer"])
        await self.pc.setRemoteDescription(offer)
        wants_video = "m=video" in offer.sdp
        if wants_video and (self.body["stream_output"] or not self.body["data_output"]):
            self.outlet = Outlet()
            self.pc.addTrack(self.outlet)
        await self.pc.setLocalDescription(await self.pc.createAnswer())
        pulled = self.body.get("rtsp_url") or self.body.get("mjpeg_url")
        if self.body.get("video_file_upload"):
            self.spawn(self.process_file())
        elif pulled:
            self.spawn(self.process_pulled())
        return self.pc.localDescription

    def spawn(self, work: Awaitable[Any]) -> None:
        self.tasks.append(asyncio.ensure_future(work))

    def on_channel(self, channel: Any) -> None:
        if channel.label == "inference":
            self.channel = channel
            channel.on("message", self.on_text)
            self.channel_open.set()
        elif channel.label == "video_upload":
            channel.on("message", self.on_chunk)

    def on_text(self, message: str) -> None:
        self.acked = max(self.acked, json.loads(message)["ack"])
        self.acks.append(self.acked)
        self.ack_changed.set()

    def on_chunk(self, message: bytes) -> None:
        index, total = struct.unpack_from("<II", message)
        self.upload[index] = message[8:]
        self.upload_begun.set()
        if len(self.upload) == total:
            self.uploaded.set()

    def on_track(self, track: Any) -> None:
        self.spawn(self.process_track(track))

    # Sources.

    async def process_file(self) -> None:
        await self.uploaded.wait()
        data = b"".join(self.upload[index] for index in sorted(self.upload))
        with av.open(io.BytesIO(data)) as container:
            pictures = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
        await self.channel_open.wait()
        for number, picture in enumerate(pictures, 1):
            if self.behaviour.leave_after is not None and number > self.behaviour.leave_after:
                await self.leave()
                return
            await self.window(number)
            await self.result(number, picture)
            if self.realtime:
                await asyncio.sleep(1 / self.behaviour.fps)
        if self.behaviour.complete:
            self.send_text({"processing_complete": True})
        if self.behaviour.leave_when_complete:
            await self.all_sent()
            await self.leave()

    async def window(self, number: int) -> None:
        """Wait until `number` is no further ahead of the acknowledgements than allowed."""
        if self.realtime or not self.behaviour.paced:
            return
        while self.acked and number > self.acked + self.behaviour.ack_window:
            self.ack_changed.clear()
            await self.ack_changed.wait()

    async def process_pulled(self) -> None:
        await self.channel_open.wait()
        for number in range(1, self.behaviour.frames + 1):
            picture = np.full((120, 160, 3), number * 5 % 250, np.uint8)
            await self.result(number, picture)
            await asyncio.sleep(1 / self.behaviour.fps)
            if number == self.behaviour.leave_after and self.behaviour.leaves > 0:
                self.behaviour.leaves -= 1
                await self.leave()
                return
        if self.behaviour.end_of_stream_message:
            self.send_text({"processing_complete": True})
        else:
            # aiortc tells the other side nothing of a track that ends; closing does.
            await self.all_sent()
            await self.leave()

    async def process_track(self, track: Any) -> None:
        number = 0
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            number += 1
            self.received.append(time.monotonic())
            if number == self.behaviour.leave_after and self.behaviour.leaves > 0:
                self.behaviour.leaves -= 1
                await self.leave()
                return
            await self.channel_open.wait()
            await self.result(number, frame.to_ndarray(format="bgr24"), frame.pts)

    async def all_sent(self) -> None:
        """Wait until every frame was encoded and sent, and a little for what is under way."""
        if self.outlet is not None:
            await self.outlet.queue.join()
        await asyncio.sleep(0.2)

    async def leave(self) -> None:
        await self.pc.close()

    # Results.

    async def result(self, number: int, picture: Any, pts: Optional[int] = None) -> None:
        behaviour = self.behaviour
        if behaviour.silent:
            return
        if number == 1:
            for junk in behaviour.junk:
                self.channel.send(junk)
        await asyncio.sleep(max(behaviour.frame_delay, 0.002))
        pts = pts if pts is not None else (number - 1) * 3000
        self.results = number
        self.max_ahead = max(self.max_ahead, number - self.acked)
        self.send_data(number, picture, pts)
        if self.outlet is not None and not behaviour.errors:
            self.send_frame(picture, pts)

    def send_frame(self, picture: Any, pts: int) -> None:
        frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
        frame.pts, frame.time_base = pts, Fraction(1, 90000)
        self.outlet.queue.put_nowait(frame)

    def send_data(self, number: int, picture: Any, pts: int) -> None:
        behaviour = self.behaviour
        outputs: dict[str, Any] = {}
        if not behaviour.errors:
            for name in self.body["data_output"]:
                outputs[name] = self.output(name, number, picture)
        message = {
            "serialized_output_data": outputs or None,
            "video_metadata": {
                "frame_id": number,
                "received_at": datetime.now(timezone.utc).isoformat(),
                "pts": pts + behaviour.pts_offset,
                "time_base": 1 / 90000,
                "declared_fps": 30,
                "measured_fps": None,
            },
            "errors": behaviour.errors,
        }
        self.send_message(number, json.dumps(message).encode())

    def output(self, name: str, number: int, picture: Any) -> Any:
        if name == "image":
            file = io.BytesIO()
            Image.fromarray(picture[:, :, ::-1]).save(file, "JPEG", quality=90)
            return {"type": "base64", "value": base64.b64encode(file.getvalue()).decode()}
        if name == "predictions" and self.behaviour.predictions is not None:
            return self.behaviour.predictions(number)
        return number

    def send_message(self, frame_id: int, payload: bytes) -> None:
        if not self.behaviour.chunked:
            self.channel.send(payload.decode())
            return
        if self.behaviour.gzip:
            payload = gzip.compress(payload)
        size = self.behaviour.chunk_size
        total = max(1, -(-len(payload) // size))
        chunks = [
            struct.pack("<III", frame_id, index, total) + payload[index * size : (index + 1) * size]
            for index in range(total)
        ]
        for chunk in reversed(chunks) if self.behaviour.interleave else chunks:
            self.channel.send(chunk)

    def send_text(self, message: dict[str, Any]) -> None:
        self.channel.send(json.dumps(message))

    async def close(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.pc.close()


class Worker:
    """The server, on a thread of its own with its own event loop."""

    def __init__(self, behaviour: Optional[Behaviour] = None) -> None:
        self.behaviour = behaviour or Behaviour()
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.sessions: list[WorkerSession] = []
        self.url = ""
        self._ready = threading.Event()
        self.loop: Optional[asyncio.AbstractEventLoop] = None
        self._stop: Optional[asyncio.Event] = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    def __enter__(self) -> Worker:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        assert self.loop is not None
        assert self._stop is not None
        self.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        assert not self._thread.is_alive()

    def call(self, work: Any) -> Any:
        """Run a coroutine on the worker's loop."""
        assert self.loop is not None
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(10)

    async def _serve(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        app = web.Application(client_max_size=2**26)
        app.router.add_post("/initialise_webrtc_worker", self._initialise)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = "http://{}:{}".format(*runner.addresses[0][:2])
        self._ready.set()
        await self._stop.wait()
        for session in self.sessions:
            await session.close()
        await runner.cleanup()

    async def _initialise(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.requests.append(body)
        self.headers.append(dict(request.headers))
        await asyncio.sleep(self.behaviour.answer_delay)
        if self.behaviour.status != 200:
            return web.json_response({"message": "refused"}, status=self.behaviour.status)
        if self.behaviour.raw_answer is not None:
            return web.Response(body=self.behaviour.raw_answer, content_type="text/html")
        session = WorkerSession(self.behaviour, body)
        self.sessions.append(session)
        answer = await session.answer()
        return web.json_response(
            {"status": "success", "context": {}, "type": answer.type, "sdp": answer.sdp}
        )


def write_video(path: Path, frames: int, size: tuple[int, int] = (160, 120)) -> Path:
    """A video of grey frames; `level(number)` is the grey of frame `number`, from 1."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=30)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = 2_000_000
        for number in range(1, frames + 1):
            picture = np.full((size[1], size[0], 3), level(number), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))
    return path


def level(number: int) -> int:
    return 20 + number * 2 % 220


class ProcessUrl(str):
    """Address of a worker in a process of its own, which can be killed."""

    kill: Callable[[], None]


@contextlib.contextmanager
def worker_process(**behaviour: Any) -> Iterator[ProcessUrl]:
    """A worker in a process of its own, for measuring what a client alone costs; gives the URL."""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "tests.integration.webrtc_peer", json.dumps(behaviour)]
    with subprocess.Popen(
        command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            url = ProcessUrl(process.stdout.readline().strip())
            url.kill = process.kill
            yield url
        finally:
            process.communicate(timeout=20)  # closes its input, which ends it


def main() -> None:
    with Worker(Behaviour(**json.loads(sys.argv[1]))) as worker:
        sys.stdout.write(worker.url + "\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
