"""A client of several servers, over sockets: shared work, deaths, and who is asked for what."""

from __future__ import annotations

import asyncio
import base64
import copy
import pickle
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web

from inference_sdk import InferenceHTTPClient
from inference_sdk.http.errors import (
    HTTPServerConnectionError,
    HTTPServerTimeoutError,
    InvalidParameterError,
    ModelNotInitializedError,
    NotFoundError,
)
from tests.programs import Face, Player, both_plays
from tests.recording_server import Recorded, RecordingServer

MODEL = "project/1"
DETECTION = "/infer/object_detection"
REGISTRY = {"models": [{"model_id": MODEL, "task_type": "object-detection"}]}
PICTURES = [base64.b64encode(f"GIF89a{number}".encode()).decode() for number in range(120)]


async def detect(recorded: Recorded, request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(0.01)
    return web.json_response({"top": recorded.json["image"]["value"]})


def detector(port: int = 0) -> RecordingServer:
    server = RecordingServer(port=port)
    for path in ("/model/registry", "/model/add", "/model/remove", "/model/clear"):
        server.answer(path, REGISTRY)
    server.answer(DETECTION, detect)
    server.answer("/info", {"name": "server", "version": "1", "uuid": "u"})
    return server


@pytest.fixture
def servers() -> Iterator[list[RecordingServer]]:
    with detector() as first, detector() as second, detector() as third:
        yield [first, second, third]


def client_of(servers: list[RecordingServer], **options: Any) -> InferenceHTTPClient:
    options = {"max_concurrent_requests": 8, "retry_backoff": 0.01, **options}
    urls = [server.url for server in servers]
    return InferenceHTTPClient(urls, "key-of-the-tests").with_options(model_id=MODEL, **options)


def asked(server: RecordingServer, path: str = DETECTION) -> int:
    return sum(request.path == path for request in server.requests)


def paths(server: RecordingServer) -> list[str]:
    return [request.path for request in server.requests]


@both_plays
def test_work_is_shared_and_counted(servers: list[RecordingServer], play: Player) -> None:
    client = client_of(servers)
    results = play(client, lambda face: face.list("infer_many", PICTURES))
    assert [result["top"] for result in results] == PICTURES
    assert sum(map(asked, servers)) == len(PICTURES)
    assert all(asked(server) >= 20 for server in servers)
    stats = client.stats().servers
    assert [one.address for one in stats] == [server.url for server in servers]
    assert [one.requests for one in stats] == [len(server.requests) for server in servers]
    assert all(one.healthy and not one.in_flight and not one.failed for one in stats)


@both_plays
@pytest.mark.parametrize("concurrency", [1, 8, "auto"])
def test_no_answer_is_lost_or_doubled_when_a_server_dies_in_mid_batch(
    play: Player, concurrency: Any
) -> None:
    dying = detector().__enter__()
    with detector() as second, detector() as third:
        client = client_of([dying, second, third], max_concurrent_requests=concurrency)

        async def program(face: Face) -> list[Any]:
            results = []
            async for result in face.each("infer_many", PICTURES):
                results.append(result)
                if len(results) == 40:
                    dying.__exit__()
            return results

        results = play(client, program)
    assert [result["top"] for result in results] == PICTURES
    dead, *living = client.stats().servers
    assert dead.failed >= 1
    assert not dead.healthy
    assert all(one.healthy for one in living)


@both_plays
def test_a_dead_server_is_taken_back(servers: list[RecordingServer], play: Player) -> None:
    dead = detector().__enter__()
    client = client_of([dead, servers[0]])
    dead.__exit__()

    async def program(face: Face) -> None:
        while client.stats().servers[0].healthy:
            assert (await face.call("infer", PICTURES[0]))["top"] == PICTURES[0]
        with detector(port=dead.port) as back:
            end = time.monotonic() + 10
            while not client.stats().servers[0].healthy:
                assert time.monotonic() < end
                await face.call("infer", PICTURES[0])
            await face.call("infer", PICTURES)
            assert asked(back) >= 30

    play(client, program)


@both_plays
def test_who_is_silent_loses_its_requests_to_others(
    servers: list[RecordingServer], play: Player
) -> None:
    async def silent(recorded: Recorded, request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.8)
        return web.json_response({"top": "too late"})

    servers[0].answer(DETECTION, silent)
    client = client_of(servers, read_timeout=0.4)
    results = play(client, lambda face: face.list("infer_many", PICTURES))
    assert [result["top"] for result in results] == PICTURES
    assert asked(servers[0]) <= 16
    while servers[0].in_flight:
        time.sleep(0.05)


@both_plays
def test_who_refuses_is_spared(servers: list[RecordingServer], play: Player) -> None:
    async def busy(recorded: Recorded, request: web.Request) -> web.StreamResponse:
        return web.json_response({}, status=503, headers={"Retry-After": "20"})

    servers[0].answer(DETECTION, busy)
    client = client_of(servers)
    begin = time.monotonic()
    results = play(client, lambda face: face.list("infer_many", PICTURES))
    assert [result["top"] for result in results] == PICTURES
    assert time.monotonic() - begin < 10
    assert asked(servers[0]) <= 8
    assert client.stats().servers[0].refused == asked(servers[0])


@both_plays
def test_where_all_are_dead_the_error_names_one(play: Player) -> None:
    dead = [detector().__enter__(), detector().__enter__()]
    for server in dead:
        server.__exit__()
    client = client_of(dead)
    with pytest.raises(HTTPServerConnectionError, match=r"connect to http://127\.0\.0\.1:\d+: "):
        play(client, lambda face: face.call("get_server_info"))


@both_plays
def test_where_all_are_silent_the_error_says_so(play: Player) -> None:
    async def silent(recorded: Recorded, request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.3)
        return web.Response()

    with detector() as first, detector() as second:
        for server in (first, second):
            server.answer("/info", silent)
        client = client_of([first, second], read_timeout=0.1)
        with pytest.raises(HTTPServerTimeoutError):
            play(client, lambda face: face.call("get_server_info"))
        assert asked(first, "/info") == asked(second, "/info") == 1
        while first.in_flight or second.in_flight:
            time.sleep(0.05)


@both_plays
@pytest.mark.parametrize(
    ("call", "path"),
    [
        (("load_model", MODEL), "/model/add"),
        (("unload_model", MODEL), "/model/remove"),
        (("unload_all_models",), "/model/clear"),
    ],
)
def test_models_are_loaded_and_dropped_on_all(
    servers: list[RecordingServer], play: Player, call: tuple[str, ...], path: str
) -> None:
    registered = play(client_of(servers), lambda face: face.call(*call))
    assert [model.model_id for model in registered.models] == [MODEL]
    assert [paths(server) for server in servers] == [[path]] * 3


@both_plays
def test_a_model_is_loaded_on_those_that_can_be_reached(play: Player) -> None:
    dead = detector().__enter__()
    dead.__exit__()
    with detector() as living:
        client = client_of([dead, living])
        play(client, lambda face: face.call("load_model", MODEL))
        assert paths(living) == ["/model/add"]
        living.answer("/model/add", lambda _: web.json_response({"message": "no"}, status=404))
        with pytest.raises(NotFoundError, match=living.url):
            play(client, lambda face: face.call("load_model", MODEL))
    with pytest.raises(HTTPServerConnectionError):
        play(client, lambda face: face.call("load_model", MODEL))


@both_plays
def test_one_is_asked_what_is_loaded(servers: list[RecordingServer], play: Player) -> None:
    client = client_of(servers)
    play(client, lambda face: face.call("list_loaded_models"))
    assert sum(asked(server, "/model/registry") for server in servers) == 1
    for server in servers:
        server.answer("/model/registry", {"models": []})
    with pytest.raises(ModelNotInitializedError, match=", ".join(s.url for s in servers)):
        play(client, lambda face: face.call("get_model_description", MODEL, allow_loading=False))


@pytest.mark.filterwarnings("ignore:.*experimental")
@both_plays
def test_pipelines_stay_with_the_first(servers: list[RecordingServer], play: Player) -> None:
    client = client_of(servers)
    path = "/inference_pipelines/list"
    for _ in range(8):
        play(client, lambda face: face.call("list_inference_pipelines"))
    assert [asked(server, path) for server in servers] == [8, 0, 0]


@both_plays
def test_workflows_and_paths_below_the_host(servers: list[RecordingServer], play: Player) -> None:
    for server in servers:
        server.answer("/gpu/workflows/run", {"outputs": [{"count": 1}]})
    client = InferenceHTTPClient([f"{server.url}/gpu/" for server in servers], "key")

    async def program(face: Face) -> None:
        for _ in range(12):
            assert await face.call("run_workflow", specification={}) == [{"count": 1}]

    play(client, program)
    assert sum(asked(server, "/gpu/workflows/run") for server in servers) == 12
    assert sum(bool(server.requests) for server in servers) >= 2
    assert client.stats().servers[0].address == f"{servers[0].url}/gpu"


def test_copies_know_the_servers_and_share_what_is_known(servers: list[RecordingServer]) -> None:
    client = client_of(servers)
    client.infer(PICTURES[:30])
    known = client.stats()
    assert sum(one.requests for one in known.servers) == 31
    assert client.with_options(timeout=3).stats() == known
    restored: list[InferenceHTTPClient] = [copy.copy(client), copy.deepcopy(client)]
    pickled = pickle.loads(pickle.dumps(client))
    pickled.api_key = "key-of-the-tests"
    for other in [*restored, pickled]:
        assert [one.requests for one in other.stats().servers] == [0, 0, 0]
        other.infer(PICTURES)
        assert all(one.requests > 10 for one in other.stats().servers)
        other.close()
    client.close()


def test_passwords_of_addresses_stay_in_the_process() -> None:
    urls = ["http://host-a", "http://user:pass-of-tests@host-b/x"]
    client = InferenceHTTPClient(urls, "key-of-the-tests")
    assert "pass-of-tests" not in f"{client!r} {client.stats()!r}"
    pickled = pickle.dumps(client)
    assert b"pass-of-tests" not in pickled
    restored = pickle.loads(pickled)
    assert b"pass-of-tests" not in pickle.dumps(restored)
    restored.api_key = "key-of-the-tests"
    with pytest.raises(InvalidParameterError, match="further_urls must be set again"):
        restored.get_server_info()


def test_repr_names_all_servers() -> None:
    client = InferenceHTTPClient(["http://a:9001", "http://b:9001/"])
    assert "api_url=['http://a:9001', 'http://b:9001']" in repr(client)
    assert "api_url='http://a:9001'" in repr(InferenceHTTPClient(["http://a:9001"]))


@pytest.mark.parametrize(
    ("urls", "message"),
    [
        ([], "empty list"),
        (["http://localhost:9001", "https://detect.roboflow.com"], "One client speaks one API"),
        (["http://localhost:9001", 7], r"api_url \(a int\) is no address"),
    ],
)
def test_lists_that_make_no_sense_are_refused(urls: list[Any], message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        InferenceHTTPClient(urls)


def test_an_address_given_twice_is_one_server(servers: list[RecordingServer]) -> None:
    url = servers[0].url
    client = InferenceHTTPClient([url, f"{url}/"])
    assert Counter(one.address for one in client.stats().servers) == {url: 1}
