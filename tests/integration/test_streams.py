"""`infer_on_stream`: folders and videos, frame by frame, in order."""

from __future__ import annotations

import base64
import os
import socket
import struct
import sys
import traceback
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from aiohttp import web
from PIL import Image

from inference_sdk import InferenceHTTPClient
from inference_sdk.http.errors import (
    EncodingError,
    HTTPCallErrorError,
    InvalidInputFormatError,
    ModelNotSelectedError,
)
from inference_sdk.http.utils.encoding import bytes_to_opencv_image
from inference_sdk.http.utils.loaders import (
    load_directory_inference_input,
    load_stream_inference_input,
)
from tests.programs import Face, Player, both_plays
from tests.recording_server import Recorded, RecordingServer

FRAMES = 6
SHADES = [20 * i + 10 for i in range(FRAMES)]
"""How bright the frames of a video are, by which they are told apart."""


def shade_of(request: Recorded) -> int:
    return round(bytes_to_opencv_image(base64.b64decode(request.json["image"]["value"])).mean())


@pytest.fixture
def detector(server: RecordingServer) -> RecordingServer:
    server.answer(
        "/model/registry", {"models": [{"model_id": "m/1", "task_type": "object-detection"}]}
    )
    server.answer(
        "/infer/object_detection", lambda request: web.json_response({"time": shade_of(request)})
    )
    return server


@pytest.fixture
def client(detector: RecordingServer) -> InferenceHTTPClient:
    return InferenceHTTPClient(detector.url).with_options(model_id="m/1")


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Six grey frames of 64x48 pixels, the left half black."""
    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.bit_rate = 4_000_000
        for shade in SHADES:
            pixels = np.full((48, 64, 3), 2 * shade, np.uint8)
            pixels[:, :32] = 0
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="bgr24")))
        container.mux(stream.encode())
    return path


def turn(path: Path, degrees: int) -> Path:
    """The video with a display matrix in its track header, as phones write it."""
    one = 0x10000
    matrices = {90: (0, one, -one, 0), 180: (-one, 0, 0, -one), 270: (0, -one, one, 0)}
    a, b, c, d = matrices[degrees]
    content = path.read_bytes()
    matrix = content.index(b"tkhd") + 44
    turned = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 0x40000000)
    path.write_bytes(content[:matrix] + turned + content[matrix + 36 :])
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures and other files, under names that tell whether case and order are kept."""
    path = tmp_path / "Pictures of Mine"
    path.mkdir()
    for name, shade in (("b.JPG", 40), ("A.png", 20), ("c.Jpeg", 60), ("d.bmp", 80)):
        kind = {"JPG": "JPEG", "Jpeg": "JPEG"}.get(name[2:], name[2:].upper())
        Image.new("RGB", (16, 12), (shade,) * 3).save(path / name, kind)
    (path / "notes.txt").write_text("no picture")
    (path / "jpg").write_text("no ending")
    (path / "sub.jpg").mkdir()
    return path


def triples(play: Player, client: InferenceHTTPClient, uri: Path, **options: Any) -> list[Any]:
    async def program(face: Face) -> list[Any]:
        return await face.list("infer_on_stream", str(uri), **options)

    return play(client, program)


# -- folders -------------------------------------------------------------------------------------


@both_plays
@pytest.mark.parametrize("concurrency", [1, 3])
def test_folders(play: Player, concurrency: int, client: InferenceHTTPClient, folder: Path) -> None:
    client = client.with_options(max_concurrent_requests=concurrency)
    found = triples(play, client, folder)
    names = ["A.png", "b.JPG", "c.Jpeg"]
    assert [reference for reference, _, _ in found] == [str(folder / name) for name in names]
    assert [result["time"] for _, _, result in found] == [20, 40, 60]
    for _, frame, _ in found:
        assert (frame.shape, frame.dtype) == ((12, 16, 3), np.uint8)


@both_plays
def test_endings_are_configurable(play: Player, client: InferenceHTTPClient, folder: Path) -> None:
    client = client.with_options(image_extensions_for_directory_scan=[".PNG", "bmp"])
    names = [Path(reference).name for reference, _, _ in triples(play, client, folder)]
    assert names == ["A.png", "d.bmp"]


