"""The parts of `inference-sdk stream` that need no stream: what is meant, what is written."""

from __future__ import annotations

import io
import json
import sys
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest
from rich.console import Console

from inference_sdk.cli import main
from inference_sdk.cli.failures import CommandError
from inference_sdk.cli.preview import Preview
from inference_sdk.cli.recorder import Recorder, check_target, frame_rate
from inference_sdk.cli.sources import image_input, open_source, outputs, read_workflow
from inference_sdk.cli.stream_status import Rate, status_line, summary
from inference_sdk.webrtc import StreamStats
from tests.recording_server import RecordingServer

SPECIFICATION: dict[str, Any] = {
    "version": "1.0",
    "inputs": [
        {"type": "WorkflowParameter", "name": "limit"},
        {"type": "InferenceImage", "name": "frame"},
    ],
    "steps": [],
    "outputs": [
        {"type": "JsonField", "name": "found", "selector": "$steps.model.predictions"},
        {"type": "JsonField", "name": "drawn", "selector": "$steps.draw.image"},
        {"type": "JsonField", "name": "original", "selector": "$inputs.frame"},
    ],
}


# --- What is meant --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("0", "WebcamSource"),
        ("rtsp://camera/1", "RTSPSource"),
        ("RTSPS://camera/1", "RTSPSource"),
        ("rtmp://camera/1", "LocalStreamSource"),
        ("http://camera/video", "MJPEGSource"),
        ("https://example.com/clip.MP4?x=1", "VideoFileSource"),
        ("clip.mp4", "VideoFileSource"),
        ("./0", "VideoFileSource"),
    ],
)
def test_a_source_is_told_by_its_name(name: str, kind: str) -> None:
    assert type(open_source(name)).__name__ == kind


def test_an_address_of_another_kind_is_refused() -> None:
    with pytest.raises(CommandError, match="SOURCE is no ftp:// address"):
        open_source("ftp://example.com/clip.mp4")


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_workflow_is_read_from_its_file(tmp_path: Path, wrapped: bool) -> None:
    path = tmp_path / "workflow.json"
    path.write_text(json.dumps({"specification": SPECIFICATION} if wrapped else SPECIFICATION))
    assert read_workflow(str(path), None) == SPECIFICATION


def test_a_workflow_of_a_workspace_is_named_by_its_id() -> None:
    assert read_workflow("my-flow", "my-space") == "my-flow"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file or directory. Name the file of a specification, or give --workspace"),
        ("{", "is not JSON"),
        ("[]", "is no workflow: it has no list of outputs"),
        ("{}", "is no workflow: it has no list of outputs"),
    ],
)
def test_a_file_that_is_no_workflow_is_told(
    tmp_path: Path, content: str | None, message: str
) -> None:
    path = tmp_path / "workflow.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(CommandError, match=message):
        read_workflow(str(path), None)


def test_pictures_and_data_of_a_workflow_are_told_apart() -> None:
    assert image_input(SPECIFICATION) == "frame"
    assert outputs(SPECIFICATION) == (["drawn", "original"], ["found"])


def test_of_a_workflow_by_id_nothing_is_known() -> None:
    assert image_input("my-flow") == "image"
    assert outputs("my-flow") == ([], [])


# --- The recording --------------------------------------------------------------------------


def frames_of(path: Path) -> list[av.VideoFrame]:
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


def level(number: int, height: int = 48, width: int = 64) -> np.ndarray:
    return np.full((height, width, 3), number * 5, np.uint8)


