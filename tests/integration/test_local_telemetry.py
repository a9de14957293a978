"""ONNX Runtime's usage data: none is collected where the embedded server loads it.

From 1.32 on it writes into the user's cache as soon as it is imported, and calls its vendor later.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SERVING = """
from inference_sdk import InferenceHTTPClient
from inference_sdk.local import LocalServer

with LocalServer() as server:
    client = InferenceHTTPClient(server.url)
    assert client.infer("examples/coffee.jpg", model_id="coco/3")["predictions"]
"""
READING = SERVING.replace(
    'client.infer("examples/coffee.jpg", model_id="coco/3")["predictions"]',
    'client.ocr_image("examples/coffee.jpg") is not None',
)


@pytest.mark.slow
@pytest.mark.parametrize("program", [SERVING, READING], ids=["detection", "ocr"])
def test_the_embedded_server_leaves_no_file_of_it(program: str, tmp_path: Path) -> None:
    places = {"HOME": "home", "XDG_CACHE_HOME": "cache", "TMPDIR": "tmp"}
    folders = {name: tmp_path / folder for name, folder in places.items()}
    for folder in folders.values():
        folder.mkdir()
    environment = {**os.environ, **{name: str(folder) for name, folder in folders.items()}}
    environment.pop("ORT_DISABLE_TELEMETRY", None)
    root = Path(__file__).parents[2]
    subprocess.run(
        [sys.executable, "-c", program], env=environment, cwd=root, check=True, timeout=50
    )
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
