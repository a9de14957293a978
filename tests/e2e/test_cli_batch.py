"""`inference-sdk batch` as users run it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from aiohttp import web

from inference_sdk.cli import main
from tests.batch.marking import MODEL, make_pictures, serve_marks
from tests.recording_server import Recorded, RecordingServer

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_the_examples_on_the_embedded_server(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "results.jsonl"
    pictures = sorted(str(path) for path in EXAMPLES.glob("*.jpg"))
    assert main(["batch", *pictures, "--out", str(out), "-m", "coco/3", "--json"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["answered"] == len(pictures)
    assert f"{len(pictures)} of {len(pictures)} pictures answered, 0 failed" in shown.err
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert sorted(line["image"] for line in lines) == pictures
    assert main(["batch", *pictures, "--out", str(out), "-m", "coco/3"]) == 0
    assert "(0 asked" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nowhere"], 2, "nowhere is not there"),
        (["{photos}", "-m", "a/1", "-w", "b/c"], 2, "Name one of"),
        (["{photos}", "-m", "a/1", "--concurrency", "many"], 2, "nor auto"),
        (["{photos}", "-m", "a/1", "--api-url", "http://127.0.0.1:9"], 3, "Is the server running"),
    ],
)
def test_what_cannot_be(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    message: str,
) -> None:
    make_pictures(tmp_path / "photos", 1)
    out = tmp_path / "out.jsonl"
    filled = [text.format(photos=tmp_path / "photos") for text in arguments]
    filled += [] if "-m" in arguments else ["-m", "a/1"]
    assert main(["batch", *filled, "--out", str(out)]) == code
    assert message in capsys.readouterr().err
    assert not out.exists()


def test_ctrl_c_finishes_what_is_under_way(server: RecordingServer, tmp_path: Path) -> None:
    make_pictures(tmp_path / "photos", 200)
    serve_marks(server)
    begun: list[Recorded] = []
    program: list[subprocess.Popen[str]] = []

    def interrupt(recorded: Recorded) -> web.Response:
        begun.append(recorded)
        if len(begun) == 20:
            program[0].send_signal(signal.SIGINT)
        return web.json_response(
            {"predictions": [{"class": "cat", "confidence": 0.5}], "top": "cat"}
        )

    server.answer(
        "/model/registry", {"models": [{"model_id": MODEL, "task_type": "classification"}]}
    )
    server.answer("/infer/classification", interrupt)
    out = tmp_path / "out.jsonl"
    command = [sys.executable, "-m", "inference_sdk.cli", "batch", str(tmp_path / "photos")]
    command += ["--out", str(out), "-m", MODEL, "--api-url", server.url, "--concurrency", "2"]
    environment = dict(os.environ, ROBOFLOW_API_KEY="secret-key-0123456789")
    program.append(subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment))
    told = program[0].communicate(timeout=30)[1]
    assert program[0].returncode == 130, told
    assert "the same command goes on" in told
    lines = out.read_text().splitlines()
    assert len(lines) == len(begun) < 200
    assert all("result" in json.loads(line) for line in lines)
    assert subprocess.run(command, env=environment, check=False, timeout=30).returncode == 0
    assert len(out.read_text().splitlines()) == 200
