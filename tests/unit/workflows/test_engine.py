"""The language of workflows: specifications in, outputs out, no I/O."""

from __future__ import annotations

import re
import threading
from typing import Any

import numpy as np
import pytest

from inference_sdk.local.workflows import Block, FlowBlock, Services, Workflow, add_block
from inference_sdk.local.workflows.block import Image, NextStep, Value
from inference_sdk.local.workflows.errors import WorkflowError, WorkflowInputError
from tests.workflows import IMAGE, box, detections_input, found, picture, run, spec, step

DET = detections_input()
DETECT = step(
    "roboflow_object_detection_model@v2", "model", images="$inputs.image", model_id="coco/3"
)
CROP = step("dynamic_crop@v1", "crop", images="$inputs.image", predictions="$inputs.det")
GRAY = step("convert_grayscale@v1", "gray", image="$inputs.image")
COUNT = [{"type": "SequenceLength"}]


class FakeModels:
    """Finds the same boxes in every picture, and notes what it was asked."""

    def __init__(self, *boxes: dict[str, Any]) -> None:
        self.boxes = boxes
        self.asked: list[Any] = []

    def get(self, model_id: str) -> FakeModels:
        self.asked.append(model_id)
        return self

    def infer(self, image: np.ndarray, parameters: Any) -> dict[str, Any]:
        self.asked.append((image.shape, parameters))
        height, width = image.shape[:2]
        return found(*self.boxes, width=width, height=height)


def lengths(name: str, data: str) -> dict[str, Any]:
    return step("property_definition@v1", name, data=data, operations=COUNT)


def fault(specification: Any, **inputs: Any) -> WorkflowError:
    with pytest.raises(WorkflowError) as caught:
        run(specification, **inputs)
    return caught.value


# --- Running ------------------------------------------------------------------------------------


def test_a_model_step_asks_the_store_and_gives_out_its_answer() -> None:
    models = FakeModels(box(30, 20, 20, 10, detection_id="a"))
    (output,) = run(spec(DETECT, all="$steps.model.*"), Services(models), image=picture())
    assert output["all"]["predictions"].xyxy.tolist() == [[20, 15, 40, 25]]
    assert output["all"]["predictions"].detection_id.tolist() == ["a"]
    assert output["all"]["predictions"].parent_id.tolist() == ["image"]
    assert output["all"]["model_id"] == "coco/3"
    assert isinstance(output["all"]["inference_id"], str)
    assert models.asked[0] == "coco/3"


def test_fields_reach_the_model_and_unknown_ones_are_passed_over() -> None:
    models = FakeModels()
    inputs = (IMAGE, {"type": "WorkflowParameter", "name": "level", "default_value": 0.8})
    model = {**DETECT, "confidence": "$inputs.level", "class_filter": ["cup"], "of_tomorrow": 7}
    run(spec(model, inputs=inputs, p="$steps.model.predictions"), Services(models), image=picture())
    parameters = models.asked[1][1]
    assert parameters.confidence == 0.8
    assert parameters.class_filter == ("cup",)


def test_a_model_that_takes_batches_gets_the_whole_batch() -> None:
    class Batching(FakeModels):
        def infer_batch(self, images: list[np.ndarray], parameters: Any) -> list[Any]:
            self.asked.append(len(images))
            return [self.infer(image, parameters) for image in images]

    models = Batching()
    run(spec(DETECT, p="$steps.model.predictions"), Services(models), image=[picture()] * 3)
    assert models.asked[1] == 3


def test_parameters_come_from_the_caller_from_their_default_or_are_null() -> None:
    inputs = (
        {"type": "InferenceParameter", "name": "a", "default_value": 0.7},
        {"type": "WorkflowParameter", "name": "b"},
    )
    specification = spec(inputs=inputs, a="$inputs.a", b="$inputs.b")
    assert run(specification) == [{"a": 0.7, "b": None}]
    assert run(specification, a=1, b=[2]) == [{"a": 1, "b": [2]}]


