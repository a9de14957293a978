"""Upload speed: 40 MB in 48 KiB chunks, through a session and between two bare aiortc peers.

    python benchmarks/webrtc_upload.py [--megabytes 40] [--runs 3]

Both ways send from this process to one of its own, in turns, with the same waiting: the channel
tells when its buffer is half empty. Prints MB/s of each run, the ratio of the medians, the most
bytes ever buffered, and the longest time for which the session's event loop stood still.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

CHUNK = 49152
LIMIT = 262144


def serve() -> None:
    """The receiving process: takes uploads, and says on the channel when one is whole."""
    from aiohttp import web
    from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

    peers = []

    async def initialise(request: web.Request) -> web.Response:
        offer = (await request.json())["webrtc_offer"]
        pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        peers.append(pc)
        channels = {}
        received = 0

        @pc.on("datachannel")
        def on_channel(channel):
            channels[channel.label] = channel

            @channel.on("message")
            def on_message(message):
                nonlocal received
                if isinstance(message, str):
                    return
                received += 1
                if received == struct.unpack_from("<II", message)[1]:
                    channels["inference"].send('{"processing_complete": true}')

        await pc.setRemoteDescription(RTCSessionDescription(**offer))
        await pc.setLocalDescription(await pc.createAnswer())
        local = pc.localDescription
        return web.json_response({"type": local.type, "sdp": local.sdp})

    async def main() -> None:
        app = web.Application()
        app.router.add_post("/initialise_webrtc_worker", initialise)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        print("http://{}:{}".format(*runner.addresses[0][:2]), flush=True)
        await asyncio.to_thread(sys.stdin.read)

    asyncio.run(main())


@contextlib.contextmanager
def receiver() -> Iterator[str]:
    with subprocess.Popen(
        [sys.executable, __file__, "--serve"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process.stdout.readline().strip()
        finally:
            process.communicate(timeout=20)


async def bare(url: str, data: bytes) -> float:
    """Two peers and nothing else: the same chunks, the same limit. Returns seconds."""
    import aiohttp
    from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    control, channel = pc.createDataChannel("inference"), pc.createDataChannel("video_upload")
    opened, room, done = asyncio.Event(), asyncio.Event(), asyncio.Event()
    channel.bufferedAmountLowThreshold = LIMIT // 2
    channel.on("open", opened.set)
    channel.on("bufferedamountlow", room.set)
    control.on("message", lambda _: done.set())
    await pc.setLocalDescription(await pc.createOffer())
    offer = {"type": pc.localDescription.type, "sdp": pc.localDescription.sdp}
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{url}/initialise_webrtc_worker", json={"webrtc_offer": offer}) as response,
    ):
        answer = await response.json()
    await pc.setRemoteDescription(RTCSessionDescription(**answer))
    await opened.wait()
    total = -(-len(data) // CHUNK)
    begun = time.perf_counter()
    for index in range(total):
        chunk = struct.pack("<II", index, total) + data[index * CHUNK : (index + 1) * CHUNK]
        while channel.bufferedAmount + len(chunk) > LIMIT:
            room.clear()
            await room.wait()
        channel.send(chunk)
    await done.wait()
    seconds = time.perf_counter() - begun
    await pc.close()
    return seconds


def ours(url: str, path: Path, lag: list[float] | None, most_buffered: list[int]) -> float:
    """The same through a session. Returns seconds from the first chunk to the last.

    Watching the loop for pauses wakes it a thousand times a second: not in a run that counts.
    """
    import inference_sdk.webrtc.datachannel as datachannel
    from inference_sdk.webrtc import StreamConfig, VideoFileSource, WebRTCSession

    begun = []

    class Noting(datachannel.VideoFileUploader):
        async def upload(self, on_progress=None):
            begun.append(time.perf_counter())
            watch = asyncio.ensure_future(watch_loop(lag) if lag is not None else forever())

            def note(uploaded, total):
                most_buffered.append(self._channel.bufferedAmount)
                on_progress(uploaded, total)

            try:
                await super().upload(note)
            finally:
                watch.cancel()

    class Source(VideoFileSource):
        async def prepare(self):
            """The benchmark's file is no video."""

        async def start_upload(self):
            opened = asyncio.Event()
            self._channel.on("open", opened.set)
            await opened.wait()
            await Noting(str(path), self._channel).upload(self._on_chunk)

    session = WebRTCSession(
        url, None, Source(str(path)), "image", {"workflow_specification": {}}, StreamConfig()
    )
    with session:
        session.wait(timeout=300)
        return time.perf_counter() - begun[0]


async def forever() -> None:
    await asyncio.Event().wait()


async def watch_loop(lag: list[float]) -> None:
    while True:
        before = time.perf_counter()
        await asyncio.sleep(0.001)
        lag.append(time.perf_counter() - before - 0.001)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=40)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve()
        return
    data = bytes(options.megabytes * 1_000_000)
    speeds: dict[str, list[float]] = {"bare": [], "ours": []}
    lag: list[float] = []
    most_buffered: list[int] = []
    with receiver() as url, tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "data.bin")
        path.write_bytes(data)
        for _ in range(options.runs):
            speeds["bare"].append(options.megabytes / asyncio.run(bare(url, data)))
            speeds["ours"].append(options.megabytes / ours(url, path, None, most_buffered))
        ours(url, path, lag, most_buffered)
    ratio = statistics.median(speeds["ours"]) / statistics.median(speeds["bare"])
    for name, found in speeds.items():
        print(f"{name}: {', '.join(f'{speed:.1f}' for speed in found)} MB/s")
    print(f"ratio of medians: {ratio:.2f}")
    print(f"most buffered: {max(most_buffered)} bytes (limit {LIMIT})")
    print(f"event loop: longest pause {max(lag) * 1000:.1f} ms")
    print(json.dumps({"speeds": speeds, "ratio": ratio}))


if __name__ == "__main__":
    main()
