"""Blocks that read codes, measure, watch and straighten, with values worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from inference_sdk.local import ModelStore
from inference_sdk.local.workflows import Services
from inference_sdk.local.workflows.errors import WorkflowError
from tests.unit.workflows.test_classical_vision import textured
from tests.workflows import Steps, box, found, picture, run, spec

SEGMENTS = "instance_segmentation_prediction"


def outline(*points: tuple[float, float]) -> list[dict[str, float]]:
    return [{"x": x, "y": y} for x, y in points]


def a_rectangle(left: int, top: int, right: int, bottom: int, **more: Any) -> dict[str, Any]:
    """A prediction whose mask fills its box; edges are pixels of it."""
    corners = outline((left, top), (right, top), (right, bottom), (left, bottom))
    middle = ((left + right) / 2, (top + bottom) / 2)
    return box(*middle, right - left, bottom - top, points=corners, **more)


# --- Codes --------------------------------------------------------------------------------------


def test_a_code_that_was_made_can_be_read() -> None:
    make = Steps("QRCodeGenerator", text="$inputs.text", border=4)
    code = make(text="hello")["qr_code"]
    assert code.size == (290, 290)  # 21 modules and two borders of 4, of 10 pixels each
    read = Steps("qr_code_detector@v1", images="$inputs.image")(image=code)["predictions"]
    assert read.columns["data"].tolist() == ["hello"]
    assert read.class_name.tolist() == ["qr_code"]
    assert np.abs(read.xyxy - [[40, 40, 249, 249]]).max() <= 2
    bars = Steps("barcode_detector@v1", images="$inputs.image")
    assert bars.wire(image=code)["predictions"]["predictions"][0]["data"] == "hello"


def test_bar_codes_are_read_and_are_no_qr_codes() -> None:
    zxingcpp = pytest.importorskip("zxingcpp")
    drawn = np.asarray(
        zxingcpp.write_barcode_to_image(
            zxingcpp.create_barcode("4006381333931", zxingcpp.BarcodeFormat.EAN13), scale=3
        )
        if hasattr(zxingcpp, "create_barcode")
        else zxingcpp.write_barcode(zxingcpp.BarcodeFormat.EAN13, "4006381333931", 300, 100)
    )
    image = picture(pixels=np.dstack([np.pad(drawn, 30, constant_values=255)] * 3))
    found_bars = Steps("barcode_detector@v1", images="$inputs.image")(image=image)["predictions"]
    assert found_bars.columns["data"].tolist() == ["4006381333931"]
    assert (
        len(Steps("qr_code_detector@v1", images="$inputs.image")(image=image)["predictions"]) == 0
    )


def test_a_code_in_colours() -> None:
    make = Steps(
        "qr_code_generator@v1", text="a", border=1, fill_color="#ff0000", back_color="blue"
    )
    pixels = make()["qr_code"].pixels
    assert pixels[0, 0].tolist() == [255, 0, 0]  # BGR: the blue of the border
    assert pixels[10, 10].tolist() == [0, 0, 255]  # the red of the first corner


# --- Measures -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dimensions", ["4.0,3.0", [4, 3]])
def test_sizes_in_units_of_a_reference(dimensions: Any) -> None:
    measure = Steps(
        "size_measurement@v1",
        object_predictions="$inputs.det",
        reference_predictions="$inputs.ref",
        reference_dimensions=dimensions,
    )
    reference = found(box(50, 50, 20, 30, confidence=0.4), box(50, 50, 40, 60, confidence=0.9))
    (size,) = measure(det=found(box(30, 30, 20, 40)), ref=reference)["dimensions"]
    assert size == {"width": 2.0, "height": 2.0, "longer": 2.0, "shorter": 2.0}
    assert measure(det=found(), ref=found()) == {"dimensions": None}


def test_the_reference_may_be_a_polygon() -> None:
    measure = Steps(
        "size_measurement@v1",
        object_predictions="$inputs.det",
        reference_predictions=[[0, 0], [10, 0], [10, 5], [0, 5]],
        reference_dimensions=[1, 1],
    )
    (size,) = measure(det=found(box(30, 30, 20, 40)))["dimensions"]
    assert (size["width"], size["height"]) == pytest.approx((2.0, 8.0))


@pytest.mark.parametrize(
    ("axis", "calibration", "expected"),
    [
        ("horizontal", "pixel to centimeter", (40, 0.4)),
        ("vertical", "pixel to centimeter", (0, 0)),
        ("horizontal", "reference object", (40, 10.0)),
    ],
)
def test_distances(axis: str, calibration: str, expected: Any) -> None:
    measure = Steps(
        "distance_measurement@v1",
        predictions="$inputs.det",
        object_1_class_name="cup",
        object_2_class_name="dog",
        reference_axis=axis,
        calibration_method=calibration,
    )
    other = box(80, 50, 20, 20, **{"class": "dog"})
    reference = box(50, 90, 10, 10, **{"class": "reference-object"})
    outputs = measure(det=found(box(20, 50, 20, 20), other, reference))
    assert (outputs["distance_pixel"], outputs["distance_cm"]) == expected


def test_a_distance_needs_one_of_each() -> None:
    measure = Steps(
        "distance_measurement@v1",
        predictions="$inputs.det",
        object_1_class_name="cup",
        object_2_class_name="dog",
        reference_axis="vertical",
        calibration_method="reference object",
    )
    with pytest.raises(WorkflowError, match="There has to be one 'dog' in the picture, not 0"):
        measure(det=found(box(20, 50, 20, 20)))


def test_turned_rectangles_and_areas_of_masks() -> None:
    det = found(a_rectangle(10, 20, 50, 40))
    rect = Steps("bounding_rect@v1", kinds={"det": SEGMENTS}, predictions="$inputs.det")
    (one,) = rect.wire(det=det)["detections_with_rect"]["predictions"]
    assert {tuple(point) for point in one["rect"]} == {(10, 20), (50, 20), (50, 40), (10, 40)}
    assert sorted([one["width"], one["height"]]) == [20, 40]
    assert one["angle"] == 90
    area = Steps(
        "mask_area_measurement@v1",
        kinds={"det": SEGMENTS},
        predictions="$inputs.det",
        pixels_per_unit=2,
    )
    (one,) = area.wire(det=det)["predictions"]["predictions"]
    assert (one["area_px"], one["area_converted"]) == (41 * 21, 41 * 21 / 4)
    (one,) = area.wire(det=found(box(30, 30, 10, 6)))["predictions"]["predictions"]
    assert one["area_px"] == 60


# --- Planes, panoramas, motion, focus -----------------------------------------------------------


def test_a_plane_seen_straight() -> None:
    straighten = Steps(
        "perspective_correction@v1",
        images="$inputs.image",
        predictions="$inputs.det",
        perspective_polygons=[[10, 10], [59, 10], [59, 59], [10, 59]],
        transformed_rect_width=99,
        transformed_rect_height=99,
        warp_image=True,
    )
    scene = np.zeros((100, 100, 3), np.uint8)
    scene[20:30, 20:40] = 255
    outputs = straighten(image=picture(pixels=scene), det=found(box(30, 25, 20, 10)))
    assert outputs["corrected_coordinates"].xyxy.tolist() == [[20, 20, 60, 40]]
    assert outputs["warped_image"].size == (99, 99)
    assert outputs["warped_image"].pixels[30, 40].tolist() == [255] * 3
    assert outputs["warped_image"].pixels[60, 40].tolist() == [0] * 3


def test_a_plane_grows_round_the_anchors_of_what_lies_outside() -> None:
    straighten = Steps(
        "perspective_correction@v1",
        images="$inputs.image",
        predictions="$inputs.det",
        perspective_polygons=[[10, 10], [30, 10], [30, 30], [10, 30]],
        transformed_rect_width=21,
        transformed_rect_height=21,
        extend_perspective_polygon_by_detections_anchor="CENTER",
    )
    outputs = straighten(image=picture(), det=found(box(50, 20, 4, 4)))
    assert outputs["extended_transformed_rect_width"] == 41
    assert outputs["extended_transformed_rect_height"] == 21
    assert outputs["corrected_coordinates"].centers.tolist() == [[40, 10]]


def test_two_parts_of_a_scene_are_joined() -> None:
    scene = textured()
    join = Steps("stitch_images@v1", image1="$inputs.a", image2="$inputs.b")
    whole = join(a=picture(pixels=scene[:, :160]), b=picture(pixels=scene[:, 80:]))
    assert whole["stitched_image"].size == (240, 180)
    assert np.abs(whole["stitched_image"].pixels.astype(int) - scene).mean() < 3
    assert join(a=picture(), b=picture()) == {"stitched_image": None}


def test_motion_begins_with_an_alarm_and_is_kept_by_video() -> None:
    watch = Steps("motion_detection@v1", image="$inputs.image", history=3)
    still = np.full((60, 80, 3), 90, np.uint8)
    moved = still.copy()
    moved[20:50, 30:60] = 220
    seen = [watch(image=picture(pixels=still, name="a")) for _ in range(4)]
    assert not any(outputs["motion"] for outputs in seen)
    first, second = (watch(image=picture(pixels=moved, name="a")) for _ in range(2))
    assert (first["motion"], first["alarm"]) == (True, True)
    assert first["detections"].xyxy.tolist() == [[30, 20, 60, 50]]
    assert second["alarm"] is False


def test_a_sharp_edge_is_more_in_focus_than_none() -> None:
    scene = np.zeros((40, 40, 3), np.uint8)
    scene[:, 20:] = 100
    old = Steps("camera_focus@v1", image="$inputs.image")(image=picture(pixels=scene))
    assert old["focus_measure"] == 100**2 * 2 / 40  # two columns of 40 see the step
    new = Steps("camera_focus@v2", image="$inputs.image", detections="$inputs.det")
    outputs = new(image=picture(pixels=scene), det=found(box(10, 10, 10, 10), box(20, 20, 4, 4)))
    assert outputs["focus_measure"] == 400**2 * 2 / 40  # Sobel's gradient: 4 times the step
    assert outputs["bbox_focus_measures"] == [0, 400**2 * 2 / 4]
    assert outputs["image"].size == (40, 40)


# --- Workflows and models as steps --------------------------------------------------------------


def test_a_workflow_as_a_step() -> None:
    inner = {
        "version": "1.0",
        "inputs": [{"type": "WorkflowImage", "name": "picture"}],
        "steps": [
            {"type": "roboflow_core/convert_grayscale@v1", "name": "g", "image": "$inputs.picture"}
        ],
        "outputs": [{"type": "JsonField", "name": "gray", "selector": "$steps.g.image"}],
    }
    outer = Steps(
        "inner_workflow@v1",
        workflow_definition=inner,
        parameter_bindings={"picture": "$inputs.image"},
    )
    (outputs,) = run(spec(outer.step, gray="$steps.step.gray"), image=picture())
    assert outputs["gray"].pixels.shape == (100, 100)


class Reader:
    """A store with one model, whatever it is asked for."""

    def __init__(self, answer: Any) -> None:
        self.answer, self.asked = answer, ""

    def get(self, model_id: str) -> Reader:
        self.asked = model_id
        return self

    def infer(self, image: Any, parameters: Any) -> Any:
        return self.answer


def test_text_and_likeness_come_from_models_of_the_store() -> None:
    store = Reader({"result": "STOP"})
    read = Steps("OCRModel", images="$inputs.image", services=Services(store))
    outputs = read(image=picture())
    assert (outputs["result"], store.asked) == ("STOP", "doctr/default")
    store = Reader({"similarity": [0.2, 0.7]})
    compare = Steps(
        "clip_comparison@v2",
        images="$inputs.image",
        classes=["cat", "dog"],
        services=Services(store),
    )
    outputs = compare(image=picture())
    assert (outputs["most_similar_class"], outputs["max_similarity"]) == ("dog", 0.7)
    assert outputs["classification_predictions"]["top"] == "dog"


def test_a_block_whose_model_is_not_here_says_where_it_runs() -> None:
    embed = Steps("clip@v1", data="$inputs.image", services=Services(ModelStore()))
    with pytest.raises(WorkflowError, match=r"clip@v1 needs the model.*Roboflow's server"):
        embed(image=picture())