def test_steps_run_in_the_order_of_their_needs_and_are_observed() -> None:
    told: list[str] = []
    upper = step(
        "property_definition@v1",
        "first",
        data="$inputs.x",
        operations=[{"type": "StringToUpperCase"}],
    )
    specification = spec(
        lengths("last", "$steps.first.output"),
        upper,
        inputs=(detections_input("x", "string"),),
        n="$steps.last.output",
    )
    outputs = Workflow(specification).run(
        {"x": "abc"}, observer=lambda name, began, took: told.append(name)
    )
    assert outputs == [{"n": 3}]
    assert told == ["first", "last"]


def test_a_plan_is_compiled_once_for_a_specification() -> None:
    assert Workflow.of(spec(GRAY, g="$steps.gray.image")) is Workflow.of(
        spec(GRAY, g="$steps.gray.image")
    )


def test_a_workflow_describes_itself() -> None:
    workflow = Workflow(
        spec(
            DETECT,
            {**DETECT, "name": "open", "model_id": "$inputs.model"},
            inputs=(IMAGE, {"type": "WorkflowParameter", "name": "model"}),
            predictions="$steps.model.predictions",
        )
    )
    assert workflow.image_inputs == ["image"]
    assert workflow.outputs == ["predictions"]
    assert workflow.model_ids == ["coco/3"]


# --- Batches ------------------------------------------------------------------------------------


def test_a_batch_gives_one_output_for_each_element_in_order() -> None:
    pictures = [picture(value=value) for value in (0, 100, 200)]
    outputs = run(spec(GRAY, gray="$steps.gray.image"), image=pictures)
    assert [output["gray"].pixels[0, 0] for output in outputs] == [0, 100, 200]


def test_one_element_goes_along_with_many_and_parameters_with_each() -> None:
    inputs = (
        IMAGE,
        {"type": "WorkflowImage", "name": "other"},
        {"type": "WorkflowParameter", "name": "p"},
    )
    one = picture()
    outputs = run(
        spec(inputs=inputs, b="$inputs.other", p="$inputs.p"), image=[picture()] * 2, other=one, p=3
    )
    assert outputs == [{"b": one, "p": 3}, {"b": one, "p": 3}]


def test_crops_are_lists_below_the_picture_and_steps_run_on_each() -> None:
    two = found(box(30, 20, 20, 10), box(50, 50, 4, 6))
    gray = {**GRAY, "image": "$steps.crop.crops"}
    specification = spec(
        CROP, gray, inputs=(IMAGE, DET), g="$steps.gray.image", all="$steps.crop.*"
    )
    outputs = run(specification, image=[picture()] * 3, det=[two, found(), two])
    shapes = [[crop.pixels.shape for crop in output["g"]] for output in outputs]
    assert shapes == [[(10, 20), (6, 4)], [], [(10, 20), (6, 4)]]
    assert [set(each) for each in outputs[0]["all"]] == [{"crops", "predictions"}] * 2


def test_dimension_collapse_makes_one_value_of_a_level() -> None:
    collapse = step("dimension_collapse@v1", "collapse", data="$steps.size.output")
    size = step(
        "property_definition@v1",
        "size",
        data="$steps.crop.crops",
        operations=[{"type": "ExtractImageProperty", "property_name": "size"}],
    )
    total = step(
        "property_definition@v1",
        "total",
        data="$steps.collapse.output",
        operations=[{"type": "NumericSequenceAggregate", "function": "sum"}],
    )
    specification = spec(CROP, size, collapse, total, inputs=(IMAGE, DET), t="$steps.total.output")
    det = [found(box(30, 20, 20, 10), box(50, 50, 4, 6)), found()]
    outputs = run(specification, image=[picture(), picture()], det=det)
    assert outputs == [{"t": 224}, {"t": None}]


def test_inputs_of_more_dimensions() -> None:
    inputs = (
        {"type": "WorkflowBatchInput", "name": "x", "kind": ["integer"], "dimensionality": 2},
    )
    double = step(
        "property_definition@v1",
        "double",
        data="$inputs.x",
        operations=[{"type": "Multiply", "other": 2}],
    )
    specification = spec(double, inputs=inputs, d="$steps.double.output", x="$inputs.x")
    assert run(specification, x=[[1, 2], [3]]) == [
        {"d": [2, 4], "x": [1, 2]},
        {"d": [6], "x": [3]},
    ]


