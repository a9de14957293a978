"""What a client remembers of models, over sockets: one request for one inference."""

from __future__ import annotations

import asyncio
import pickle
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from aiohttp import web

from inference_sdk import InferenceHTTPClient
from inference_sdk.http.errors import HTTPCallErrorError, InvalidParameterError, NotFoundError
from tests.programs import Face, Player, both_plays
from tests.recording_server import Recorded, RecordingServer

MODEL = "project/1"
PICTURE = "R0lGODlhaW1hZ2U="
LOOK_UP, LOAD, INFER = "/model/registry", "/model/add", "/infer/object_detection"
LOADED = {"models": [{"model_id": MODEL, "task_type": "object-detection"}]}
NOTHING: dict[str, Any] = {"models": []}
RESULT = {"top": "cat"}


def gone(_: Any = None) -> web.Response:
    return web.json_response({"message": "The model is not loaded."}, status=404)


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as server:
        for path in (LOOK_UP, LOAD, "/model/remove", "/model/clear"):
            server.answer(path, LOADED)
        server.answer(INFER, RESULT)
        yield server


def client_of(*servers: RecordingServer, **options: Any) -> InferenceHTTPClient:
    client = InferenceHTTPClient([server.url for server in servers], "key-of-the-tests")
    return client.with_options(model_id=MODEL, **options)


def paths(server: RecordingServer) -> list[str]:
    return [request.path for request in server.requests]


@both_plays
def test_a_model_is_looked_up_once(server: RecordingServer, play: Player) -> None:
    client = client_of(server)

    async def program(face: Face) -> None:
        for _ in range(3):
            assert await face.call("infer", PICTURE) == RESULT
        assert await face.call("infer", [PICTURE] * 2) == [RESULT] * 2
        assert await face.list("infer_many", [PICTURE] * 2) == [RESULT] * 2
        face.client = client.with_options(read_timeout=5)
        assert await face.call("infer", PICTURE) == RESULT

    play(client, program)
    assert paths(server) == [LOOK_UP] + [INFER] * 8


@both_plays
def test_a_model_that_had_to_be_loaded_is_known(server: RecordingServer, play: Player) -> None:
    server.answer(LOOK_UP, NOTHING)

    async def program(face: Face) -> None:
        for _ in range(2):
            assert await face.call("infer", PICTURE) == RESULT

    play(client_of(server), program)
    assert paths(server) == [LOOK_UP, LOAD, INFER, INFER]


@both_plays
@pytest.mark.parametrize("ttl", [0, 1e-9])
def test_what_is_too_old_is_asked_again(server: RecordingServer, play: Player, ttl: float) -> None:
    async def program(face: Face) -> None:
        for _ in range(2):
            await face.call("infer", PICTURE)

    play(client_of(server, model_description_ttl=ttl), program)
    assert paths(server) == [LOOK_UP, INFER] * 2


@both_plays
@pytest.mark.parametrize(
    ("change", "arguments"),
    [("load_model", [MODEL]), ("unload_model", [MODEL]), ("unload_all_models", [])],
)
def test_who_changes_what_is_loaded_asks_again(
    server: RecordingServer, play: Player, change: str, arguments: list[str]
) -> None:
    async def program(face: Face) -> None:
        await face.call("infer", PICTURE)
        await face.call(change, *arguments)
        await face.call("infer", PICTURE)

    play(client_of(server), program)
    assert Counter(paths(server))[LOOK_UP] == 2


@both_plays
@pytest.mark.parametrize("many", [False, True])
def test_a_model_that_went_away_is_loaded_again(
    server: RecordingServer, play: Player, many: bool
) -> None:
    server.answer(INFER, RESULT, gone, RESULT)
    server.answer(LOOK_UP, LOADED, NOTHING)

    async def program(face: Face) -> None:
        if many:
            assert await face.list("infer_many", [PICTURE] * 2) == [RESULT] * 2
        else:
            for _ in range(2):
                assert await face.call("infer", PICTURE) == RESULT
        assert await face.call("infer", PICTURE) == RESULT

    play(client_of(server), program)
    assert paths(server) == [LOOK_UP, INFER, INFER, LOOK_UP, LOAD, INFER, INFER]


