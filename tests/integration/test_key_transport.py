"""Where the key is, and where it is not: every public method, every transport, both APIs.

Methods are found by introspection, so one that is added later fails here until its arguments
stand in the table.
"""

from __future__ import annotations

import asyncio
import inspect
import warnings
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from inference_sdk import InferenceHTTPClient
from inference_sdk.http.errors import WrongClientModeError
from tests.client_surface import CALLS, SETTINGS, public_names
from tests.recording_server import Recorded, RecordingServer
from tests.wire_calls import IMAGE, KEY, ROWS, Row, client_for, knows, set_answers

HOSTED_INFER = {"inference_input": IMAGE, "model_id": "coco/3"}
HOSTED_CLIP = {"video_reference": "https://host.test/clip.mp4", "model_id": "coco/3"}

TABLE: dict[str, Row] = {row.method: row for row in reversed(ROWS)} | {
    row.method: row
    for row in (
        Row("infer_from_api_v0", "/coco/3", HOSTED_INFER),
        Row("infer_on_video_from_api_v0", "/coco/3", HOSTED_CLIP),
        Row(
            "infer_many",
            "/infer/object_detection",
            {"inputs": [IMAGE, IMAGE], "model_id": "coco/3"},
            before=knows("object-detection"),
        ),
        Row(
            "infer_on_stream",
            "/infer/object_detection",
            {"input_uri": "a folder", "model_id": "coco/3"},
            before=knows("object-detection"),
        ),
    )
}
"""A way to call each method that sends something."""

SEND_NOTHING = {"load_images", "load_nested_images"}

SENDS_WHAT_OTHERS_SEND = {"ping"}
"""`/info` and the list of models; see test_ping."""

V1_ONLY = {row.method for row in ROWS if row.modes == ("v1",)} - {"infer", "infer_on_video"}


def test_every_public_method_has_a_row():
    assert public_names() == (
        SETTINGS
        | {
            name
            for call in TABLE.keys() | SEND_NOTHING | SENDS_WHAT_OTHERS_SEND
            for name in (call, f"{call}_async")
        }
    )
    assert set(CALLS) == TABLE.keys() | SEND_NOTHING | SENDS_WHAT_OTHERS_SEND


def consume(client: InferenceHTTPClient, method: str, arguments: dict[str, Any]) -> None:
    with client:
        outcome = getattr(client, method)(**arguments)
        if inspect.isgenerator(outcome):
            assert list(outcome)


async def consume_async(
    client: InferenceHTTPClient, method: str, arguments: dict[str, Any]
) -> None:
    async with client:
        outcome = getattr(client, f"{method}_async")(**arguments)
        if isinstance(outcome, AsyncGenerator):
            assert [element async for element in outcome]
        else:
            await outcome


@contextmanager
def refusal(method: str, mode: str) -> Iterator[None]:
    if method in V1_ONLY and mode == "v0":
        with pytest.raises(WrongClientModeError):
            yield
    else:
        yield


@pytest.fixture
def folder(tmp_path: Path) -> str:
    Image.new("RGB", (8, 4)).save(tmp_path / "a.png")
    return str(tmp_path)


def in_header(sent: Recorded) -> bool:
    return sent.headers.get("Authorization") == f"Bearer {KEY}"


def in_url_or_body(sent: Recorded) -> bool:
    return KEY in sent.path or KEY in str(sent.query) or KEY.encode() in sent.body


def in_other_headers(sent: Recorded) -> bool:
    return any(KEY in value for name, value in sent.headers.items() if name != "Authorization")


def carries_a_key(row: Row, mode: str) -> bool:
    """Whether the contract has the key in URL or body, if the transport does."""
    in_body = row.body is not None and (row.key == "body" or mode == "v1")
    in_query = row.key == "query" or mode == "v0"
    return row.key != "nowhere" and (in_body or in_query)


def check(sent: Recorded, transport: str, expected: bool) -> None:
    assert in_header(sent) == (transport != "legacy")
    assert not in_other_headers(sent)
    assert in_url_or_body(sent) == expected
    if not expected:
        assert "api_key" not in sent.query
        assert b"api_key" not in sent.body


@pytest.mark.parametrize("mode", ["v0", "v1"])
@pytest.mark.parametrize("transport", ["legacy", "both", "header"])
@pytest.mark.parametrize("method", sorted(TABLE))
def test_the_key_is_where_the_transport_says_and_nowhere_else(
    server: RecordingServer, folder: str, method: str, transport: str, mode: str
):
    row = TABLE[method]
    set_answers(server, row)
    arguments = {**({"inference_input": IMAGE} if row.images else {}), **row.arguments}
    if "input_uri" in arguments:
        arguments["input_uri"] = folder
    client = client_for(server, mode, api_key_transport=transport, model_description_ttl=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with refusal(method, mode):
            consume(client, method, arguments)
        from_sync = len(server.requests)
        with refusal(method, mode):
            asyncio.run(consume_async(client, method, arguments))

    refused = method in V1_ONLY and mode == "v0"
    assert (from_sync, len(server.requests)) == (0, 0) if refused else from_sync > 0
    assert len(server.requests) == 2 * from_sync
    for sent in server.requests:
        if method == "get_server_info":  # open to all: it needs no key
            assert "Authorization" not in sent.headers
            assert sent.query == {}
            continue
        check(sent, transport, transport != "header" and carries_a_key(row, mode))


@pytest.mark.parametrize("method", sorted(SEND_NOTHING))
def test_methods_that_send_nothing_send_nothing(server: RecordingServer, method: str):
    arguments = {"arguments": {"inference_input": IMAGE}}
    consume(client_for(server, "v1"), method, arguments)
    asyncio.run(consume_async(client_for(server, "v1"), method, arguments))
    assert server.requests == []


@pytest.mark.parametrize("transport", ["both", "header"])
def test_without_a_key_there_is_no_header(server: RecordingServer, transport: str):
    with client_for(server, "v1", key=None, api_key_transport=transport) as client:
        client.ocr_image(IMAGE)
    assert "Authorization" not in server.last.headers


def test_a_hosted_model_needs_a_key_also_when_it_travels_in_a_header(server: RecordingServer):
    with client_for(server, "v0", api_key_transport="header") as client:
        client.infer(IMAGE, model_id="coco/3")
    assert server.last.query == {
        "allow_reduced_mask_resolution": ["False"],
        "disable_active_learning": ["False"],
    }
    assert server.last.body == IMAGE.encode()
    assert in_header(server.last)