def test_of_a_file_every_frame_is_written_at_its_rate(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    recorder = Recorder(path, Fraction(25))
    assert all(recorder.put(level(number)) for number in range(40))
    recorder.close()
    frames = frames_of(path)
    assert [frame.time for frame in frames] == pytest.approx([n / 25 for n in range(40)])
    means = [frame.to_ndarray(format="bgr24").mean() for frame in frames]
    assert means == pytest.approx([number * 5 for number in range(40)], abs=4)
    assert (recorder.written, recorder.dropped) == (40, 0)
    assert frame_rate(path) == 25


def test_of_a_live_stream_frames_are_dropped_where_the_encoder_is_late(tmp_path: Path) -> None:
    path = tmp_path / "out.mkv"
    recorder = Recorder(path)
    large = level(20, 1080, 1920)
    for _ in range(100):
        recorder.put(large)
    recorder.close()
    assert recorder.dropped > 50
    assert recorder.written + recorder.dropped == 100
    times = [frame.time for frame in frames_of(path)]
    assert len(times) == recorder.written
    assert times == sorted(set(times))


def test_frames_may_be_odd_grey_and_of_changing_size(tmp_path: Path) -> None:
    path = tmp_path / "out.mov"
    recorder = Recorder(path, Fraction(10))
    for frame in (level(10, 49, 65), level(10, 97, 33), np.full((50, 60), 50, np.uint8)):
        recorder.put(frame)
    recorder.close()
    assert [(frame.height, frame.width) for frame in frames_of(path)] == [(48, 64)] * 3


@pytest.mark.parametrize("fps", [None, Fraction(10)])
def test_a_file_that_cannot_be_written_ends_the_recording(
    tmp_path: Path, fps: Fraction | None
) -> None:
    recorder = Recorder(tmp_path / "missing" / "out.mp4", fps)
    while recorder.put(level(1)):
        pass
    for _ in range(20):
        recorder.put(level(1))
    recorder.close()
    assert "cannot be written: " in str(recorder.error)
    assert "No such file or directory" in str(recorder.error)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_told_at_the_end_too(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    path.symlink_to("/dev/full")
    recorder = Recorder(path, Fraction(10))
    for _ in range(3):
        recorder.put(level(1))
    recorder.close()
    assert "No space left on device" in str(recorder.error)


def test_without_a_frame_there_is_no_file(tmp_path: Path) -> None:
    Recorder(tmp_path / "out.mp4").close()
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_video_has_no_rate(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no video")
    assert frame_rate(path) is None
    assert frame_rate(tmp_path / "missing.mp4") is None


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("out.gif", "videos are written as .mp4, .mov, .mkv"),
        ("clip.mp4", "would overwrite the video"),
        ("missing/out.mp4", "there is no folder"),
    ],
)
def test_a_place_that_will_not_do_is_told_at_once(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        check_target(tmp_path / name, str(tmp_path / "clip.mp4"))


# --- The window -----------------------------------------------------------------------------


class WindowError(Exception):
    """As `cv2.error`."""


@pytest.fixture
def cv2(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """As much of OpenCV as a window needs; `keys` are what the user types."""
    shown: list[np.ndarray] = []
    keys = [-1, ord("q")]
    module = SimpleNamespace(
        WINDOW_NORMAL=0,
        error=WindowError,
        shown=shown,
        closed=False,
        namedWindow=lambda *_: None,
        imshow=lambda _, frame: shown.append(frame),
        waitKey=lambda _: keys.pop(0),
    )
    module.destroyAllWindows = lambda: setattr(module, "closed", True)
    monkeypatch.setitem(sys.modules, "cv2", module)
    return module


def test_the_window_shows_frames_until_q(cv2: SimpleNamespace) -> None:
    preview = Preview()
    assert preview.show(level(1))
    assert not preview.show(level(2))
    preview.close()
    assert len(cv2.shown) == 2
    assert cv2.closed


def test_without_a_display_the_remedy_is_told(cv2: SimpleNamespace) -> None:
    def fail(*_: Any) -> None:
        raise WindowError("not implemented")

    cv2.namedWindow = fail
    with pytest.raises(CommandError, match="cannot open a window"):
        Preview()


def test_without_opencv_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(CommandError, match="pip install opencv-python"):
        Preview()


# --- How it goes ----------------------------------------------------------------------------


def stats(**values: Any) -> StreamStats:
    zero = dict.fromkeys(
        ("frames_sent", "frames_skipped", "messages_received", "messages_dropped"), 0
    )
    return StreamStats(**{**zero, "frames_received": 90, "frames_dropped": 0, **values})


def test_a_summary_names_what_is_known() -> None:
    assert summary(stats(duration=3.0)) == "90 frames · 30.0 per second · 0 dropped"
    assert summary(stats(duration=0.0)) == "90 frames · 0.0 per second · 0 dropped"
    lossy = stats(duration=3.0, latency=0.0851, packets_lost=7, frames_dropped=2, frames_skipped=3)
    assert summary(lossy, 29.5) == (
        "90 frames · 29.5 per second · latency 85 ms · 5 dropped · 7 packets lost"
    )


def test_the_rate_is_that_of_late() -> None:
    rate = Rate()
    assert rate.of(stats(duration=10.0, frames_received=10)) == 0.0
    for second in range(1, 20):
        latest = rate.of(stats(duration=10.0 + second, frames_received=10 + 30 * second))
    assert latest == pytest.approx(30.0)


@pytest.mark.parametrize("terminal", [True, False])
def test_the_line_is_for_terminals(terminal: bool) -> None:
    written = io.StringIO()
    console = Console(file=written, force_terminal=terminal, width=120)
    session = SimpleNamespace(stats=lambda: stats(duration=3.0))
    with status_line(session, SimpleNamespace(now_seen="2 person"), console):
        pass
    assert ("90 frames · 0.0 per second · 0 dropped · 2 person" in written.getvalue()) is terminal


# --- The command line -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Missing argument 'SOURCE"),
        (["0"], "either --model-id or --workflow"),
        (["0", "--model-id", "a/1", "--workflow", "b.json"], "either --model-id or --workflow"),
        (["0", "--model-id", "a/1", "--save", "out.gif"], "videos are written as"),
        (["0", "--workflow", "missing.json"], "No such file or directory"),
    ],
)
def test_wrong_usage_is_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["stream", *arguments]) == 2
    written = capsys.readouterr()
    assert written.out == ""
    assert message in written.err
    assert written.err.count("\n") == 1


def test_a_picture_that_cannot_be_found_has_to_be_named(
    tmp_path: Path, server: RecordingServer, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "workflow.json"
    path.write_text(json.dumps({**SPECIFICATION, "outputs": SPECIFICATION["outputs"][:1]}))
    arguments = ["0", "--workflow", str(path), "--save", str(tmp_path / "out.mp4")]
    assert main(["stream", *arguments, "--api-url", server.url]) == 2
    assert "Name it with --image-output." in capsys.readouterr().err
    assert not server.requests


def test_the_task_of_a_hosted_model_is_asked_from_the_platform(
    server: RecordingServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inference_sdk.config.RF_API_BASE_URL", server.url)
    server.answer("/models/v1/external/stat", {"modelMetadata": {"taskType": "gaze"}})
    hosted = ["--api-url", "https://serverless.roboflow.com", "--api-key", "secret-key-0123456789"]
    assert main(["stream", "0", "--model-id", "mugs/7", *hosted]) == 2
    assert "is for 'gaze', which has no streaming step" in capsys.readouterr().err
    assert server.last.query == {"modelId": ["mugs/7"]}
