"""`max_concurrent_requests="auto"` over sockets: it finds room, backs off, and is shared."""

from __future__ import annotations

import asyncio
import base64
import copy
import pickle
import time
from typing import Any

import pytest
from aiohttp import web

from inference_sdk import InferenceConfiguration, InferenceHTTPClient
from inference_sdk.http.errors import HTTPServerTimeoutError, InvalidParameterError
from tests.programs import Face, Player, both_plays
from tests.recording_server import Handler, Recorded, RecordingServer

pytestmark = pytest.mark.slow

MODEL = "project/1"
DETECTION = "/infer/object_detection"
KIND = f"{DETECTION} {MODEL}"
SECONDS = 0.05
"""Of a request that a worker does: long beside what the client and the recording server cost."""

PICTURES = [base64.b64encode(f"GIF89a{number}".encode()).decode() for number in range(160)]


def workers(count: int, most: int = 10**6) -> Handler:
    """Works on so many requests at once, and takes in no more than `most`."""
    room = asyncio.Semaphore(count)
    taken = 0

    async def work(recorded: Recorded, request: web.Request) -> web.StreamResponse:
        nonlocal taken
        if taken >= most:
            return web.json_response({"message": "busy"}, status=503)
        taken += 1
        try:
            async with room:
                await asyncio.sleep(SECONDS)
        finally:
            taken -= 1
        return web.json_response({"top": recorded.json["image"]["value"]})

    return work


@pytest.fixture
def detector(server: RecordingServer) -> RecordingServer:
    models = {"models": [{"model_id": MODEL, "task_type": "object-detection"}]}
    server.answer("/model/registry", models)
    return server


def client_of(server: RecordingServer, **options: Any) -> InferenceHTTPClient:
    options = {"max_concurrent_requests": "auto", "retry_backoff": 0.02, **options}
    return InferenceHTTPClient(server.url, "key-of-the-tests").with_options(
        model_id=MODEL, **options
    )


@both_plays
def test_fills_a_server_and_gives_results_in_order(detector: RecordingServer, play: Player) -> None:
    detector.answer(DETECTION, workers(8))
    client = client_of(detector)

    async def program(face: Face) -> None:
        results = await face.list("infer_many", PICTURES)
        assert [result["top"] for result in results] == PICTURES
        begin = time.monotonic()
        await face.list("infer_many", PICTURES)
        # One at a time takes 8 s, eight at once one.
        assert time.monotonic() - begin < 4

    play(client, program)
    assert 8 <= client.stats().windows[KIND] <= 24
    assert detector.most_in_flight <= 32


@both_plays
def test_one_worker_is_not_crowded(detector: RecordingServer, play: Player) -> None:
    detector.answer(DETECTION, workers(1))
    client = client_of(detector)
    play(client, lambda face: face.list("infer_many", PICTURES[:60]))
    assert client.stats().windows[KIND] <= 5


@both_plays
def test_stays_below_what_the_server_refuses(detector: RecordingServer, play: Player) -> None:
    detector.answer(DETECTION, workers(32, most=6))
    client = client_of(detector, max_tries=20, retry_backoff=0.1)
    results = play(client, lambda face: face.list("infer_many", PICTURES * 2, ordered=False))
    assert sorted(place for place, _ in results) == list(range(320))
    assert client.stats().windows[KIND] <= 8
    refused = len(detector.requests) - 1 - 320
    assert refused < 50


@both_plays
def test_time_outs_close_the_window(detector: RecordingServer, play: Player) -> None:
    detector.answer(DETECTION, workers(8))
    client = client_of(detector)

    async def silent(recorded: Recorded, request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.6)
        return web.Response()

    async def program(face: Face) -> None:
        await face.list("infer_many", PICTURES)
        open_window = client.stats().windows[KIND]
        detector.answer(DETECTION, silent)
        hasty = Face(client.with_options(timeout=0.2), face.is_async)
        errors = await hasty.list("infer_many", PICTURES[:30], on_error="return")
        assert all(isinstance(error, HTTPServerTimeoutError) for error in errors)
        assert client.stats().windows[KIND] <= open_window / 2

    play(client, program)
    while detector.in_flight:
        time.sleep(0.05)


@both_plays
def test_lists_and_their_copies_share_what_was_learnt(
    detector: RecordingServer, play: Player
) -> None:
    detector.answer(DETECTION, workers(8))
    client = client_of(detector)

    async def program(face: Face) -> None:
        results = await face.call("infer", PICTURES)
        assert [result["top"] for result in results] == PICTURES
        learnt = client.stats().windows[KIND]
        assert learnt >= 4
        detector.most_in_flight = 0
        sure = Face(client.with_options(confidence_threshold=0.5), face.is_async)
        await sure.call("infer", PICTURES[:20])
        assert detector.most_in_flight >= min(learnt, 20) - 1

    play(client, program)


@both_plays
def test_one_image_a_workflow_and_frames_of_a_folder_take_it_too(
    detector: RecordingServer, play: Player, tmp_path: Any
) -> None:
    from PIL import Image

    for number in range(6):
        Image.new("RGB", (8, 8)).save(tmp_path / f"{number}.png")
    detector.answer(DETECTION, workers(8))
    detector.answer("/workflows/run", {"outputs": [{"count": 3}]})
    client = client_of(detector)

    async def program(face: Face) -> None:
        assert (await face.call("infer", PICTURES[0]))["top"] == PICTURES[0]
        outputs = await face.call("run_workflow", specification={}, images={"image": PICTURES[0]})
        assert outputs == [{"count": 3}]
        frames = await face.list("infer_on_stream", str(tmp_path))
        assert len(frames) == 6

    play(client, program)
    assert client.stats().windows[f"infer {MODEL}"] >= 1


def test_what_was_learnt_stays_in_its_process(detector: RecordingServer) -> None:
    detector.answer(DETECTION, workers(8))
    client = client_of(detector)
    client.infer(PICTURES[:40])
    assert client.stats().windows
    for copied in (pickle.loads(pickle.dumps(client)), copy.copy(client), copy.deepcopy(client)):
        assert copied.stats().windows == {}
        assert copied.inference_configuration.max_concurrent_requests == "auto"
    client.close()


def test_another_word_is_refused_by_name() -> None:
    with pytest.raises(InvalidParameterError, match="max_concurrent_requests is 'all'"):
        InferenceConfiguration(max_concurrent_requests="all")  # type: ignore[arg-type]
