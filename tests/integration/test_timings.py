"""`client.timings()`: what calls spend their time on, over sockets."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiohttp import web
from PIL import Image

from inference_sdk import InferenceHTTPClient
from inference_sdk.http.errors import HTTPCallErrorError
from inference_sdk.http.observing import CallRecord, Listener, Phase
from tests.programs import Face, Player, both_plays
from tests.recording_server import RecordingServer

MODEL = "project/1"
PICTURE = "R0lGODlhaW1hZ2U="
INFER = "/infer/object_detection"
ON_THE_WIRE = {Phase.SENDING, Phase.WAITING, Phase.RECEIVING, Phase.PARSING}


def slow(_: Any = None) -> web.Response:
    return web.json_response({"predictions": []}, headers={"X-Processing-Time": "0.25"})


def busy(_: Any = None) -> web.Response:
    return web.json_response({}, status=503, headers={"Retry-After": "0.02"})


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as server:
        size = {"input_height": 24, "input_width": 32}
        model = {"model_id": MODEL, "task_type": "object-detection", **size}
        server.answer("/model/registry", {"models": [model]})
        server.answer(INFER, slow)
        yield server


@pytest.fixture
def client(server: RecordingServer) -> InferenceHTTPClient:
    client = InferenceHTTPClient(server.url, "key-of-the-tests")
    return client.with_options(model_id=MODEL, max_concurrent_requests=4)


@pytest.fixture
def photograph(tmp_path: Path) -> str:
    path = tmp_path / "a.jpg"
    Image.new("RGB", (64, 48)).save(path)
    return str(path)


@both_plays
def test_a_call_tells_what_it_was_at(
    client: InferenceHTTPClient, server: RecordingServer, play: Player, photograph: str
) -> None:
    async def program(face: Face) -> None:
        with client.timings() as timings:
            await face.call("infer", photograph)
            await face.call("infer", photograph)
        first, second = timings.calls
        assert set(first.phases) == {Phase.READING, Phase.ENCODING, Phase.CONNECTING} | ON_THE_WIRE
        assert set(second.phases) == {Phase.READING, Phase.ENCODING} | ON_THE_WIRE
        assert (first.tries, first.connections) == (2, 1)  # the model was looked up
        assert (second.tries, second.connections) == (1, 0)
        assert second.bytes_sent > len(server.last.body) > 0
        assert second.bytes_received > len('{"predictions": []}')
        assert second.processing == 0.25
        assert (second.name, second.error) == ("infer", None)
        for call in timings.calls:
            assert call.elapsed == pytest.approx(sum(call.phases.values()) + call.other)
        assert timings.count == 2
        assert timings.total.tries == 3
        assert timings.wall >= timings.total.elapsed

    play(client, program)


@both_plays
def test_pictures_that_are_scaled(
    client: InferenceHTTPClient, play: Player, photograph: str
) -> None:
    async def program(face: Face) -> None:
        face.client = client.with_options(client_downsizing_disabled=False)
        with client.timings() as timings:
            await face.call("infer", photograph)
            await face.call("infer", np.zeros((48, 64, 3), np.uint8))
        file, array = timings.calls
        scaled = {Phase.RESIZING, Phase.ENCODING}
        assert {Phase.READING, Phase.DECODING} | scaled <= set(file.phases)
        assert scaled <= set(array.phases)
        assert Phase.READING not in array.phases

    play(client, program)


@both_plays
def test_many_images_tell_of_their_source_and_their_slots(
    client: InferenceHTTPClient, play: Player
) -> None:
    async def program(face: Face) -> None:
        def slow_source() -> Iterator[str]:
            for _ in range(6):
                threading.Event().wait(0.01)
                yield PICTURE

        await face.call("infer", PICTURE)
        with client.timings() as timings:
            await face.list("infer_many", slow_source())
        assert timings.count == 6
        assert {call.name for call in timings.calls} == {"infer_many"}
        assert all(call.phases[Phase.SOURCE] >= 0.01 for call in timings.calls)
        assert all(Phase.SLOT in call.phases for call in timings.calls)
        assert timings.at_once < 1
        assert "waiting for your images" in str(timings)

        with client.timings() as timings:
            await face.call("infer", [PICTURE] * 6)
        assert timings.count == 1
        assert timings.total.tries == 6
        assert Phase.SLOT in timings.total.phases

    play(client, program)


@both_plays
def test_tries_pauses_and_failures(
    client: InferenceHTTPClient, server: RecordingServer, play: Player
) -> None:
    async def program(face: Face) -> None:
        await face.call("infer", PICTURE)
        server.answer(INFER, busy, slow, lambda _: web.json_response({}, status=400))
        with client.timings() as timings:
            await face.call("infer", PICTURE)
            with pytest.raises(HTTPCallErrorError):
                await face.call("infer", PICTURE)
        again, failed = timings.calls
        assert (again.tries, again.error) == (2, None)
        assert again.phases[Phase.PAUSING] >= 0.02
        assert (failed.tries, failed.error) == (1, "HTTPCallErrorError")
        assert timings.failed == 1
        assert "2 calls" in str(timings)
        assert "1 of them failed" in str(timings)
        assert "the server's work" in str(timings)

    play(client, program)


@both_plays
def test_a_download_is_reading(
    client: InferenceHTTPClient, server: RecordingServer, play: Player
) -> None:
    file = BytesIO()
    Image.new("RGB", (4, 4)).save(file, "jpeg")
    server.answer("/a.jpg", lambda _: web.Response(body=file.getvalue()))

    async def program(face: Face) -> None:
        await face.call("infer", PICTURE)
        with client.timings() as timings:
            await face.call("infer", f"{server.url}/a.jpg")
        [call] = timings.calls
        assert call.phases[Phase.READING] > 0
        assert (call.tries, call.connections) == (1, 0)

    play(client, program)


class Notes(Listener):
    """What a listener is told, in order."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def call_begins(self, call: CallRecord) -> None:
        self.told.append(("begins", call.name, call.elapsed))

    def phase_ended(self, call: CallRecord, phase: Phase, seconds: float) -> None:
        self.told.append(phase)
        assert call.phases[phase] >= seconds >= 0

    def call_ends(self, call: CallRecord) -> None:
        self.told.append(("ends", call.name, call.error))
        assert call.elapsed > 0


