"""`inference-sdk infer` as users run it: a process of its own, and the embedded server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from aiohttp import web
from PIL import Image

from inference_sdk.cli import main
from tests.recording_server import Recorded, RecordingServer

EXAMPLES = Path(__file__).parents[2] / "examples"
COMMAND = [sys.executable, "-m", "inference_sdk.cli"]
KEY = "secret-key-0123456789"


def test_the_demo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pictures = [EXAMPLES / "astronaut.jpg", EXAMPLES / "coffee.jpg"]
    out = tmp_path / "demo-output"
    assert main(["infer", *map(str, pictures), "--save", str(out)]) == 0
    shown = capsys.readouterr().out
    assert "person" in shown
    assert "cup" in shown
    for picture in pictures:
        assert f"Annotated picture: {out / picture.name}" in shown
        before, after = (np.asarray(Image.open(p)) for p in (picture, out / picture.name))
        assert before.shape == after.shape
        assert (abs(before.astype(int) - after) > 60).any()


def test_a_folder_with_a_file_that_is_no_picture(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    (tmp_path / "a.jpg").write_bytes((EXAMPLES / "coffee.jpg").read_bytes())
    (tmp_path / "b.jpg").write_bytes(b"no picture")
    assert main(["infer", str(tmp_path), "--json", "--model-id", "yolov8n-640"]) == 1
    first, second = map(json.loads, capsysbinary.readouterr().out.splitlines())
    assert "cup" in [prediction["class"] for prediction in first["result"]["predictions"]]
    assert second["error"] == f"{str(tmp_path / 'b.jpg')!r}: It is text, not a picture."


def test_an_unknown_model_is_told_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["infer", str(EXAMPLES / "coffee.jpg"), "--model-id", "mugs/7"]) == 3
    errors = capsys.readouterr().err
    assert "No model answers to 'mugs/7' here. There are coco/3" in errors
    assert errors.count("\n") == 1


def test_a_proxy_does_not_hide_the_embedded_server(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "example.com")
    assert main(["infer", str(EXAMPLES / "coffee.jpg")]) == 0
    assert "no_proxy" not in os.environ
    monkeypatch.setenv("no_proxy", "example.com")
    assert main(["infer", str(EXAMPLES / "coffee.jpg")]) == 0
    assert os.environ["no_proxy"] == "example.com"


def test_a_process_writes_results_and_the_rest_apart(server: RecordingServer) -> None:
    answer = {"image": {"width": 600, "height": 400}, "predictions": []}
    server.answer("/model/registry", {"models": [{"model_id": "coco/3", "task_type": TASK}]})
    server.answer("/infer/object_detection", answer)
    run = subprocess.run(
        [*COMMAND, "infer", str(EXAMPLES), "--json", "--api-key", KEY],
        env={**os.environ, "INFERENCE_API_URL": server.url},
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    results = [json.loads(line) for line in run.stdout.splitlines()]
    assert [Path(line["image"]).name for line in results] == [
        "astronaut.jpg",
        "chelsea.jpg",
        "coffee.jpg",
    ]
    assert server.last.json["api_key"] == KEY
    assert KEY.encode() not in run.stdout + run.stderr
    assert run.stderr.startswith(b"3 images in")


TASK = "object-detection"


def test_ctrl_c_ends_at_once_also_when_the_server_is_silent(server: RecordingServer) -> None:
    import asyncio
    import threading

    asked = threading.Event()
    answer = {"image": {"width": 600, "height": 400}, "predictions": []}

    async def silence(_: Recorded, __: web.Request) -> web.Response:
        asked.set()
        await asyncio.sleep(60)
        return web.Response()

    server.answer("/model/registry", {"models": [{"model_id": "coco/3", "task_type": TASK}]})
    server.answer("/infer/object_detection", answer, silence)
    process = subprocess.Popen(
        [*COMMAND, "infer", str(EXAMPLES), "--api-url", server.url, "--concurrency", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert asked.wait(30)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=10)
    assert process.returncode == 130
    assert "nothing found" in output  # what is known so far is not lost
    assert errors == "inference-sdk: interrupted\n"


def test_a_reader_that_stops_is_no_error() -> None:
    process = subprocess.Popen(
        [*COMMAND, "infer", str(EXAMPLES), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    with process.stdout, process.stderr:
        process.stdout.close()
        assert process.wait(30) == 141
        assert process.stderr.read() == b""


def test_help_and_version_load_nothing_heavy() -> None:
    code = (
        "import sys; from inference_sdk.cli import main; main(['infer', '--help']);"
        "heavy = {'numpy', 'PIL', 'requests', 'aiohttp', 'onnxruntime', 'supervision', 'av'};"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=30, check=False)
    assert run.returncode == 0, run.stderr
