"""`infer_many` and `infer` on lists: order, errors, and a window that memory does not outgrow."""

from __future__ import annotations

import asyncio
import base64
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inference_sdk import InferenceHTTPClient
from inference_sdk.http import client as client_module
from inference_sdk.http.errors import (
    EncodingError,
    HTTPCallErrorError,
    HTTPClientError,
    HTTPServerConnectionError,
    InvalidInputFormatError,
    InvalidParameterError,
    InvalidServerResponseError,
    ModelNotSelectedError,
)
from tests.programs import Face, Player, both_plays
from tests.recording_server import Recorded, RecordingServer

MODEL = "project/1"
DETECTION = "/infer/object_detection"
BAD = "bad"
"""A picture that the server refuses."""


def picture(number: object) -> str:
    """A base64 reference that the server below knows again."""
    return base64.b64encode(b"GIF89a" + str(number).encode()).decode()


def what_is_in(encoded: str) -> str:
    return base64.b64decode(encoded).removeprefix(b"GIF89a").decode()


def pictures_of(request: Recorded) -> list[str]:
    images = request.json["image"]
    images = images if isinstance(images, list) else [images]
    return [what_is_in(image["value"]) for image in images]


def detect(request: Recorded) -> web.Response:
    """An answer for each picture; one bad picture fails the whole request, as servers do."""
    names = pictures_of(request)
    if BAD in names:
        return web.json_response({"message": "cannot decode the image"}, status=400)
    answers = [{"top": name} for name in names]
    return web.json_response(answers if len(answers) > 1 else answers[0])


def registry(model_id: str = MODEL) -> dict[str, Any]:
    return {"models": [{"model_id": model_id, "task_type": "object-detection"}]}


@pytest.fixture
def detector(server: RecordingServer) -> RecordingServer:
    server.answer("/model/registry", registry())
    server.answer(DETECTION, detect)
    return server


def client_of(server: RecordingServer, **options: Any) -> InferenceHTTPClient:
    options = {"retry_backoff": 0.01, **options}
    return InferenceHTTPClient(server.url, "key-of-the-tests").with_options(
        model_id=MODEL, **options
    )


def tops(results: list[Any]) -> list[str]:
    return [result["top"] for result in results]


def play_list(play: Player, client: InferenceHTTPClient, *args: Any, **options: Any) -> list[Any]:
    async def program(face: Face) -> list[Any]:
        return await face.list("infer_many", *args, **options)

    return play(client, program)


async def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.001)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


# -- what comes, and in which order ----------------------------------------------------------------


@both_plays
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(count=st.integers(0, 25), concurrency=st.integers(1, 5), batch=st.integers(1, 4))
def test_results_come_in_order(
    play: Player, detector: RecordingServer, count: int, concurrency: int, batch: int
) -> None:
    client = client_of(detector, max_concurrent_requests=concurrency, max_batch_size=batch)
    names = [str(i) for i in range(count)]
    assert tops(play_list(play, client, map(picture, names))) == names


@both_plays
@pytest.mark.parametrize("batch", [1, 3])
def test_as_they_come(play: Player, detector: RecordingServer, batch: int) -> None:
    client = client_of(detector, max_concurrent_requests=3, max_batch_size=batch)
    pairs = play_list(play, client, map(picture, range(10)), ordered=False)
    assert sorted((i, result["top"]) for i, result in pairs) == [(i, str(i)) for i in range(10)]


@both_plays
def test_requests_are_batched(play: Player, detector: RecordingServer) -> None:
    client = client_of(detector, max_batch_size=4)
    play_list(play, client, map(picture, range(10)))
    requests = [pictures_of(r) for r in detector.requests if r.path == DETECTION]
    assert requests == [list("0123"), list("4567"), list("89")]


@both_plays
def test_the_model_is_looked_up_once(play: Player, detector: RecordingServer) -> None:
    play_list(play, client_of(detector), map(picture, range(5)))
    assert [r.path for r in detector.requests].count("/model/registry") == 1


