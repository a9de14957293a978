"""Outlines of masks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from inference_sdk.local.models import polygons


def _disc(radius: float, size: int = 64) -> np.ndarray:
    y, x = np.mgrid[:size, :size] + 0.5
    distance = np.hypot(x - size / 2, y - size / 2)
    return np.clip(0.5 + (radius - distance) / 4, 0, 1).astype(np.float32)


def test_a_full_mask_is_outlined_at_its_borders() -> None:
    outline = polygons.largest_outline(np.ones((4, 6), np.float32))
    assert polygons.bounds(outline).tolist() == [0, 0, 6, 4]


def test_a_disc_has_the_area_of_a_disc_finer_than_a_pixel() -> None:
    outline = polygons.largest_outline(_disc(20))
    assert polygons.enclosed_area(outline) == pytest.approx(np.pi * 20**2, rel=0.005)
    distances = np.hypot(*(outline - 32).T)
    assert np.abs(distances - 20).max() < 0.15


def test_a_hole_is_passed_over() -> None:
    ring = np.minimum(_disc(20), 1 - _disc(8))
    outline = polygons.largest_outline(ring)
    assert polygons.enclosed_area(outline) == pytest.approx(np.pi * 20**2, rel=0.005)


def test_of_two_parts_the_larger_is_outlined() -> None:
    shares = np.zeros((20, 20), np.float32)
    shares[1:3, 1:3] = 1
    shares[6:16, 8:18] = 1
    assert polygons.bounds(polygons.largest_outline(shares)) == pytest.approx([8, 6, 18, 16])


def test_nothing_above_one_half_has_no_outline() -> None:
    assert polygons.largest_outline(np.full((5, 5), 0.5, np.float32)).shape == (0, 2)


def test_a_single_pixel() -> None:
    shares = np.zeros((3, 3), np.float32)
    shares[1, 1] = 1
    outline = polygons.largest_outline(shares)
    assert sorted(map(tuple, outline.tolist())) == [(1, 1.5), (1.5, 1), (1.5, 2), (2, 1.5)]


def test_points_are_plain_numbers() -> None:
    assert polygons.points(np.array([[1, 2.5]], np.float32)) == [{"x": 1.0, "y": 2.5}]


@given(arrays(np.bool_, st.tuples(st.integers(1, 8), st.integers(1, 8))))
def test_outlines_less_holes_enclose_every_pixel_of_any_mask(mask: np.ndarray) -> None:
    walks = polygons._walks(mask)
    corners = [np.array(walk, np.float32).reshape(-1, 3)[:, :2] for walk in walks]
    assert sum(polygons.enclosed_area(walk) for walk in corners) == mask.sum()
