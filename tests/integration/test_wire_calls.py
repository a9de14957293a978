"""Every call of the API over a real socket: what is sent, and what comes back of the answer."""

from __future__ import annotations

from typing import Any

import pytest

from tests.callers import both_ways
from tests.client_surface import CALLS
from tests.wire_calls import (
    IMAGE,
    KEY,
    PICTURE,
    ROWS,
    Row,
    client_for,
    expected_warning,
    set_answers,
    values_in,
)

SEVERAL = ["R0lGODlhYQ==", "R0lGODlhYWFhYQ==", "R0lGODlhYWFhYWFhYQ=="]
"""Image references that travel unchanged, all of different length."""

every_row = pytest.mark.parametrize(
    ("row", "mode"),
    [(row, mode) for row in ROWS for mode in row.modes],
    ids=lambda value: str(value),
)
rows_with_images = pytest.mark.parametrize(
    ("row", "mode"),
    [(row, mode) for row in ROWS if row.images for mode in row.modes],
    ids=lambda value: str(value),
)


def expected_query(row: Row, mode: str) -> dict[str, list[str]]:
    in_query = row.key == "query" or (row.key == "moves" and mode == "v0")
    return {"api_key": [KEY]} if in_query else {}


def expected_body(row: Row, mode: str, **image: Any) -> dict[str, Any]:
    in_body = row.key == "body" or (row.key == "moves" and mode == "v1")
    return {**(row.body or {}), **image, **({"api_key": KEY} if in_body else {})}


@both_ways
@every_row
def test_a_call_is_sent_as_agreed_and_gives_its_answer(server, call, row: Row, mode: str):
    set_answers(server, row)
    image = {"inference_input": IMAGE} if row.images else {}
    with expected_warning(row):
        result = call(client_for(server, mode), row.method, **image, **row.arguments)

    assert [sent.path for sent in server.requests] == [*row.before, row.path]
    sent = server.last
    assert sent.method == row.verb
    assert sent.query == expected_query(row, mode)
    assert "Authorization" not in sent.headers
    if row.body is None:
        assert sent.body == b""
        assert "Content-Type" not in sent.headers
    else:
        assert sent.headers["Content-Type"] == "application/json"
        assert sent.json == expected_body(row, mode, **({"image": PICTURE} if image else {}))
    if row.images:
        expected = row.result_of(IMAGE)
        assert result == ([expected] if row.several_only else expected)
    else:
        assert result == (row.answer if row.result is None else row.result)


@both_ways
@rows_with_images
def test_several_images_are_batched_and_answered_in_order(server, call, row: Row, mode: str):
    set_answers(server, row)
    client = client_for(server, mode, max_batch_size=2, max_concurrent_requests=2)
    result = call(client, row.method, inference_input=SEVERAL, **row.arguments)

    assert result == [row.result_of(image) for image in SEVERAL]
    sent = [request.json for request in server.requests if request.path == row.path]
    batches = [SEVERAL[:2], SEVERAL[2:]] if row.batched else [[image] for image in SEVERAL]
    assert sorted(values_in(body["image"]) for body in sent) == batches
    for body in sent:
        assert body == expected_body(row, mode, image=body["image"])
        assert isinstance(body["image"], list) == (len(values_in(body["image"])) > 1)


@both_ways
@rows_with_images
def test_many_images_keep_their_order_and_the_limits(server, call, row: Row, mode: str):
    """Above 16 images, they are loaded as they are needed."""
    set_answers(server, row)
    images = [SEVERAL[number % 3] for number in range(40)]
    client = client_for(server, mode, max_batch_size=4, max_concurrent_requests=3)
    result = call(client, row.method, inference_input=images, **row.arguments)

    assert result == [row.result_of(image) for image in images]
    sent = [request.json for request in server.requests if request.path == row.path]
    sizes = [len(values_in(body["image"])) for body in sent]
    assert sizes == ([4] * 10 if row.batched else [1] * 40)
    assert server.most_in_flight <= 3
    assert server.connections <= 3


@both_ways
@rows_with_images
def test_a_list_of_one_is_one_and_nested_lists_are_flattened(server, call, row: Row, mode: str):
    set_answers(server, row)
    client = client_for(server, mode)
    one = call(client, row.method, inference_input=[[IMAGE]], **row.arguments)
    assert one == ([row.result_of(IMAGE)] if row.several_only else row.result_of(IMAGE))
    assert server.last.json["image"] == PICTURE
    nested = [SEVERAL[0], [[SEVERAL[1]], []], (SEVERAL[2],)]
    several = call(client, row.method, inference_input=nested, **row.arguments)
    assert several == [row.result_of(image) for image in SEVERAL]


@both_ways
@rows_with_images
def test_no_images_are_no_results(server, call, row: Row, mode: str):
    set_answers(server, row)
    assert call(client_for(server, mode), row.method, inference_input=[], **row.arguments) == []
    assert [request for request in server.requests if request.path == row.path] == []


@both_ways
@every_row
def test_without_a_key_the_body_says_so_and_the_query_does_not(server, call, row: Row, mode: str):
    set_answers(server, row)
    image = {"inference_input": IMAGE} if row.images else {}
    with expected_warning(row):
        call(client_for(server, mode, key=None), row.method, **image, **row.arguments)
    assert server.last.query == {}
    if row.body is not None:
        expected = expected_body(row, mode, **({"image": PICTURE} if image else {}))
        assert server.last.json == {
            name: None if name == "api_key" else value for name, value in expected.items()
        }


def test_every_method_that_sends_has_a_row():
    elsewhere = {
        "infer_from_api_v0",  # test_wire_infer: its body is the bare picture
        "infer_many",
        "infer_on_stream",
        "infer_on_video_from_api_v0",
        "ping",  # test_ping: says what is wrong, raises nothing
        "load_images",  # send nothing
        "load_nested_images",
    }
    assert {row.method for row in ROWS} == set(CALLS) - elsewhere