@pytest.mark.parametrize(
    ("inputs", "part"),
    [
        ({}, "input 'image'.*Given: nothing"),
        ({"image": []}, "'image' is an empty list"),
        ({"image": "text"}, "'image' must be a picture"),
        ({"image": [[picture()]]}, "must be a picture"),
        (
            {"image": [picture()] * 2, "det": [found()] * 3},
            "'\\$inputs.image' 2, '\\$inputs.det' 3",
        ),
        ({"image": picture(), "det": {"predictions": []}}, "'det' is not of the kind.*'image'"),
        (
            {"image": picture(), "det": [found({"x": 1})]},
            r"'det.\[0\]' is not.*lacks y, width, height, confidence, class, class_id",
        ),
    ],
)
def test_inputs_that_do_not_fit(inputs: dict[str, Any], part: str) -> None:
    specification = spec(inputs=(IMAGE, DET), d="$inputs.det")
    given = {"det": found(), **inputs}
    with pytest.raises(WorkflowInputError, match=part) as caught:
        run(specification, **(given if inputs else {}))
    assert caught.value.body["error_type"] == "RuntimeInputError"


def test_outputs_without_a_batch_are_one_dict() -> None:
    count = lengths("count", "$steps.all.output")
    gather = step("dimension_collapse@v1", "all", data="$inputs.det")
    specification = spec(gather, count, inputs=(DET,), n="$steps.count.output")
    assert run(specification, det=[found(), found(), found()]) == [{"n": 3}]


# --- Flow ---------------------------------------------------------------------------------------


def statement(left: Any, comparator: str, right: Any) -> dict[str, Any]:
    return {
        "type": "StatementGroup",
        "statements": [
            {
                "type": "BinaryStatement",
                "left_operand": {"type": "DynamicOperand", "operand_name": "x", **left},
                "comparator": {"type": comparator},
                "right_operand": {"type": "StaticOperand", "value": right},
            }
        ],
    }


def test_a_condition_on_elements_leaves_steps_out_element_by_element() -> None:
    gate = step(
        "ContinueIf",
        "gate",
        condition_statement=statement({"operations": COUNT}, "(Number) >", 0),
        evaluation_parameters={"x": "$inputs.det"},
        next_steps=["$steps.gray"],
    )
    after = {**GRAY, "name": "after", "image": "$steps.gray.image"}
    default = step("FirstNonEmptyOrDefault", "default", data=["$steps.gray.image"], default="none")
    specification = spec(
        after,
        gate,
        GRAY,
        default,
        inputs=(IMAGE, DET),
        g="$steps.gray.image",
        a="$steps.after.*",
        d="$steps.default.output",
    )
    det = [found(), found(box(5, 5, 2, 2))]
    first, second = run(specification, image=[picture(), picture()], det=det)
    assert first == {"g": None, "a": {"image": None}, "d": "none"}
    assert second["g"] is not None
    assert second["d"] is second["g"]


def test_a_condition_on_a_parameter_gates_the_whole_batch() -> None:
    gate = step(
        "continue_if@v1",
        "gate",
        condition_statement=statement({}, "==", "yes"),
        evaluation_parameters={"x": "$inputs.x"},
        next_steps=["$steps.gray"],
    )
    inputs = (IMAGE, {"type": "WorkflowParameter", "name": "x"})
    specification = spec(gate, GRAY, inputs=inputs, g="$steps.gray.image")
    assert run(specification, image=[picture()] * 2, x="no") == [{"g": None}] * 2
    assert all(output["g"] for output in run(specification, image=[picture()] * 2, x="yes"))


def test_a_fan_out_that_is_left_out_is_empty() -> None:
    gate = step(
        "continue_if@v1",
        "gate",
        condition_statement=statement({"operations": COUNT}, "(Number) >", 1),
        evaluation_parameters={"x": "$inputs.det"},
        next_steps=["$steps.crop"],
    )
    specification = spec(gate, CROP, inputs=(IMAGE, DET), c="$steps.crop.crops")
    outputs = run(
        specification, image=[picture()] * 2, det=[found(), found(*[box(5, 5, 4, 4)] * 2)]
    )
    assert outputs[0] == {"c": []}
    assert len(outputs[1]["c"]) == 2


# --- Coordinates --------------------------------------------------------------------------------


