from __future__ import annotations

import base64
import contextlib
import inspect
import io
import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpy_strategies
from PIL import Image

from inference_sdk.http.errors import EncodingError
from inference_sdk.http.utils import encoding
from inference_sdk.http.utils.encoding import (
    bytes_to_opencv_image,
    bytes_to_pillow_image,
    decode_base_64,
    encode_base_64,
    encode_image,
    numpy_array_to_base64_jpeg,
    pillow_image_to_base64_jpeg,
)
from inference_sdk.http.utils.image_codec import pillow_to_bgr

RED_BGR, GREEN_BGR, BLUE_BGR = (0, 0, 255), (0, 255, 0), (255, 0, 0)
ORIENTATION = 0x0112


def flat(color: tuple[int, ...], height: int = 16, width: int = 24) -> np.ndarray[Any, Any]:
    return np.full((height, width, len(color)), color, dtype=np.uint8)


def decoded(payload: bytes) -> np.ndarray[Any, Any]:
    return bytes_to_opencv_image(payload)


def file_bytes(image: Image.Image, format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=format, **options)
    return buffer.getvalue()


def halves() -> Image.Image:
    """Grey, 4 high and 6 wide, the left half black and the right white."""
    pixels = np.zeros((4, 6), dtype=np.uint8)
    pixels[:, 3:] = 255
    return Image.fromarray(pixels)


# -- base64 ------------------------------------------------------------------------------------


@given(st.binary())
def test_base64_round_trip(payload: bytes) -> None:
    text = encode_base_64(payload)
    assert text == base64.b64encode(payload).decode()
    assert decode_base_64(text) == payload
    assert decode_base_64(f"data:image/png;base64,{text}") == payload
    assert decode_base_64(base64.encodebytes(payload).decode()) == payload


@pytest.mark.parametrize("text", ["abcde", "a$b=", "é===", "data:image/png"])
def test_text_that_is_not_base64_is_refused(text: str) -> None:
    with pytest.raises(EncodingError, match="not base64"):
        decode_base_64(text)


# -- arrays ------------------------------------------------------------------------------------

SIDES = st.integers(min_value=1, max_value=24)
SHAPES = st.one_of(
    st.tuples(SIDES, SIDES),
    st.tuples(SIDES, SIDES, st.sampled_from([3, 4])),
)


@given(image=numpy_strategies.arrays(np.uint8, SHAPES))
def test_png_is_lossless(image: np.ndarray[Any, Any]) -> None:
    np.testing.assert_array_equal(decoded(encode_image(image, "png")), image)


def test_a_single_channel_is_grey() -> None:
    image = np.arange(48, dtype=np.uint8).reshape(6, 8, 1)
    np.testing.assert_array_equal(decoded(encode_image(image, "png")), image[..., 0])


@pytest.mark.parametrize("format", ["jpeg", "webp"])
@pytest.mark.parametrize("color", [RED_BGR, GREEN_BGR, BLUE_BGR])
def test_arrays_are_read_as_bgr(format: str, color: tuple[int, int, int]) -> None:
    payload = encode_image(flat(color), format)
    assert Image.open(io.BytesIO(payload)).format == format.upper()
    assert np.abs(decoded(payload).astype(int) - color).max() < 8


def test_views_that_are_not_contiguous_are_encoded_as_they_look() -> None:
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    view = image[2:18:2, ::-1]
    np.testing.assert_array_equal(decoded(encode_image(view, "png")), view)


def test_jpeg_drops_alpha_and_keeps_the_colours_under_it() -> None:
    transparent_red = flat((*RED_BGR, 0))
    assert np.abs(decoded(encode_image(transparent_red)).astype(int) - RED_BGR).max() < 8
    np.testing.assert_array_equal(decoded(encode_image(transparent_red, "png")), transparent_red)


