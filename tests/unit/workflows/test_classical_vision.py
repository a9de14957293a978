"""Blocks that transform and measure pictures, with values worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.workflows import Steps, picture, run, spec, step

IMAGE = {"image": "$inputs.image"}


def ramp() -> Any:
    """Columns of 0, 50, 100, 150, 200."""
    return np.tile(np.repeat(np.arange(0, 250, 50, np.uint8), 2)[None, :, None], (10, 1, 3))


def blobs() -> Any:
    """Two white rectangles on black: 20 x 10 and 10 x 30 pixels."""
    pixels = np.zeros((60, 80, 3), np.uint8)
    pixels[5:15, 10:30] = 255
    pixels[20:50, 50:60] = 255
    return pixels


def test_slices_row_by_row_with_the_last_smaller_or_moved_inside() -> None:
    fields = {"slice_width": 60, "slice_height": 50, "overlap_ratio_width": 0.5}
    slices = step("image_slicer@v1", "s", **IMAGE, overlap_ratio_height=0, **fields)
    (old,) = run(spec(slices, s="$steps.s.slices"), image=picture(100, 100))
    places = [(tile.lineage.parent.x, tile.lineage.parent.y, *tile.size) for tile in old["s"]]
    row = [(0, 60), (30, 60), (60, 40), (90, 10)]
    assert places == [(x, y, width, 50) for y in (0, 50) for x, width in row]
    moved = {**slices, "type": "roboflow_core/image_slicer@v2"}
    (new,) = run(spec(moved, s="$steps.s.slices"), image=picture(100, 100))
    places = [(tile.lineage.parent.x, tile.lineage.parent.y, *tile.size) for tile in new["s"]]
    assert places == [(x, y, 60, 50) for y in (0, 50) for x in (0, 30, 40)]


@pytest.mark.parametrize(
    ("fields", "shape", "first"),
    [
        ({"task_type": "resize", "width": 20, "height": 5}, (5, 20, 3), 0),
        ({"task_type": "rotate", "rotation_degrees": 180}, (10, 10, 3), 200),
        ({"task_type": "flip", "flip_type": "horizontal"}, (10, 10, 3), 200),
        ({"task_type": "flip", "flip_type": "vertical"}, (10, 10, 3), 0),
    ],
)
def test_preprocessing(fields: Any, shape: Any, first: int) -> None:
    pixels = Steps("image_preprocessing@v1", **IMAGE, **fields)(image=picture(pixels=ramp()))
    assert pixels["image"].pixels.shape == shape
    assert abs(int(pixels["image"].pixels[2, 1, 0]) - first) <= 5


def test_a_rotated_canvas_grows() -> None:
    turned = Steps("image_preprocessing@v1", **IMAGE, task_type="rotate", rotation_degrees=90)(
        image=picture(40, 20)
    )
    assert turned["image"].size == (20, 40)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("binary", [0, 0, 90, 90, 90]),
        ("binary_inv", [90, 90, 0, 0, 0]),
        ("trunc", [0, 50, 80, 80, 80]),
        ("tozero", [0, 0, 100, 150, 200]),
        ("tozero_inv", [0, 50, 0, 0, 0]),
    ],
)
def test_thresholds(kind: str, expected: list[int]) -> None:
    threshold = Steps("threshold@v1", **IMAGE, threshold_type=kind, thresh_value=80, max_value=90)
    assert threshold(image=picture(pixels=ramp()))["image"].pixels[0, ::2, 0].tolist() == expected


def test_otsu_finds_the_level_between_two_heaps() -> None:
    pixels = np.full((10, 10, 3), 40, np.uint8)
    pixels[:, 5:] = 220
    done = Steps("threshold@v1", **IMAGE, threshold_type="otsu", thresh_value=250)(
        image=picture(pixels=pixels)
    )
    assert done["image"].pixels[0].tolist() == [0] * 5 + [255] * 5


def test_contours_are_drawn_and_counted() -> None:
    outputs = Steps("contours_detection@v1", **IMAGE, line_thickness=1)(
        image=picture(pixels=blobs())
    )
    assert outputs["number_contours"] == 2
    corners = sorted(contour.reshape(-1, 2).tolist() for contour in outputs["contours"])
    assert corners[0] == [[10, 5], [10, 14], [29, 14], [29, 5]]
    assert outputs["image"].pixels[5, 10].tolist() == [255, 0, 255]
    assert outputs["hierarchy"].shape == (1, 2, 4)


@pytest.mark.parametrize(
    ("version", "operation", "white"),
    [
        ("v1", "Erosion", 18 * 8 + 8 * 28),
        ("v1", "Dilation", 22 * 12 + 12 * 32),
        ("v1", "Opening", 20 * 10 + 10 * 30),
        ("v1", "Gradient", 22 * 12 + 12 * 32 - 18 * 8 - 8 * 28),
        ("v2", "Erosion", 18 * 8 + 8 * 28),
        ("v2", "Opening then Closing", 20 * 10 + 10 * 30),
        ("v2", "Top Hat", 0),
    ],
)
def test_morphology(version: str, operation: str, white: int) -> None:
    outputs = Steps(
        f"morphological_transformation@{version}", **IMAGE, operation=operation, kernel_size=3
    )(image=picture(pixels=blobs()))
    assert outputs["image"].pixels.ndim == (2 if version == "v1" else 3)
    assert int((outputs["image"].gray > 0).sum()) == white


def test_equalised_contrast_spreads_values_over_the_whole_range() -> None:
    pixels = np.kron(ramp() // 5 + 100, np.ones((16, 16, 1), np.uint8))  # 100 to 140
    for kind in ("Contrast Stretching", "Histogram Equalization", "Adaptive Equalization"):
        done = Steps("contrast_equalization@v1", **IMAGE, equalization_type=kind)(
            image=picture(pixels=pixels)
        )["image"].pixels
        assert int(done.max()) - int(done.min()) > 30, kind
    stretched = Steps("contrast_equalization@v1", **IMAGE, equalization_type="Contrast Stretching")
    done = stretched(image=picture(pixels=pixels))["image"].pixels
    assert done[0, ::32, 0].tolist() == [0, 63, 127, 191, 255]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, [0, 63, 127, 191, 255]),
        ({"contrast_multiplier": 2.0}, [0, 0, 127, 255, 255]),
        ({"contrast_multiplier": 0.5}, [63, 95, 127, 159, 191]),
        ({"normalize_brightness": True}, [0, 87, 149, 204, 255]),
    ],
)
def test_enhanced_contrast(fields: Any, expected: list[int]) -> None:
    done = Steps("contrast_enhancement@v1", **IMAGE, **fields)(image=picture(pixels=ramp()))
    assert done["image"].pixels[0, ::2, 0].tolist() == expected


@pytest.mark.parametrize("colour", ["#ff8000", "(255, 128, 0)", [255, 128, 0]])
def test_pixels_of_a_colour_are_counted(colour: Any) -> None:
    pixels = np.zeros((4, 5, 3), np.uint8)
    pixels[0, :3] = (0, 128, 255)  # BGR
    pixels[1, 0] = (5, 120, 250)
    count = Steps("pixel_color_count@v1", **IMAGE, target_color=colour, tolerance=8)
    assert count(image=picture(pixels=pixels)) == {"matching_pixels_count": 4}


def test_the_dominant_colour_is_that_of_most_pixels() -> None:
    pixels = np.full((20, 20, 3), (30, 20, 10), np.uint8)  # BGR
    pixels[:5] = (200, 200, 200)
    dominant = Steps("dominant_color@v1", **IMAGE, color_clusters=2)
    assert dominant(image=picture(pixels=pixels)) == {"rgb_color": (10, 20, 30)}


def test_templates_are_found_where_they_fit() -> None:
    scene = np.random.default_rng(0).integers(0, 255, (40, 60, 3)).astype(np.uint8)
    template = scene[10:20, 30:45].copy()
    match = Steps("template_matching@v1", **IMAGE, template="$inputs.template")
    outputs = match(image=picture(pixels=scene), template=picture(pixels=template))
    assert outputs["number_of_matches"] == 1
    assert outputs["predictions"].xyxy.tolist() == [[30, 10, 45, 20]]
    assert outputs["predictions"].class_name.tolist() == ["template_match"]


def textured(shift: int = 0) -> Any:
    import cv2

    noise = np.random.default_rng(1).integers(0, 255, (30, 40)).astype(np.uint8)
    large = cv2.resize(noise, (240, 180), interpolation=cv2.INTER_CUBIC)
    return np.dstack([np.roll(large, shift, axis=1)] * 3)


def test_a_picture_has_as_many_good_matches_with_itself_as_points() -> None:
    sift = Steps("sift@v1", **IMAGE)(image=picture(pixels=textured()))
    points = len(sift["keypoints"])
    assert sift["descriptors"].shape == (points, 128)
    assert set(sift["keypoints"][0]) == {"pt", "size", "angle", "response", "octave", "class_id"}
    compare = Steps("sift_comparison@v2", input_1="$inputs.a", input_2="$inputs.b", visualize=True)
    same = compare(a=picture(pixels=textured()), b=picture(pixels=textured()))
    assert same["images_match"] is True
    assert same["good_matches_count"] > points * 0.9
    assert same["visualization_matches"].size == (480, 180)
    other = compare(a=picture(pixels=textured()), b=picture(240, 180))
    assert (other["images_match"], other["good_matches_count"]) == (False, 0)
    descriptors = sift["descriptors"].tolist()
    old = Steps(
        "sift_comparison@v1",
        kinds={"a": "numpy_array", "b": "numpy_array"},
        descriptor_1="$inputs.a",
        descriptor_2="$inputs.b",
    )
    assert old(a=[descriptors], b=[descriptors])["images_match"] is True