def test_what_is_found_in_a_crop_is_told_in_the_whole_picture_or_in_the_crop() -> None:
    part = step(
        "AbsoluteStaticCrop",
        "part",
        images="$inputs.image",
        x_center=40,
        y_center=20,
        width=20,
        height=20,
    )
    specification = spec(
        part,
        {**DETECT, "images": "$steps.part.crops"},
        parent="$steps.model.predictions",
        own={"selector": "$steps.model.predictions", "coordinates_system": "own"},
    )
    point = {"x": 1, "y": 2, "confidence": 1.0, "class": "nose", "class_id": 0}
    models = FakeModels(box(5, 6, 4, 4, keypoints=[point]))
    (output,) = run(specification, Services(models), image=picture(60, 40))
    parent, own = output["parent"], output["own"]
    assert parent.size == (60, 40)
    assert parent.centers.tolist() == [[35, 16]]
    assert parent.columns["keypoints"][0][0]["x"] == 31
    assert parent.parent_id.tolist() == ["image"]
    assert own.size == (20, 20)
    assert own.centers.tolist() == [[5, 6]]
    assert own.parent_id[0].startswith("absolute_static_crop.")
    assert own.lineage.to_wire()["root_parent_origin"] == {
        "offset_x": 30,
        "offset_y": 10,
        "width": 60,
        "height": 40,
    }


def test_crops_of_crops_know_where_they_come_from() -> None:
    outer = picture(60, 40).crop(10, 10, 50, 30, name="outer")
    assert outer is not None
    inner = outer.crop(5, 5, 15, 15, name="inner")
    assert inner is not None
    told = inner.lineage.to_wire()
    assert told["parent_id"] == "outer"
    assert told["parent_origin"] == {"offset_x": 5, "offset_y": 5, "width": 40, "height": 20}
    assert told["root_parent_id"] == "image"
    assert told["root_parent_origin"] == {"offset_x": 15, "offset_y": 15, "width": 60, "height": 40}


# --- What is wrong ------------------------------------------------------------------------------


PARAMETER = {"type": "WorkflowParameter", "name": "p"}


@pytest.mark.parametrize(
    ("changes", "kind", "part"),
    [
        ({"version": None}, "WorkflowDefinitionError", "has no version"),
        ({"version": "x"}, "WorkflowDefinitionError", "'x' is none"),
        ({"version": "9.0"}, "NotSupportedExecutionEngineError", "asks for version 9.0"),
        ({"version": "1.99.0"}, "NotSupportedExecutionEngineError", "1.99.0"),
        ({"steps": 5}, "WorkflowSyntaxError", "'steps' .* must be a list"),
        ({"steps": [{"type": "x"}]}, "WorkflowSyntaxError", r"steps\[0\] must be .* 'name'"),
        ({"inputs": [{"type": "X", "name": "a"}]}, "WorkflowSyntaxError", "unknown type 'X'"),
        ({"inputs": [IMAGE, IMAGE]}, "DuplicatedNameError", "'image' occurs twice in 'inputs'"),
        ({"steps": [GRAY, GRAY]}, "DuplicatedNameError", "'gray' occurs twice in 'steps'"),
        (
            {"outputs": [{"type": "JsonField", "name": "o", "selector": "x"}]},
            "WorkflowSyntaxError",
            "Output 'o' must have a selector",
        ),
        (
            {"outputs": [{"type": "JsonField", "name": "o", "selector": "$steps.no.x"}]},
            "InvalidReferenceTargetError",
            r"Output 'o': '\$steps.no.x' is none of the steps \(gray\)",
        ),
    ],
)
def test_specifications_that_are_wrong(changes: dict[str, Any], kind: str, part: str) -> None:
    error = fault({**spec(GRAY, g="$steps.gray.image"), **changes}, image=picture())
    assert error.body["error_type"] == kind
    assert error.status == 400
    assert re.search(part, str(error)), str(error)