@pytest.mark.parametrize(
    ("dtype", "values", "expected"),
    [
        ("bool", [False, True], [0, 255]),
        ("uint16", [0, 255, 256, 65535], [0, 0, 1, 255]),
        (">u2", [256, 65535], [1, 255]),
        ("float16", [0, 0.5, 1], [0, 128, 255]),
        ("float32", [0, 0.2, 1], [0, 51, 255]),
        ("float64", [0, 0.999, 1], [0, 255, 255]),
    ],
)
def test_other_dtypes_are_converted_as_documented(
    dtype: str, values: list[float], expected: list[int]
) -> None:
    image = np.array([values], dtype=dtype)
    np.testing.assert_array_equal(decoded(encode_image(image, "png")), [expected])


@pytest.mark.parametrize("value", [1.01, -0.01, float("nan"), float("inf"), 255.0])
def test_floats_outside_of_0_to_1_are_refused(value: float) -> None:
    with pytest.raises(EncodingError, match=r"float32.*0\.\.1.*astype"):
        encode_image(np.full((4, 4), value, dtype=np.float32))


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "uint32", "complex64", "O"])
def test_ambiguous_dtypes_are_refused_by_name(dtype: str) -> None:
    with pytest.raises(EncodingError, match=r"dtype (\w+) \(shape \(4, 5, 3\)\).*astype"):
        encode_image(np.zeros((4, 5, 3), dtype=dtype))


@pytest.mark.parametrize(
    "shape", [(), (5,), (4, 5, 2), (4, 5, 5), (1, 4, 5, 3), (0, 5, 3), (4, 0), (4, 5, 0)]
)
def test_other_shapes_are_refused_by_name(shape: tuple[int, ...]) -> None:
    with pytest.raises(EncodingError, match=r"An array of shape \(.*\) and dtype uint8"):
        encode_image(np.zeros(shape, dtype=np.uint8))


def test_channels_first_are_refused_with_the_remedy() -> None:
    with pytest.raises(EncodingError, match=r"image\.transpose\(1, 2, 0\)"):
        encode_image(np.zeros((3, 48, 64), dtype=np.uint8))


def test_unknown_encodings_are_refused() -> None:
    with pytest.raises(EncodingError, match="jpeg, png, webp"):
        encode_image(flat(RED_BGR), "gif")


def test_a_picture_too_large_for_its_encoding_is_refused() -> None:
    with pytest.raises(EncodingError, match="70000x1 cannot be written as jpeg"):
        encode_image(np.zeros((1, 70000), dtype=np.uint8))


def test_quality_counts() -> None:
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    for name in ("jpeg", "webp"):
        assert len(encode_image(image, name, quality=30)) < len(encode_image(image, name))


def test_base64_jpeg_of_an_array() -> None:
    payload = decode_base_64(numpy_array_to_base64_jpeg(flat(RED_BGR)))
    assert payload.startswith(b"\xff\xd8")
    assert np.abs(decoded(payload).astype(int) - RED_BGR).max() < 8


# -- PIL images --------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX"])
def test_pil_images_of_every_mode_become_jpeg(mode: str) -> None:
    white = Image.new("RGBA", (16, 16), "white").convert("LA" if "La" in mode else "RGBA")
    payload = decode_base_64(pillow_image_to_base64_jpeg(white.convert(mode)))
    result = decoded(payload)
    assert result.shape[:2] == (16, 16)
    assert result.min() > 250


def test_a_palette_is_sent_as_its_colours() -> None:
    red = Image.new("RGB", (16, 16), (255, 0, 0)).convert("P", palette=Image.Palette.ADAPTIVE)
    np.testing.assert_array_equal(decoded(encode_image(red, "png")), flat(RED_BGR, 16, 16))


def test_a_transparent_palette_keeps_its_transparency_in_png() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.putpixel((1, 0), 1)
    image.info["transparency"] = 0
    result = decoded(encode_image(image, "png"))
    np.testing.assert_array_equal(result, [[(*RED_BGR, 0), (*GREEN_BGR, 255)]])


def test_cmyk_is_sent_as_its_colours() -> None:
    cyan = Image.new("CMYK", (8, 8), (255, 0, 0, 0))
    np.testing.assert_array_equal(decoded(encode_image(cyan, "png")), flat((255, 255, 0), 8, 8))


