"""The workflow engine of the embedded server: specifications in, outputs out, no I/O."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from inference_sdk.local.workflows import Predictions, Workflow, WorkflowImage, step
from inference_sdk.local.workflows.errors import (
    WorkflowError,
    WorkflowInputError,
    WorkflowReferenceError,
    WorkflowStepError,
    WorkflowSyntaxError,
)
from inference_sdk.local.workflows.steps.drawing import PALETTE
from inference_sdk.local.workflows.values import Origin, to_wire

IMAGE = {"type": "InferenceImage", "name": "image"}
DETECT = {
    "type": "roboflow_core/roboflow_object_detection_model@v2",
    "name": "model",
    "images": "$inputs.image",
    "model_id": "coco/3",
}
CROP = {
    "type": "roboflow_core/dynamic_crop@v1",
    "name": "crop",
    "images": "$inputs.image",
    "predictions": "$steps.model.predictions",
}
GRAY = {"type": "roboflow_core/convert_grayscale@v1", "name": "gray", "image": "$inputs.image"}
BOX = {
    "x": 30,
    "y": 20,
    "width": 20,
    "height": 10,
    "confidence": 0.5,
    "class": "cup",
    "class_id": 1,
}


class FakeModels:
    """Finds the same boxes in every picture, and notes what it was asked."""

    def __init__(self, *boxes: dict[str, Any], **more: Any) -> None:
        self.boxes = boxes
        self.more = more
        self.asked: list[Any] = []

    def get(self, model_id: str) -> FakeModels:
        self.asked.append(model_id)
        return self

    def infer(self, image: np.ndarray, parameters: Any) -> dict[str, Any]:
        self.asked.append((image.shape, parameters))
        height, width = image.shape[:2]
        size = {"width": width, "height": height}
        return {"image": size, "predictions": list(self.boxes), "time": 0.1, **self.more}


def picture(width: int = 60, height: int = 40, value: int = 0) -> WorkflowImage:
    return WorkflowImage(np.full((height, width, 3), value, np.uint8))


def spec(*steps: Any, inputs: Any = (IMAGE,), **outputs: str) -> dict[str, Any]:
    return {
        "version": "1.0",
        "inputs": list(inputs),
        "steps": list(steps),
        "outputs": [
            {"type": "JsonField", "name": name, "selector": selector}
            for name, selector in outputs.items()
        ],
    }


def run(specification: Any, models: Any = None, **inputs: Any) -> list[dict[str, Any]]:
    return Workflow(specification).run(inputs, models or FakeModels())


def only(outputs: list[dict[str, Any]]) -> dict[str, Any]:
    (output,) = outputs
    return output


# --- Running ------------------------------------------------------------------------------------


def test_grey_has_one_channel_and_the_luma_of_the_picture() -> None:
    blue = WorkflowImage(np.full((4, 6, 3), (255, 0, 0), np.uint8))
    gray = only(run(spec(GRAY, gray="$steps.gray.image"), image=blue))["gray"]
    assert gray.pixels.shape == (4, 6)
    assert gray.pixels[0, 0] == 29


def test_a_model_step_asks_the_store_and_gives_out_its_answer() -> None:
    models = FakeModels(BOX)
    output = only(run(spec(DETECT, all="$steps.model.*"), models, image=picture()))["all"]
    wired = to_wire(output["predictions"])
    assert wired == {"image": {"width": 60, "height": 40}, "predictions": [BOX]}
    assert output["model_id"] == "coco/3"
    assert isinstance(output["inference_id"], str)
    assert models.asked[0] == "coco/3"
    assert models.asked[1][0] == (40, 60, 3)


def test_properties_reach_the_model_and_unknown_ones_are_passed_over() -> None:
    models = FakeModels()
    model = {**DETECT, "confidence": 0.8, "class_filter": ["cup"], "palette_of_tomorrow": 7}
    run(spec(model, p="$steps.model.predictions"), models, image=picture())
    parameters = models.asked[1][1]
    assert parameters.confidence == 0.8
    assert parameters.class_filter == ("cup",)


def test_parameters_come_from_the_caller_or_from_their_default() -> None:
    inputs = (
        IMAGE,
        {"type": "InferenceParameter", "name": "threshold", "default_value": 0.7},
        {"type": "WorkflowParameter", "name": "name"},
    )
    model = {**DETECT, "confidence": "$inputs.threshold", "class_filter": ["cup", "$inputs.name"]}
    specification = spec(model, inputs=inputs, p="$steps.model.predictions", t="$inputs.threshold")
    models = FakeModels()
    output = only(run(specification, models, image=picture(), name="mug"))
    assert output["t"] == 0.7
    assert models.asked[1][1].class_filter == ("cup", "mug")
    assert only(run(specification, image=picture(), name="m", threshold=0.1))["t"] == 0.1


def test_a_grey_picture_goes_to_a_model_with_three_channels() -> None:
    model = {**DETECT, "images": "$steps.gray.image"}
    models = FakeModels()
    run(spec(model, GRAY, p="$steps.model.predictions"), models, image=picture())
    assert models.asked[1][0] == (40, 60, 3)


def test_steps_run_in_the_order_of_their_needs() -> None:
    told: list[str] = []
    workflow = Workflow(spec(CROP, DETECT, crops="$steps.crop.crops"))
    observed = workflow.run(
        {"image": picture()}, FakeModels(BOX), lambda name, began, took: told.append(name)
    )
    assert told == ["model", "crop"]
    assert len(observed[0]["crops"]) == 1


def test_a_workflow_describes_itself() -> None:
    workflow = Workflow(
        spec(
            DETECT,
            {**DETECT, "name": "again"},
            {**DETECT, "name": "open", "model_id": "$inputs.model"},
            inputs=(IMAGE, {"type": "WorkflowParameter", "name": "model"}),
            predictions="$steps.model.predictions",
        )
    )
    assert workflow.image_inputs == ["image"]
    assert workflow.outputs == ["predictions"]
    assert workflow.model_ids == ["coco/3"]


def test_a_workflow_without_pictures_has_one_output() -> None:
    inputs = ({"type": "InferenceParameter", "name": "number"},)
    assert run(spec(inputs=inputs, n="$inputs.number"), number=5) == [{"n": 5}]


def test_all_outputs_of_a_step_without_pictures() -> None:
    @step("tests/one@v1", outputs={"one": object})
    def one() -> dict[str, Any]:
        return {"one": 1}

    assert run(spec({"type": "tests/one@v1", "name": "s"}, inputs=(), s="$steps.s.*")) == [
        {"s": {"one": 1}}
    ]


# --- Batches ------------------------------------------------------------------------------------


def test_a_batch_gives_one_output_per_picture() -> None:
    pictures = [picture(value=value) for value in (0, 100, 200)]
    outputs = run(spec(GRAY, gray="$steps.gray.image"), image=pictures)
    assert [output["gray"].pixels[0, 0] for output in outputs] == [0, 100, 200]


def test_nested_batches_stay_nested() -> None:
    pictures = [[picture(value=1)], [picture(value=2), picture(value=3)]]
    outputs = run(spec(GRAY, gray="$steps.gray.image"), image=pictures)
    assert [[gray.pixels[0, 0] for gray in output["gray"]] for output in outputs] == [[1], [2, 3]]


def test_crops_are_a_batch_within_the_batch() -> None:
    other = {**BOX, "x": 50}
    gray = {**GRAY, "image": "$steps.crop.crops"}
    specification = spec(
        DETECT, CROP, gray, crops="$steps.gray.image", all="$steps.crop.*", n="$inputs.image"
    )
    outputs = run(specification, FakeModels(BOX, other), image=[picture(), picture()])
    assert len(outputs) == 2
    assert [crop.pixels.shape for crop in outputs[1]["crops"]] == [(10, 20), (10, 20)]
    assert len(outputs[1]["all"]["crops"]) == len(outputs[1]["all"]["predictions"]) == 2


def test_no_crops_are_an_empty_batch() -> None:
    model = {**DETECT, "name": "second", "images": "$steps.crop.crops"}
    specification = spec(DETECT, CROP, model, p="$steps.second.predictions")
    assert run(specification, FakeModels(), image=[picture(), picture()]) == [{"p": []}, {"p": []}]


def test_one_picture_goes_along_with_many() -> None:
    inputs = (IMAGE, {"type": "WorkflowImage", "name": "other"})
    specification = spec(inputs=inputs, a="$inputs.image", b="$inputs.other")
    one, many = picture(), [picture(), picture()]
    outputs = run(specification, image=many, other=one)
    assert [output["b"] for output in outputs] == [one, one]


@pytest.mark.parametrize(
    "value",
    ["text", [], [[], [picture()]], [picture(), [picture()]], None, [5]],
    ids=["text", "empty", "empty inside", "uneven", "null", "numbers"],
)
def test_inputs_that_are_no_pictures(value: Any) -> None:
    with pytest.raises(WorkflowInputError, match="'image' must be a picture or a list"):
        run(spec(GRAY, gray="$steps.gray.image"), image=value)


def test_batches_of_different_sizes() -> None:
    inputs = (IMAGE, {"type": "WorkflowImage", "name": "other"})
    with pytest.raises(WorkflowInputError, match=r"different sizes \(2, 3\)"):
        run(spec(inputs=inputs), image=[picture()] * 2, other=[picture()] * 3)


def test_nested_batches_of_different_sizes() -> None:
    second = {**DETECT, "name": "second", "images": "$steps.crop.crops"}
    draw = {
        "type": "roboflow_core/bounding_box_visualization@v1",
        "name": "draw",
        "image": "$steps.other.crops",
        "predictions": "$steps.second.predictions",
    }
    other = {**CROP, "name": "other", "predictions": "$steps.more.predictions"}
    more = {**DETECT, "name": "more", "model_id": "more"}

    class Models(FakeModels):
        def get(self, model_id: str) -> FakeModels:
            return FakeModels(*[BOX] * (2 if model_id == "more" else 1))

    specification = spec(DETECT, CROP, second, more, other, draw, d="$steps.draw.image")
    with pytest.raises(WorkflowStepError, match=r"'draw' takes batches of different sizes"):
        run(specification, Models(), image=picture())


def test_an_input_that_is_missing_is_named() -> None:
    with pytest.raises(WorkflowInputError, match=r"input 'image'.*Given: nothing"):
        run(spec(GRAY, gray="$steps.gray.image"))


def test_a_step_that_fails_is_named_and_keeps_its_cause() -> None:
    crop = {
        "type": "roboflow_core/absolute_static_crop@v1",
        "name": "far",
        "images": "$inputs.image",
        "x_center": 500,
        "y_center": 5,
        "width": 10,
        "height": 10,
    }
    with pytest.raises(WorkflowStepError, match="Step 'far' failed: The crop lies outside") as info:
        run(spec(crop, c="$steps.far.crops"), image=picture())
    assert info.value.status == 400
    assert info.value.body == {
        "message": str(info.value),
        "error_type": "WorkflowStepError",
        "context": "workflow_execution | step_execution",
        "inner_error_type": "ValueError",
        "inner_error_message": "The crop lies outside the picture of 60 x 40 pixels.",
    }


# --- Coordinates --------------------------------------------------------------------------------


def _detected_in_crop(**output: str) -> dict[str, Any]:
    static = {
        "type": "roboflow_core/absolute_static_crop@v1",
        "name": "part",
        "images": "$inputs.image",
        "x_center": 40,
        "y_center": 20,
        "width": 20,
        "height": 20,
    }
    model = {**DETECT, "images": "$steps.part.crops"}
    specification = spec(static, model, p="$steps.model.predictions")
    specification["outputs"][0].update(output)
    point = {"x": 1, "y": 2, "confidence": 1.0}
    found = {**BOX, "x": 5, "y": 6, "keypoints": [point], "points": [{"x": 3, "y": 4}]}
    return to_wire(only(run(specification, FakeModels(found), image=picture()))["p"])


def test_what_is_found_in_a_crop_is_told_in_the_whole_picture() -> None:
    found = _detected_in_crop()
    assert found["image"] == {"width": 60, "height": 40}
    (box,) = found["predictions"]
    assert (box["x"], box["y"], box["width"]) == (35, 16, 20)
    assert box["keypoints"] == [{"x": 31, "y": 12, "confidence": 1.0}]
    assert box["points"] == [{"x": 33, "y": 14}]


def test_or_in_the_crop_when_the_output_says_so() -> None:
    found = _detected_in_crop(coordinates_system="own")
    assert found["image"] == {"width": 20, "height": 20}
    assert (found["predictions"][0]["x"], found["predictions"][0]["y"]) == (5, 6)


def test_crops_of_crops_know_where_they_come_from() -> None:
    inner = picture().crop(10, 10, 50, 30).crop(5, 5, 15, 15)
    assert inner.origin == Origin(15, 15, 60, 40)


def test_crops_end_at_the_edge_and_boxes_outside_have_none() -> None:
    edge = {**BOX, "x": 58}
    outside = {**BOX, "x": 500}
    specification = spec(DETECT, CROP, c="$steps.crop.crops", p="$steps.crop.predictions")
    output = only(run(specification, FakeModels(edge, outside), image=picture()))
    (crop,) = output["c"]
    assert (crop.width, crop.height) == (12, 10)
    (predictions,) = output["p"]
    assert predictions.boxes[0]["x"] == 58, "outputs are told in the whole picture"


def test_predictions_can_be_seen_from_any_crop() -> None:
    whole = picture()
    crop = whole.crop(20, 10, 40, 30)
    predictions = Predictions({"predictions": [BOX]})
    seen = predictions.seen_in(crop)
    assert (seen.boxes[0]["x"], seen.boxes[0]["y"]) == (10, 10)
    assert seen.seen_in(whole).boxes == [BOX]
    assert predictions.seen_in(whole) is predictions


def test_a_relative_crop_is_a_fraction_of_the_picture() -> None:
    crop = {
        "type": "roboflow_core/relative_static_crop@v1",
        "name": "half",
        "images": "$inputs.image",
        "x_center": 0.5,
        "y_center": 0.5,
        "width": 0.5,
        "height": 1.0,
    }
    part = only(run(spec(crop, c="$steps.half.crops"), image=picture()))["c"]
    assert (part.width, part.height) == (30, 40)


# --- Drawing and blurring -----------------------------------------------------------------------


def _drawn(kind: str, found: dict[str, Any], **properties: Any) -> np.ndarray:
    draw = {
        "type": f"roboflow_core/{kind}_visualization@v1",
        "name": "draw",
        "image": "$inputs.image",
        "predictions": "$steps.model.predictions",
        **properties,
    }
    original = picture()
    specification = spec(DETECT, draw, image="$steps.draw.image")
    pixels = only(run(specification, FakeModels(found), image=original))["image"].pixels
    assert not original.pixels.any(), "the picture itself stays as it is"
    return pixels


BGR = tuple(reversed(PALETTE[1]))


@pytest.mark.parametrize(
    ("kind", "found", "at"),
    [
        ("bounding_box", BOX, (15, 20)),
        ("label", BOX, (10, 21)),
        ("keypoint", {**BOX, "keypoints": [{"x": 50, "y": 30}]}, (30, 50)),
        ("polygon", {**BOX, "points": [{"x": 5, "y": 35}, {"x": 55, "y": 35}]}, (35, 30)),
        ("polygon", BOX, (15, 30)),
    ],
)
def test_predictions_are_drawn_in_the_colour_of_their_class(
    kind: str, found: dict[str, Any], at: tuple[int, int]
) -> None:
    pixels = _drawn(kind, found)
    assert tuple(pixels[at]) == BGR
    assert not pixels[39, 59].any()


@pytest.mark.parametrize("text", ["Class", "Confidence", "Class and Confidence", "Index"])
def test_labels_say_what_they_are_told_to(text: str) -> None:
    drawn = _drawn("label", BOX, text=text)
    assert drawn.min(axis=2).max() > 200, "white letters"


def test_a_label_of_an_unknown_kind() -> None:
    with pytest.raises(WorkflowStepError, match="text must be one of Class"):
        _drawn("label", BOX, text="Mood")


def test_drawing_on_grey_gives_colour() -> None:
    draw = {
        "type": "roboflow_core/bounding_box_visualization@v1",
        "name": "draw",
        "image": "$steps.gray.image",
        "predictions": "$steps.model.predictions",
    }
    specification = spec(DETECT, GRAY, draw, image="$steps.draw.image")
    drawn = only(run(specification, FakeModels(BOX), image=picture()))["image"]
    assert tuple(drawn.pixels[15, 20]) == BGR


@pytest.mark.parametrize("kind", ["gaussian", "average", "median"])
def test_blur_spreads_a_line(kind: str) -> None:
    pixels = np.zeros((20, 20, 3), np.uint8)
    pixels[:, 8:11] = 255
    blur = {
        "type": "roboflow_core/image_blur@v1",
        "name": "blur",
        "image": "$inputs.image",
        "blur_type": kind,
    }
    specification = spec(blur, image="$steps.blur.image")
    blurred = only(run(specification, image=WorkflowImage(pixels)))["image"].pixels
    assert blurred.shape == pixels.shape
    assert (blurred != pixels).any() or kind == "median"


@pytest.mark.parametrize("size", [1, 2])
def test_the_smallest_blurs_of_grey(size: int) -> None:
    blur = {
        "type": "roboflow_core/image_blur@v1",
        "name": "blur",
        "image": "$steps.gray.image",
        "kernel_size": size,
    }
    blurred = only(run(spec(GRAY, blur, image="$steps.blur.image"), image=picture()))["image"]
    assert blurred.pixels.shape == (40, 60)
    assert blurred.gray is blurred.pixels


@pytest.mark.parametrize(
    ("properties", "problem"),
    [({"blur_type": "magic"}, "blur_type must be one of"), ({"kernel_size": 5000}, "1 to 99")],
)
def test_blurs_that_there_are_not(properties: dict[str, Any], problem: str) -> None:
    blur = {"type": "roboflow_core/image_blur@v1", "name": "blur", "image": "$inputs.image"}
    with pytest.raises(WorkflowStepError, match=problem):
        run(spec({**blur, **properties}, image="$steps.blur.image"), image=picture())


# --- On the wire --------------------------------------------------------------------------------


def test_values_become_json() -> None:
    value = {"a": [np.float32(1.5), (np.arange(2),)], "b": {"c": None}, "d": "text"}
    assert to_wire(value) == {"a": [1.5, [[0, 1]]], "b": {"c": None}, "d": "text"}


def test_pictures_become_base64_with_their_metadata() -> None:
    image = WorkflowImage(np.zeros((4, 4), np.uint8), metadata={"frame_number": 3})
    wired = to_wire([image])[0]
    assert wired["type"] == "base64"
    assert wired["value"].startswith("/9j/")
    assert wired["video_metadata"] == {"frame_number": 3}


def test_a_classifier_has_no_boxes() -> None:
    answer = {"predictions": {"cat": {"confidence": 1.0}}, "predicted_classes": ["cat"]}
    crop = picture().crop(0, 0, 5, 5)
    predictions = Predictions.from_answer(answer, crop)
    assert predictions.boxes == []
    assert predictions.in_parent().answer["predicted_classes"] == ["cat"]


# --- Specifications that are wrong --------------------------------------------------------------


@pytest.mark.parametrize(
    ("specification", "error", "problem"),
    [
        (5, WorkflowSyntaxError, "is an object, not int"),
        ({"inputs": {}}, WorkflowSyntaxError, "'inputs' .* must be a list"),
        ({"steps": ["x"]}, WorkflowSyntaxError, r"steps\[0\] must be an object with a 'name'"),
        ({"steps": [{"name": 5}]}, WorkflowSyntaxError, r"steps\[0\]"),
        (spec(inputs=(IMAGE, IMAGE)), WorkflowSyntaxError, "'image' occurs twice in 'inputs'"),
        (
            spec(inputs=({"type": "Sound", "name": "s"},)),
            WorkflowSyntaxError,
            "unknown type 'Sound'. Known: InferenceImage",
        ),
        (
            spec({"type": "acme/magic@v1", "name": "m"}),
            WorkflowSyntaxError,
            "'acme/magic@v1', which this server does not know. Known: .*convert_grayscale@v1",
        ),
        (spec({"type": [], "name": "m"}), WorkflowSyntaxError, "does not know"),
        (spec(inputs=({"type": {}, "name": "s"},)), WorkflowSyntaxError, "unknown type"),
        (
            spec({"type": "roboflow_core/dynamic_crop@v1", "name": "c"}),
            WorkflowSyntaxError,
            r"'c' \(roboflow_core/dynamic_crop@v1\) lacks images, predictions",
        ),
        (spec(GRAY, o=5), WorkflowSyntaxError, "'o' must be a JsonField with a selector"),
        (
            {"outputs": [{"type": "Video", "name": "o", "selector": "$inputs.x"}]},
            WorkflowSyntaxError,
            "must be a JsonField",
        ),
        (spec(o="$inputs.sound"), WorkflowReferenceError, "none of the inputs .image."),
        (spec(inputs=(), o="$inputs.x"), WorkflowReferenceError, "there are none"),
        (spec(o="$steps.x.y"), WorkflowReferenceError, "none of the steps"),
        (
            spec(GRAY, o="$steps.gray.sound"),
            WorkflowReferenceError,
            "no output 'sound', only image",
        ),
        (spec(GRAY, o="$steps.gray"), WorkflowReferenceError, "is no selector"),
        (spec(o="$inputs.image.size"), WorkflowReferenceError, "is no selector"),
        (
            spec({**GRAY, "image": "$steps.gray.*"}),
            WorkflowReferenceError,
            "only outputs may end in",
        ),
        (spec({**GRAY, "image": "photo.jpg"}), WorkflowReferenceError, "must be one selector"),
        (
            spec({**GRAY, "image": ["$inputs.image"]}),
            WorkflowReferenceError,
            "must be one selector",
        ),
        (
            spec(DETECT, {**GRAY, "image": "$steps.model.predictions"}),
            WorkflowReferenceError,
            "property 'image' must be WorkflowImage",
        ),
        (
            spec({**CROP, "predictions": "$inputs.image"}),
            WorkflowReferenceError,
            "'predictions' must be Predictions",
        ),
        (
            spec(
                {**GRAY, "name": "a", "image": "$steps.b.image"},
                {**GRAY, "name": "b", "image": "$steps.a.image"},
            ),
            WorkflowReferenceError,
            "Steps wait for each other: .*a.*b",
        ),
    ],
)
def test_what_is_wrong_is_named(
    specification: Any, error: type[WorkflowError], problem: str
) -> None:
    with pytest.raises(error, match=problem):
        Workflow(specification)


def test_properties_may_hold_selectors_at_any_depth() -> None:
    @step("tests/echo@v1", outputs={"value": object})
    def echo(value: dict[str, Any]) -> dict[str, Any]:
        return {"value": value}

    inputs = ({"type": "InferenceParameter", "name": "n"},)
    echoed = {"type": "tests/echo@v1", "name": "s", "value": {"deep": [{"n": "$inputs.n"}, 1]}}
    assert run(spec(echoed, inputs=inputs, v="$steps.s.value"), n=7) == [
        {"v": {"deep": [{"n": 7}, 1]}}
    ]
