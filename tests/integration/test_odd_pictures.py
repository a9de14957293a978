"""Pictures that are broken, odd or hostile: sent right, or refused by name; never in part."""

from __future__ import annotations

import base64
import io
import os
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, features

from inference_sdk import InferenceHTTPClient
from inference_sdk.http.errors import EncodingError, HTTPClientError, InvalidInputFormatError
from inference_sdk.http.utils import loaders
from inference_sdk.http.utils.encoding import bytes_to_opencv_image, bytes_to_pillow_image
from inference_sdk.http.utils.picture_kinds import kind_of
from inference_sdk.local.wire import decode_image
from tests.callers import both_ways
from tests.recording_server import RecordingServer

LIMITS = {"max_height": 20, "max_width": 30}
HEIGHT, WIDTH = 40, 64
ORIENTATION = 0x0112

FORMATS = ["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "JPEG2000", "AVIF"]
# Pillow's wheels write AVIF from 11.3 on.
FORMATS = [name for name in FORMATS if name != "AVIF" or features.check("avif")]


def noise(height: int = HEIGHT, width: int = WIDTH) -> Image.Image:
    values = np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)
    return Image.fromarray(values)


def file_bytes(image: Image.Image, file_format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def load(reference: Any, **limits: int) -> tuple[bytes, float | None]:
    [(encoded, factor)] = loaders.load_static_inference_input(reference, **limits)
    return base64.b64decode(encoded), factor


@both_ways
def test_a_broken_pillow_image_is_not_sent_in_part(call: Any, server: RecordingServer) -> None:
    """Looking for its orientation decodes a PNG, too, and an error met there is not met again."""
    content = bytearray(file_bytes(Image.effect_noise((300, 300), 80), "PNG"))
    content[len(content) // 2] ^= 255
    with pytest.raises(EncodingError, match="cannot be read"):
        call(
            InferenceHTTPClient(server.url),
            "get_clip_image_embeddings",
            Image.open(io.BytesIO(content)),
        )
    assert server.requests == []


@pytest.mark.parametrize("file_format", FORMATS)
def test_what_is_cut_short_is_whole_or_refused(file_format: str) -> None:
    """At every tenth byte. Where the cut cost pixels, nothing is sent; trailers may be missing."""
    content = file_bytes(noise(), file_format)
    whole = np.asarray(bytes_to_pillow_image(content).convert("RGB"))
    for length in range(0, len(content) - 1, max(10, len(content) // 200 // 10 * 10)):
        cut = content[:length]
        for reference in (cut, _opened(cut)):
            if reference is None:
                continue
            try:
                sent, _ = load(reference, **LIMITS)
            except HTTPClientError:
                continue
            again = np.asarray(bytes_to_pillow_image(cut).convert("RGB"))
            assert np.array_equal(again, whole), length
            assert bytes_to_opencv_image(sent).shape == (19, 30, 3)


def _opened(content: bytes) -> Image.Image | None:
    try:
        return Image.open(io.BytesIO(content))
    except Exception:
        return None


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("limits", [{}, LIMITS], ids=["", "scaled"])
def test_a_file_has_one_way_up(
    file_format: str, orientation: int, limits: dict[str, int], tmp_path: Path
) -> None:
    """As PIL image, scaled, and as servers see it: their OpenCV overlooks EXIF in WebP only."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    picture = Image.new("RGB", (WIDTH, HEIGHT), "white")
    picture.paste("red", (0, 0, WIDTH // 2, HEIGHT // 2))
    path = tmp_path / "a.bin"
    path.write_bytes(file_bytes(picture, file_format, exif=exif))
    expected = np.asarray(bytes_to_pillow_image(path.read_bytes()).convert("RGB").resize((9, 9)))
    assert expected.min() < 100  # the corner is somewhere
    for reference in (str(path), path.read_bytes(), Image.open(path)):
        sent, _ = load(reference, **limits)
        if file_format == "WEBP" or limits:
            seen = Image.open(io.BytesIO(sent))  # as it lies, EXIF overlooked
        else:
            seen = bytes_to_pillow_image(sent)
        small = np.asarray(seen.convert("RGB").resize((9, 9)))
        if orientation == 1 and isinstance(reference, str) and not limits:
            assert sent == path.read_bytes()
        for row, column in ((1, 1), (1, 7), (7, 1), (7, 7)):
            assert abs(int(small[row, column, 1]) - int(expected[row, column, 1])) < 60


def test_postscript_is_never_opened(tmp_path: Path) -> None:
    content = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n"
    path = tmp_path / "a.eps"
    path.write_bytes(content)
    for reference in (path, str(path), content, base64.b64encode(content).decode()):
        for limits in ({}, LIMITS):
            with pytest.raises(HTTPClientError, match="PostScript"):
                load(reference, **limits)
    with pytest.raises(EncodingError):
        bytes_to_pillow_image(content)


def test_other_kinds_by_their_path_only(tmp_path: Path) -> None:
    content = file_bytes(noise(), "SGI")
    path = tmp_path / "a.sgi"
    path.write_bytes(content)
    assert load(path) == (content, None)
    assert load(path, **LIMITS)[1] == 30 / 64
    for limits in ({}, LIMITS):
        with pytest.raises(EncodingError, match="not a picture"):
            load(content, **limits)


OTHERS = {
    "HTML": (b"<!DOCTYPE html><title>Sign in</title>", "an HTML page"),
    "JSON": (b'{"error": "expired"}', "JSON"),
    "PDF": (b"%PDF-1.7\n", "a PDF"),
    "SVG": (b'<?xml version="1.0"?><svg xmlns="x"/>', "an SVG drawing"),
    "video": (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "a video"),
    "pixels": (bytes(range(1, 200)), "data of no known kind"),
}


@pytest.mark.parametrize("limits", [{}, LIMITS], ids=["", "scaled"])
@pytest.mark.parametrize(("content", "name"), OTHERS.values(), ids=list(OTHERS))
def test_other_files_are_told_apart(
    content: bytes, name: str, limits: dict[str, int], tmp_path: Path
) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    for reference in (path, content, io.BytesIO(content), memoryview(content)):
        with pytest.raises(EncodingError, match=name):
            load(reference, **limits)


def test_many_dimensional_memory_is_no_file() -> None:
    with pytest.raises(InvalidInputFormatError, match="Pass the array itself"):
        load(memoryview(np.zeros((4, 4, 3), np.uint8)))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are POSIX")
def test_inputs_without_end_are_refused_at_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    started = time.monotonic()
    for path in (Path("/dev/zero"), pipe, Path("/dev/null")):
        for reference in (path, str(path)):
            with pytest.raises(InvalidInputFormatError, match=r"is a (pipe|device)"):
                load(reference)
    assert time.monotonic() - started < 1


def test_a_file_object_at_its_end_is_read_from_its_start() -> None:
    stream = io.BytesIO()
    noise().save(stream, "PNG")
    assert load(stream) == (stream.getvalue(), None)


@pytest.mark.parametrize("channels", [1, 3])
def test_white_may_be_less_than_the_dtype_holds(channels: int) -> None:
    twelve_bits = np.full((8, 8, channels), 4095, np.uint16)
    loaded = loaders.load_static_inference_input(twelve_bits)
    assert bytes_to_opencv_image(base64.b64decode(loaded[0][0])).max() < 20


@both_ways
def test_image_max_value(call: Any, server: RecordingServer) -> None:
    server.default = {"embeddings": [[1.0]]}
    client = InferenceHTTPClient(server.url).with_options(
        image_max_value=4095, image_encoding="png"
    )
    call(client, "get_clip_image_embeddings", np.full((8, 8, 3), 4095, np.uint16))
    sent = bytes_to_opencv_image(base64.b64decode(server.last.json["image"]["value"]))
    assert sent.min() == 255


def test_rounding_is_forgiven_in_floats() -> None:
    assert load(np.full((8, 8), 1.0000001))
    with pytest.raises(EncodingError, match=r"values in 0\.\.1"):
        load(np.full((8, 8), 1.01))


COLOUR_TYPES = {"RGB": 2, "RGBA": 6}


@pytest.mark.parametrize("mode", list(COLOUR_TYPES))
def test_colours_of_16_bits_keep_their_depth(mode: str) -> None:
    channels = len(mode)
    values = np.random.default_rng(0).integers(0, 65536, (5, 7, channels), np.uint16)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = (
        (7).to_bytes(4, "big") + (5).to_bytes(4, "big") + bytes([16, COLOUR_TYPES[mode], 0, 0, 0])
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        crc = zlib.crc32(kind + data).to_bytes(4, "big")
        return len(data).to_bytes(4, "big") + kind + data + crc

    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    content += chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    decoded = bytes_to_opencv_image(content)
    assert decoded.dtype == np.uint16
    order = [2, 1, 0, 3][:channels]
    assert np.array_equal(decoded, values[..., order])


@pytest.mark.parametrize("file_format", FORMATS)
def test_the_header_names_the_kind(file_format: str) -> None:
    kind = kind_of(file_bytes(noise(), file_format))
    assert kind is not None
    assert kind.decoder == file_format


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_the_embedded_server_sees_8_bits_of_three_colours(mode: str) -> None:
    if mode == "I;16":
        picture = Image.fromarray(np.full((HEIGHT, WIDTH), 0xFFFF, np.uint16))
    else:
        picture = Image.new("RGB", (WIDTH, HEIGHT), "white").convert(mode)
    pixels = decode_image(file_bytes(picture, "PNG"))
    assert (pixels.dtype, pixels.shape) == (np.uint8, (HEIGHT, WIDTH, 3))
    assert pixels.min() == 255


def test_the_embedded_server_sees_the_high_bytes_of_16_bits() -> None:
    values = np.full((HEIGHT, WIDTH), 0x4080, np.uint16)
    assert (decode_image(file_bytes(Image.fromarray(values), "PNG")) == 0x40).all()
