"""Memory: what a client holds that receives thousands of 720p frames over the data channel.

    python benchmarks/webrtc_memory.py [--frames 5000]

A file is streamed in batch mode to our embedded server, which runs in its own process and turns
each frame grey. Prints the client's peak memory (and what it held just then) after 200 frames and
after all: it should have stopped growing by then.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from webrtc_latency import SERVE
from workers.memory import peak_rss_mb
from workers.webrtc_frames import GREY, backgrounds

from inference_sdk import InferenceHTTPClient
from inference_sdk.webrtc import StreamConfig, VideoFileSource

FIRST = 200
PERIOD = 32


def make_video(path: Path, frames: int) -> None:
    """A 720p file that repeats a short scene; only one scene is encoded."""
    import av

    pictures = backgrounds("tiles")
    with av.open(str(path), "w") as file:
        stream = file.add_stream("mpeg4", rate=30, width=1280, height=720, bit_rate=4_000_000)
        scene = [
            packet
            for _ in range(PERIOD)
            for packet in stream.encode(av.VideoFrame.from_ndarray(next(pictures), "bgr24"))
        ]
        scene += stream.encode(None)
        contents = [(bytes(packet), packet.is_keyframe) for packet in scene]
        for number in range(frames):
            content, is_key = contents[number % len(contents)]
            packet = av.Packet(content)
            packet.stream, packet.time_base = stream, stream.codec_context.time_base
            packet.pts = packet.dts = number
            packet.duration, packet.is_keyframe = 1, is_key
            file.mux(packet)


def held_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20


def receive(url: str, video: Path, frames: int) -> dict[str, float]:
    """Take all frames, and note memory on the way."""
    config = StreamConfig(stream_output=["out"], realtime_processing=False)
    client = InferenceHTTPClient(url, api_key="none")
    found: dict[str, float] = {}
    came, begun = 0, time.perf_counter()
    with client.webrtc.stream(VideoFileSource(str(video)), workflow=GREY, config=config) as session:
        for picture, metadata in session.video():
            came += 1
            assert picture.shape == (720, 1280, 3)
            assert metadata.frame_id == came, f"frame {metadata.frame_id} came as number {came}"
            if came in (FIRST, frames):
                found[f"peak_mib_at_{came}"] = peak_rss_mb()
                found[f"held_mib_at_{came}"] = held_mb()
                print(f"{came:5} frames: peak {peak_rss_mb():.1f} MiB, held {held_mb():.1f} MiB")
    assert came == frames, f"{came} of {frames} frames came"
    return {**found, "frames_per_s": came / (time.perf_counter() - begun)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=5000)
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.make:
        make_video(options.make, options.frames)
        return
    with tempfile.TemporaryDirectory() as directory:
        video = Path(directory, "video.mp4")
        # In a process of its own: its memory is none of the client's.
        subprocess.run(
            [sys.executable, __file__, "--make", video, "--frames", str(options.frames)], check=True
        )
        with subprocess.Popen(
            [sys.executable, "-c", SERVE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as server:
            try:
                found = receive(server.stdout.readline().strip(), video, options.frames)
            finally:
                server.communicate(timeout=20)
    grown = found[f"peak_mib_at_{options.frames}"] - found[f"peak_mib_at_{FIRST}"]
    print(f"grown after the first {FIRST}: {grown:.1f} MiB; {found['frames_per_s']:.0f} frames/s")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
