"""`inference-sdk stream` as users run it: real video, the embedded server, real files."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from inference_sdk.cli import main
from inference_sdk.local.workflows import Block, add_block
from inference_sdk.local.workflows.block import Image as ImageField
from tests.integration.bare_peer import numbered, write_video
from tests.integration.camera_servers import mjpeg_camera

EXAMPLES = Path(__file__).parents[2] / "examples"
COMMAND = [sys.executable, "-m", "inference_sdk.cli", "stream"]
FRAMES = 12

GREY: dict[str, Any] = {
    "version": "1.0",
    "inputs": [{"type": "InferenceImage", "name": "image"}],
    "steps": [
        {
            "type": "roboflow_core/convert_grayscale@v1",
            "name": "grey",
            "image": "$inputs.image",
        },
        {
            "type": "roboflow_core/roboflow_object_detection_model@v2",
            "name": "model",
            "images": "$inputs.image",
            "model_id": "coco/3",
        },
    ],
    "outputs": [
        {"type": "JsonField", "name": "found", "selector": "$steps.model.predictions"},
        {"type": "JsonField", "name": "grey", "selector": "$steps.grey.image"},
    ],
}


@add_block
class Failing(Block):
    TYPES = ("tests/cli_failing@v1",)
    OUTPUTS = {"number": ("integer",)}

    image: ImageField

    def run(self) -> dict[str, Any]:
        raise ValueError("cannot count")


@pytest.fixture(scope="module")
def astronaut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 frames of a person, 10 a second."""
    picture = Image.open(EXAMPLES / "astronaut.jpg").convert("RGB").resize((256, 256))
    path = tmp_path_factory.mktemp("video") / "astronaut.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 256, 256, "yuv420p"
        for _ in range(FRAMES):
            container.mux(stream.encode(av.VideoFrame.from_image(picture)))
        container.mux(stream.encode(None))
    return path


@pytest.fixture
def workflow(tmp_path: Path) -> Path:
    path = tmp_path / "workflow.json"
    path.write_text(json.dumps(GREY))
    return path


def frames_of(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]


def is_grey(frame: np.ndarray) -> bool:
    return bool(np.ptp(frame.astype(int), axis=2).max() < 12)


def test_a_file_through_a_model(
    astronaut: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    target = tmp_path / "out.mp4"
    arguments = [str(astronaut), "--model-id", "coco/3", "--json", "--save", str(target)]
    assert main(["stream", *arguments]) == 0
    written = capsysbinary.readouterr()
    lines = [json.loads(line) for line in written.out.splitlines()]
    assert [line["frame"] for line in lines] == list(range(1, FRAMES + 1))
    first = lines[0]["data"]["predictions"]["predictions"]
    assert "person" in [prediction["class"] for prediction in first]
    assert f"{FRAMES} frames · " in written.err.decode()
    assert written.err.decode().endswith(f"Saved {target}\n")
    with av.open(str(target)) as container:
        assert container.streams.video[0].average_rate == 10
    before, after = frames_of(astronaut), frames_of(target)
    assert len(after) == FRAMES
    # Drawn on: the box is the one strong edge that was not there before.
    assert (abs(before[0].astype(int) - after[0]) > 60).any()


def test_a_file_through_a_workflow(
    astronaut: Path,
    workflow: Path,
    tmp_path: Path,
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    target = tmp_path / "out.mkv"
    arguments = [str(astronaut), "--workflow", str(workflow), "--json", "--save", str(target)]
    assert main(["stream", *arguments]) == 0
    lines = [json.loads(line) for line in capsysbinary.readouterr().out.splitlines()]
    assert len(lines) == FRAMES
    assert list(lines[0]["data"]) == ["found"]
    frames = frames_of(target)
    assert len(frames) == FRAMES
    assert all(map(is_grey, frames))


def test_a_frame_that_fails_is_told_and_costs_only_itself(
    astronaut: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    failing = {
        **GREY,
        "steps": [{"type": "tests/cli_failing@v1", "name": "fails", "image": "$inputs.image"}],
        "outputs": [{"type": "JsonField", "name": "n", "selector": "$steps.fails.number"}],
    }
    path = tmp_path / "failing.json"
    path.write_text(json.dumps(failing))
    assert main(["stream", str(astronaut), "--workflow", str(path), "--json"]) == 1
    written = capsysbinary.readouterr()
    lines = [json.loads(line) for line in written.out.splitlines()]
    assert sum("errors" in line for line in lines) == FRAMES
    assert f"{FRAMES} times: ".encode() in written.err


def test_the_window_shows_frames_and_ends_the_stream(
    astronaut: Path, workflow: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[np.ndarray] = []
    module = SimpleNamespace(
        WINDOW_NORMAL=0,
        error=RuntimeError,
        namedWindow=lambda *_: None,
        imshow=lambda _, frame: shown.append(frame),
        waitKey=lambda _: ord("q") if len(shown) == 3 else -1,
        destroyAllWindows=lambda: None,
    )
    monkeypatch.setitem(sys.modules, "cv2", module)
    assert main(["stream", str(astronaut), "--workflow", str(workflow), "--show"]) == 0
    assert len(shown) == 3
    assert all(map(is_grey, shown))


def test_a_missing_file_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stream", "missing.mp4", "--model-id", "coco/3"]) == 3
    errors = capsys.readouterr().err
    assert "'missing.mp4' cannot be read: No such file or directory" in errors
    assert errors.count("\n") == 1


def test_a_server_out_of_reach_is_told(
    astronaut: Path, workflow: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(astronaut), "--workflow", str(workflow), "--api-url", "http://127.0.0.1:9"]
    assert main(["stream", *arguments]) == 3
    errors = capsys.readouterr().err
    assert "http://127.0.0.1:9" in errors
    assert errors.count("\n") == 1


def test_a_recording_that_fails_ends_the_stream(
    tmp_path: Path, workflow: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # A folder where the file should be: seen only when the first frame is written.
    target = tmp_path / "out.mp4"
    target.mkdir()
    video = write_video(tmp_path / "long.mp4", 60)
    assert main(["stream", str(video), "--workflow", str(workflow), "--save", str(target)]) == 1
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_live_stream_that_is_interrupted_leaves_a_whole_recording(
    workflow: Path, tmp_path: Path, number: signal.Signals
) -> None:
    target = tmp_path / "out.mp4"
    async with mjpeg_camera(numbered, 10_000) as url:
        process = await asyncio.create_subprocess_exec(
            *COMMAND, url, "--workflow", str(workflow), "--json", "--save", str(target),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        for _ in range(5):
            assert b'"found"' in await asyncio.wait_for(process.stdout.readline(), 30)
        process.send_signal(number)
        _, errors = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 130
    assert errors.decode() == "inference-sdk: interrupted\n"
    frames = frames_of(target)
    assert frames
    assert all(map(is_grey, frames))


async def test_a_reader_that_stops_ends_the_stream(workflow: Path) -> None:
    reading, writing = os.pipe()
    async with mjpeg_camera(numbered, 10_000) as url:
        process = await asyncio.create_subprocess_exec(
            *COMMAND, url, "--workflow", str(workflow), "--json",
            stdout=writing,
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        os.close(writing)
        assert await asyncio.to_thread(os.read, reading, 8)
        os.close(reading)
        await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 141
