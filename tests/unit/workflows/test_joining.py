"""Blocks that join what was found in parts, and compare what was found, worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from inference_sdk.local.workflows import Services
from tests.workflows import Steps, box, detections_input, found, picture, run, spec, step

SEGMENTS = "instance_segmentation_prediction"


def named(name: str, x: float, y: float, width: float, height: float, **more: Any) -> Any:
    return box(x, y, width, height, **{"class": name, **more})


@pytest.mark.parametrize(("strategy", "count"), [("none", 4), ("nms", 1), ("nmm", 1)])
def test_what_was_found_in_slices_is_put_back_once(strategy: str, count: int) -> None:
    scene = np.random.default_rng(0).integers(0, 255, (100, 100, 3)).astype(np.uint8)
    # Each of four slices has the pixels round (50, 50), at a place of its own.
    slices = step(
        "image_slicer@v2",
        "slices",
        image="$inputs.image",
        slice_width=60,
        slice_height=60,
        overlap_ratio_width=0.3,
        overlap_ratio_height=0.3,
    )

    class Middle:
        """Finds the box of 10 pixels round the middle of the scene, wherever it lies."""

        def get(self, model_id: str) -> Middle:
            return self

        def infer(self, image: np.ndarray, parameters: Any) -> Any:
            rows, columns = np.where((image == scene[50, 50]).all(2))
            boxes = [box(float(x), float(y), 10, 10) for x, y in zip(columns, rows, strict=True)]
            return found(*boxes, width=image.shape[1], height=image.shape[0])

    model = step(
        "roboflow_object_detection_model@v2", "model", images="$steps.slices.slices", model_id="m/1"
    )
    stitch = step(
        "detections_stitch@v1",
        "whole",
        reference_image="$inputs.image",
        predictions="$steps.model.predictions",
        overlap_filtering_strategy=strategy,
    )
    specification = spec(slices, model, stitch, w="$steps.whole.predictions")
    (outputs,) = run(specification, Services(Middle()), image=picture(pixels=scene))
    assert outputs["w"].centers.tolist() == [[50, 50]] * count
    assert outputs["w"].size == (100, 100)


DEEP = {"type": "WorkflowBatchInput", "name": "c", "dimensionality": 2}
BOXES = found(
    named("cup", 10, 10, 5, 5, detection_id="a"), named("cup", 50, 50, 5, 5, detection_id="b")
)


def replaced(kind: str, classes: list[Any], **fields: Any) -> list[tuple[str, int, float]]:
    replace = step(
        "detections_classes_replacement@v1",
        object_detection_predictions="$inputs.det",
        classification_predictions="$inputs.c",
        **fields,
    )
    inputs = (detections_input(), {**DEEP, "kind": [kind]})
    (outputs,) = run(
        spec(replace, inputs=inputs, p="$steps.step.predictions"), det=BOXES, c=[classes]
    )
    found_now = outputs["p"]
    return list(
        zip(
            found_now.class_name.tolist(),
            found_now.class_id.tolist(),
            found_now.confidence.tolist(),
            strict=True,
        )
    )


def classified(name: str, confidence: float, parent: str) -> dict[str, Any]:
    one = {"class": name, "class_id": 7, "confidence": confidence}
    return {"predictions": [one], "top": name, "confidence": confidence, "parent_id": parent}


def test_boxes_get_the_classes_of_their_crops() -> None:
    classes = [classified("mug", 0.8, "b"), classified("bowl", 0.9, "a")]
    assert replaced("classification_prediction", classes) == [("bowl", 7, 0.9), ("mug", 7, 0.8)]
    assert replaced("classification_prediction", classes[:1]) == [("mug", 7, 0.8)]
    nothing = {"predictions": [], "top": "", "confidence": 0, "parent_id": "a"}
    kept = replaced(
        "classification_prediction", [nothing], fallback_class_name="?", fallback_class_id=9
    )
    assert kept == [("?", 9, 0.0)]


def test_texts_become_classes_in_the_order_of_the_boxes() -> None:
    assert replaced("string", ["x", "y"]) == [("x", 0, 1.0), ("y", 0, 1.0)]
    assert replaced("string", ["x", ""]) == [("x", 0, 1.0)]


def test_boxes_that_overlap_a_class() -> None:
    det = found(
        named("table", 50, 50, 40, 40),
        named("cup", 60, 60, 4, 4),
        named("dog", 75, 50, 20, 20),
        named("cat", 90, 90, 4, 4),
    )
    names = [
        Steps(
            "overlap@v1",
            predictions="$inputs.det",
            overlap_class_name="table",
            overlap_type=kind,
        )(det=det)["overlaps"].class_name.tolist()
        for kind in ("Center Overlap", "Any Overlap")
    ]
    assert names == [["cup"], ["cup", "dog"]]


def test_pairs_that_overlap_are_told_by_the_part_of_the_reference() -> None:
    analyse = Steps(
        "OverlapAnalysis",
        reference_predictions="$inputs.a",
        candidate_predictions="$inputs.b",
        min_overlap=0.3,
    )
    a = found(named("cup", 50, 50, 20, 20, detection_id="a"))
    b = found(named("dog", 60, 50, 20, 20, detection_id="b"), named("cat", 68, 50, 20, 20))
    (pair,) = analyse(a=a, b=b)["overlaps"]
    assert pair == {
        "reference_class": "cup",
        "reference_confidence": 0.5,
        "reference_detection_id": "a",
        "candidate_class": "dog",
        "candidate_confidence": 0.5,
        "candidate_detection_id": "b",
        "overlap_ratio": 0.5,
    }


def test_masks_with_dents_overlap_as_masks() -> None:
    corner = [(10, 10), (50, 10), (50, 20), (20, 20), (20, 50), (10, 50)]
    points = [{"x": x, "y": y} for x, y in corner]
    kinds = {"a": SEGMENTS, "b": SEGMENTS}
    analyse = Steps(
        "overlap_analysis@v1",
        kinds=kinds,
        reference_predictions="$inputs.a",
        candidate_predictions="$inputs.b",
    )
    masks = found(box(30, 30, 40, 40, points=points))
    (pair,) = analyse(a=masks, b=masks)["overlaps"]
    assert pair["overlap_ratio"] == 1.0
    inside = [{"x": x, "y": y} for x, y in ((30, 30), (50, 30), (50, 50), (30, 50))]
    assert analyse(a=masks, b=found(box(40, 40, 20, 20, points=inside)))["overlaps"] == []


LETTERS = found(
    *(
        named(letter, x, y, 10, 14)
        for letter, x, y in (
            ("A", 10, 20),
            ("B", 25, 22),
            ("C", 40, 18),
            ("D", 12, 50),
            ("E", 27, 52),
            ("F", 90, 51),
        )
    )
)


@pytest.mark.parametrize(
    ("direction", "fields", "text"),
    [
        ("left_to_right", {"tolerance": 40}, "ABC\nDEF"),
        ("right_to_left", {"tolerance": 40}, "CBA\nFED"),
        ("left_to_right", {"tolerance": 40, "delimiter": "-"}, "A-B-C-\n-D-E-F"),
        ("vertical_top_to_bottom", {"tolerance": 10}, "A D BE C F"),
        ("vertical_bottom_to_top", {"tolerance": 10}, "F C EB D A"),
        ("auto", {"tolerance": 10}, "A D BE C F"),
    ],
)
def test_letters_become_text(direction: str, fields: Any, text: str) -> None:
    stitch = Steps(
        "stitch_ocr_detections@v1", predictions="$inputs.det", reading_direction=direction, **fields
    )
    assert stitch(det=LETTERS) == {"ocr_text": text}
    assert stitch(det=found()) == {"ocr_text": ""}


@pytest.mark.parametrize(("width", "text"), [(19, "a b"), (20, "a b"), (21, "ab")])
def test_the_sides_of_letters_tell_the_direction(width: int, text: str) -> None:
    """A row of two: one line when they are wider than high, else one upright line for each."""
    row = [box(x, 50, width, 20, **{"class": name}) for x, name in ((20, "a"), (50, "b"))]
    fields = {"predictions": "$inputs.det", "reading_direction": "auto"}
    assert Steps("stitch_ocr_detections@v1", **fields)(det=found(*row)) == {"ocr_text": text}


def test_zones_have_as_many_corners_as_wanted() -> None:
    square = [{"x": x, "y": y} for x, y in ((20, 20), (60, 20), (60, 60), (20, 60))]
    det = found(box(40, 40, 40, 40, points=square))
    fields = {"kinds": {"det": SEGMENTS}, "predictions": "$inputs.det"}
    zone = Steps("dynamic_zone@v1", required_number_of_vertices=4, scale_ratio=1.5, **fields)
    outputs = zone.wire(det=det)
    assert outputs["zones"] == [[[10, 10], [10, 70], [70, 70], [70, 10]]]
    assert outputs["simplification_converged"] is True
    (one,) = outputs["predictions"]["predictions"]
    assert one["points"] == [{"x": x, "y": y} for x, y in outputs["zones"][0]]
    fitted = Steps("DynamicZone", required_number_of_vertices=4, apply_least_squares=True, **fields)
    assert fitted(det=det)["zones"] == [[[20, 20], [20, 60], [60, 60], [60, 20]]]
    padded = Steps("dynamic_zone@v1", required_number_of_vertices=5, **fields)(det=det)
    assert padded["zones"][0][-2:] == [[60, 20], [60, 20]]
    assert padded["simplification_converged"] is False


WORDS = found(
    *(
        named(letter, x, y, 10, 14)
        for letter, x, y in (
            ("H", 10, 20),
            ("I", 21, 20),
            ("T", 50, 21),
            ("O", 61, 20),
            ("M", 95, 20),
            ("X", 10, 60),
        )
    )
)


@pytest.mark.parametrize(
    ("algorithm", "direction", "delimiter", "text"),
    [
        ("tolerance", "left_to_right", "", "HITOM\nX"),
        ("otsu", "left_to_right", "", "HI TO M\nX"),
        ("otsu", "right_to_left", "", "M OT IH\nX"),
        ("otsu", "left_to_right", "-", "H-I-T-O-M\nX"),
        ("otsu", "vertical_top_to_bottom", "", "HX I T O M"),
        ("collimate", "right_to_left", "", "MOTIH\nX"),
    ],
)
def test_letters_become_lines_and_words(
    algorithm: str, direction: str, delimiter: str, text: str
) -> None:
    stitch = Steps(
        "stitch_ocr_detections@v2",
        predictions="$inputs.det",
        stitching_algorithm=algorithm,
        reading_direction=direction,
        delimiter=delimiter,
    )
    assert stitch(det=WORDS) == {"ocr_text": text}


def read_by(kind: str, text: str, **fields: Any) -> dict[str, Any]:
    read = Steps(
        kind,
        kinds={"text": "language_model_output"},
        image="$inputs.image",
        vlm_output="$inputs.text",
        classes=["dog", "cup"],
        **fields,
    )
    return read.wire(image=picture(200, 100), text=[text])


@pytest.mark.parametrize(
    ("model", "text", "box_now"),
    [
        (
            "openai",
            (
                '{"detections": [{"x_min": 0.1, "y_min": 0.2, "x_max": 0.5, "y_max": 0.6, '
                '"class_name": "cup", "confidence": 0.7}]}'
            ),
            (60, 40, 80, 40, 0.7),
        ),
        (
            "google-gemini",
            '```json\n[{"box_2d": [100, 200, 500, 600], "label": "cup"}]\n```',
            (80, 30, 80, 40, 1.0),
        ),
        ("florence-2", '{"bboxes": [[10, 20, 30, 50]], "labels": ["cup"]}', (20, 35, 20, 30, 1.0)),
    ],
)
def test_what_language_models_write_becomes_boxes(model: str, text: str, box_now: Any) -> None:
    outputs = read_by("vlm_as_detector@v2", text, model_type=model, task_type="object-detection")
    assert outputs["error_status"] is False
    (one,) = outputs["predictions"]["predictions"]
    assert tuple(one[name] for name in ("x", "y", "width", "height", "confidence")) == box_now
    assert (one["class"], one["class_id"]) == ("cup", 1)


@pytest.mark.parametrize("text", ["no JSON", "[1]", '{"detections": [{"x_min": "left"}]}', "null"])
def test_what_cannot_be_read_is_told_and_not_raised(text: str) -> None:
    fields = {"model_type": "openai", "task_type": "object-detection"}
    for kind, more in (("vlm_as_detector@v2", fields), ("vlm_as_classifier@v2", {})):
        outputs = read_by(kind, text, **more)
        assert (outputs["error_status"], outputs["predictions"]) == (True, None)


def test_what_language_models_write_becomes_classes() -> None:
    one = read_by("vlm_as_classifier@v2", '{"class_name": "cup", "confidence": 0.7}')
    assert one["predictions"]["top"] == "cup"
    assert one["predictions"]["predictions"] == [
        {"class": "dog", "class_id": 0, "confidence": 0.0},
        {"class": "cup", "class_id": 1, "confidence": 0.7},
    ]
    several = read_by(
        "vlm_as_classifier@v2", '{"predicted_classes": [{"class": "fork", "confidence": 0.3}]}'
    )["predictions"]
    assert several["predicted_classes"] == ["fork"]
    assert several["predictions"]["fork"] == {"confidence": 0.3, "class_id": -1}
