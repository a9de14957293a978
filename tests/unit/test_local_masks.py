"""Masks and oriented boxes, each against the same computed another way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as of_numpy
from PIL import Image, ImageDraw

from inference_sdk.local.models import masks, rotated
from inference_sdk.local.models.preparation import Placement


def _decode(counts: str, size: list[int]) -> np.ndarray:
    """COCO's runs, read as its documentation has them."""
    runs: list[int] = []
    place = 0
    while place < len(counts):
        number, shift, more = 0, 0, True
        while more:
            bits = ord(counts[place]) - 48
            number |= (bits & 0x1F) << shift
            more = bool(bits & 0x20)
            place, shift = place + 1, shift + 5
        if bits & 0x10:
            number -= 1 << shift
        runs.append(number + runs[-2] if len(runs) > 2 else number)
    values = np.concatenate([np.full(run, index % 2, bool) for index, run in enumerate(runs)])
    return values.reshape(size[::-1]).T


@given(of_numpy.arrays(bool, st.tuples(st.integers(1, 40), st.integers(1, 40))))
@settings(max_examples=60)
def test_runs_hold_every_pixel(bitmap: np.ndarray) -> None:
    runs = masks.rle(bitmap)
    assert (_decode(runs["counts"], runs["size"]) == bitmap).all()


def test_long_runs() -> None:
    bitmap = np.zeros((700, 900), bool)
    bitmap[100:600, 200:800] = True
    runs = masks.rle(bitmap)
    assert (_decode(runs["counts"], runs["size"]) == bitmap).all()


def test_a_mask_is_mixed_of_prototypes_and_cut_to_its_box() -> None:
    rng = np.random.default_rng(0)
    prototypes = rng.normal(size=(4, 20, 20)).astype(np.float32)
    coefficients = rng.normal(size=(1, 4)).astype(np.float32)
    box = np.array([12.0, 20, 60, 52], np.float32)
    cutting = masks.from_prototypes(coefficients, prototypes, (80, 80)).cut(0, box)
    # The other way: all of it, enlarged by Pillow, then cut.
    shares = 1 / (1 + np.exp(-np.einsum("m,mhw->hw", coefficients[0], prototypes)))
    large = np.asarray(Image.fromarray(shares).resize((80, 80), Image.Resampling.BILINEAR))
    expected = large > 0.5
    got = cutting.bitmap(Placement((1, 1), (0, 0), 80, 80))
    inside = np.s_[22:50, 14:58]  # at the border of the box the two mix otherwise
    assert (got[inside] == expected[inside]).mean() > 0.995
    outside = got.copy()
    outside[20:52, 12:60] = False
    assert not outside.any()


def test_outline_and_bitmap_are_of_one_mask() -> None:
    shares = np.zeros((16, 16), np.float32)
    shares[4:12, 6:14] = 1
    cutting = masks.Masks(lambda _: shares, (64, 64), whole=True).cut(0, np.zeros(4, np.float32))
    placement = Placement((0.5, 0.5), (0, 8), 128, 96)
    bitmap = cutting.bitmap(placement)
    drawn = Image.new("1", (128, 96))
    outline = cutting.outline(placement)
    ImageDraw.Draw(drawn).polygon([tuple(point - 0.5) for point in outline.tolist()
                                   and outline], fill=1)  # fmt: skip
    both = np.asarray(drawn) & bitmap
    assert both.sum() / (np.asarray(drawn) | bitmap).sum() > 0.93


def _bhattacharyya(first: np.ndarray, second: np.ndarray) -> float:
    """What two normal distributions have in common, summed up over a fine grid."""
    step = 0.25
    x, y = np.meshgrid(np.arange(-80, 80, step), np.arange(-80, 80, step))

    def density(box: np.ndarray) -> np.ndarray:
        turned_x = (x - box[0]) * np.cos(box[4]) + (y - box[1]) * np.sin(box[4])
        turned_y = -(x - box[0]) * np.sin(box[4]) + (y - box[1]) * np.cos(box[4])
        wide, high = box[2] / 12**0.5, box[3] / 12**0.5
        return np.exp(-(((turned_x / wide) ** 2 + (turned_y / high) ** 2) / 2)) / (
            2 * np.pi * wide * high
        )

    return float(np.sqrt(density(first) * density(second)).sum() * step**2)


@pytest.mark.parametrize(
    "other", [[3, 0, 20, 10, 0.3], [0, 0, 20, 10, 1.9], [30, 20, 12, 12, 0], [1, 1, 30, 9, 0.3]]
)
def test_what_oriented_boxes_share(other: list[float]) -> None:
    first, second = np.array([0, 0, 20, 10, 0.3], np.float32), np.array(other, np.float32)
    expected = 1 - np.sqrt(1 - _bhattacharyya(first, second))
    assert rotated.overlap(first, second[None])[0] == pytest.approx(expected, abs=2e-3)


def test_a_box_is_like_itself_and_its_half_turn() -> None:
    box = np.array([5, 6, 20, 10, 0.3], np.float32)
    turned = box + np.array([0, 0, 0, 0, np.pi], np.float32)
    assert rotated.overlap(box, np.stack([box, turned])) == pytest.approx(1, abs=2e-3)


def test_corners_and_bounds() -> None:
    box = np.array([[10, 10, 8, 4, np.pi / 6]], np.float32)
    (corners,) = rotated.corners(box)
    assert np.linalg.norm(corners[0] - corners[1]) == pytest.approx(4, abs=1e-4)
    assert np.linalg.norm(corners[1] - corners[2]) == pytest.approx(8, abs=1e-4)
    (bounds,) = rotated.bounds(box)
    assert (bounds[:2] + bounds[2:]) / 2 == pytest.approx((10, 10))
    assert bounds[2] - bounds[0] == pytest.approx(8 * np.cos(np.pi / 6) + 4 * 0.5, abs=1e-3)