@both_plays
def test_the_hosted_api(play: Player, server: RecordingServer) -> None:
    server.answer(
        f"/{MODEL}", lambda request: web.json_response({"top": what_is_in(request.body.decode())})
    )
    client = InferenceHTTPClient(server.url, "key").select_api_v0()
    results = play_list(play, client, map(picture, range(3)), model_id=MODEL)
    assert tops(results) == ["0", "1", "2"]


async def test_async_iterables(detector: RecordingServer) -> None:
    async def source() -> AsyncIterator[str]:
        for i in range(7):
            await asyncio.sleep(0)
            yield picture(i)

    async with client_of(detector, max_concurrent_requests=2, max_batch_size=3) as client:
        results = [result async for result in client.infer_many_async(source())]
    assert tops(results) == list("0123456")


@both_plays
def test_nothing(play: Player, detector: RecordingServer) -> None:
    assert play_list(play, client_of(detector), iter(())) == []


# -- errors ------------------------------------------------------------------------------------


@both_plays
@pytest.mark.parametrize("batch", [1, 4])
@pytest.mark.parametrize("concurrency", [1, 3])
def test_the_first_error_says_which_input_it_was(
    play: Player, detector: RecordingServer, batch: int, concurrency: int
) -> None:
    got: list[Any] = []

    async def program(face: Face) -> None:
        async for result in face.each("infer_many", [*map(picture, range(5)), "missing.jpg"]):
            got.append(result)  # noqa: PERF401 - what came before the error counts

    client = client_of(detector, max_batch_size=batch, max_concurrent_requests=concurrency)
    with pytest.raises(InvalidInputFormatError) as caught:
        play(client, program)
    assert caught.value.input_index == 5
    assert str(caught.value).startswith("inputs[5] ('missing.jpg'): ")
    assert tops(got) == [str(i) for i in range(5 if batch == 1 else 4)]


@both_plays
@pytest.mark.parametrize("batch", [1, 4])
def test_one_bad_picture_does_not_cost_the_others(
    play: Player, detector: RecordingServer, batch: int
) -> None:
    inputs = [picture(0), picture(BAD), 5.0, picture(3), "missing.png", picture(5), b""]
    client = client_of(detector, max_batch_size=batch, max_concurrent_requests=2)
    results = play_list(play, client, inputs, on_error="return")
    kinds = [type(result) for result in results]
    assert kinds == [
        dict,
        HTTPCallErrorError,
        InvalidInputFormatError,
        dict,
        InvalidInputFormatError,
        dict,
        EncodingError,
    ]
    assert [results[i]["top"] for i in (0, 3, 5)] == ["0", "3", "5"]
    for i in (1, 2, 4, 6):
        assert results[i].input_index == i
        assert f"inputs[{i}]" in str(results[i])
    assert results[1].api_message == "cannot decode the image"


@both_plays
def test_errors_as_they_come(play: Player, detector: RecordingServer) -> None:
    client = client_of(detector, max_batch_size=2, max_concurrent_requests=2)
    inputs = [picture(0), picture(BAD), picture(2)]
    pairs = play_list(play, client, inputs, on_error="return", ordered=False)
    assert {i: type(result) for i, result in pairs} == {0: dict, 1: HTTPCallErrorError, 2: dict}


@both_plays
@pytest.mark.parametrize("status", [401, 404, 503])
def test_a_refusal_of_all_is_not_asked_for_again_one_by_one(
    play: Player, detector: RecordingServer, status: int
) -> None:
    detector.answer(DETECTION, lambda request: web.json_response({}, status=status))
    client = client_of(detector, max_batch_size=3, max_tries=1)
    results = play_list(play, client, map(picture, range(3)), on_error="return")
    assert [result.status_code for result in results] == [status] * 3
    # After 404 the model is looked up, and the request tried once more.
    sent = [r.path for r in detector.requests].count(DETECTION)
    assert sent == (2 if status == 404 else 1)


@both_plays
def test_a_lost_connection_in_one_place(play: Player, detector: RecordingServer) -> None:
    async def drop(recorded: Recorded, request: web.Request) -> web.StreamResponse:
        if pictures_of(recorded) == ["1"]:
            request.transport.abort()  # type: ignore[union-attr]
        return detect(recorded)

    detector.answer(DETECTION, drop)
    client = client_of(detector, max_tries=1)
    results = play_list(play, client, map(picture, range(3)), on_error="return")
    assert [isinstance(result, HTTPServerConnectionError) for result in results] == [
        False,
        True,
        False,
    ]


