"""Workflows at the embedded server, over HTTP."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
from aiohttp import web
from PIL import Image

from inference_sdk import InferenceHTTPClient
from inference_sdk.local import LocalServer
from inference_sdk.local.app import create_app
from inference_sdk.local.workflows import WORKFLOWS
from inference_sdk.local.workflows.errors import WorkflowDefinitionError
from inference_sdk.local.workflows.settings import WorkflowSettings
from tests.integration.bare_peer import serving

EXAMPLES = Path(__file__).parents[2] / "examples"
RUN = "/workflows/run"

IMAGE = {"type": "InferenceImage", "name": "image"}
GRAY = {
    "version": "1.0",
    "inputs": [IMAGE],
    "steps": [
        {"type": "roboflow_core/convert_grayscale@v1", "name": "gray", "image": "$inputs.image"}
    ],
    "outputs": [
        {"type": "JsonField", "name": "gray", "selector": "$steps.gray.image"},
        {"type": "JsonField", "name": "original", "selector": "$inputs.image"},
    ],
}


def model_workflow(task: str, model_id: str = "$inputs.model", version: str = "v2") -> Any:
    return {
        "version": "1.0",
        "inputs": [
            IMAGE,
            {"type": "InferenceParameter", "name": "model", "default_value": "coco/3"},
        ],
        "steps": [
            {
                "type": f"roboflow_core/roboflow_{task}_model@{version}",
                "name": "model",
                "images": "$inputs.image",
                "model_id": model_id,
            },
            {
                "type": "roboflow_core/bounding_box_visualization@v1",
                "name": "boxes",
                "image": "$inputs.image",
                "predictions": "$steps.model.predictions",
            },
        ],
        "outputs": [
            {"type": "JsonField", "name": "predictions", "selector": "$steps.model.predictions"},
            {"type": "JsonField", "name": "drawn", "selector": "$steps.boxes.image"},
        ],
    }


def photo(name: str = "astronaut") -> dict[str, Any]:
    content = (EXAMPLES / f"{name}.jpg").read_bytes()
    return {"type": "base64", "value": base64.b64encode(content).decode()}


def decoded(value: dict[str, Any]) -> np.ndarray:
    assert value["type"] == "base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(value["value"]))))


class Caller:
    def __init__(self, url: str, http: aiohttp.ClientSession, app: web.Application) -> None:
        self.url = url
        self.http = http
        self.app = app

    async def post(self, path: str, **body: Any) -> tuple[int, Any]:
        async with self.http.post(f"{self.url}{path}", json={"api_key": None, **body}) as answer:
            return answer.status, await answer.json()

    async def outputs(self, path: str, **body: Any) -> list[dict[str, Any]]:
        status, answer = await self.post(path, **body)
        assert status == 200, answer
        assert answer["profiler_trace"] == [] or body.get("enable_profiling")
        return list(answer["outputs"])


@pytest.fixture
async def call() -> AsyncIterator[Caller]:
    app = create_app()
    async with serving(app) as url, aiohttp.ClientSession() as http:
        yield Caller(url, http, app)


@pytest.mark.parametrize("path", [RUN, "/infer/workflows"])
async def test_a_specification_runs_on_a_picture(call: Caller, path: str) -> None:
    (output,) = await call.outputs(path, specification=GRAY, inputs={"image": photo()})
    gray = decoded(output["gray"])
    assert gray.shape == (512, 512)
    expected = np.asarray(Image.open(EXAMPLES / "astronaut.jpg").convert("L")).astype(int)
    assert np.abs(gray.astype(int) - expected).mean() < 2
    assert decoded(output["original"]).shape == (512, 512, 3)
    assert output["gray"]["video_metadata"]["frame_number"] == 0


async def test_one_output_for_each_picture_of_a_batch(call: Caller) -> None:
    pictures = [photo("astronaut"), photo("coffee")]
    outputs = await call.outputs(RUN, specification=GRAY, inputs={"image": pictures})
    assert [decoded(output["gray"]).shape for output in outputs] == [(512, 512), (400, 600)]
    names = [output["gray"]["video_metadata"]["video_identifier"] for output in outputs]
    assert names == ["image.[0]", "image.[1]"]


async def test_metadata_of_a_picture_is_kept(call: Caller) -> None:
    picture = {**photo(), "video_metadata": {"frame_number": 77}}
    (output,) = await call.outputs(RUN, specification=GRAY, inputs={"image": picture})
    told = output["gray"]["video_metadata"]
    assert told["frame_number"] == 77
    assert (told["video_identifier"], told["fps"]) == ("image", 30)


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize(
    ("task", "model_id", "key"),
    [
        ("object_detection", "coco/3", "detection_id"),
        ("keypoint_detection", "coco-pose-detection/1", "keypoints"),
        ("instance_segmentation", "coco-dataset-vdnr1/2", "points"),
    ],
)
async def test_models_find_the_astronaut(
    call: Caller, task: str, model_id: str, key: str, version: str
) -> None:
    (output,) = await call.outputs(
        RUN, specification=model_workflow(task, model_id, version), inputs={"image": photo()}
    )
    found = output["predictions"]
    assert found["image"] == {"width": 512, "height": 512}
    assert set(found) == {"image", "predictions"}
    person = next(each for each in found["predictions"] if each["class"] == "person")
    assert person[key]
    original = np.asarray(Image.open(EXAMPLES / "astronaut.jpg")).astype(int)
    assert np.abs(decoded(output["drawn"]).astype(int) - original).max() > 100, "boxes are drawn"


async def test_fields_can_be_left_out(call: Caller) -> None:
    (output,) = await call.outputs(
        RUN, specification=GRAY, inputs={"image": photo()}, excluded_fields=["original"]
    )
    assert set(output) == {"gray"}


async def test_profiling_gives_events_that_chrome_reads(call: Caller) -> None:
    _, answer = await call.post(
        RUN, specification=GRAY, inputs={"image": photo()}, enable_profiling=True
    )
    (event,) = answer["profiler_trace"]
    assert event["name"] == "gray"
    assert event["ph"] == "X"
    assert event["dur"] > 0
    assert {"ts", "pid", "tid", "cat", "args"} <= set(event)


@pytest.mark.parametrize("path", ["/space/workflows/gray", "/infer/workflows/space/gray"])
async def test_a_workflow_by_its_name(call: Caller, path: str) -> None:
    call.app[WORKFLOWS].register("space", "gray", GRAY)
    (output,) = await call.outputs(path, inputs={"image": photo()})
    assert decoded(output["gray"]).shape == (512, 512)


async def test_versions_of_a_workflow(call: Caller) -> None:
    call.app[WORKFLOWS].register("space", "gray", GRAY, version="two")
    path, inputs = "/space/workflows/gray", {"image": photo()}
    assert await call.outputs(path, inputs=inputs, workflow_version_id="two")
    status, answer = await call.post(path, inputs=inputs, workflow_version_id="three")
    assert status == 404
    assert "'space/gray', version three. There are: space/gray" in answer["message"]


async def test_a_workflow_that_nobody_registered(call: Caller) -> None:
    status, answer = await call.post("/space/workflows/none", inputs={})
    assert status == 404
    assert "no workflow 'space/none'. There are: none" in answer["message"]


async def test_a_wrong_workflow_cannot_be_registered(call: Caller) -> None:
    with pytest.raises(WorkflowDefinitionError):
        call.app[WORKFLOWS].register("space", "wrong", {"steps": 5})


async def test_a_wrong_specification_is_explained(call: Caller) -> None:
    wrong = {**GRAY, "steps": [{"type": "acme/magic@v9", "name": "gray"}]}
    status, answer = await call.post(RUN, specification=wrong, inputs={"image": photo()})
    assert status == 400
    assert set(answer) == {
        "message",
        "error_type",
        "context",
        "inner_error_type",
        "inner_error_message",
        "blocks_errors",
    }
    assert answer["error_type"] == "WorkflowSyntaxError"
    assert "Step 'gray' has the type 'acme/magic@v9', which is no block" in answer["message"]
    assert answer["blocks_errors"][0]["block_id"] == "gray"


async def test_a_step_that_fails_is_explained_with_its_cause(call: Caller) -> None:
    status, answer = await call.post(
        RUN,
        specification=model_workflow("object_detection"),
        inputs={"image": photo(), "model": "nobody/7"},
    )
    assert status == 404
    assert (
        "Step 'model' (roboflow_core/roboflow_object_detection_model@v2) failed"
        in (answer["message"])
    )
    assert answer["inner_error_type"] == "UnknownModelError"
    assert "nobody/7" in answer["inner_error_message"]


async def test_a_model_that_the_specification_names_must_be_there(call: Caller) -> None:
    specification = model_workflow("object_detection", "nobody/7")
    status, answer = await call.post(RUN, specification=specification, inputs={"image": photo()})
    assert status == 404
    assert "nobody/7" in answer["message"]


@pytest.mark.parametrize(
    ("body", "status", "part"),
    [
        ({"inputs": {}}, 422, ["body", "specification"]),
        ({"specification": GRAY, "inputs": []}, 422, ["body", "inputs"]),
        ({"specification": GRAY}, 422, ["body", "inputs"]),
        (
            {"specification": GRAY, "inputs": {}, "excluded_fields": "gray"},
            422,
            ["body", "excluded_fields"],
        ),
        (
            {"specification": GRAY, "inputs": {}, "enable_profiling": 1},
            422,
            ["body", "enable_profiling"],
        ),
        ({"specification": GRAY, "inputs": {"image": 5}}, 400, "Input 'image' is no picture"),
        (
            {"specification": GRAY, "inputs": {"image": [[{"type": "base64"}]]}},
            400,
            "Input 'image.[0]' is no picture",
        ),
        ({"specification": GRAY, "inputs": {}}, 400, "input 'image'"),
        (
            {"specification": GRAY, "inputs": {"image": {"type": "base64", "value": "eA=="}}},
            400,
            "Input 'image' is no picture",
        ),
    ],
)
async def test_requests_that_are_wrong(call: Caller, body: Any, status: int, part: Any) -> None:
    got, answer = await call.post(RUN, **body)
    assert got == status
    if status == 422:
        assert answer["detail"][0]["loc"] == part
    else:
        assert part in answer["message"]


async def test_a_picture_may_come_without_its_type(call: Caller) -> None:
    for image in (photo()["value"], {"value": photo()["value"]}):
        (output,) = await call.outputs(RUN, specification=GRAY, inputs={"image": image})
        assert output["original"]["value"] == photo()["value"], "untouched, with its very bytes"


async def test_validate_compiles_and_runs_nothing(call: Caller) -> None:
    assert await call.post("/workflows/validate", **GRAY) == (200, {"status": "ok"})
    status, answer = await call.post("/workflows/validate", **{**GRAY, "version": "7.0"})
    assert (status, answer["error_type"]) == (400, "NotSupportedExecutionEngineError")


async def test_workflows_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "gray.json").write_text(json.dumps(GRAY))
    (tmp_path / "space").mkdir()
    (tmp_path / "space" / "wrapped.json").write_text(json.dumps({"specification": GRAY}))
    app = create_app(workflows=tmp_path)
    async with serving(app) as url, aiohttp.ClientSession() as http:
        call = Caller(url, http, app)
        for path in ("/any/workflows/gray", "/space/workflows/wrapped"):
            (output,) = await call.outputs(path, inputs={"image": photo()})
            assert decoded(output["gray"]).shape == (512, 512)
        for path in ("/any/workflows/wrapped", "/any/workflows/..%2Fgray"):
            status, answer = await call.post(path, inputs={})
            assert status == 404
            assert "There are: gray, space/wrapped" in answer["message"]


async def test_descriptions_of_what_there_is(call: Caller) -> None:
    status, answer = await call.post("/workflows/blocks/describe")
    assert status == 200
    blocks = {block["manifest_type_identifier"]: block for block in answer["blocks"]}
    crop = blocks["roboflow_core/dynamic_crop@v1"]
    assert crop["manifest_type_identifier_aliases"] == ["DynamicCrop", "Crop"]
    assert crop["output_dimensionality_offset"] == 1
    assert [output["name"] for output in crop["outputs_manifest"]] == ["crops", "predictions"]
    schema = crop["block_schema"]
    assert schema["required"] == ["type", "name", "images", "predictions"]
    assert schema["properties"]["images"]["kind"] == [{"name": "image"}]
    assert schema["properties"]["mask_opacity"]["default"] == 0.0
    assert {kind["name"] for kind in answer["declared_kinds"]} > {"image", "*"}
    assert {
        "manifest_type_identifier": "roboflow_core/dynamic_crop@v1",
        "property_name": "images",
        "property_description": "",
        "compatible_element": "any_data",
        "is_list_element": False,
        "is_dict_element": False,
    } in answer["kinds_connections"]["image"]
    operations = answer["universal_query_language_description"]["operations_description"]
    assert "StringToUpperCase" in [each["operation_type"] for each in operations]


async def test_versions_and_the_schema_of_specifications(call: Caller) -> None:
    async with call.http.get(f"{call.url}/workflows/execution_engine/versions") as answer:
        assert await answer.json() == {"versions": ["1.17.0"]}
    async with call.http.get(f"{call.url}/workflows/definition/schema") as answer:
        schema = (await answer.json())["schema"]
    assert schema["required"] == ["version", "inputs", "steps", "outputs"]


async def test_the_interface_of_a_workflow(call: Caller) -> None:
    specification = model_workflow("object_detection")
    status, answer = await call.post("/workflows/describe_interface", specification=specification)
    assert status == 200
    assert answer["inputs"] == {"image": ["image"], "model": ["roboflow_model_id"]}
    assert answer["outputs"] == {
        "predictions": ["object_detection_prediction"],
        "drawn": ["image"],
    }
    assert answer["typing_hints"]["image"] == "dict"
    call.app[WORKFLOWS].register("space", "find", specification)
    named = await call.post("/space/workflows/find/describe_interface")
    assert named == (200, answer)


async def test_the_workload_of_a_workflow(call: Caller) -> None:
    """Two pictures deep: a model on crops; an id that comes in is said to be unknown."""
    steps = [
        {"type": "ObjectDetectionModel", "name": "cars", "images": "$inputs.image",
         "model_id": "$inputs.model"},
        {"type": "Crop", "name": "crop", "images": "$inputs.image",
         "predictions": "$steps.cars.predictions"},
        {"type": "OCRModel", "name": "text", "images": "$steps.crop.crops"},
        {"type": "roboflow_core/rate_limiter@v1", "name": "gate", "cooldown_seconds": 1,
         "depends_on": "$steps.cars.predictions", "next_steps": ["$steps.text"]},
    ]  # fmt: skip
    inputs = [
        {"type": "WorkflowImage", "name": "image"},
        {"type": "WorkflowParameter", "name": "model"},
    ]
    outputs = [{"type": "JsonField", "name": "text", "selector": "$steps.text.result"}]
    specification = {"version": "1.0", "inputs": inputs, "steps": steps, "outputs": outputs}
    status, answer = await call.post("/workflows/describe_workload", specification=specification)
    assert status == 200
    assert [node["id"] for node in answer["nodes"] if node["kind"] != "step"] == [
        "$inputs.image", "$inputs.model", "$outputs.text",
    ]  # fmt: skip
    edges = {(edge["source"], edge["target"]): edge["kind"] for edge in answer["edges"]}
    assert edges == {
        ("$inputs.image", "$steps.cars"): "data",
        ("$inputs.image", "$steps.crop"): "data",
        ("$inputs.model", "$steps.cars"): "data",
        ("$steps.cars", "$steps.crop"): "data",
        ("$steps.cars", "$steps.gate"): "data",
        ("$steps.crop", "$steps.text"): "data",
        ("$steps.gate", "$steps.text"): "control",
        ("$steps.text", "$outputs.text"): "data",
    }
    told = {step["node_id"]: step for step in answer["steps"]}
    assert list(told) == ["$steps.cars", "$steps.crop", "$steps.text", "$steps.gate"]
    crop, cars = told["$steps.crop"], told["$steps.cars"]
    assert (crop["input_dimensionality"], crop["output_dimensionality"]) == (1, 2)
    assert cars["accepts_batch_input"] is True
    assert cars["operations"]["items"] == ["model_inference"]
    (reason,) = cars["resources"]["unknown_reasons"]
    assert (reason["code"], reason["details"]["selector"]) == (
        "unresolved_selector", "$inputs.model",
    )  # fmt: skip
    summary = answer["summary"]
    assert summary["steps_by_dimensionality"] == {"1": 3, "2": 1}
    assert summary["max_dimensionality"] == 2
    (model,) = summary["models"]["items"]
    assert (model["model_id"], model["used_by_steps"]) == ("doctr/default", ["$steps.text"])
    assert summary["models"]["complete"] is False
    call.app[WORKFLOWS].register("space", "read", specification)
    assert await call.post("/space/workflows/read/describe_workload") == (200, answer)


async def test_outputs_that_depend_on_the_fields_of_a_step(call: Caller) -> None:
    step = {"type": "DynamicCrop", "images": "$inputs.a", "predictions": "$inputs.b"}
    status, answer = await call.post("/workflows/blocks/dynamic_outputs", **step)
    assert status == 200
    assert [output["name"] for output in answer] == ["crops", "predictions"]
    assert answer[0]["kind"][0]["name"] == "image"


BLOCKS = """
from inference_sdk.local.workflows import Block
from inference_sdk.local.workflows.block import Image