@pytest.mark.parametrize(
    ("wrong", "kind", "field", "part"),
    [
        (step("acme/magic@v9"), "WorkflowSyntaxError", "type", "is no block"),
        (
            step("convert_greyscale@v1"),
            "WorkflowSyntaxError",
            "type",
            "Did you mean roboflow_core/convert_grayscale@v1",
        ),
        (
            step("convert_grayscale@v7"),
            "WorkflowSyntaxError",
            "type",
            "here is roboflow_core/convert_grayscale@v1",
        ),
        (step("convert_grayscale@v1"), "WorkflowSyntaxError", "image", "'image': field required"),
        (
            step("convert_grayscale@v1", image="text"),
            "WorkflowSyntaxError",
            "image",
            "must be a reference such as",
        ),
        (
            step("convert_grayscale@v1", image="$steps.gray"),
            "WorkflowSyntaxError",
            "image",
            "not '\\$steps.gray'",
        ),
        (
            step("convert_grayscale@v1", image="$inputs.no"),
            "InvalidReferenceTargetError",
            "image",
            r"none of the inputs \(image, p, det\)",
        ),
        (
            step("convert_grayscale@v1", image="$steps.gray.no"),
            "InvalidReferenceTargetError",
            "image",
            "'gray' has no output 'no'; it has image",
        ),
        (
            step("convert_grayscale@v1", image="$inputs.det"),
            "ReferenceTypeError",
            "image",
            "takes image, and '\\$inputs.det' is object_detection_prediction",
        ),
        (
            step("convert_grayscale@v1", image="$steps.gray.*"),
            "ExecutionGraphStructureError",
            "image",
            "only outputs may end",
        ),
        (
            step("convert_grayscale@v1", image="$steps.step.image"),
            "ExecutionGraphStructureError",
            None,
            "wait for each other: step -> step",
        ),
        (
            step("image_blur@v1", image="$inputs.image", blur_type="magic"),
            "WorkflowSyntaxError",
            "blur_type",
            "should be 'average', 'gaussian'",
        ),
        (
            step("continue_if@v1", condition_statement=statement({}, "==", 1), next_steps=[]),
            "WorkflowSyntaxError",
            "next_steps",
            "at least 1 item",
        ),
        (
            step(
                "continue_if@v1",
                condition_statement=statement({}, "=~", 1),
                next_steps=["$steps.gray"],
            ),
            "WorkflowSyntaxError",
            "condition_statement",
            "comparator",
        ),
        (
            step("property_definition@v1", data="$inputs.p", operations=[{"type": "Fly"}]),
            "WorkflowSyntaxError",
            "operations",
            "Fly|expected tags",
        ),
    ],
)
def test_steps_that_are_wrong(wrong: Any, kind: str, field: Any, part: str) -> None:
    specification = spec(GRAY, wrong, inputs=(IMAGE, PARAMETER, DET), g="$steps.gray.image")
    error = fault(specification)
    assert error.body["error_type"] == kind, error
    assert re.search(part, str(error)), str(error)
    if field is not None:
        (told,) = error.body["blocks_errors"]
        assert (told["block_id"], told["property_name"]) == ("step", field)


def test_depths_that_differ() -> None:
    draw = step(
        "bounding_box_visualization@v1",
        "draw",
        image="$steps.crop.crops",
        predictions="$inputs.det",
    )
    error = fault(spec(CROP, draw, inputs=(IMAGE, DET), d="$steps.draw.image"))
    assert error.body["error_type"] == "StepInputDimensionalityError"
    assert "'$steps.crop.crops' is nested 2 deep (by crop), '$inputs.det' 1 deep" in str(error)


@pytest.mark.parametrize(
    ("fields", "value", "part"),
    [
        (
            {"kernel_size": "$inputs.p"},
            "many",
            "'p' does not fit field 'kernel_size' of step 'step'",
        ),
        ({"kernel_size": "$inputs.p"}, None, "valid integer"),
        ({"blur_type": "$inputs.p"}, "magic", "should be 'average'"),
    ],
)
def test_a_parameter_is_checked_as_if_its_value_stood_in_the_field(
    fields: dict[str, Any], value: Any, part: str
) -> None:
    blur = step("image_blur@v1", image="$inputs.image", **fields)
    specification = spec(blur, inputs=(IMAGE, PARAMETER), b="$steps.step.image")
    error = fault(specification, image=picture(), p=value)
    assert error.body["error_type"] == "RuntimeInputError"
    assert part in str(error)


def test_a_field_that_takes_references_only_refuses_a_parameter() -> None:
    specification = spec(lengths("n", "$inputs.p"), inputs=(PARAMETER,), n="$steps.n.output")
    assert "must be a reference" in str(fault(specification, p=[1]))