@both_plays
def test_listeners_are_told_until_they_are_removed(
    client: InferenceHTTPClient, play: Player
) -> None:
    notes = Notes()

    async def program(face: Face) -> None:
        await face.call("infer", PICTURE)
        client.listeners.add(notes)
        await face.call("infer", PICTURE)
        client.listeners.remove(notes)
        await face.call("infer", PICTURE)

    play(client, program)
    begins, *phases, ends = notes.told
    assert (begins, ends) == (("begins", "infer", 0.0), ("ends", "infer", None))
    assert [phase for phase in phases if phase in ON_THE_WIRE] == [
        Phase.SENDING,
        Phase.WAITING,
        Phase.RECEIVING,
        Phase.PARSING,
    ]


def test_calls_of_other_threads_and_of_nobody_else(
    client: InferenceHTTPClient, server: RecordingServer
) -> None:
    other = InferenceHTTPClient(server.url, "key-of-the-tests").with_options(model_id=MODEL)
    with client.timings() as timings, other.timings() as others:
        calls = [threading.Thread(target=client.infer, args=(PICTURE,)) for _ in range(4)]
        for call in calls:
            call.start()
        for call in calls:
            call.join()
    assert (timings.count, others.count) == (4, 0)
    assert str(others).startswith("No call ended")
    client.infer(PICTURE)
    assert timings.count == 4


def test_a_pickled_client_takes_no_listener_along(client: InferenceHTTPClient) -> None:
    with client.timings() as timings:
        copied = pickle.loads(pickle.dumps(client))
    assert copied.listeners is not client.listeners
    assert timings.count == 0