@pytest.mark.parametrize("mode", ["I;16", "I;16B"])
def test_16_bit_images_are_sent_as_their_high_bytes(mode: str) -> None:
    values = np.array([[0, 256, 65535]], dtype=">u2" if mode.endswith("B") else "<u2")
    image = Image.frombytes(mode, (3, 1), values.tobytes())
    np.testing.assert_array_equal(decoded(encode_image(image, "png")), [[0, 1, 255]])


def test_mode_i_is_refused_unless_it_is_a_png_file() -> None:
    image = Image.fromarray(np.array([[0, 256, 65535]], dtype=np.int32))
    assert image.mode == "I"
    with pytest.raises(EncodingError, match=r"mode 'I'.*convert"):
        encode_image(image)
    image.format = "PNG"  # as Pillow before 11 opens PNG of 16 bits
    np.testing.assert_array_equal(decoded(encode_image(image, "png")), [[0, 1, 255]])


def test_mode_f_follows_the_rule_for_floats() -> None:
    unit = Image.fromarray(np.array([[0, 0.2, 1]], dtype=np.float32))
    np.testing.assert_array_equal(decoded(encode_image(unit, "png")), [[0, 51, 255]])
    with pytest.raises(EncodingError, match=r"0\.\.1"):
        encode_image(Image.fromarray(np.array([[0, 200]], dtype=np.float32)))


def test_a_closed_file_is_refused() -> None:
    image = Image.open(io.BytesIO(file_bytes(halves(), "PNG")))
    image.fp.close()
    with pytest.raises(EncodingError, match="mode 'L' cannot be read"):
        encode_image(image)


def test_an_empty_pil_image_is_refused() -> None:
    with pytest.raises(EncodingError, match=r"\(0, 3\) has no pixels"):
        encode_image(Image.new("RGB", (0, 3)))


def test_a_truncated_file_held_as_pil_image_is_refused() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    image = Image.open(io.BytesIO(encode_image(noise)[:-2000]))
    with pytest.raises(EncodingError, match="cannot be read"):
        encode_image(image)


# -- orientation -------------------------------------------------------------------------------


def stored_as(orientation: int) -> Image.Image:
    """How a camera that is held so stores `halves()`."""
    turn = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    return halves() if turn is None else halves().transpose(turn)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_path_shows_the_upright_picture(orientation: int) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    payload = file_bytes(stored_as(orientation), "PNG", exif=exif)
    expected = np.asarray(halves())

    np.testing.assert_array_equal(bytes_to_opencv_image(payload), expected)
    np.testing.assert_array_equal(np.asarray(bytes_to_pillow_image(payload)), expected)
    opened = Image.open(io.BytesIO(payload))
    np.testing.assert_array_equal(pillow_to_bgr(opened)[..., 0], expected)
    sent = encode_image(Image.open(io.BytesIO(payload)), "png")
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(sent))), expected)
    again = encode_image(bytes_to_pillow_image(payload), "png")
    np.testing.assert_array_equal(decoded(again), expected)


def test_broken_exif_does_not_cost_the_picture() -> None:
    payload = file_bytes(halves(), "PNG", exif=b"Exif\x00\x00not a tiff header")
    np.testing.assert_array_equal(bytes_to_opencv_image(payload), np.asarray(halves()))


# -- decoding ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "format", "shape"),
    [
        ("1", "PNG", (4, 6)),
        ("L", "PNG", (4, 6)),
        ("L", "JPEG", (4, 6)),
        ("LA", "PNG", (4, 6, 4)),
        ("P", "GIF", (4, 6, 3)),
        ("RGB", "BMP", (4, 6, 3)),
        ("RGBA", "PNG", (4, 6, 4)),
        ("CMYK", "JPEG", (4, 6, 3)),
        ("I;16", "PNG", (4, 6)),
    ],
)
def test_channels_are_kept_as_stored(mode: str, format: str, shape: tuple[int, ...]) -> None:
    picture = Image.new("I;16", (6, 4)) if mode == "I;16" else halves().convert("RGB").convert(mode)
    image = bytes_to_opencv_image(file_bytes(picture, format))
    assert (image.shape, image.dtype) == (shape, np.uint16 if mode == "I;16" else np.uint8)
    image[:] = 0  # writable: people draw on what they get