def test_a_step_that_fails_is_named_and_keeps_its_cause() -> None:
    blur = step("image_blur@v1", "blur", image="$inputs.image", kernel_size=5000)
    error = fault(spec(blur, b="$steps.blur.image"), image=picture())
    assert error.body["error_type"] == "StepExecutionError"
    assert error.body["inner_error_type"] == "ValueError"
    assert error.body["blocks_errors"][0]["block_id"] == "blur"
    assert "Step 'blur' (roboflow_core/image_blur@v1) failed: kernel_size must be" in str(error)


def test_an_operation_that_fails_is_told_with_its_place() -> None:
    inputs = ({"type": "WorkflowBatchInput", "name": "x", "kind": ["string"]},)
    pipe = [{"type": "StringToUpperCase"}, {"type": "LookupTable", "lookup_table": {"A": 1}}]
    look = step("property_definition@v1", "look", data="$inputs.x", operations=pipe)
    error = fault(spec(look, inputs=inputs, o="$steps.look.output"), x="b")
    assert error.body["error_type"] == "InvalidInputTypeError"
    assert error.body["context"].endswith("| roboflow_query_language_evaluation | <root>[1]")
    assert "Step 'look': the lookup table has no 'B'" in str(error)


# --- Blocks of one's own ------------------------------------------------------------------------


def test_a_block_of_ones_own_is_one_class() -> None:
    @add_block
    class Invert(Block):
        """The negative of a picture."""

        TYPES = ("tests/invert@v1",)
        OUTPUTS = {"image": ("image",)}

        image: Image

        def run(self) -> dict[str, Any]:
            return {"image": self.image.with_pixels(255 - self.image.pixels)}

    (output,) = run(
        spec(step("tests/invert@v1", image="$inputs.image"), i="$steps.step.image"),
        image=picture(value=5),
    )
    assert output["i"].pixels[0, 0, 0] == 250


def test_flow_control_of_ones_own() -> None:
    @add_block
    class Odd(FlowBlock):
        TYPES = ("tests/odd@v1",)
        number: Value
        next_steps: list[NextStep]

        def targets(self) -> Any:
            return self.next_steps

        def run(self) -> Any:
            return self.next_steps if self.number % 2 else []

    inputs = ({"type": "WorkflowBatchInput", "name": "n", "kind": ["integer"]},)
    text = step(
        "property_definition@v1", "text", data="$inputs.n", operations=[{"type": "ToString"}]
    )
    odd = step("tests/odd@v1", "odd", number="$inputs.n", next_steps=["$steps.text"])
    outputs = run(spec(text, odd, inputs=inputs, t="$steps.text.output"), n=[1, 2, 3])
    assert outputs == [{"t": "1"}, {"t": None}, {"t": "3"}]


def test_steps_that_wait_run_side_by_side() -> None:
    meeting = threading.Barrier(2, timeout=10)

    @add_block
    class Waits(Block):
        TYPES = ("tests/waits@v1",)
        OUTPUTS = {"met": ("boolean",)}
        WAITS = True

        def run(self) -> dict[str, Any]:
            meeting.wait()
            return {"met": True}

    steps = [step("tests/waits@v1", name) for name in ("one", "other")]
    outputs = run(spec(*steps, inputs=(), a="$steps.one.met", b="$steps.other.met"))
    assert outputs == [{"a": True, "b": True}]


def test_what_a_step_keeps_lives_for_a_run_or_as_long_as_its_state() -> None:
    from inference_sdk.local.workflows import State

    class Counter:
        count = 0

    @add_block
    class Counts(Block):
        TYPES = ("tests/counts@v1",)
        OUTPUTS = {"count": ("integer",)}
        image: Image

        def run(self) -> dict[str, Any]:
            counter = self.kept(self.image.video_identifier, Counter)
            counter.count += 1
            return {"count": counter.count}

    workflow = Workflow(spec(step("tests/counts@v1", image="$inputs.image"), n="$steps.step.count"))
    frames = [picture(name="a"), picture(name="a"), picture(name="b")]
    assert [output["n"] for output in workflow.run({"image": frames})] == [1, 2, 1]
    assert [output["n"] for output in workflow.run({"image": frames})] == [1, 2, 1]
    state = State()
    workflow.run({"image": frames}, state=state)
    assert [output["n"] for output in workflow.run({"image": frames}, state=state)] == [3, 4, 2]