@both_plays
def test_too_few_answers(play: Player, detector: RecordingServer) -> None:
    detector.answer(DETECTION, {"top": "only one"})
    client = client_of(detector, max_batch_size=3)
    with pytest.raises(
        InvalidServerResponseError, match=r"inputs\[0:3\].*with 1 result for 3 images"
    ):
        play_list(play, client, map(picture, range(3)))


@both_plays
@pytest.mark.parametrize("inputs", ["one.jpg", b"bytes", bytearray(b"x")])
def test_one_image_is_no_iterable_of_images(
    play: Player, detector: RecordingServer, inputs: Any
) -> None:
    with pytest.raises(InvalidParameterError, match=r"takes an iterable of images"):
        play_list(play, client_of(detector), inputs)


@both_plays
def test_a_list_among_the_inputs(play: Player, detector: RecordingServer) -> None:
    with pytest.raises(InvalidInputFormatError, match=r"inputs\[1\].*where one image"):
        play_list(play, client_of(detector), [picture(0), [picture(1)]])


@both_plays
def test_wrong_arguments(play: Player, detector: RecordingServer) -> None:
    with pytest.raises(InvalidParameterError, match="on_error is 'ignore'"):
        play_list(play, client_of(detector), [picture(0)], on_error="ignore")
    with pytest.raises(ModelNotSelectedError):
        play_list(play, InferenceHTTPClient(detector.url), [picture(0)])
    assert DETECTION not in [r.path for r in detector.requests]


# -- the window ----------------------------------------------------------------------------------


@both_plays
@pytest.mark.parametrize(("concurrency", "batch"), [(1, 1), (1, 3), (3, 1), (2, 2), (4, 3)])
def test_never_further_ahead_than_the_window(
    play: Player, detector: RecordingServer, concurrency: int, batch: int
) -> None:
    taken = handed_on = furthest = 0

    def endless() -> Iterator[str]:
        nonlocal taken, furthest
        while True:
            taken += 1
            furthest = max(furthest, taken - handed_on)
            yield picture(taken)

    async def program(face: Face) -> None:
        nonlocal handed_on
        async for result in face.each("infer_many", endless()):
            handed_on += 1
            assert result["top"] == str(handed_on)
            if handed_on == 40:
                break

    client = client_of(detector, max_concurrent_requests=concurrency, max_batch_size=batch)
    play(client, program)
    assert furthest <= concurrency * batch
    assert detector.most_in_flight <= concurrency


@both_plays
def test_a_slow_answer_does_not_hold_up_the_others(play: Player, detector: RecordingServer) -> None:
    """The first is answered only after all others of the window were: no batch barrier."""
    others = 0

    async def slow_head(recorded: Recorded, request: web.Request) -> web.StreamResponse:
        nonlocal others
        if pictures_of(recorded) == ["0"]:
            await until(lambda: others == 3)
        others += 1
        return detect(recorded)

    detector.answer(DETECTION, slow_head)
    client = client_of(detector, max_concurrent_requests=4)
    results = play_list(play, client, map(picture, range(8)))
    assert tops(results) == [str(i) for i in range(8)]


@both_plays
def test_the_window_is_used(play: Player, detector: RecordingServer) -> None:
    async def gather(recorded: Recorded, request: web.Request) -> web.StreamResponse:
        await until(lambda: detector.most_in_flight == 4)
        return detect(recorded)

    detector.answer(DETECTION, gather)
    client = client_of(detector, max_concurrent_requests=4)
    play_list(play, client, map(picture, range(8)))
    assert detector.most_in_flight == 4
    assert detector.connections <= 4 + 1  # the look-up's may be one of its own


