"""Workflows and pipelines: which one is meant, what goes in, what comes decoded out."""

from __future__ import annotations

import asyncio
import base64
import datetime
import enum
import inspect
import io
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiohttp import web
from PIL import Image

from inference_sdk import (
    HTTPCallErrorError,
    InferenceHTTPClient,
    InferenceSDKDeprecationWarning,
    VisualisationResponseFormat,
)
from inference_sdk.http.errors import InvalidParameterError, InvalidServerResponseError
from tests.callers import both_ways
from tests.recording_server import Recorded
from tests.wire_calls import IMAGE, NAMED, PICTURE, PIPELINES, SPECIFICATION, client_for

RUN = "/my space/workflows/count-cats"

NUMPY = VisualisationResponseFormat.NUMPY
PILLOW = VisualisationResponseFormat.PILLOW
BASE64 = VisualisationResponseFormat.BASE64


def png() -> str:
    buffer = io.BytesIO()
    Image.new("RGB", (2, 1), (250, 10, 20)).save(buffer, "png")
    return base64.b64encode(buffer.getvalue()).decode()


# -- which workflow ----------------------------------------------------------------------------

NOT_ONE_WORKFLOW = [
    {},
    {"workspace": "a"},
    {"workflow": "b"},
    {"workspace": "a", "workflow": "b", "specification": SPECIFICATION},
]
CALLS = {
    "run_workflow": ("workspace_name", "workflow_id", "specification"),
    "infer_from_workflow": ("workspace_name", "workflow_name", "specification"),
    "start_inference_pipeline_with_workflow": (
        "workspace_name",
        "workflow_id",
        "workflow_specification",
    ),
}


@both_ways
@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize("given", NOT_ONE_WORKFLOW, ids=lambda given: "+".join(given) or "none")
@pytest.mark.filterwarnings("ignore::inference_sdk.config.InferenceSDKDeprecationWarning")
def test_a_workflow_is_named_or_specified_and_not_both(server, call, method, given):
    names = dict(zip(("workspace", "workflow", "specification"), CALLS[method], strict=True))
    arguments = {names[kind]: value for kind, value in given.items()}
    if method.startswith("start"):
        arguments["video_reference"] = 0
    with pytest.raises(InvalidParameterError, match=r"both|neither"):
        call(client_for(server, "v1"), method, **arguments)
    assert server.requests == []


@both_ways
def test_names_are_quoted_so_that_they_stay_one_part_of_the_path(server, call):
    seen = []

    async def answer(_: Recorded, request: web.Request) -> web.Response:
        seen.append(request.raw_path)
        return web.json_response({"outputs": []})

    server.default = answer
    call(client_for(server, "v1"), "run_workflow", workspace_name="a/b", workflow_id="c?d e")
    assert seen == ["/a%2Fb/workflows/c%3Fd%20e"]


# -- what goes in ------------------------------------------------------------------------------


@both_ways
def test_each_input_keeps_its_nesting(server, call):
    server.default = {"outputs": []}
    pixels = np.zeros((4, 4, 3), np.uint8)
    images = {"one": pixels, "batch": [pixels], "nested": [[pixels, IMAGE], [[IMAGE]]]}
    call(client_for(server, "v1"), "run_workflow", **NAMED, images=images)
    sent = server.last.json["inputs"]
    jpeg = sent["one"]
    assert jpeg["type"] == "base64"
    assert base64.b64decode(jpeg["value"]).startswith(b"\xff\xd8\xff")
    assert sent == {"one": jpeg, "batch": [jpeg], "nested": [[jpeg, PICTURE], [[PICTURE]]]}


class Colour(enum.Enum):
    RED = "red"


@both_ways
def test_parameters_may_be_what_people_have_in_hand(server, call):
    server.default = {"outputs": []}
    parameters = {
        "threshold": np.float32(0.5),
        "zone": np.array([[0, 0], [9, 9]]),
        "since": datetime.date(2024, 2, 29),
        "folder": Path("a/b"),
        "colour": Colour.RED,
    }
    call(client_for(server, "v1"), "run_workflow", **NAMED, parameters=parameters)
    assert server.last.json["inputs"] == {
        "threshold": 0.5,
        "zone": [[0, 0], [9, 9]],
        "since": "2024-02-29",
        "folder": "a/b",
        "colour": "red",
    }


@both_ways
def test_a_parameter_that_is_no_json_is_refused_by_name(server, call):
    parameters = {"zones": [{"callback": print}]}
    with pytest.raises(InvalidParameterError, match=r"inputs\.zones\[0\]\.callback"):
        call(client_for(server, "v1"), "run_workflow", **NAMED, parameters=parameters)
    assert server.requests == []


@both_ways
def test_parameters_and_images_of_the_caller_are_not_changed(server, call):
    server.default = {"outputs": []}
    images: dict[str, Any] = {"image": [IMAGE]}
    parameters = {"limit": 7}
    call(client_for(server, "v1"), "run_workflow", **NAMED, images=images, parameters=parameters)
    assert images == {"image": [IMAGE]}
    assert parameters == {"limit": 7}


# -- what comes out ----------------------------------------------------------------------------


