"""Opening videos: whatever their tags and their end look like."""

from __future__ import annotations

import asyncio
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from inference_sdk.http.utils.video import read_frames
from inference_sdk.utils.media import has_picture, open_video
from inference_sdk.webrtc.errors import SourceError
from inference_sdk.webrtc.sources.video_file import require_video
from tests.integration.bare_peer import numbered
from tests.integration.camera_servers import mjpeg_camera


def write_clip(path: Path, title: str = "") -> Path:
    with av.open(str(path), "w") as container:
        container.metadata["title"] = title
        stream = container.add_stream("mpeg4", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(5):
            frame = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="bgr24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("suffix", [".avi", ".mp4", ".mkv"])
def test_a_title_in_another_encoding(tmp_path: Path, suffix: str) -> None:
    path = write_clip(tmp_path / f"clip{suffix}", "cafQ")
    content = path.read_bytes()
    assert b"cafQ" in content
    path.write_bytes(content.replace(b"cafQ", b"caf\xe9"))
    assert len(list(read_frames(str(path)))) == 5
    require_video(path, str(path))
    with open_video(str(path)) as container:
        assert has_picture(container)


@pytest.mark.parametrize(
    ("name", "kind"), [("photo.mp4", "JPEG"), ("photo.webp", "WEBP"), ("photo.avi", "PNG")]
)
def test_a_picture_is_a_video_of_one_frame_for_streams_and_for_infer_on_stream(
    tmp_path: Path, name: str, kind: str
) -> None:
    path = tmp_path / name
    Image.new("RGB", (64, 48), "red").save(path, kind)
    require_video(path, name)
    assert len(list(read_frames(str(path)))) == 1


def test_a_video_of_which_no_frame_decodes_is_named(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "cut.avi")
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"movi") + 4])
    with pytest.raises(SourceError, match=r"cut\.avi.*(not one frame|no video)"):
        require_video(path, str(path))


async def test_a_camera_that_hangs_up_has_come_to_its_end() -> None:
    async with mjpeg_camera(numbered, 8, interval=0.005) as url:
        frames = await asyncio.to_thread(lambda: list(read_frames(url)))
    assert 6 <= len(frames) <= 8
