from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from inference_sdk.http.errors import EncodingError
from inference_sdk.http.utils.pre_processing import (
    determine_scaling_aspect_ratio,
    resize_opencv_image,
    resize_pillow_image,
)

SIDE = st.integers(min_value=1, max_value=400)


@pytest.mark.parametrize(
    ("height", "width", "max_height", "max_width", "expected"),
    [
        (100, 100, 100, 100, None),
        (50, 50, 100, 100, None),
        (200, 100, 100, 100, 0.5),
        (100, 400, 100, 100, 0.25),
        (1080, 1920, 540, 1920, 0.5),
    ],
)
def test_the_factor_is_none_unless_below_one(
    height: int, width: int, max_height: int, max_width: int, expected: float | None
) -> None:
    assert determine_scaling_aspect_ratio(height, width, max_height, max_width) == expected


@given(height=SIDE, width=SIDE, max_height=SIDE, max_width=SIDE, grey=st.booleans())
def test_resized_pictures_fit_and_keep_their_proportions(
    height: int, width: int, max_height: int, max_width: int, grey: bool
) -> None:
    array = np.zeros((height, width) if grey else (height, width, 3), dtype=np.uint8)
    resized, factor = resize_opencv_image(array, max_height, max_width)
    picture, same_factor = resize_pillow_image(Image.fromarray(array), max_height, max_width)

    assert factor == same_factor
    assert picture.size == resized.shape[1::-1]
    assert 1 <= resized.shape[0] <= max(max_height, 1)
    assert 1 <= resized.shape[1] <= max(max_width, 1)
    if factor is None:
        assert resized is array
    else:
        assert abs(resized.shape[0] - height * factor) < 1
        assert abs(resized.shape[1] - width * factor) < 1


@pytest.mark.parametrize("limits", [(None, None), (10, None), (None, 10)])
def test_both_limits_are_needed(limits: tuple[Any, Any]) -> None:
    array = np.zeros((100, 100), dtype=np.uint8)
    picture = Image.fromarray(array)
    assert resize_opencv_image(array, *limits) == (array, None)
    assert resize_pillow_image(picture, *limits) == (picture, None)


@pytest.mark.parametrize("shape", [(40, 60), (40, 60, 1), (40, 60, 3), (40, 60, 4)])
def test_dtype_and_channels_are_kept(shape: tuple[int, ...]) -> None:
    array = np.full(shape, 200, dtype=np.uint8)
    resized, factor = resize_opencv_image(array, 20, 30)
    assert (resized.shape, resized.dtype, factor) == ((20, 30, *shape[2:]), np.uint8, 0.5)
    assert (resized == 200).all()
    resized[:] = 0  # writable


def test_shrinking_averages_over_areas() -> None:
    checkers = np.indices((64, 64)).sum(axis=0).astype(np.uint8) % 2 * 200
    resized, _ = resize_opencv_image(checkers, 16, 16)
    assert (resized == 100).all()
    picture, _ = resize_pillow_image(Image.fromarray(checkers), 16, 16)
    assert (np.asarray(picture) == 100).all()


def test_channels_are_scaled_independently_of_alpha() -> None:
    array = np.zeros((20, 20, 4), dtype=np.uint8)
    array[..., :3] = (10, 20, 30)
    resized, _ = resize_opencv_image(array, 10, 10)
    assert (resized == (10, 20, 30, 0)).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint16, np.int32])
@pytest.mark.parametrize("shape", [(20, 30), (20, 30, 3), (20, 30, 1), (20, 30, 5)])
def test_dtype_channels_and_values_are_kept(dtype: Any, shape: tuple[int, ...]) -> None:
    array = np.empty(shape, dtype=dtype)
    array[:, :15], array[:, 15:] = 1000, 20
    resized, factor = resize_opencv_image(array, 10, 15)
    assert (resized.dtype, resized.shape, factor) == (dtype, (10, 15, *shape[2:]), 0.5)
    assert (resized[:, :7] == 1000).all()
    assert (resized[:, 8:] == 20).all()


def test_flags_become_black_and_white() -> None:
    resized, _ = resize_opencv_image(np.ones((20, 20), dtype=bool), 10, 10)
    assert (resized.dtype, resized.max()) == (np.uint8, 255)


def test_an_array_of_no_numbers_is_refused() -> None:
    with pytest.raises(EncodingError, match="complex64"):
        resize_opencv_image(np.ones((20, 20), dtype=np.complex64), 10, 10)


@pytest.mark.parametrize("shape", [(), (10,), (0, 10, 3)])
def test_arrays_that_are_no_pictures_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(EncodingError, match="is no image"):
        resize_opencv_image(np.zeros(shape, dtype=np.uint8), 10, 10)


def test_pil_images_are_measured_and_scaled_upright() -> None:
    stored = Image.new("RGB", (200, 100))
    stored.getexif()[0x0112] = 6  # shown 100 wide and 200 high
    picture, factor = resize_pillow_image(stored, 100, 1000)
    assert (picture.size, factor) == ((50, 100), 0.5)
    same, none = resize_pillow_image(stored, 200, 100)
    assert (same is stored, none) == (True, None)


def test_palettes_are_scaled_as_colours() -> None:
    pixels = np.indices((20, 20)).sum(axis=0) % 2
    checkers = Image.fromarray(pixels.astype(np.uint8)).convert("P")
    checkers.putpalette([0, 0, 0, 200, 100, 50])
    picture, _ = resize_pillow_image(checkers, 10, 10)
    assert picture.mode == "RGB"
    assert picture.getpixel((3, 3)) == (100, 50, 25)


def test_an_empty_pil_image_is_left_alone() -> None:
    empty = Image.new("RGB", (0, 10))
    assert resize_pillow_image(empty, 5, 5) == (empty, None)
