"""Pictures made to do harm, by every way in and out: the right picture, or an error that says why."""

from __future__ import annotations

import asyncio
import base64
import gzip
import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import EpsImagePlugin, Image, features

from inference_sdk import InferenceHTTPClient
from inference_sdk.http.entities import InferenceConfiguration, VisualisationResponseFormat
from inference_sdk.http.errors import EncodingError, HTTPClientError
from inference_sdk.http.utils import loaders
from inference_sdk.http.utils.depth_maps import decode_png_normalized_depth
from inference_sdk.http.utils.encoding import bytes_to_opencv_image, bytes_to_pillow_image
from inference_sdk.http.utils.picture_kinds import kind_of
from inference_sdk.local.faults import UndecodableImageError
from inference_sdk.local.wire import decode_image
from tests.callers import both_ways
from tests.recording_server import RecordingServer

LIMITS = {"max_height": 20, "max_width": 30}
RED, BLUE = (255, 0, 0), (0, 0, 255)


def file_bytes(image: Image.Image, file_format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *between: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(bytes(100)))
    parts = (chunk(b"IHDR", header), *between, data, chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def jpeg_claiming(width: int, height: int) -> bytes:
    content = bytearray(JPEG)
    start = content.index(b"\xff\xc0") + 5
    content[start : start + 4] = struct.pack(">HH", height, width)
    return bytes(content)


def gif_of(size: bytes) -> bytes:
    return b"GIF89a" + size + b"\x80\0\0" + bytes(6) + b",\0\0\0\0" + size + b"\0\x02\x02D\x01\0;"


PICTURE = Image.new("RGB", (64, 40), RED)
SECOND = Image.new("RGB", (64, 40), BLUE)
JPEG = file_bytes(PICTURE, "JPEG", quality=95)
PACKED_MEGABYTES = zlib.compress(bytes(2**26), 9)
ANIMATED = {"save_all": True, "append_images": [SECOND]}
POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n"

REFUSED = {
    "a bomb, PNG": png(50_000, 50_000),
    "a bomb, JPEG": jpeg_claiming(65_000, 2_700),
    "a bomb, GIF": gif_of(b"\xff\xff\xff\xff"),
    "a bomb, PPM": b"P6 99999999 99999999 255\n",
    "a bomb of text": png(4, 4, chunk(b"zTXt", b"c\0\0" + PACKED_MEGABYTES)),
    "a bomb of colours": png(4, 4, chunk(b"iCCP", b"c\0\0" + PACKED_MEGABYTES)),
    "0x0, PNG": png(0, 0),
    "0x5, PNG": png(0, 5),
    "0x0, JPEG": jpeg_claiming(0, 0),
    "0x0, GIF": gif_of(bytes(4)),
    "0x0, PGM": b"P5 0 0 255\n",
    "no strips, TIFF": b"II*\0\x08\0\0\0\0\0\x08\0\0\0",
    "cut short, JPEG": JPEG[:200],
    "cut short, WebP": file_bytes(PICTURE, "WEBP", lossless=True)[:-9],
    "PostScript": POSTSCRIPT,
    "PostScript with a preview": b"\xc5\xd0\xd3\xc6" + bytes(28) + POSTSCRIPT,
    "PDF and JPEG": b"%PDF-1.4\n" + JPEG,
    "BMP and JavaScript": b"BM/*" + bytes(10) + b"*/=1;alert(1)",
    "SVG": b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
    "SVG, packed": gzip.compress(b"<svg/>"),
    "Windows metafile": b"\xd7\xcd\xc6\x9a" + bytes(60),
    "Photoshop": b"8BPS\0\x01" + bytes(40),
    "X bitmap": b"#define a_width 8\n#define a_height 1\nstatic char a_bits[]={0x01};",
}
"""What is not decoded, from wherever it comes."""


class Opened(NamedTuple):
    content: bytes
    size: tuple[int, int] = (64, 40)
    colour: tuple[int, int, int] = RED


OPENED = {
    "1x60000": Opened(file_bytes(Image.new("RGB", (1, 60_000), RED), "PNG"), (1, 60_000)),
    "60000x1": Opened(file_bytes(Image.new("RGB", (60_000, 1), RED), "PNG"), (60_000, 1)),
    "CMYK": Opened(file_bytes(PICTURE.convert("CMYK"), "JPEG", quality=95)),
    "16 bits": Opened(
        file_bytes(Image.new("I;16", (64, 40), 0xFFFF), "PNG"), colour=(255, 255, 255)
    ),
    "1 bit": Opened(file_bytes(Image.new("1", (64, 40), 1), "PNG"), colour=(255, 255, 255)),
    "palette": Opened(file_bytes(PICTURE.quantize(4), "PNG")),
    "animated PNG": Opened(file_bytes(PICTURE, "PNG", **ANIMATED)),
    "animated GIF": Opened(file_bytes(PICTURE, "GIF", **ANIMATED)),
    "animated WebP": Opened(file_bytes(PICTURE, "WEBP", lossless=True, **ANIMATED)),
    "pages of TIFF": Opened(file_bytes(PICTURE, "TIFF", **ANIMATED)),
    "JPEG and HTML": Opened(JPEG + b"<script>alert(1)</script>"),
    "GIF and ZIP": Opened(file_bytes(PICTURE, "GIF") + b"PK\x03\x04" + bytes(30)),
}
"""What is odd, or more than a picture: the picture in it is seen, and nothing else."""

if features.check("avif"):
    avif = file_bytes(PICTURE, "AVIF", quality=100)
    REFUSED["broken, AVIF"] = avif[:-40] + bytes(40)
    OPENED["animated AVIF"] = Opened(file_bytes(PICTURE, "AVIF", quality=100, **ANIMATED))


def references(content: bytes, path: Path, server: RecordingServer) -> dict[str, Any]:
    path.write_bytes(content)
    server.answer("/a.jpg", lambda _: web.Response(body=content, content_type="image/jpeg"))
    return {
        "bytes": content,
        "base64": base64.b64encode(content).decode(),
        "file object": io.BytesIO(content),
        "data URI": f"data:image/jpeg;base64,{base64.b64encode(content).decode()}",
        "path": path,
        "URL": f"{server.url}/a.jpg",
    }


def load(reference: Any, **limits: int) -> bytes:
    [(encoded, _)] = loaders.load_static_inference_input(reference, **limits)
    return base64.b64decode(encoded)


@pytest.fixture
def no_ghostscript(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails whoever opens PostScript, and so would start another program."""

    def opened(*_: Any, **__: Any) -> None:
        raise AssertionError("PostScript was opened")

    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", opened)
    monkeypatch.setattr(EpsImagePlugin.EpsImageFile, "_open", opened)


@pytest.mark.usefixtures("no_ghostscript")
@pytest.mark.parametrize("name", REFUSED)
def test_refused_by_every_way_in(name: str, server: RecordingServer, tmp_path: Path) -> None:
    content = REFUSED[name]
    for way, reference in references(content, tmp_path / "a.jpg", server).items():
        if way == "path" and name.startswith(("Windows", "X bitmap", "a bomb, JPEG")):
            continue  # the caller's own file: also of other kinds, and twice as large
        with pytest.raises(HTTPClientError) as caught:
            load(reference, **LIMITS)
        assert len(str(caught.value)) < 400, way
        if kind_of(content) is None:  # else it travels as it is, for the server to judge
            with pytest.raises(HTTPClientError):
                load(reference)


@pytest.mark.usefixtures("no_ghostscript")
@pytest.mark.parametrize("name", REFUSED)
def test_refused_by_every_way_out(name: str) -> None:
    content = REFUSED[name]
    text = base64.b64encode(content).decode()
    for decode in (bytes_to_opencv_image, bytes_to_pillow_image):
        with pytest.raises(EncodingError):
            decode(content)
    with pytest.raises(EncodingError):
        decode_png_normalized_depth(text)
    with pytest.raises(UndecodableImageError):
        decode_image(content)


@pytest.mark.parametrize("name", OPENED)
def test_the_picture_in_it_is_seen(name: str, server: RecordingServer, tmp_path: Path) -> None:
    content, size, colour = OPENED[name]
    for way, reference in references(content, tmp_path / "a.jpg", server).items():
        seen = Image.open(io.BytesIO(load(reference, **LIMITS)))
        factor = min(30 / size[0], 20 / size[1])
        assert seen.size == tuple(max(1, round(side * factor)) for side in size), way
        assert is_of(seen, colour), way
    assert load(content) == content
    seen = bytes_to_pillow_image(content)
    assert seen.size == size
    assert is_of(seen, colour)
    pixels = decode_image(content)
    assert pixels.shape == (*size[::-1], 3)
    assert is_of(Image.fromarray(pixels[..., ::-1]), colour)


def is_of(picture: Image.Image, colour: tuple[int, int, int]) -> bool:
    if picture.mode == "I;16":  # Pillow would cut the values off
        picture = Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    values = np.asarray(picture.convert("RGB")).reshape(-1, 3).mean(axis=0)
    return bool(np.abs(values - colour).max() < 12)


@pytest.mark.skipif(not features.check("avif"), reason="Pillow was built without AVIF")
@pytest.mark.parametrize("limits", [{}, LIMITS], ids=["", "scaled"])
def test_exif_turns_avif(limits: dict[str, int], tmp_path: Path) -> None:
    """Which no server's OpenCV does, so it is turned before it travels."""
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = PICTURE.copy()
    picture.paste(BLUE, (0, 0, 32, 40))
    content = file_bytes(picture, "AVIF", quality=100, exif=exif)
    for reference in (content, io.BytesIO(content)):
        seen = Image.open(io.BytesIO(load(reference, **limits))).convert("RGB")
        assert seen.height > seen.width
        assert is_of(seen.crop((2, 2, seen.width - 2, seen.height // 2 - 2)), BLUE)
        assert is_of(seen.crop((2, seen.height // 2 + 2, seen.width - 2, seen.height - 2)), RED)


# -- in answers --------------------------------------------------------------------------------

FORMATS = [VisualisationResponseFormat.NUMPY, VisualisationResponseFormat.PILLOW]
IN_ANSWERS = ["a bomb, PNG", "0x0, GIF", "cut short, JPEG", "PostScript", "SVG"]


@both_ways
@pytest.mark.usefixtures("no_ghostscript")
@pytest.mark.parametrize("name", IN_ANSWERS)
@pytest.mark.parametrize("picture_format", FORMATS)
def test_a_visualisation_that_is_none_is_not_opened_and_loses_no_result(
    call: Any, server: RecordingServer, name: str, picture_format: VisualisationResponseFormat
) -> None:
    text = base64.b64encode(REFUSED[name]).decode()
    server.answer("/coco/3", {"predictions": [], "visualization": text})
    client = InferenceHTTPClient(server.url, "some-key-0123")
    client.select_api_v0()
    client.configure(InferenceConfiguration(output_visualisation_format=picture_format))
    with pytest.warns(UserWarning, match="stays as it came.*cannot be decoded"):
        result = call(client, "infer", JPEG, model_id="coco/3")
    assert result == {"predictions": [], "visualization": text}


# -- anything else -----------------------------------------------------------------------------

_WHOLE = [JPEG, png(8, 8), *(opened.content for opened in OPENED.values() if opened.size[0] == 64)]
_CHANGES = st.lists(
    st.tuples(st.integers(0, 2**12), st.binary(min_size=0, max_size=4), st.integers(0, 4)),
    min_size=1,
    max_size=8,
)

_DECODERS: list[Callable[[bytes], Any]] = [
    bytes_to_opencv_image,
    bytes_to_pillow_image,
    lambda content: decode_png_normalized_depth(base64.b64encode(content).decode()),
    decode_image,
    lambda content: load(content, **LIMITS),
    lambda content: load(base64.b64encode(content).decode()),
]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(_WHOLE), _CHANGES, st.sampled_from(_DECODERS))
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_whatever_is_changed_gives_a_picture_or_a_documented_error(
    content: bytes, changes: list[tuple[int, bytes, int]], decode: Callable[[bytes], Any]
) -> None:
    changed = bytearray(content)
    for place, new, removed in changes:
        changed[place % len(content) : place % len(content) + removed] = new
    try:
        decoded = decode(bytes(changed))
    except (HTTPClientError, UndecodableImageError):
        return
    if isinstance(decoded, Image.Image):
        decoded.load()  # nothing is left that could fail later
    elif isinstance(decoded, bytes):
        assert kind_of(decoded) is not None


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=64), st.sampled_from(_WHOLE), st.integers(0, 32))
def test_bytes_that_only_begin_like_a_picture_are_no_other_error(
    rest: bytes, whole: bytes, begin: int
) -> None:
    content = whole[:begin] + rest
    for decode in _DECODERS:
        try:
            decode(content)
        except (HTTPClientError, UndecodableImageError):
            continue


def test_a_download_that_unpacks_to_a_bomb_is_refused(server: RecordingServer) -> None:
    """Gzip around the file: unpacked by its bounds, and then looked at."""
    packed = gzip.compress(REFUSED["a bomb, PNG"])
    headers = {"Content-Encoding": "gzip", "Content-Type": "image/png"}
    server.answer("/a.png", lambda _: web.Response(body=packed, headers=headers))
    for load_one in (
        loaders.load_image_from_url,
        lambda *arguments: asyncio.run(loaders.load_image_from_url_async(*arguments)),
    ):
        with pytest.raises(EncodingError, match=r"a\.png.*pixels"):
            load_one(f"{server.url}/a.png", 20, 30)
