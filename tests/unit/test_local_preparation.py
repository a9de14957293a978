"""Pictures brought to a network's size, against arithmetic done another way: pixel by pixel."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference_sdk.local.models import preparation
from inference_sdk.local.models.preparation import GREY, IMAGENET, Preparation

SIDES = st.integers(1, 90)


def _picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * 100 + width).integers(
        0, 255, (height, width, 3), dtype=np.uint8
    )


def _mixed(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """Each pixel mixed of the four around the place it comes from, in plain loops."""
    out = np.empty((height, width, 3))
    for row in range(height):
        for column in range(width):
            y = min(max((row + 0.5) * image.shape[0] / height - 0.5, 0), image.shape[0] - 1)
            x = min(max((column + 0.5) * image.shape[1] / width - 0.5, 0), image.shape[1] - 1)
            top, left = int(y), int(x)
            bottom, right = min(top + 1, image.shape[0] - 1), min(left + 1, image.shape[1] - 1)
            upper = image[top, left] * (1 - (x - left)) + image[top, right] * (x - left)
            lower = image[bottom, left] * (1 - (x - left)) + image[bottom, right] * (x - left)
            out[row, column] = upper * (1 - (y - top)) + lower * (y - top)
    return out


@pytest.fixture(params=["opencv", "pillow"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    preparation._opencv.cache_clear()
    if request.param == "opencv":
        pytest.importorskip("cv2")
    else:
        monkeypatch.setitem(sys.modules, "cv2", None)
    yield request.param
    preparation._opencv.cache_clear()


@pytest.mark.parametrize(("height", "width"), [(7, 13), (40, 20), (32, 32), (9, 64), (1, 1)])
def test_letterbox(way: str, height: int, width: int) -> None:
    image = _picture(height, width)
    tensor, placement = Preparation(32, 32)(image)
    assert tensor.shape == (3, 32, 32)
    assert tensor.dtype == np.float32
    pixels = np.rint(tensor * 255).transpose(1, 2, 0)[..., ::-1]
    scale = 32 / max(height, width)
    inner_height, inner_width = max(round(height * scale), 1), max(round(width * scale), 1)
    top, left = (32 - inner_height) // 2, (32 - inner_width) // 2
    inner = pixels[top : top + inner_height, left : left + inner_width].copy()
    assert np.abs(inner - _mixed(image, inner_width, inner_height)).max() <= 1.6
    pixels[top : top + inner_height, left : left + inner_width] = GREY
    assert (pixels == GREY).all()
    assert placement.offset == (left, top)


@given(SIDES, SIDES, st.sampled_from(["letterbox", "stretch", "crop"]))
@settings(max_examples=40)
def test_boxes_come_back_to_where_they_were(height: int, width: int, fit: str) -> None:
    _, placement = Preparation(48, 64, fit=fit)(_picture(height, width))
    box = np.array([[0.0, 0.0, width, height]])
    there = box * np.tile(placement.scale, 2) + np.tile(placement.offset, 2)
    assert np.allclose(placement.boxes(there), box, atol=1e-3)
    if fit != "crop":
        assert (there >= -1e-6).all()
        assert (there <= np.array([64, 48, 64, 48]) + 1e-6).all()


def test_the_middle_is_cut_out() -> None:
    image = np.zeros((100, 200, 3), np.uint8)
    image[:, 50:150] = 255
    tensor, placement = Preparation(50, 50, fit="crop")(image)
    assert (tensor[..., 1:-1] == 1).all()  # at the edge a bit of the other half is mixed in
    assert placement.points(np.array([[0, 0], [50, 50]])).tolist() == [[50, 0], [150, 100]]
    smaller, placement = Preparation(40, 40, fit="crop", shorter_side=50)(image)
    assert (smaller == 1).all()
    assert placement.points(np.array([0, 0])).tolist() == [60, 10]


@pytest.mark.parametrize("channels_last", [False, True])
def test_values_and_axes(channels_last: bool) -> None:
    image = np.full((8, 8, 3), (30, 20, 10), np.uint8)
    prepare = Preparation(
        8, 8, "stretch", IMAGENET, channels_last=channels_last, dtype=np.dtype(np.float16)
    )
    tensor, _ = prepare(image)
    assert tensor.dtype == np.float16
    pixel = tensor[0, 0] if channels_last else tensor[:, 0, 0]
    red, green, blue = 10 / 255, 20 / 255, 30 / 255
    expected = [(red - 0.485) / 0.229, (green - 0.456) / 0.224, (blue - 0.406) / 0.225]
    assert pixel == pytest.approx(expected, abs=2e-3)


def test_grey_and_whole_numbers() -> None:
    image = np.full((8, 8, 3), (0, 0, 255), np.uint8)
    prepare = Preparation(8, 8, "stretch", preparation.BYTES, channels=1, dtype=np.dtype(np.uint8))
    tensor, _ = prepare(image)
    assert tensor.shape == (1, 8, 8)
    assert tensor.dtype == np.uint8
    assert tensor[0, 0, 0] == 76  # 0.299 of 255
