"""Answers that are no answers: each call refuses them, and says what came."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from inference_sdk.http.entities import VisualisationResponseFormat
from inference_sdk.http.errors import InvalidServerResponseError
from tests.callers import both_ways
from tests.recording_server import RecordingServer
from tests.wire_calls import IMAGE, ROWS, Row, client_for, knows

CALLS = list({row.method: row for row in reversed(ROWS)}.values())
Caller = Callable[..., Any]

ODD = {
    "null": (None, "null"),
    "number": (5, "the number 5"),
    "huge number": (10**30, "the number 1000"),
    "text": ("no result", "the text 'no result'"),
    "true": (True, "true"),
    "empty list": ([], "a list of 0|0 results|list"),
    "list of numbers": ([1], "the number 1 in a list|a list of 1|list"),
    "list of lists": ([[{}]], "a list of 1"),
    "list of nothing": ([None], "null in a list|a list of 1|list"),
    "long list": ([{}] * 3, "3 results for 1 image|a list of 3|list"),
}


def carry_out(call: Caller, server: RecordingServer, row: Row, **settings: Any) -> Any:
    arguments = {**({"inference_input": IMAGE} if row.images else {}), **row.arguments}
    for path, registered in row.before.items():
        server.answer(path, registered)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return call(client_for(server, row.modes[-1], **settings), row.method, **arguments)


@both_ways
@pytest.mark.parametrize("odd", list(ODD))
@pytest.mark.parametrize("row", CALLS, ids=str)
def test_what_is_no_answer_is_refused(
    server: RecordingServer, call: Caller, row: Row, odd: str
) -> None:
    answer, told = ODD[odd]
    server.default = answer if answer is not None else lambda _: web.json_response(None)
    with pytest.raises(InvalidServerResponseError, match=rf"{server.url}.*({told})") as caught:
        carry_out(call, server, row)
    assert caught.value.status_code == 200
    assert json.loads(caught.value.body or "") == answer


@both_ways
@pytest.mark.parametrize(
    "model",
    [
        {"model_id": ["coco/3"], "task_type": "object-detection"},
        {"model_id": "coco/3", "task_type": ["object-detection"]},
        {"model_id": "coco/3", "task_type": {}},
        {"model_id": "coco/3", "task_type": None},
        {"model_id": "coco/3", "task_type": "object-detection", "input_width": "640"},
    ],
    ids=str,
)
def test_odd_values_in_the_registry(
    server: RecordingServer, call: Caller, model: dict[str, Any]
) -> None:
    server.answer("/model/registry", {"models": [model]})
    client = client_for(server, "v1", client_downsizing_disabled=False)
    with pytest.raises(
        InvalidServerResponseError, match=r"ModelDescription: '(model_id|task_type|input_width)'"
    ):
        call(client, "infer", IMAGE, model_id="coco/3")


def nested(depth: int) -> str:
    return '{"a":' * depth + "[" * depth + "]" * depth + "}" * depth


@both_ways
@pytest.mark.parametrize("depth", [500, 100_000])
@pytest.mark.parametrize(
    "body", ['{"outputs": [{"a": %s}]}', '{"outputs": %s}', "%s"], ids=["inside", "outputs", "all"]
)
def test_a_workflow_answer_that_is_nested_deeply(
    server: RecordingServer, call: Caller, body: str, depth: int
) -> None:
    text = body % nested(depth)
    server.default = lambda _: web.Response(text=text, content_type="application/json")
    with pytest.raises(InvalidServerResponseError) as caught:
        call(client_for(server, "v1"), "run_workflow", specification={})
    assert len(str(caught.value)) < 500
    assert caught.value.body == text


@both_ways
@pytest.mark.parametrize("status", [300, 304, 305, 307])
def test_a_redirect_to_nowhere_is_no_result(
    server: RecordingServer, call: Caller, status: int
) -> None:
    server.default = lambda _: web.json_response({"predictions": []}, status=status)
    with pytest.raises(InvalidServerResponseError, match=f"status {status}") as caught:
        call(client_for(server, "v0"), "infer", IMAGE, model_id="coco/3")
    assert caught.value.status_code == status


@both_ways
def test_numbers_that_cannot_be_scaled_stay(server: RecordingServer, call: Caller) -> None:
    body = (
        '{"image": {"width": NaN, "height": Infinity}, '
        f'"predictions": [{{"x": {10**400}, "y": 4, "width": -Infinity, "height": 2}}]}}'
    )
    server.default = lambda _: web.Response(text=body, content_type="application/json")
    for path, known in knows("object-detection").items():
        server.answer(path, known)
    picture = _picture(64)
    client = client_for(server, "v1", client_downsizing_disabled=False, default_max_input_size=32)
    result = call(client, "infer", picture, model_id="coco/3")
    assert math.isnan(result["image"]["width"])
    assert result["predictions"][0] == {"x": 10**400, "y": 8, "width": -math.inf, "height": 4}


def _picture(side: int) -> Any:
    import numpy as np

    return np.zeros((side, side, 3), np.uint8)


# -- one part of an answer does not cost the others ------------------------------------------------


@both_ways
@pytest.mark.parametrize("broken", ["?", "aGk=", 5, ["a"]], ids=str)
def test_a_broken_picture_does_not_cost_the_other_outputs(
    server: RecordingServer, call: Caller, broken: Any
) -> None:
    picture = {"type": "base64", "value": broken}
    server.default = {"outputs": [{"count": 3, "picture": picture, "again": [picture]}]}
    client = client_for(
        server, "v1", output_visualisation_format=VisualisationResponseFormat.PILLOW
    )
    with pytest.warns(UserWarning, match="2 of the pictures in an answer cannot be") as warned:
        [output] = call(client, "run_workflow", specification={})
    assert output == {"count": 3, "picture": picture, "again": [picture]}
    assert len(warned) == 1


@both_ways
def test_a_broken_visualisation_does_not_cost_the_predictions(
    server: RecordingServer, call: Caller
) -> None:
    server.default = {"predictions": [], "visualization": "no picture"}
    client = client_for(server, "v0", output_visualisation_format=VisualisationResponseFormat.NUMPY)
    with pytest.warns(UserWarning, match="'visualization' of an answer stays as it came"):
        result = call(client, "infer", IMAGE, model_id="coco/3")
    assert result == {"predictions": [], "visualization": "no picture"}


@both_ways
def test_an_answer_that_is_a_broken_picture(server: RecordingServer, call: Caller) -> None:
    server.default = lambda _: web.Response(body=b"no picture", content_type="image/jpeg")
    client = client_for(server, "v0", output_visualisation_format=VisualisationResponseFormat.NUMPY)
    with pytest.raises(InvalidServerResponseError, match="with what cannot be read"):
        call(client, "infer", IMAGE, model_id="coco/3")


@both_ways
def test_a_depth_map_that_is_none(server: RecordingServer, call: Caller) -> None:
    server.default = {"normalized_depth": "no picture"}
    with pytest.raises(InvalidServerResponseError, match="with what cannot be read"):
        call(client_for(server, "v1"), "depth_estimation", IMAGE)


@both_ways
def test_a_profile_that_cannot_be_saved_does_not_cost_the_outputs(
    server: RecordingServer, call: Caller, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    server.default = {"outputs": [{"count": 3}], "profiler_trace": [{"name": "step"}]}
    client = client_for(server, "v1").with_options(profiling_directory=str(tmp_path / "file/x"))
    with pytest.warns(UserWarning, match="profile could not be saved in .*file/x"):
        outputs = call(client, "run_workflow", specification={}, enable_profiling=True)
    assert outputs == [{"count": 3}]