@both_ways
@pytest.mark.parametrize("method", ["run_workflow", "infer_from_workflow"])
@pytest.mark.filterwarnings("ignore::inference_sdk.config.InferenceSDKDeprecationWarning")
def test_pictures_at_any_depth_are_in_the_configured_format(server, call, method):
    picture = {"type": "base64", "value": png(), "video_metadata": {"frame": 1}}
    server.default = {
        "outputs": [
            {
                "picture": picture,
                "crops": [[picture], {"deep": {"deeper": [picture]}}],
                "count": 7,
                "type": "base64",
                "no_picture": {"type": "base64", "value": None},
                "nothing": None,
            }
        ]
    }

    def output(format: VisualisationResponseFormat) -> dict[str, Any]:
        client = client_for(server, "v1", output_visualisation_format=format)
        [result] = call(client, method, specification=SPECIFICATION)
        assert {name: result[name] for name in ("count", "type", "no_picture", "nothing")} == {
            "count": 7,
            "type": "base64",
            "no_picture": None,
            "nothing": None,
        }
        pictures = [
            result["picture"],
            result["crops"][0][0],
            result["crops"][1]["deep"]["deeper"][0],
        ]
        return {"pictures": pictures}

    assert output(BASE64)["pictures"] == [png()] * 3
    for array in output(NUMPY)["pictures"]:
        assert array.tolist() == [[[20, 10, 250]] * 2]
    for image in output(PILLOW)["pictures"]:
        assert image.getpixel((0, 0)) == (250, 10, 20)


@both_ways
@pytest.mark.parametrize("answer", [{}, {"outputs": None}, [], {"message": "hello"}])
def test_an_answer_without_outputs_is_a_clear_error(server, call, answer):
    server.default = answer
    with pytest.raises(
        InvalidServerResponseError, match=r"outputs|a list of 0, not with an object"
    ):
        call(client_for(server, "v1"), "run_workflow", **NAMED)


@both_ways
def test_a_profile_is_written_and_never_over_another(server, call, tmp_path):
    trace = [{"name": "step", "dur": 12}]
    server.default = {"outputs": [{"count": 1}], "profiler_trace": trace}
    folder = tmp_path / "made" / "here"
    client = client_for(server, "v1", profiling_directory=str(folder))
    for _ in range(3):
        result = call(client, "run_workflow", **NAMED, enable_profiling=True)
        assert result == [{"count": 1}]
    assert server.last.json["enable_profiling"] is True
    files = sorted(folder.iterdir())
    assert len(files) == 3
    for file in files:
        assert file.name.startswith("workflow_execution_tack_20")
        assert file.suffix == ".json"
        assert json.loads(file.read_text()) == trace


@both_ways
def test_without_profiling_nothing_is_written(server, call, tmp_path):
    server.default = {"outputs": [], "profiler_trace": [{"name": "step"}]}
    client = client_for(server, "v1", profiling_directory=str(tmp_path / "profiles"))
    call(client, "run_workflow", **NAMED)
    assert not (tmp_path / "profiles").exists()


@both_ways
@pytest.mark.parametrize(("enabled", "tries"), [(True, 3), (False, 1)])
def test_runs_are_retried_unless_switched_off(server, call, enabled, tries):
    server.answer(RUN, lambda _: web.json_response({"message": "busy"}, status=503))
    client = client_for(server, "v1", workflow_run_retries_enabled=enabled, retry_backoff=0.001)
    with pytest.raises(HTTPCallErrorError) as caught:
        call(client, "run_workflow", **NAMED)
    assert caught.value.status_code == 503
    assert len(server.requests) == tries


# -- pipelines ---------------------------------------------------------------------------------

BY_ID = [
    "get_inference_pipeline_status",
    "pause_inference_pipeline",
    "resume_inference_pipeline",
    "terminate_inference_pipeline",
    "consume_inference_pipeline_result",
]


@both_ways
@pytest.mark.parametrize("method", BY_ID)
@pytest.mark.parametrize("pipeline_id", ["", None])
@pytest.mark.filterwarnings("ignore::inference_sdk.config.InferenceSDKDeprecationWarning")
def test_an_empty_pipeline_id_is_refused_before_anything_is_sent(server, call, method, pipeline_id):
    with pytest.raises(InvalidParameterError, match="pipeline_id is empty"):
        call(client_for(server, "v1"), method, pipeline_id)
    assert server.requests == []


# -- warnings ----------------------------------------------------------------------------------


def line_of_caller() -> int:
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno


def warned(method: str, caught: list[warnings.WarningMessage], line: int) -> None:
    [warning] = caught
    assert warning.category is InferenceSDKDeprecationWarning
    assert method in str(warning.message)
    assert (warning.filename, warning.lineno) == (__file__, line)


WARNING_CALLS = {row.method: row.arguments for row in reversed(PIPELINES)}
WARNING_CALLS["infer_from_workflow"] = {"specification": SPECIFICATION}


@pytest.mark.parametrize("method", WARNING_CALLS)
def test_a_call_that_warns_blames_the_line_that_called_it(server, method):
    server.default = {"outputs": []}
    with InferenceHTTPClient(server.url) as client:
        call = getattr(client, method)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            line = line_of_caller() + 1
            call(**WARNING_CALLS[method])
    warned(method, caught, line)


@pytest.mark.parametrize("method", WARNING_CALLS)
async def test_an_async_call_warns_on_the_line_that_called_it_not_where_it_is_awaited(
    server, method
):
    server.default = {"outputs": []}
    async with InferenceHTTPClient(server.url) as client:
        call = getattr(client, f"{method}_async")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            line = line_of_caller() + 1
            coroutine = call(**WARNING_CALLS[method])
            await asyncio.create_task(coroutine)
    warned(method, caught, line)


def test_a_call_that_is_current_warns_of_nothing(server):
    server.default = {"outputs": []}
    with InferenceHTTPClient(server.url) as client, warnings.catch_warnings():
        warnings.simplefilter("error")
        client.run_workflow(**NAMED)


def test_warnings_may_be_switched_off(server, monkeypatch):
    monkeypatch.setattr("inference_sdk.config.INFERENCE_WARNINGS_DISABLED", True)
    with InferenceHTTPClient(server.url) as client, warnings.catch_warnings():
        warnings.simplefilter("error")
        client.list_inference_pipelines()
