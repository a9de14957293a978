"""OpenTelemetry: spans and metrics of calls over sockets, as an exporter gets them."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from aiohttp import web
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from inference_sdk import InferenceHTTPClient
from inference_sdk.http.errors import HTTPClientError
from inference_sdk.telemetry import instrument, stream_span
from inference_sdk.webrtc.stats import StreamStats
from tests.programs import Face, Player, both_plays
from tests.recording_server import RecordingServer
from tests.wire_calls import IMAGE, KEY

WORLD = "/yolo_world/infer"


class Collected:
    """What an exporter got."""

    def __init__(self) -> None:
        self._spans = InMemorySpanExporter()
        self._metrics = InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        self.meters = MeterProvider([self._metrics])

    def instrument(self, client: InferenceHTTPClient) -> Any:
        return instrument(client, tracer_provider=self.tracers, meter_provider=self.meters)

    def spans(self, name: str) -> list[ReadableSpan]:
        return [span for span in self._spans.get_finished_spans() if span.name == name]

    def everything(self) -> str:
        return "".join(span.to_json() for span in self._spans.get_finished_spans())

    def points(self, metric: str) -> list[Any]:
        data = self._metrics.get_metrics_data()
        assert data is not None
        [scope] = data.resource_metrics[0].scope_metrics
        return [p for m in scope.metrics if m.name == metric for p in m.data.data_points]


@pytest.fixture
def collected() -> Collected:
    return Collected()


@pytest.fixture
def client(server: RecordingServer) -> InferenceHTTPClient:
    return InferenceHTTPClient(server.url, KEY).with_options(retry_backoff=0.0)


def busy(_: Any) -> web.Response:
    return web.json_response({}, status=503)


@both_plays
def test_calls_tries_and_uploads_are_spans(
    play: Player, server: RecordingServer, client: InferenceHTTPClient, collected: Collected
) -> None:
    server.answer(WORLD, busy, {"predictions": []})
    collected.instrument(client)

    async def program(face: Face) -> None:
        with collected.tracers.get_tracer("test").start_as_current_span("mine"):
            await face.call("infer_from_yolo_world", IMAGE, ["cat"])

    play(client, program)
    [mine] = collected.spans("mine")
    [call] = collected.spans("infer_from_yolo_world")
    first, second = collected.spans("POST")
    assert call.parent == mine.context
    assert (first.parent, second.parent) == (call.context, call.context)
    assert [span.parent for span in collected.spans("upload")] == [first.context, second.context]
    assert call.attributes is not None
    assert call.attributes["inference.tries"] == 2
    assert call.status.is_ok or call.status.status_code is trace.StatusCode.UNSET
    assert first.kind is trace.SpanKind.CLIENT
    assert dict(first.attributes or {}) == {
        "http.request.method": "POST",
        "server.address": "127.0.0.1",
        "server.port": server.port,
        "url.full": server.url + WORLD,
        "http.response.status_code": 503,
        "error.type": "503",
    }
    assert first.status.status_code is trace.StatusCode.ERROR
    assert (second.attributes or {})["http.request.resend_count"] == 1
    assert KEY not in collected.everything()


@both_plays
def test_the_context_travels_along(
    play: Player, server: RecordingServer, client: InferenceHTTPClient, collected: Collected
) -> None:
    server.answer(WORLD, busy, {"predictions": []})
    collected.instrument(client)

    async def program(face: Face) -> None:
        await face.call("infer_from_yolo_world", IMAGE, ["cat"])

    play(client, program)
    sent = [request.headers["traceparent"] for request in server.requests]
    spans = [span.context for span in collected.spans("POST")]
    assert [header[3:-3] for header in sent] == [
        f"{span.trace_id:032x}-{span.span_id:016x}" for span in spans
    ]


@both_plays
def test_failures_and_many_at_once(
    play: Player,
    server: RecordingServer,
    client: InferenceHTTPClient,
    collected: Collected,
    caplog: pytest.LogCaptureFixture,
) -> None:
    server.default = lambda sent: web.json_response({"message": "no"}, status=404)
    collected.instrument(client)

    async def program(face: Face) -> None:
        with pytest.raises(HTTPClientError):
            await face.call("get_clip_image_embeddings", [IMAGE] * 3)

    play(client.with_options(max_concurrent_requests=3), program)
    [call] = collected.spans("get_clip_image_embeddings")
    assert (call.attributes or {})["error.type"] == "NotFoundError"
    assert call.status.status_code is trace.StatusCode.ERROR
    assert [s for s in collected.spans("POST") if s.parent != call.context] == []
    assert "detach" not in caplog.text
    [point] = collected.points("gen_ai.client.operation.duration")
    assert point.attributes["error.type"] == "NotFoundError"


@both_plays
def test_metrics(
    play: Player, server: RecordingServer, client: InferenceHTTPClient, collected: Collected
) -> None:
    server.answer("/infer/embeddings", {"embeddings": [[0.5]]})
    listening = collected.instrument(client)

    async def program(face: Face) -> None:
        for _ in range(3):
            await face.call("get_image_embeddings", IMAGE, model_id="resnet50")
        listening.stop()
        await face.call("get_image_embeddings", IMAGE, model_id="resnet50")

    play(client, program)
    [point] = collected.points("gen_ai.client.operation.duration")
    assert point.count == 3
    assert point.attributes["gen_ai.request.model"] == "resnet50"
    [request] = collected.points("http.client.request.duration")
    assert (request.count, request.attributes["http.response.status_code"]) == (3, 200)
    sent = {
        p.attributes["network.io.direction"]: p.value
        for p in collected.points("inference.client.io")
    }
    assert sent["transmit"] > 100
    assert sent["receive"] > 50
    phases = {
        p.attributes["inference.phase"] for p in collected.points("inference.client.phase.duration")
    }
    assert {"sending", "waiting", "receiving", "parsing"} <= phases
    assert "traceparent" not in server.last.headers


class Session:
    """What `stream_span` asks of one."""

    def stats(self) -> StreamStats:
        numbers = dict.fromkeys(
            ("frames_sent", "frames_received", "frames_dropped", "frames_skipped"), 7
        )
        return StreamStats(2.5, messages_received=1, messages_dropped=0, **numbers)


def test_a_stream_is_a_span(collected: Collected) -> None:
    session: Any = Session()
    with (
        pytest.raises(RuntimeError),
        stream_span(session, tracer_provider=collected.tracers),
    ):
        raise RuntimeError
    [span] = collected.spans("stream")
    assert span.attributes is not None
    assert span.attributes["inference.stream.frames_received"] == 7
    assert span.attributes["inference.stream.duration"] == 2.5
    assert span.attributes["error.type"] == "RuntimeError"


def test_nothing_loads_it_unasked() -> None:
    code = (
        "import sys, inference_sdk.http.client\n"
        "c = inference_sdk.http.client.InferenceHTTPClient('http://127.0.0.1:9')\n"
        "try: c.get_server_info()\n"
        "except Exception: pass\n"
        "assert not [m for m in sys.modules if m.startswith('opentelemetry')]"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