def test_all_endings(folder: Path) -> None:
    names = [Path(str(path)).name for path, _ in load_directory_inference_input(str(folder), None)]
    assert names == ["A.png", "b.JPG", "c.Jpeg", "d.bmp"]


@both_plays
def test_a_folder_without_pictures_is_told(
    play: Player, client: InferenceHTTPClient, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "notes.txt").touch()
    assert triples(play, client, tmp_path) == []
    assert caplog.text.count("holds no picture (endings looked for: jpeg, jpg, png)") == 1


@both_plays
def test_a_broken_file_in_a_folder_is_named(
    play: Player, client: InferenceHTTPClient, folder: Path
) -> None:
    (folder / "b.JPG").write_bytes(b"broken")
    got: list[str] = []

    async def program(face: Face) -> None:
        async for reference, _, _ in face.each("infer_on_stream", str(folder)):
            got.append(Path(reference).name)

    with pytest.raises(EncodingError, match=r"b\.JPG'"):
        play(client, program)
    assert got == ["A.png"]


@both_plays
@pytest.mark.parametrize("concurrency", [1, 3])
def test_errors_may_be_results(
    play: Player,
    concurrency: int,
    client: InferenceHTTPClient,
    folder: Path,
    detector: RecordingServer,
) -> None:
    """A file that is no picture, and a picture that the server refuses: the rest is had."""
    (folder / "b.JPG").write_bytes(b"broken")
    detector.answer(
        "/infer/object_detection",
        lambda request: web.json_response(
            {"time": shade_of(request)}, status=400 if shade_of(request) == 60 else 200
        ),
    )
    going_on = client.with_options(on_stream_error="return", max_concurrent_requests=concurrency)
    (_, first, found), (broken, nothing, unread), (_, third, refused) = triples(
        play, going_on, folder
    )
    assert found == {"time": 20}
    assert (broken, nothing) == (str(folder / "b.JPG"), None)
    assert isinstance(unread, EncodingError)
    assert isinstance(refused, HTTPCallErrorError)
    assert first.shape == third.shape == (12, 16, 3)


@both_plays
def test_hidden_files_are_passed_over(
    play: Player, client: InferenceHTTPClient, folder: Path
) -> None:
    before = [path for path, *_ in triples(play, client, folder)]
    (folder / "._a.jpg").write_bytes(b"what macOS keeps of a file")
    Image.new("RGB", (8, 8)).save(folder / ".hidden.jpg")
    assert [path for path, *_ in triples(play, client, folder)] == before
    assert before