class Sides(Block):
    TYPES = ("file/sides@v1",)
    OUTPUTS = {"sides": ("list_of_values",)}
    image: Image

    def run(self):
        return {"sides": list(self.image.size)}
"""


@pytest.mark.parametrize("process", [False, True])
def test_a_server_with_a_folder_of_workflows_and_blocks_of_ones_own(
    tmp_path: Path, process: bool
) -> None:
    (tmp_path / "my_blocks.py").write_text(BLOCKS)
    folder = tmp_path / "workflows"
    folder.mkdir()
    step = {"type": "file/sides@v1", "name": "sides", "image": "$inputs.image"}
    output = {"type": "JsonField", "name": "sides", "selector": "$steps.sides.sides"}
    specification = {**GRAY, "steps": [step], "outputs": [output]}
    (folder / "sides.json").write_text(json.dumps(specification))
    settings = WorkflowSettings(folder=str(folder), blocks=(str(tmp_path / "my_blocks.py"),))
    with LocalServer(process=process, workflows=settings) as server:
        client = InferenceHTTPClient(server.url, api_key="any")
        outputs = client.run_workflow(
            workspace_name="any",
            workflow_id="sides",
            images={"image": str(EXAMPLES / "coffee.jpg")},
        )
    assert outputs == [{"sides": [600, 400]}]
