"""Frames become arrays, or are skipped with a word."""

from __future__ import annotations

import base64
import io
import subprocess
from datetime import datetime, timezone
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from inference_sdk.webrtc import frames
from inference_sdk.webrtc.frames import Frame, decode_base64_picture
from inference_sdk.webrtc.messages import VideoMetadata

METADATA = VideoMetadata(7, datetime.now(timezone.utc))


def as_text(picture, format_="PNG"):
    file = io.BytesIO()
    picture.save(file, format_)
    return base64.b64encode(file.getvalue()).decode()


def test_pictures_come_in_bgr_and_may_be_written_to():
    picture = Image.new("RGB", (4, 2), (255, 10, 0))
    array = decode_base64_picture(as_text(picture))
    assert array.shape == (2, 4, 3)
    assert array.dtype == np.uint8
    assert array[0, 0].tolist() == [0, 10, 255]
    array[0, 0] = 1


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK"])
def test_other_modes_become_bgr(mode):
    format_ = "JPEG" if mode == "CMYK" else "PNG"
    array = decode_base64_picture(as_text(Image.new("RGB", (4, 2), "white").convert(mode), format_))
    assert array.shape == (2, 4, 3)
    assert (array > 250).all()


def test_frames_of_a_track():
    picture = np.full((64, 48, 3), 100, np.uint8)
    frame = Frame(
        av.VideoFrame.from_ndarray(picture, format="bgr24").reformat(format="yuv420p"), METADATA
    )
    array = frame.decode()
    assert array.shape == (64, 48, 3)
    assert abs(float(array.mean()) - 100) < 6


@pytest.mark.parametrize(
    "text",
    ["", "not base64!", base64.b64encode(b"no picture").decode()],
)
def test_what_will_not_decode_is_skipped_and_logged(text, caplog):
    assert Frame(text, METADATA).decode() is None
    assert "frame 7" in caplog.text


def test_a_broken_picture_without_metadata(caplog):
    whole = as_text(Image.new("RGB", (64, 64)), "PNG")
    data = bytearray(base64.b64decode(whole))
    data[40] ^= 0xFF
    assert Frame(base64.b64encode(bytes(data)).decode(), None).decode() is None
    assert "frame unknown" in caplog.text


def test_a_picture_of_too_many_pixels_is_skipped(monkeypatch, caplog):
    text = as_text(Image.new("L", (100, 100)))
    for limit in (6000, 4000):  # Pillow warns above its limit, and refuses above twice of it
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        assert Frame(text, METADATA).decode() is None
    assert caplog.text.count("will not decode") == 2


@pytest.mark.parametrize(
    "content",
    [b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", b"<svg/>", b"\x00" * 99],
)
def test_kinds_that_start_programs_or_are_none_are_never_opened(content, monkeypatch, caplog):
    def started(*_, **__):
        raise AssertionError("a program was started")

    monkeypatch.setattr(subprocess, "Popen", started)
    assert Frame(base64.b64encode(content).decode(), METADATA).decode() is None
    assert "frame 7" in caplog.text


def test_decoding_needs_no_cv2():
    source = Path(frames.__file__).read_text()
    assert "cv2" not in source


@given(st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP"]), st.data())
def test_no_broken_picture_raises(format_, data):
    whole = bytearray(base64.b64decode(as_text(Image.new("RGB", (16, 16), "red"), format_)))
    for _ in range(data.draw(st.integers(0, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = whole[: data.draw(st.integers(0, len(whole)))]
    array = Frame(base64.b64encode(bytes(cut)).decode(), METADATA).decode()
    assert array is None or array.dtype == np.uint8
