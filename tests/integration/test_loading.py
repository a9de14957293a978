"""Every kind of image reference, sync and async: what of it travels, and how it is refused."""

from __future__ import annotations

import asyncio
import base64
import io
import os
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiohttp import web
from PIL import Image

from inference_sdk import InferenceHTTPClient
from inference_sdk.http.entities import InferenceConfiguration
from inference_sdk.http.errors import (
    EncodingError,
    HTTPClientError,
    InvalidInputFormatError,
    InvalidParameterError,
)
from inference_sdk.http.operations import image_inputs, loading, preparing
from inference_sdk.http.utils import file_reading, loaders
from inference_sdk.http.utils.encoding import bytes_to_opencv_image
from tests.callers import both_ways
from tests.recording_server import RecordingServer

ORIENTATION = 0x0112
LIMITS = {"max_height": 20, "max_width": 30}

Caller = Callable[..., Any]


def photograph(width: int = 64, height: int = 40) -> Image.Image:
    """Red above, blue below: what is upright can be told."""
    image = Image.new("RGB", (width, height), "red")
    image.paste("blue", (0, height // 2, width, height))
    return image


def file_bytes(image: Image.Image, format: str = "JPEG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def turned_file() -> bytes:
    """As a phone held upright saves it: pixels lying on their side, and a note of it."""
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # to be turned clockwise by 90 degrees
    return file_bytes(photograph().transpose(Image.Transpose.ROTATE_90), exif=exif, quality=95)


def pixels_of(encoded: str) -> np.ndarray[Any, Any]:
    """What a server sees: BGR, upright."""
    return bytes_to_opencv_image(base64.b64decode(encoded))


def looks_upright(encoded: str) -> bool:
    pixels = pixels_of(encoded).astype(int)
    top, bottom = pixels[: len(pixels) // 4], pixels[-len(pixels) // 4 :]
    reddest_above = top[..., 2].mean() > 200 and top[..., 0].mean() < 50
    return reddest_above and bottom[..., 0].mean() > 200 and bottom[..., 2].mean() < 50


def load(make: Callable[[], Any], **limits: Any) -> list[tuple[str, float | None]]:
    """The input as both loaders give it, which is the same."""
    loaded = loaders.load_static_inference_input(make(), **limits)
    assert asyncio.run(loaders.load_static_inference_input_async(make(), **limits)) == loaded
    return loaded


def refused(make: Callable[[], Any], **limits: Any) -> HTTPClientError:
    """The error that both loaders raise."""
    with pytest.raises(HTTPClientError) as caught:
        loaders.load_static_inference_input(make(), **limits)
    with pytest.raises(HTTPClientError) as caught_async:
        asyncio.run(loaders.load_static_inference_input_async(make(), **limits))
    assert type(caught.value) is type(caught_async.value)
    assert str(caught.value) == str(caught_async.value)
    return caught.value


# -- files, in every form in which they come -------------------------------------------------------


@pytest.fixture(
    params=["str", "Path", "bytes", "bytearray", "memoryview", "BytesIO", "file", "URL"]
)
def held(
    request: pytest.FixtureRequest, tmp_path: Path, server: RecordingServer
) -> Callable[[bytes], Callable[[], Any]]:
    """Makes, of the bytes of a file, a reference to it."""
    path = tmp_path / "Picture of mine.JPG"

    def hold(content: bytes) -> Callable[[], Any]:
        path.write_bytes(content)
        server.answer("/p.jpg", lambda _: web.Response(body=content, content_type="image/jpeg"))
        makers: dict[str, Callable[[], Any]] = {
            "str": lambda: str(path),
            "Path": lambda: path,
            "bytes": lambda: content,
            "bytearray": lambda: bytearray(content),
            "memoryview": lambda: memoryview(content),
            "BytesIO": lambda: io.BytesIO(content),
            "file": lambda: OpenOnce(path),
            "URL": lambda: f"{server.url}/p.jpg?signature=secret",
        }
        return makers[request.param]

    return hold


class OpenOnce:
    """A binary file that is closed when it was read."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> bytes:
        with open(self._path, "rb") as file:
            return file.read()


@pytest.mark.parametrize(
    "content", [file_bytes(photograph()), b"GIF89a, and anything after it", turned_file()]
)
def test_files_travel_as_they_are(held: Any, content: bytes) -> None:
    assert load(held(content)) == [(base64.b64encode(content).decode(), None)]


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "BMP", "GIF"])
def test_files_are_scaled_down(held: Any, format: str) -> None:
    [(encoded, factor)] = load(held(file_bytes(photograph(), format)), **LIMITS)
    assert factor == 30 / 64
    assert pixels_of(encoded).shape == (19, 30, 3)
    assert looks_upright(encoded)


def test_scaled_files_are_upright(held: Any) -> None:
    [(encoded, factor)] = load(held(turned_file()), **LIMITS)
    assert factor == 30 / 64
    assert pixels_of(encoded).shape == (19, 30, 3)
    assert looks_upright(encoded)


@pytest.mark.parametrize("limits", [{"max_height": 40, "max_width": 64}, {"max_height": 5}, {}])
def test_files_that_fit_stay_as_they_are(held: Any, limits: dict[str, int]) -> None:
    content = file_bytes(photograph())
    assert load(held(content), **limits) == [(base64.b64encode(content).decode(), None)]


@pytest.mark.parametrize("limits", [{}, LIMITS], ids=["", "scaled"])
def test_what_is_no_picture_is_named(held: Any, limits: dict[str, int]) -> None:
    error = refused(held(b"no picture at all"), **limits)
    assert isinstance(error, EncodingError)
    assert "text, not a picture" in str(error)
    assert "signature=secret" not in str(error)
    names = ("Picture of mine.JPG", "17 bytes", "a BytesIO", "a OpenOnce", "/p.jpg: ")
    assert any(name in str(error) for name in names)


def test_an_empty_file_is_named(held: Any) -> None:
    error = refused(held(b""))
    assert isinstance(error, EncodingError)
    assert " is empty." in str(error)


# -- base64 --------------------------------------------------------------------------------------


GIF = "R0lGODlh"
"""Base64 of b"GIF89a": as much of a picture as is looked at before it is sent."""


@pytest.mark.parametrize("text", [GIF, GIF + "a" * 10_000])
def test_base64_travels_unchanged(text: str) -> None:
    assert load(lambda: text) == [(text, None)]


NO_IMAGES = [
    "",
    ".",
    "/",
    "not base64 either",
    "a" * 10_000,
    "a\0b",
    "clip.mp4",
    "missing.ppm",
    "/nowhere/frame_0001",
    "aW1hZ2U=",
    base64.b64encode(b"<!doctype html>").decode(),
]


@pytest.mark.parametrize("limits", [{}, LIMITS], ids=["", "scaled"])
@pytest.mark.parametrize("text", NO_IMAGES)
def test_other_text_stays_at_home(text: str, limits: dict[str, int]) -> None:
    error = refused(lambda: text, **limits)
    assert isinstance(error, InvalidInputFormatError)
    assert repr(text)[1:20] in str(error)
    assert len(str(error)) < 300


def as_data_uri(text: str) -> str:
    return f"data:image/jpeg;base64,{text}"


def as_lines(text: str) -> str:
    return base64.encodebytes(base64.b64decode(text)).decode()


def url_safe(text: str) -> str:
    return text.replace("+", "-").replace("/", "_")


FORMS: list[Callable[[str], Any]] = [
    str,
    as_data_uri,
    as_lines,
    url_safe,
    lambda text: text.rstrip("="),
    lambda text: f"  {text}\r\n",
    lambda text: as_data_uri(url_safe(text).rstrip("=")),
]


@pytest.mark.parametrize("as_bytes", [False, True])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("color", ["red", "blue", "white", "#123456"])
def test_every_form_of_base64_becomes_the_usual_one(
    form: Callable[[str], str], as_bytes: bool, color: str
) -> None:
    text = base64.b64encode(file_bytes(Image.new("RGB", (64, 40), color), "PNG")).decode()
    given = form(text).encode() if as_bytes else form(text)
    assert load(lambda: given) == [(text, None)]
    assert load(lambda: given, max_height=100, max_width=100) == [(text, None)]
    assert load(lambda: given, **LIMITS)[0][1] == 30 / 64


def test_base64_is_scaled_down() -> None:
    text = base64.b64encode(file_bytes(photograph())).decode()
    [(encoded, factor)] = load(lambda: text, **LIMITS)
    assert factor == 30 / 64
    assert looks_upright(encoded)
    assert load(lambda: text, max_height=100, max_width=100) == [(text, None)]


# -- arrays and PIL images -----------------------------------------------------------------------

BGR = np.ascontiguousarray(np.asarray(photograph())[:, :, ::-1])


class ArrayLike:
    """What tensors are, without their library."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray[Any, Any]:
        return BGR


ARRAYS = {
    "uint8": BGR,
    "uint16": BGR.astype(np.uint16) * 257,
    "big-endian": (BGR.astype(np.uint16) * 257).astype(">u2"),
    "float32": (BGR / 255).astype(np.float32),
    "float64": BGR / 255,
    "bool": BGR > 127,
    "BGRA": np.dstack([BGR, np.full(BGR.shape[:2], 255, np.uint8)]),
    "view": np.repeat(BGR, 2, axis=1)[:, ::2],
    "reversed": BGR[:, ::-1],
    "Fortran": np.asfortranarray(BGR),
    "read-only": np.frombuffer(BGR.tobytes(), np.uint8).reshape(BGR.shape),
    "array-like": ArrayLike(),
}


@pytest.mark.parametrize("array", ARRAYS.values(), ids=list(ARRAYS))
def test_arrays(array: Any) -> None:
    [(encoded, factor)] = load(lambda: array)
    assert factor is None
    assert base64.b64decode(encoded)[:2] == b"\xff\xd8"  # JPEG
    assert pixels_of(encoded).shape == (40, 64, 3)
    assert looks_upright(encoded)
    [(encoded, factor)] = load(lambda: array, **LIMITS)
    assert factor == 30 / 64
    assert looks_upright(encoded)


def test_grey_arrays_stay_grey() -> None:
    grey = np.arange(64 * 40, dtype=np.uint8).reshape(40, 64)
    for array in (grey, grey[..., np.newaxis]):
        [(encoded, _)] = load(lambda array=array: array)
        assert pixels_of(encoded).shape == (40, 64)


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr"]
)
def test_pillow_images(mode: str) -> None:
    image = photograph().convert("RGBA" if mode == "PA" else "RGB").convert(mode)
    for limits in ({}, LIMITS):
        [(encoded, factor)] = load(lambda: image, **limits)
        assert factor == (30 / 64 if limits else None)
        if mode not in ("1", "L", "LA"):
            assert looks_upright(encoded)


def test_pillow_images_are_sent_upright() -> None:
    image = Image.open(io.BytesIO(turned_file()))
    for limits in ({}, LIMITS):
        [(encoded, _)] = load(lambda: image, **limits)
        assert looks_upright(encoded)
    assert pixels_of(load(lambda: image)[0][0]).shape == (40, 64, 3)


REFUSED = {
    "a number": (5, "a int is no image reference"),
    "None": (None, "a NoneType is no image reference"),
    "a dict": ({"type": "base64"}, "a dict is no image reference"),
    "an object": (object(), "a object is no image reference"),
    "an empty array": (np.zeros((0, 0, 3), np.uint8), "ndarray of shape (0, 0, 3)"),
    "two channels": (np.zeros((4, 4, 2), np.uint8), "ndarray of shape (4, 4, 2)"),
    "a batch": (np.zeros((2, 4, 4, 3), np.uint8), "ndarray of shape (2, 4, 4, 3)"),
    "channels first": (np.zeros((3, 40, 40), np.uint8), "Channels come last"),
    "int32": (np.zeros((4, 4), np.int32), "dtype int32"),
    "floats over 1": (np.full((4, 4), 7.0), "values in 0..1"),
    "NaN": (np.full((4, 4), np.nan), "values in 0..1"),
    "objects": (np.full((4, 4), None), "dtype object"),
    "mode I": (Image.new("I", (4, 4)), "mode 'I'"),
    "an array of numbers": (np.float64(3.0), "no image"),
}


@pytest.mark.parametrize(("reference", "text"), REFUSED.values(), ids=list(REFUSED))
@pytest.mark.parametrize("limits", [{}, {"max_height": 2, "max_width": 2}], ids=["", "scaled"])
def test_what_is_no_image_is_refused_by_name(
    reference: Any, text: str, limits: dict[str, int]
) -> None:
    error = refused(lambda: reference, **limits)
    assert isinstance(error, (InvalidInputFormatError, EncodingError))
    assert text in str(error)


@pytest.mark.parametrize("kind", [TypeError, ValueError, RuntimeError])
def test_array_likes_that_fail(kind: type[Exception]) -> None:
    class OnGPU:
        shape = (4, 4)

        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            raise kind("copy it to the host first")

    error = refused(OnGPU)
    assert "OnGPU of shape (4, 4): It does not become an array: copy it" in str(error)


# -- files that cannot be read -------------------------------------------------------------------


@pytest.mark.parametrize("name", ["gone.jpg", "gone.PNG", "folder/gone.jpeg", "gone.webp"])
def test_missing_files_are_named(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    assert str(refused(lambda: str(path))) == f"There is no file {str(path)!r}."
    error = refused(lambda: path)
    assert isinstance(error, EncodingError)
    assert f"{str(path)!r} cannot be read: No such file" in str(error)


def test_folders_are_named(tmp_path: Path) -> None:
    for given in (tmp_path, str(tmp_path)):
        error = refused(lambda given=given: given)
        assert isinstance(error, InvalidInputFormatError)
        assert f"{str(tmp_path)!r} is a folder" in str(error)
        assert "infer_many()" in str(error)


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.jpg"
    path.write_bytes(b"GIF89a")
    path.chmod(0)
    if os.geteuid() == 0:  # root reads everything, but not this file from its start
        path = Path("/proc/self/mem")
    assert f"{str(path)!r} cannot be read: " in str(refused(lambda: str(path)))


def test_a_file_in_text_mode(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    for content in (b"text", file_bytes(photograph())):
        path.write_bytes(content)
        with open(path, encoding="utf-8") as file, open(path, encoding="utf-8") as again:
            files = iter([file, again])
            assert "Open it with 'rb'" in str(refused(lambda files=files: next(files)))


def test_a_closed_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"x")
    with open(path, "rb") as file:
        pass
    assert "cannot be read" in str(refused(lambda: file))


def test_a_path_that_is_too_long_is_no_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture in base64 is not looked for on the disk."""
    asked: list[Any] = []
    monkeypatch.setattr(os, "stat", asked.append)
    assert not image_inputs.is_file("a" * (file_reading.LONGEST_PATH + 1))
    assert asked == []


# -- lists ---------------------------------------------------------------------------------------


A, B, C = (GIF + letter * 4 for letter in "abc")


def test_lists_are_flattened_in_order() -> None:
    inputs = [A, [B, (C, [BGR])], b"GIF89a"]
    loaded = load(lambda: inputs)
    assert [encoded for encoded, _ in loaded[:3]] == [A, B, C]
    assert loaded[4] == (GIF, None)
    assert load(list) == []


def test_many_kinds_at_once(held: Any) -> None:
    content = file_bytes(photograph())
    make = held(content)
    loaded = load(lambda: [kind for _ in range(10) for kind in (make(), BGR)], **LIMITS)
    assert len(loaded) == 20
    assert {factor for _, factor in loaded} == {30 / 64}


@pytest.mark.parametrize("reference", ["gone.jpg", 5, np.zeros((2, 2, 2)), b""])
def test_errors_in_lists_say_where(reference: Any) -> None:
    error = refused(lambda: [A, [B, reference], 6])
    assert error.input_index == 2
    assert str(error).startswith(f"inputs[2] ({loading.describe(reference)}): ")


def test_nesting_is_kept_where_asked_for() -> None:
    def nested(inputs: Any, **limits: Any) -> Any:
        loaded = loaders.load_nested_batches_of_inference_input(inputs, **limits)
        again = asyncio.run(loaders.load_nested_batches_of_inference_input_async(inputs, **limits))
        assert again == loaded
        return loaded

    assert nested(A) == (A, None)
    assert nested([A, [[B], []], (C,)]) == [(A, None), [[(B, None)], []], [(C, None)]]
    [[(_, factor)]] = nested([[BGR]], **LIMITS)
    assert factor == 30 / 64


@pytest.mark.parametrize("form", ["string", "url"])
def test_the_other_loaders(form: str, server: RecordingServer) -> None:
    server.answer("/p.jpg", lambda _: web.Response(body=b"GIF89a"))
    url = f"{server.url}/p.jpg"
    expected = (GIF, None)
    assert getattr(loaders, f"load_image_from_{form}")(url) == expected
    assert asyncio.run(getattr(loaders, f"load_image_from_{form}_async")(url)) == expected
    if form == "string":
        assert loaders.load_image_from_string(GIF) == (GIF, None)
        return
    with pytest.raises(InvalidInputFormatError, match="is no http"):
        loaders.load_image_from_url("file.jpg")
    with pytest.raises(InvalidInputFormatError, match="is no http"):
        asyncio.run(loaders.load_image_from_url_async("file.jpg"))


@pytest.mark.parametrize(
    ("uri", "verdict"),
    [
        ("http://host", True),
        ("HTTPS://host", True),
        ("https://", True),
        ("http:/host", False),
        ("file:///a", False),
        ("", False),
    ],
)
def test_uri_is_http_link(uri: str, verdict: bool) -> None:
    assert loaders.uri_is_http_link(uri) is verdict


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("https://me:secret@host:1/a.jpg?token=secret", "https://host:1/a.jpg"),
        ("aW1hZ2U=", "text of 8 characters ('aW1hZ2U=')"),
        ("a" * 5000, "text of 5000 characters ('aaaaaaaaaaaaaaaaaaaaaaaa'…)"),
        ("a" * 5000 + ".jpg", f"'{'a' * 80}…{'a' * 76}.jpg'"),
        ("gone.jpg", "'gone.jpg'"),
        (Path("a.jpg"), "'a.jpg'"),
        (b"abc", "3 bytes"),
        (BGR, "ndarray of shape (40, 64, 3)"),
        (Image.new("L", (3, 2)), "Image of shape (3, 2)"),
        (None, "a NoneType"),
    ],
)
def test_describe(reference: Any, name: str) -> None:
    assert loading.describe(reference) == name


# -- how a client encodes ------------------------------------------------------------------------


@both_ways
@pytest.mark.parametrize(
    ("encoding", "magic"), [("jpeg", b"\xff\xd8"), ("png", b"\x89PNG"), ("webp", b"RIFF")]
)
@pytest.mark.parametrize("nested", [False, True])
def test_image_encoding(
    call: Caller, encoding: str, magic: bytes, nested: bool, server: RecordingServer
) -> None:
    server.default = {"outputs": [], "embeddings": [[1.0]]}
    client = InferenceHTTPClient(server.url).with_options(image_encoding=encoding)
    if nested:
        images = {"image": [[BGR]]}
        call(client, "run_workflow", workspace_name="w", workflow_id="f", images=images)
        [[image]] = server.last.json["inputs"]["image"]
    else:
        call(client, "get_clip_image_embeddings", BGR)
        image = server.last.json["image"]
    assert base64.b64decode(image["value"]).startswith(magic)
    assert looks_upright(image["value"])
    if encoding == "png":
        assert np.array_equal(pixels_of(image["value"]), BGR)


@both_ways
def test_image_quality(call: Caller, server: RecordingServer) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    sizes = []
    for quality in (20, 95):
        server.default = {"embeddings": [[1.0]]}
        client = InferenceHTTPClient(server.url).with_options(image_quality=quality)
        call(client, "get_clip_image_embeddings", noise)
        sizes.append(len(server.last.body))
    assert sizes[0] < sizes[1] / 2


@both_ways
def test_files_are_not_encoded_anew(call: Caller, server: RecordingServer) -> None:
    server.default = {"embeddings": [[1.0]]}
    client = InferenceHTTPClient(server.url).with_options(image_encoding="png")
    call(client, "get_clip_image_embeddings", b"GIF89a any")
    assert base64.b64decode(server.last.json["image"]["value"]) == b"GIF89a any"


@pytest.mark.parametrize("changes", [{"image_encoding": "gif"}, {"image_quality": 0}])
def test_encodings_that_there_are_not(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameterError):
        InferenceConfiguration(**changes)


@both_ways
@pytest.mark.parametrize("encoding", ["jpeg", "png"])
def test_infer_scales_down_and_back(call: Caller, encoding: str, server: RecordingServer) -> None:
    """Limits are the model's own; the answer comes in pixels of the image as it was given."""
    model = {"model_id": "m/1", "task_type": "object-detection", "input_height": 20}
    server.answer("/model/registry", {"models": [{**model, "input_width": 32}]})
    box = {"x": 16.0, "y": 10.0, "width": 8.0, "height": 4.0}
    server.answer(
        "/infer/object_detection", {"image": {"width": 32, "height": 20}, "predictions": [box]}
    )
    client = InferenceHTTPClient(server.url).with_options(
        client_downsizing_disabled=False, image_encoding=encoding
    )
    result = call(client, "infer", BGR, model_id="m/1")
    assert pixels_of(server.last.json["image"]["value"]).shape == (20, 32, 3)
    assert result["image"] == {"width": 64, "height": 40}
    assert result["predictions"] == [{"x": 32.0, "y": 20.0, "width": 16.0, "height": 8.0}]


def test_pillow_may_be_half_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """By another thread, as happens when the first images of all go side by side."""
    for module in (None, types.ModuleType("PIL.Image")):
        monkeypatch.setitem(sys.modules, "PIL.Image", module)  # type: ignore[arg-type]
        assert not image_inputs.is_pillow_image(BGR)


def from_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_in_memory(*arguments: Any) -> int:
        raise BlockingIOError

    monkeypatch.setattr(os, "preadv", not_in_memory)


@pytest.mark.skipif(not hasattr(os, "RWF_NOWAIT"), reason="reads without waiting on Linux only")
@pytest.mark.parametrize(
    "circumstance",
    [
        lambda patch: None,
        lambda patch: patch.delattr(os, "RWF_NOWAIT"),
        lambda patch: patch.setattr(preparing, "LARGEST_AT_ONCE", 3),
        lambda patch: patch.setattr(os, "preadv", lambda *arguments: 1),
        from_disk,
    ],
    ids=["in memory", "other system", "large", "partly in memory", "not in memory"],
)
def test_files_are_read_whole_wherever_they_are(
    circumstance: Callable[[pytest.MonkeyPatch], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"GIF89a")
    circumstance(monkeypatch)
    assert load(lambda: path) == [(GIF, None)]