@both_plays
def test_a_model_that_stays_away_is_an_error(server: RecordingServer, play: Player) -> None:
    server.answer(INFER, gone)

    async def program(face: Face) -> None:
        with pytest.raises(NotFoundError, match="not loaded"):
            await face.call("infer", PICTURE)

    play(client_of(server), program)
    assert paths(server) == [LOOK_UP, INFER] * 2


@both_plays
def test_a_server_without_the_model_is_made_to_load_it(
    server: RecordingServer, play: Player
) -> None:
    loaded = threading.Event()

    async def load(_: Recorded, __: web.Request) -> web.StreamResponse:
        loaded.set()
        return web.json_response(LOADED)

    async def detect(_: Recorded, __: web.Request) -> web.StreamResponse:
        return web.json_response(RESULT) if loaded.is_set() else gone()

    with RecordingServer() as empty:
        empty.answer(LOOK_UP, LOADED)
        empty.answer(LOAD, load)
        empty.answer(INFER, detect)

        async def program(face: Face) -> None:
            assert await face.call("infer", [PICTURE] * 40) == [RESULT] * 40

        play(client_of(server, empty, max_concurrent_requests=8), program)
        assert INFER in paths(empty)


def slow_look_up(server: RecordingServer, *, works: bool, callers: int) -> None:
    """The registry answers after all callers can have asked."""

    async def listed(_: Recorded, __: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.2)
        return web.json_response(LOADED if works else {}, status=200 if works else 400)

    server.answer(LOOK_UP, *[listed] * callers)


@pytest.mark.parametrize("works", [True, False])
def test_threads_share_a_look_up(server: RecordingServer, works: bool) -> None:
    slow_look_up(server, works=works, callers=8)
    with client_of(server) as client, ThreadPoolExecutor(8) as threads:
        calls = [threads.submit(client.infer, PICTURE) for _ in range(8)]
        if works:
            assert [call.result() for call in calls] == [RESULT] * 8
            assert paths(server).count(LOOK_UP) == 1
        else:
            assert all(isinstance(call.exception(), HTTPCallErrorError) for call in calls)


@pytest.mark.parametrize("cancelled", [0, 1])
def test_tasks_share_a_look_up_whoever_is_cancelled(
    server: RecordingServer, cancelled: int
) -> None:
    slow_look_up(server, works=True, callers=8)
    client = client_of(server)

    async def program() -> list[Any]:
        tasks = [asyncio.create_task(client.infer_async(PICTURE)) for _ in range(8)]
        await asyncio.sleep(0.05)
        tasks.pop(cancelled).cancel()
        return await asyncio.gather(*tasks)

    assert asyncio.run(program()) == [RESULT] * 7
    if cancelled == 1:  # one who waits; the first does the look-up
        assert paths(server).count(LOOK_UP) == 1


def test_a_thread_does_not_wait_for_a_task_of_its_own_loop(server: RecordingServer) -> None:
    slow_look_up(server, works=True, callers=2)
    client = client_of(server)

    async def program() -> Any:
        task = asyncio.create_task(client.infer_async(PICTURE))
        await asyncio.sleep(0.05)
        return client.infer(PICTURE), await task

    assert asyncio.run(program()) == (RESULT, RESULT)


def test_a_pickle_knows_no_models(server: RecordingServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROBOFLOW_API_KEY", "key-of-the-tests")
    with client_of(server) as client:
        client.infer(PICTURE)
        with pickle.loads(pickle.dumps(client)) as copied:
            copied.infer(PICTURE)
    assert paths(server) == [LOOK_UP, INFER] * 2


def test_a_time_below_zero_is_refused() -> None:
    with pytest.raises(InvalidParameterError, match="model_description_ttl"):
        InferenceHTTPClient("http://localhost:1", "key").with_options(model_description_ttl=-1)