@both_plays
def test_results_of_a_live_source_do_not_wait(play: Player, detector: RecordingServer) -> None:
    """A camera gives its next frame later than the server its answer."""
    asked_for = 0

    def answered() -> int:
        done = [r for r in detector.requests if r.path == DETECTION]
        return len(done) - detector.in_flight

    def camera() -> Iterator[str]:
        nonlocal asked_for
        for i in range(4):
            asked_for = i
            yield picture(i)
            wait_until(lambda i=i: answered() > i)
            time.sleep(0.05)  # for the answer to be read

    async def program(face: Face) -> int:
        async for result in face.each("infer_many", camera()):
            assert result["top"] == "0"
            return asked_for
        raise AssertionError

    assert play(client_of(detector, max_concurrent_requests=3), program) <= 1


@both_plays
def test_closing_early_ends_everything(play: Player, detector: RecordingServer) -> None:
    threads = threading.active_count()

    async def program(face: Face) -> None:
        results = face.each("infer_many", map(picture, iter(int, 1)))
        assert (await results.__anext__())["top"] == "0"
        await results.aclose()
        if face.is_async:
            await until(lambda: asyncio.all_tasks() == {asyncio.current_task()})

    play(client_of(detector, max_concurrent_requests=3), program)
    assert threading.active_count() == threads
    assert len(detector.requests) <= 1 + 4


# -- infer on lists ------------------------------------------------------------------------------


@both_plays
@pytest.mark.parametrize("count", [0, 1, 2, 15, 16, 17, 40])
@pytest.mark.parametrize(("concurrency", "batch"), [(1, 1), (4, 1), (3, 4)])
def test_lists_of_any_length(
    play: Player, detector: RecordingServer, count: int, concurrency: int, batch: int
) -> None:
    names = [str(i) for i in range(count)]

    async def program(face: Face) -> Any:
        return await face.call("infer", [picture(name) for name in names])

    client = client_of(detector, max_concurrent_requests=concurrency, max_batch_size=batch)
    results = play(client, program)
    results = [results] if count == 1 else results
    assert tops(results) == names
    sent = [len(pictures_of(r)) for r in detector.requests if r.path == DETECTION]
    assert sum(sent) == count
    assert all(size <= batch for size in sent)
    assert detector.most_in_flight <= concurrency


@both_plays
def test_nested_lists_are_flattened(play: Player, detector: RecordingServer) -> None:
    async def program(face: Face) -> Any:
        return await face.call("infer", [[picture(0)], [picture(1), (picture(2),)]])

    assert tops(play(client_of(detector, max_batch_size=2), program)) == ["0", "1", "2"]


@both_plays
@pytest.mark.parametrize("count", [4, 30])
@pytest.mark.parametrize("batch", [1, 2])
def test_errors_of_lists_name_the_input(
    play: Player, detector: RecordingServer, count: int, batch: int
) -> None:
    async def program(face: Face, bad: Any) -> Any:
        inputs: list[Any] = [picture(i) for i in range(count)]
        inputs[2] = bad
        return await face.call("infer", inputs)

    client = client_of(detector, max_batch_size=batch)
    for bad, kind in ((picture(BAD), HTTPCallErrorError), ("gone.jpg", InvalidInputFormatError)):
        with pytest.raises(kind) as caught:
            play(client, lambda face, bad=bad: program(face, bad))
        error: HTTPClientError = caught.value
        assert error.input_index == 2
        label = "inputs[2:4]: " if batch == 2 and bad != "gone.jpg" else "inputs[2] ("
        assert label in str(error)
        if isinstance(error, HTTPCallErrorError):
            assert error.status_code == 400


@both_plays
def test_a_replaced_loader_decides_what_is_sent(
    play: Player, detector: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Users' tests replace it, and may give fewer images than they were asked for, or more."""
    loaded: list[tuple[str, None]] = []

    async def load_async(**arguments: Any) -> list[tuple[str, None]]:
        return loaded

    async def program(face: Face) -> Any:
        return await face.call("infer", ["a", "b", "c"])

    monkeypatch.setattr(client_module, "load_static_inference_input", lambda **_: loaded)
    monkeypatch.setattr(client_module, "load_static_inference_input_async", load_async)
    for count in (2, 4):
        loaded[:] = [(picture(i), None) for i in range(count)]
        assert tops(play(client_of(detector), program)) == [str(i) for i in range(count)]