def test_maps_of_16_bits_keep_their_values() -> None:
    values = np.linspace(0, 65535, 24).astype(np.uint16).reshape(4, 6)
    image = bytes_to_opencv_image(file_bytes(Image.fromarray(values), "PNG"))
    assert (image == values).all()


def test_the_dtype_of_the_result_may_be_chosen() -> None:
    image = bytes_to_opencv_image(file_bytes(halves(), "PNG"), array_type=np.float32)  # type: ignore[arg-type]
    assert image.dtype == np.float32
    assert image.max() == 255


def test_pil_images_keep_their_mode() -> None:
    assert bytes_to_pillow_image(file_bytes(halves().convert("P"), "PNG")).mode == "P"


@pytest.mark.parametrize("decode", [bytes_to_opencv_image, bytes_to_pillow_image])
@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"no image",
        b"\xff\xd8\xff\xe0",
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    ],
)
def test_what_is_no_image_is_refused(decode: Any, payload: bytes) -> None:
    with pytest.raises(EncodingError, match=f"{len(payload)} bytes cannot be decoded"):
        decode(payload)


@pytest.mark.parametrize("format", ["jpeg", "png", "webp"])
@given(data=st.data())
def test_truncated_images_are_refused(format: str, data: st.DataObject) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    payload = encode_image(noise, format)
    # The last bytes of a PNG are a marker without content.
    end = data.draw(st.integers(min_value=0, max_value=len(payload) - 64))
    with pytest.raises(EncodingError):
        bytes_to_opencv_image(payload[:end])


# Some claim to be large, and are made so: up to the limit of pixels that takes a second.
@settings(deadline=None)
@given(data=st.data(), format=st.sampled_from(["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"]))
def test_damaged_images_are_decoded_or_refused(data: st.DataObject, format: str) -> None:
    payload = bytearray(file_bytes(halves().convert("RGB"), format))
    for _ in range(data.draw(st.integers(min_value=1, max_value=8))):
        position = data.draw(st.integers(min_value=0, max_value=len(payload) - 1))
        payload[position] = data.draw(st.integers(min_value=0, max_value=255))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Pillow's, about metadata
        with contextlib.suppress(EncodingError):
            bytes_to_opencv_image(bytes(payload))


def test_decompression_bombs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    payload = file_bytes(Image.new("L", (100, 100)), "PNG")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(EncodingError, match="decompression bomb"):
        bytes_to_opencv_image(payload)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "I;16"])
def test_any_picture_has_three_channels_when_asked(mode: str) -> None:
    image = pillow_to_bgr(halves().convert(mode))
    assert (image.shape, image.dtype) == ((4, 6, 3), np.dtype("uint8"))
    if mode != "I;16":  # Pillow's conversion leaves these values in the low byte
        np.testing.assert_array_equal(image[..., 0], np.asarray(halves()))
    image[:] = 0


# -- the module --------------------------------------------------------------------------------


def test_base64_needs_neither_numpy_nor_pillow() -> None:
    program = (
        "import sys\n"
        "from inference_sdk.http.utils.encoding import decode_base_64, encode_base_64\n"
        "assert decode_base_64(encode_base_64(b'x')) == b'x'\n"
        "assert not {'numpy', 'PIL', 'requests', 'aiohttp'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)


def test_the_signature_of_the_lazy_name_is_the_documented_one() -> None:
    array_type = inspect.signature(encoding.bytes_to_opencv_image).parameters["array_type"]
    assert array_type.default is np.uint8
    with pytest.raises(AttributeError, match="no_such_name"):
        encoding.no_such_name  # noqa: B018