def test_grey_and_turned_pictures_in_folders(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("L", (8, 4), 7).save(tmp_path / "a.png")
    Image.new("RGBA", (8, 4), (1, 2, 3, 0)).save(tmp_path / "b.png")
    Image.new("RGB", (8, 4)).save(tmp_path / "c.jpg", exif=exif)
    frames = [frame for _, frame in load_directory_inference_input(str(tmp_path), ["png", "jpg"])]
    assert [frame.shape for frame in frames] == [(4, 8, 3), (4, 8, 3), (8, 4, 3)]
    assert frames[0][0, 0].tolist() == [7, 7, 7]
    assert frames[1][0, 0].tolist() == [3, 2, 1]


# -- videos --------------------------------------------------------------------------------------


@both_plays
@pytest.mark.parametrize("concurrency", [1, 3])
def test_videos(play: Player, concurrency: int, client: InferenceHTTPClient, video: Path) -> None:
    client = client.with_options(max_concurrent_requests=concurrency)
    found = triples(play, client, video)
    assert [number for number, _, _ in found] == list(range(FRAMES))
    assert [result["time"] for _, _, result in found] == pytest.approx(SHADES, abs=4)
    for _, frame, _ in found:
        assert (frame.shape, frame.dtype) == ((48, 64, 3), np.uint8)
        assert frame.flags.writeable
        assert frame.flags.c_contiguous


@pytest.mark.parametrize(
    ("degrees", "shape", "dark"),
    [
        (90, (64, 48, 3), np.s_[:32]),
        (180, (48, 64, 3), np.s_[:, 32:]),
        (270, (64, 48, 3), np.s_[32:]),
    ],
)
def test_turned_videos_are_upright(
    video: Path, degrees: int, shape: tuple[int, ...], dark: Any
) -> None:
    """Clockwise, as players show them; what was dark on the left is where it belongs."""
    frames = [frame for _, frame in load_stream_inference_input(str(turn(video, degrees)), None)]
    assert len(frames) == FRAMES
    last = frames[-1]
    assert last.shape == shape
    assert last[dark].mean() < 10
    assert last.mean() == pytest.approx(SHADES[-1], abs=4)
    assert last.flags.c_contiguous


@both_plays
def test_videos_by_url(
    play: Player, client: InferenceHTTPClient, video: Path, detector: RecordingServer
) -> None:
    content = video.read_bytes()
    detector.answer("/clip.mp4", lambda _: web.Response(body=content, content_type="video/mp4"))

    async def program(face: Face) -> list[Any]:
        return await face.list("infer_on_stream", f"{detector.url}/clip.mp4")

    assert len(play(client, program)) == FRAMES


@both_plays
@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "There is no file"), (b"no video", "Invalid data"), (b"", "Invalid data|End of file")],
)
def test_what_is_no_video_is_named(
    play: Player,
    client: InferenceHTTPClient,
    content: bytes | None,
    reason: str,
    tmp_path: Path,
    detector: RecordingServer,
) -> None:
    path = tmp_path / "clip.avi"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidInputFormatError, match=reason) as caught:
        triples(play, client, path)
    assert f"{str(path)!r}" in str(caught.value)
    assert detector.requests == []


@both_plays
@pytest.mark.parametrize("source", [None, b"clip.mp4", ["a.jpg"], np.zeros((4, 4, 3), np.uint8)])
def test_what_has_no_frames_is_refused(
    play: Player, client: InferenceHTTPClient, source: Any, detector: RecordingServer
) -> None:
    async def program(face: Face) -> list[Any]:
        return await face.list("infer_on_stream", source)

    with pytest.raises(InvalidInputFormatError, match="neither a folder nor a video"):
        play(client, program)
    assert detector.requests == []


def test_cameras_go_by_number_or_device() -> None:
    for camera in (97, "/dev/video97"):
        with pytest.raises(
            InvalidInputFormatError, match="no file, folder or camera '/dev/video97'"
        ):
            list(load_stream_inference_input(camera, None))  # type: ignore[arg-type]


