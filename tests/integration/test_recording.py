"""`inference_recorder`: answers recorded from a server over sockets, and replayed when it is gone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiohttp import web

from inference_sdk import InferenceHTTPClient
from inference_sdk.http.errors import HTTPServerConnectionError, NotFoundError
from inference_sdk.recording import Recorder, UnknownRequestError
from tests.programs import Face, Player, both_plays
from tests.recording_server import RecordingServer
from tests.wire_calls import IMAGE, KEY

NOWHERE = "http://127.0.0.1:9"
FOUND = {"predictions": [{"x": 0.1 + 0.2, "class": "zażółć", "n": 2**70}]}
EMBED = "/clip/embed_image"


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    return tmp_path / "recordings" / "mine.json"


def client_of(url: str, key: str = KEY) -> InferenceHTTPClient:
    return InferenceHTTPClient(url, key).with_options(retry_backoff=0.0, max_tries=2)


@both_plays
def test_what_was_recorded_is_replayed_without_the_server(
    play: Player, server: RecordingServer, tape: Path
) -> None:
    server.answer("/yolo_world/infer", FOUND)
    server.answer("/infer/embeddings", {"a": 1}, {"a": 2})
    server.answer(EMBED, lambda _: web.json_response({"message": f"no {KEY}"}, status=404))

    async def program(face: Face) -> list[Any]:
        found = [await face.call("infer_from_yolo_world", [IMAGE] * 2, ["cat"])]
        found += [
            await face.call("get_image_embeddings", np.zeros((4, 4, 3), np.uint8), model_id="m")
            for _ in range(2)
        ]
        with pytest.raises(NotFoundError) as caught:
            await face.call("get_clip_image_embeddings", IMAGE)
        return [*found, caught.value.api_message, caught.value.tries]

    with Recorder(tape, records=True):
        recorded = play(client_of(server.url), program)
    sent = len(server.requests)
    with Recorder(tape):
        assert play(client_of(NOWHERE, "another key"), program) == recorded
    assert len(server.requests) == sent
    assert recorded[0] == [FOUND] * 2
    text = tape.read_text(encoding="utf-8")
    assert KEY not in text
    assert [entry["answer"]["status"] for entry in json.loads(text)][-1] == 404
    with pytest.raises(HTTPServerConnectionError):  # outside, all is as it was
        play(client_of(NOWHERE), program)


@both_plays
def test_an_unknown_request_fails_with_the_difference(
    play: Player, server: RecordingServer, tape: Path
) -> None:
    server.default = FOUND

    async def program(face: Face) -> None:
        await face.call("infer_from_yolo_world", IMAGE, ["cat"], confidence=0.5)

    async def another(face: Face) -> None:
        await face.list("infer_many", [IMAGE], "project/1", on_error="return")

    async def differing(face: Face) -> None:
        await face.call("infer_from_yolo_world", IMAGE, ["dog"], confidence=0.5)

    with Recorder(tape, records=True):
        play(client_of(server.url), program)
    with Recorder(tape):
        with pytest.raises(UnknownRequestError) as caught:
            play(client_of(NOWHERE), differing)
        assert '-   "cat"' in str(caught.value)
        assert '+   "dog"' in str(caught.value)
        assert KEY not in str(caught.value)
        with pytest.raises(UnknownRequestError, match="knows POST /yolo_world/infer"):
            play(client_of(NOWHERE), another)


@both_plays
def test_a_picture_with_other_pixels_is_another_request(
    play: Player, server: RecordingServer, tape: Path
) -> None:
    pictures = [np.full((64, 64, 3), value, np.uint8) for value in (0, 255)]

    async def program(face: Face) -> None:
        await face.call("get_clip_image_embeddings", pictures[0])

    async def another(face: Face) -> None:
        await face.call("get_clip_image_embeddings", pictures[1])

    server.default = {"embeddings": [[0.5]]}
    with Recorder(tape, records=True):
        play(client_of(server.url), program)
    assert tape.stat().st_size < 1500
    with Recorder(tape), pytest.raises(UnknownRequestError, match="sha256:"):
        play(client_of(NOWHERE), another)


@both_plays
def test_bodies_that_are_no_json(play: Player, server: RecordingServer, tape: Path) -> None:
    jpeg = b"\xff\xd8\xff\xe0 no text"
    server.default = lambda _: web.Response(body=jpeg, content_type="image/jpeg")

    async def program(face: Face) -> Any:
        face.client.select_api_v0()
        return await face.call("infer", IMAGE, model_id="project/1")

    def played(url: str) -> Any:
        return play(InferenceHTTPClient(url, KEY), program)

    with Recorder(tape, records=True):
        recorded = played(server.url)
    with Recorder(tape):
        assert played(NOWHERE) == recorded


TEST = """
from inference_sdk import InferenceHTTPClient

def test_mine(inference_recorder):
    client = InferenceHTTPClient({url!r}, "key")
    assert client.get_clip_text_embeddings("a cat") == {{"embeddings": [[0.5]]}}
"""


def test_the_fixture(server: RecordingServer, tmp_path: Path) -> None:
    server.default = {"embeddings": [[0.5]]}
    (tmp_path / "test_it.py").write_text(TEST.format(url=server.url))

    def run(*options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
        return subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, timeout=50, check=False
        )

    missing = run()
    assert missing.returncode == 1
    assert "test_mine.json, which is not there. Record it once: pytest --inf" in missing.stdout
    assert server.requests == []
    assert run("--inference-record").returncode == 0
    assert (tmp_path / "recordings" / "test_it" / "test_mine.json").exists()
    assert run().returncode == 0
    assert len(server.requests) == 1
