"""Whatever a server sends is read, or refused in a named way: bytes of HTTP, and JSON of any shape.

A hundred examples here; `make fuzz` takes some ten thousand.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import time
import warnings
import zlib
from itertools import pairwise
from math import inf
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inference_sdk import InferenceHTTPClient
from inference_sdk.http.answers import Answer, api_message
from inference_sdk.http.entities import VisualisationResponseFormat
from inference_sdk.http.errors import HTTPCallErrorError, HTTPClientError
from inference_sdk.http.transport import Transport
from inference_sdk.http.transport.answer_reading import (
    Head,
    Incoming,
    NotHTTPError,
    Reply,
    read_head_and_body,
)
from inference_sdk.http.transport.body_decoding import (
    Sink,
    TooLargeError,
    UnreadableBodyError,
    sink_for,
)
from inference_sdk.http.transport.headers import Headers
from inference_sdk.http.transport.limits import TimeLimits
from inference_sdk.http.transport.links import run_blocking
from tests.wire_calls import IMAGE, ROWS, Row

LARGEST = 5000
REFUSALS = (NotHTTPError, TooLargeError, UnreadableBodyError, OSError)

# -- HTTP ------------------------------------------------------------------------------------------

TOKENS = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 200 OK\n", b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 204 x\r\n", b"HTTP/1.1 304\r\n", b"HTTP/1.1 500 ", b"Content-Length: 5\r\n",
        b"Content-Length: 4999\r\n", b"content-length:0\r\n", b"Transfer-Encoding: chunked\r\n",
        b"Content-Encoding: gzip\r\n", b"Content-Encoding: deflate\r\n", b"Connection: close\r\n",
        b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"5\r\nhello\r\n", b"0\r\n\r\n", b"0;a=b\r\nX: y\r\n\r\n",
        b"ffffffffffffffff\r\n", b"-1\r\n", b"hello", gzip.compress(b"hello"),
        zlib.compress(b"hello"), gzip.compress(bytes(2 * LARGEST)), b": ", b" ", b"X: \x00\r\n",
    ]
)  # fmt: skip
BYTES = st.lists(TOKENS | st.binary(max_size=4), max_size=12).map(b"".join)


class Scripted:
    """A link on which bytes arrive in parts, and then the end."""

    def __init__(self, parts: list[bytes]) -> None:
        self._parts = [part for part in parts if part]

    async def receive(self, due: float) -> bytes:
        assert due > time.monotonic()
        return self._parts.pop(0) if self._parts else b""


def outcome_of(parts: list[bytes]) -> tuple[Any, ...]:
    """What is made of an answer in parts: all of it, or the kind of its refusal."""
    link: Any = Scripted(parts)
    incoming = Incoming(link, TimeLimits(inf, inf, inf))
    try:
        reply = run_blocking(read_head_and_body(incoming, sink_of))
    except REFUSALS as error:
        return (type(error), str(error)[:20])
    assert isinstance(reply, Reply)
    assert len(reply.content) <= LARGEST
    assert not isinstance(reply.headers, dict)
    return (reply.status, reply.reason, dict(reply.headers), reply.content)


def sink_of(head: Head) -> Sink:
    return sink_for(head.headers.get("Content-Encoding"), LARGEST)


@given(BYTES, st.lists(st.integers(0, 60), max_size=6))
def test_an_answer_is_the_same_in_whatever_parts_it_comes(sent: bytes, cuts: list[int]) -> None:
    whole = outcome_of([sent])
    places = [0, *sorted(cuts), len(sent)]
    in_parts = outcome_of([sent[a:b] for a, b in pairwise(places)])
    byte_by_byte = outcome_of([sent[i : i + 1] for i in range(len(sent))])
    if isinstance(whole[0], int):  # more than was said arrives with the answer, or after it
        assert whole == in_parts == byte_by_byte
    else:
        assert {in_parts[0], byte_by_byte[0]} == {whole[0]}


@given(st.binary(max_size=LARGEST), st.integers(1, 700), st.sampled_from([None, "gzip", "deflate"]))
def test_chunks_are_joined(body: bytes, size: int, encoding: str | None) -> None:
    packed = {"gzip": gzip.compress, "deflate": zlib.compress, None: bytes}[encoding](body)
    told = f"Content-Encoding: {encoding}\r\n" if encoding else ""
    head = f"HTTP/1.1 200 OK\r\n{told}Transfer-Encoding: chunked\r\n\r\n".encode()
    parts = [packed[i : i + size] for i in range(0, len(packed), size)]
    chunks = [b"%x\r\n%s\r\n" % (len(part), part) for part in parts]
    assert outcome_of([head, *chunks, b"0\r\n\r\n"])[-1] == body


# -- what is made of them --------------------------------------------------------------------------

ATOMS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([IMAGE, "base64", "coco/3", "object-detection", "640", "2025-03-04T05:06:07"])
)
NAMES = st.sampled_from(
    [
        "predictions",
        "image",
        "width",
        "height",
        "x",
        "y",
        "points",
        "class",
        "confidence",
        "outputs",
        "type",
        "value",
        "models",
        "model_id",
        "task_type",
        "input_width",
        "visualization",
        "embeddings",
        "normalized_depth",
        "message",
        "detail",
        "errors",
        "msg",
        "loc",
        "response",
        "profiler_trace",
        "name",
        "version",
        "uuid",
        "anomaly_map",
    ]
) | st.text(max_size=3)
JSON = st.recursive(
    ATOMS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


def answer_of(content: bytes, status: int = 200, kind: str = "application/json") -> Answer:
    return Answer(status, "x", "http://server/x", Headers([("Content-Type", kind)]), content)


@given(st.binary(max_size=400) | JSON.map(json.dumps).map(str.encode), st.integers(400, 599))
def test_any_error_is_a_sentence(body: bytes, status: int) -> None:
    error = answer_of(body, status).error()
    assert isinstance(error, HTTPCallErrorError)
    assert error.status_code == status
    assert len(str(error)) <= 1000
    assert isinstance(api_message(body), str)


class Answering(Transport):
    """Sends nothing, and has the same answer for all."""

    def __init__(self, *answers: Answer) -> None:
        super().__init__(sleep=lambda _: None)
        self._answers = list(answers)

    def exchange(self, *_: Any) -> Answer:
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


CALLS = list({row.method: row for row in reversed(ROWS)}.values())


@pytest.mark.parametrize("row", CALLS, ids=str)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=JSON, scales=st.booleans())
def test_any_json_is_a_result_or_refused(row: Row, value: Any, scales: bool) -> None:
    known = [answer_of(json.dumps(answer).encode()) for answer in row.before.values()]
    client = InferenceHTTPClient("http://server", "key")
    client = client.select_api_v0() if row.modes[-1] == "v0" else client.select_api_v1()
    client._transport = Answering(*known, answer_of(json.dumps(value).encode()))
    client = client.with_options(
        max_tries=1,
        client_downsizing_disabled=not scales,
        output_visualisation_format=VisualisationResponseFormat.NUMPY,
    )
    arguments = {**({"inference_input": IMAGE} if row.images else {}), **row.arguments}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with contextlib.suppress(HTTPClientError):
            getattr(client, row.method)(**arguments)
