"""A client of the WebRTC worker in bare aiortc: what the protocol says, and nothing more."""

from __future__ import annotations

import asyncio
import gzip
import json
import struct
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any, Optional

import aiohttp
import av
import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

LIMIT = 20.0


class FedTrack(MediaStreamTrack):
    """A video track that sends what it is fed."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self.frames: asyncio.Queue[av.VideoFrame] = asyncio.Queue()

    async def recv(self) -> av.VideoFrame:
        return await self.frames.get()

    def feed(self, pixels: np.ndarray, pts: int) -> None:
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="bgr24")
        frame.pts, frame.time_base = pts, Fraction(1, 90000)
        self.frames.put_nowait(frame)


class BarePeer:
    """One stream as a client sees it."""

    def __init__(self, url: str, *, track: bool = False, video: bool = False, upload: bool = False):
        self.url = url
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.channel = self.connection.createDataChannel("inference")
        self.channel.on("message", self._on_message)
        self.upload = self.connection.createDataChannel("video_upload") if upload else None
        self.track = FedTrack() if track else None
        if self.track is not None:
            self.connection.addTrack(self.track)
        elif video:
            self.connection.addTransceiver("video", direction="recvonly")
        self.connection.on("track", self._on_track)
        self.connection.on("connectionstatechange", self._on_state)
        self.messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.frames: asyncio.Queue[av.VideoFrame] = asyncio.Queue()
        self.closed = asyncio.Event()
        self.connected = asyncio.Event()
        self.chunked = 0
        self._chunks: dict[int, dict[int, bytes]] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def offer(self) -> dict[str, str]:
        await self.connection.setLocalDescription(await self.connection.createOffer())
        local = self.connection.localDescription
        return {"type": local.type, "sdp": local.sdp}

    async def start(self, specification: dict[str, Any], **fields: Any) -> None:
        body = {
            "api_key": None,
            "workflow_configuration": {
                "type": "WorkflowConfiguration",
                "image_input_name": "image",
                "workflows_parameters": fields.pop("parameters", {}),
                "workflow_specification": specification,
            },
            "webrtc_offer": await self.offer(),
            "webrtc_realtime_processing": True,
            "stream_output": [],
            "data_output": [],
            **fields,
        }
        status, answer = await post(self.url, body)
        assert status == 200, answer
        assert answer["status"] == "success"
        assert answer["context"] == {}
        await self.connection.setRemoteDescription(
            RTCSessionDescription(answer["sdp"], answer["type"])
        )

    async def send_file(self, path: Path, chunk: int = 49152) -> None:
        content = await asyncio.to_thread(path.read_bytes)
        await self.send_chunks([content[i : i + chunk] for i in range(0, len(content), chunk)])

    async def send_chunks(self, chunks: list[bytes]) -> None:
        await self.wait_open(self.upload)
        for index, part in enumerate(chunks):
            await until(lambda: self.upload.bufferedAmount <= 262144)
            self.upload.send(struct.pack("<II", index, len(chunks)) + part)

    async def wait_open(self, channel: Any) -> None:
        await asyncio.wait_for(self.connected.wait(), LIMIT)
        await until(lambda: channel.readyState == "open")

    def acknowledge(self, number: Any) -> None:
        self.channel.send(json.dumps({"ack": number}))

    async def message(self) -> dict[str, Any]:
        return await asyncio.wait_for(self.messages.get(), LIMIT)

    async def all_messages(self) -> list[dict[str, Any]]:
        """Messages up to the one that says all is done, which is left out."""
        found = []
        while not (message := await self.message()).get("processing_complete"):
            found.append(message)
        return found

    async def frame(self) -> av.VideoFrame:
        return await asyncio.wait_for(self.frames.get(), LIMIT)

    async def close(self) -> None:
        await self.connection.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _on_message(self, message: Any) -> None:
        if isinstance(message, str):
            self.messages.put_nowait(json.loads(message))
            return
        self.chunked += 1
        frame_id, index, total = struct.unpack_from("<III", message)
        chunks = self._chunks.setdefault(frame_id, {})
        chunks[index] = message[12:]
        if len(chunks) == total:
            del self._chunks[frame_id]
            whole = b"".join(chunks[i] for i in range(total))
            self.messages.put_nowait(json.loads(gzip.decompress(whole)))

    def _on_track(self, track: MediaStreamTrack) -> None:
        self._tasks.append(asyncio.ensure_future(self._receive(track)))

    async def _receive(self, track: MediaStreamTrack) -> None:
        try:
            while True:
                self.frames.put_nowait(await track.recv())
        except MediaStreamError:
            pass

    def _on_state(self) -> None:
        if self.connection.connectionState == "connected":
            self.connected.set()
        elif self.connection.connectionState in ("closed", "failed"):
            self.closed.set()


async def post(url: str, body: Any) -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{url}/initialise_webrtc_worker", json=body) as response,
    ):
        return response.status, await response.json()


async def until(condition: Callable[[], bool], limit: float = LIMIT) -> None:
    """Wait until something is so that nobody tells of."""
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        await asyncio.sleep(0.002)


@asynccontextmanager
async def serving(app: aiohttp.web.Application) -> AsyncIterator[str]:
    """The application on a free port of this machine."""
    runner = aiohttp.web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


def numbered(number: int, width: int = 160, height: int = 96) -> np.ndarray:
    """BGR picture with a number from 0 to 255 in eight black or white tiles."""
    picture = np.zeros((height, width, 3), np.uint8)
    for bit in range(8):
        if number >> bit & 1:
            picture[:, bit * width // 8 : (bit + 1) * width // 8] = 255
    return picture


def number_of(picture: np.ndarray) -> int:
    """The number in a picture that `numbered` made, after any lossy way."""
    gray = picture if picture.ndim == 2 else picture.mean(axis=2)
    tiles = gray.shape[1] / 8
    middle = gray.shape[0] // 2
    return sum(int(gray[middle, int((bit + 0.5) * tiles)] > 127) << bit for bit in range(8))


def write_video(path: Path, count: int, rate: int = 30, size: Optional[tuple[int, int]] = None):
    """An MP4 of numbered frames."""
    width, height = size or (160, 96)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"bf": "2", "crf": "18"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(count):
            pixels = numbered(number % 256, width, height)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="bgr24")))
        container.mux(stream.encode(None))
    return path
