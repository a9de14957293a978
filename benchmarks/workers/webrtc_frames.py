"""Sends numbered frames through a WebRTC session, and tells how long each took to come back.

Only what all the clients document: the file runs in the virtual environment of the one it
measures.
"""

from __future__ import annotations

import json
import threading
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator

import numpy as np

from inference_sdk import InferenceHTTPClient
from inference_sdk.webrtc import ManualSource, StreamConfig

WIDTH, HEIGHT, TILE, BITS = 1280, 720, 40, 16
PERIOD = 32
START_SECONDS, LAST_SECONDS = 30.0, 2.0

GREY = {
    "version": "1.0",
    "inputs": [{"type": "InferenceImage", "name": "image"}],
    "steps": [
        {
            "type": "roboflow_core/convert_grayscale@v1",
            "name": "grey",
            "image": "$inputs.image",
        }
    ],
    "outputs": [{"type": "JsonField", "name": "out", "selector": "$steps.grey.image"}],
}


def backgrounds(kind: str) -> Iterator[np.ndarray]:
    """Pictures without end: all the same, one that moves, new tiles each time, or noise."""
    rows = np.linspace(0, 255, WIDTH, dtype=np.uint8)
    still = np.repeat(np.tile(rows, (HEIGHT, 1))[:, :, None], 3, axis=2)
    random = np.random.default_rng(0)
    made = []
    for number in range(PERIOD):  # made beforehand: this process has frames to send
        if kind == "tiles":
            tiles = random.integers(0, 2, (HEIGHT // TILE, WIDTH // TILE, 1), np.uint8) * 255
            made.append(tiles.repeat(TILE, 0).repeat(TILE, 1).repeat(3, 2))
        elif kind == "noise":
            made.append(random.integers(0, 256, still.shape, np.uint8))
        else:
            made.append(np.roll(still, number * 40 if kind == "moving" else 0, axis=1))
    while True:
        yield from made


def numbered(picture: np.ndarray, number: int) -> np.ndarray:
    """The picture with its number as a row of black and white tiles."""
    for bit in range(BITS):
        picture[:TILE, bit * TILE : (bit + 1) * TILE] = 255 * (number >> bit & 1)
    return picture.copy()


def number_of(picture: np.ndarray) -> int:
    middles = picture[TILE // 2, TILE // 2 : BITS * TILE : TILE, 0]
    return sum(int(middle > 127) << bit for bit, middle in enumerate(middles))


def send_when_started(source: ManualSource, picture: np.ndarray) -> float:
    """Send the first frame as soon as the session takes it; returns when that was."""
    until = time.monotonic() + START_SECONDS
    while True:
        at = time.perf_counter()
        try:
            source.send(picture)
        except RuntimeError:
            if time.monotonic() > until:
                raise
            time.sleep(0.005)
        else:
            return at


def measure(options: Namespace) -> list[float]:
    """Milliseconds of each frame that came back."""
    source = ManualSource()
    session = InferenceHTTPClient(options.url, api_key="none").webrtc.stream(
        source, workflow=GREY, config=StreamConfig(stream_output=["out"])
    )
    pictures = backgrounds(options.background)
    sent: dict[int, float] = {}
    came: dict[int, float] = {}

    def send() -> None:
        try:
            due = sent[0] = send_when_started(source, numbered(next(pictures), 0))
            for number in range(1, options.frames):
                picture = numbered(next(pictures), number)
                due += 1 / options.fps
                time.sleep(max(0.0, due - time.perf_counter()))
                sent[number] = time.perf_counter()
                source.send(picture)
            time.sleep(LAST_SECONDS)
        finally:
            session.close()

    sender = threading.Thread(target=send)
    sender.start()
    for picture, _ in session.video():
        came.setdefault(number_of(picture), time.perf_counter())
    sender.join()
    return [1000 * (came[number] - sent[number]) for number in sent if number in came]


def main() -> None:
    parser = ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--fps", type=float, required=True)
    parser.add_argument("--frames", type=int, required=True)
    parser.add_argument("--background", required=True)
    print(json.dumps(measure(parser.parse_args())))


if __name__ == "__main__":
    main()
