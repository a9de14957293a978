"""A server whose answer tells which picture it got, and pictures that differ."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiohttp import web
from PIL import Image

from inference_sdk import InferenceHTTPClient
from tests.recording_server import Recorded, RecordingServer

MODEL = "m/1"


def make_pictures(folder: Path, count: int) -> list[Path]:
    """Small PNG files, none like another."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:04}.png" for number in range(count)]
    for number, path in enumerate(paths):
        colour = (number % 256, number // 256 % 256, 7)
        Image.new("RGB", (8, 6), colour).save(path)
    return paths


def mark_of(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()


def marked(recorded: Recorded) -> dict[str, Any]:
    """One box, and the mark of the picture that came."""
    return {
        "mark": mark_of(base64.b64decode(recorded.body)),
        "image": {"width": 8, "height": 6},
        "predictions": [
            {"x": 4.0, "y": 3.0, "width": 4.0, "height": 2.0, "confidence": 0.5,
             "class": "cat", "class_id": 3, "detection_id": "d"},
        ],
    }  # fmt: skip


def serve_marks(
    server: RecordingServer, refuse: Callable[[Recorded, int], int | None] = lambda *_: None
) -> None:
    """Answer each picture with its mark, or with the status that `refuse` gives."""

    def answer(recorded: Recorded) -> web.Response:
        status = refuse(recorded, len(server.requests))
        if status is not None:
            return web.json_response({"message": "not now"}, status=status)
        return web.json_response(marked(recorded))

    server.answer(f"/{MODEL}", answer)


def client_of(server: RecordingServer, concurrency: int = 4, **options: Any) -> InferenceHTTPClient:
    """A client that sends one request a picture."""
    client = InferenceHTTPClient(server.url, "a-secret-key").select_api_v0()
    return client.with_options(
        max_concurrent_requests=concurrency, retry_backoff=0.001, max_tries=2, **options
    )
