"""Options of calls with arguments of their own (OCR, embeddings, SAM, workflows): sent, or refused."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from aiohttp import web
from PIL import Image

from inference_sdk.http.entities import VisualisationResponseFormat
from inference_sdk.http.errors import HTTPServerTimeoutError, InvalidParameterError
from tests.callers import both_ways
from tests.integration.test_wire_infer import decoded
from tests.recording_server import Recorded, RecordingServer
from tests.wire_calls import IMAGE, ROWS, SPECIFICATION, Row, client_for, set_answers

Caller = Callable[..., Any]

WITH_IMAGES = {
    row.method: row
    for row in reversed(ROWS)
    if row.images and not row.before and row.method != "infer_from_workflow"
}
TEXTS = {
    "get_clip_text_embeddings": {"text": "cat"},
    "get_perception_encoder_text_embeddings": {"text": "cat"},
}
RED = np.zeros((16, 16, 3), np.uint8)
RED[..., 0] = 255


async def silent(_: Recorded, __: web.Request) -> web.StreamResponse:
    await asyncio.sleep(30)
    return web.json_response({})


@both_ways
@pytest.mark.parametrize("row", WITH_IMAGES.values(), ids=str)
def test_colours_of_arrays(server: RecordingServer, call: Caller, row: Row) -> None:
    set_answers(server, row)
    client = client_for(server, row.modes[-1])
    for options in ({"color_order": "rgb"}, {}):
        call(client, row.method, inference_input=RED, **row.arguments, **options)
    as_rgb, as_bgr = (decoded(sent.json["image"]["value"]) for sent in server.requests)
    red, blue = as_rgb.convert("RGB").getpixel((8, 8)), as_bgr.convert("RGB").getpixel((8, 8))
    assert red[0] > 200 > 50 > red[2]
    assert blue[2] > 200 > 50 > blue[0]


@both_ways
@pytest.mark.parametrize("method", [*WITH_IMAGES, *TEXTS, "run_workflow"])
def test_a_time_out_of_the_call(server: RecordingServer, call: Caller, method: str) -> None:
    server.default = silent
    row = WITH_IMAGES.get(method)
    arguments = TEXTS.get(method, {"specification": SPECIFICATION})
    if row is not None:
        arguments = {"inference_input": IMAGE, **row.arguments}
    client = client_for(server, "v1", max_tries=1)
    with pytest.raises(HTTPServerTimeoutError):
        call(client, method, **arguments, timeout=0.1)


@both_ways
@pytest.mark.parametrize(
    ("method", "arguments", "meant"),
    [
        ("ocr_image", {"inference_input": IMAGE, "quantise": True}, "quantize"),
        ("depth_estimation", {"inference_input": IMAGE, "timeot": 3}, "timeout"),
        ("sam2_segment_image", {"inference_input": IMAGE, "prompt": []}, "prompts"),
        ("get_clip_text_embeddings", {"text": "cat", "clip_versoin": "x"}, "clip_version"),
        ("run_workflow", {"specification": SPECIFICATION, "parameter": {}}, "parameters"),
        ("infer", {"inference_input": IMAGE, "modelid": "coco/3"}, "model_id"),
    ],
)
def test_the_argument_that_was_meant(
    server: RecordingServer, call: Caller, method: str, arguments: dict[str, Any], meant: str
) -> None:
    with pytest.raises(InvalidParameterError, match=rf"did you mean '{meant}'\?"):
        call(client_for(server, "v1"), method, **arguments)
    assert server.requests == []


@both_ways
def test_pictures_of_a_workflow_in_the_format_of_the_call(
    server: RecordingServer, call: Caller
) -> None:
    file = BytesIO()
    Image.fromarray(RED).save(file, "PNG")
    picture = {"type": "base64", "value": base64.b64encode(file.getvalue()).decode()}
    server.default = {"outputs": [{"drawn": picture}]}
    [outputs] = call(
        client_for(server, "v1"),
        "run_workflow",
        specification=SPECIFICATION,
        output_visualisation_format=VisualisationResponseFormat.NUMPY,
    )
    assert outputs["drawn"].shape == RED.shape