def stored(path: Path, codec: str = "mpeg4", frames: int = FRAMES) -> bytes:
    """A video of grey frames, each brighter by 12; returns what was written."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10)
        stream.width, stream.height = 64, 48
        stream.pix_fmt = "rgb24" if codec == "png" else "yuv420p"
        for number in range(frames):
            picture = np.full((48, 64, 3), 12 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path.read_bytes()


@both_plays
def test_a_broken_frame_has_its_number(
    play: Player, client: InferenceHTTPClient, tmp_path: Path
) -> None:
    path = tmp_path / "clip.avi"
    parts = stored(path, "png").split(b"\x89PNG")
    parts[3] = parts[3][:12] + bytes(8) + parts[3][20:]  # 0 x 0 pixels
    path.write_bytes(b"\x89PNG".join(parts))
    with pytest.raises(InvalidInputFormatError, match=r"clip\.avi'.*stopped at frame 2\)"):
        triples(play, client, path)
    found = triples(play, client.with_options(on_stream_error="return"), path)
    assert [number for number, _, _ in found] == list(range(FRAMES))
    assert [frame is None for _, frame, _ in found] == [n == 2 for n in range(FRAMES)]
    assert isinstance(found[2][2], InvalidInputFormatError)
    assert found[5][2]["time"] == pytest.approx(60, abs=2)


@both_plays
def test_a_video_that_is_cut_off_is_told(
    play: Player, client: InferenceHTTPClient, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "clip.avi"
    whole = stored(path, frames=20)
    path.write_bytes(whole[: (whole.index(b"movi") + len(whole)) // 2])
    got = len(triples(play, client, path))
    assert 2 < got < 15
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 1
    assert f"{str(path)!r} is cut off or damaged: of 20 frames that it announces" in told[0]
    assert f"it ends after {got}" in told[0]


@both_plays
def test_a_video_without_frames_is_an_error(
    play: Player, client: InferenceHTTPClient, tmp_path: Path, detector: RecordingServer
) -> None:
    path = tmp_path / "clip.avi"
    whole = stored(path)
    path.write_bytes(whole[: whole.index(b"movi") + 4])
    with pytest.raises(InvalidInputFormatError, match=r"clip\.avi' is a video without a frame"):
        triples(play, client, path)
    assert detector.requests == []


@both_plays
def test_a_whole_video_is_no_cause_for_warnings(
    play: Player, client: InferenceHTTPClient, video: Path, caplog: pytest.LogCaptureFixture
) -> None:
    triples(play, client, video)
    assert caplog.records == []


@both_plays
def test_a_stream_that_says_nothing_ends(
    play: Player,
    client: InferenceHTTPClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("inference_sdk.http.utils.video.SILENCE_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://user:secret@127.0.0.1:{silent.getsockname()[1]}/live.mp4"

        async def program(face: Face) -> list[Any]:
            return await face.list("infer_on_stream", address)

        with pytest.raises(InvalidInputFormatError, match=r"live\.mp4.*nothing came for") as caught:
            play(client, program)
    assert "secret" not in "".join(traceback.format_exception(caught.value))


@both_plays
@pytest.mark.parametrize("concurrency", [1, 2])
def test_breaking_off_gives_the_file_back(
    play: Player, concurrency: int, client: InferenceHTTPClient, video: Path
) -> None:
    """At once, also while something refers to the frames that came."""
    kept = []

    def is_open() -> bool:
        files = Path("/proc/self/fd").iterdir()
        return str(video) in {os.path.realpath(file) for file in files}

    async def program(face: Face) -> None:
        async for triple in face.each("infer_on_stream", str(video)):
            kept.append(triple)
            assert is_open()
            break

    play(client.with_options(max_concurrent_requests=concurrency), program)
    assert not is_open()
    assert len(kept) == 1


def test_sound_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), layout="mono")
        silence.sample_rate = 8000
        container.mux(stream.encode(silence))
        container.mux(stream.encode())
    with pytest.raises(InvalidInputFormatError, match="it has no video stream"):
        list(load_stream_inference_input(str(path), None))


def test_videos_without_av(
    monkeypatch: pytest.MonkeyPatch, client: InferenceHTTPClient, video: Path
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ImportError, match=r"pip install 'inference-sdk\[video\]'"):
        list(client.infer_on_stream(str(video)))


@both_plays
def test_a_video_is_read_no_further_than_the_window(
    play: Player,
    client: InferenceHTTPClient,
    video: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from inference_sdk.http import client as client_module

    taken, closed = 0, False
    real = client_module.load_stream_inference_input

    def counted(**arguments: Any) -> Iterator[Any]:
        nonlocal taken, closed
        try:
            for pair in real(**arguments):
                taken += 1
                yield pair
        finally:
            closed = True

    async def program(face: Face) -> None:
        async with aclosing(face.each("infer_on_stream", str(video))) as results:
            async for number, _, _ in results:
                assert taken <= number + 3
                if number == 2:
                    return

    monkeypatch.setattr(client_module, "load_stream_inference_input", counted)
    play(client.with_options(max_concurrent_requests=2), program)
    assert taken <= 5
    assert closed


# -- errors of the calls -------------------------------------------------------------------------


@both_plays
def test_the_first_error_ends_it(
    play: Player, client: InferenceHTTPClient, folder: Path, detector: RecordingServer
) -> None:
    refusal = web.json_response
    detector.answer(
        "/infer/object_detection", {"time": 1}, lambda _: refusal({"message": "no"}, status=400)
    )
    with pytest.raises(HTTPCallErrorError, match="400"):
        triples(play, client, folder)


@both_plays
def test_a_model_is_needed(play: Player, detector: RecordingServer, folder: Path) -> None:
    with pytest.raises(ModelNotSelectedError):
        triples(play, InferenceHTTPClient(detector.url), folder)
