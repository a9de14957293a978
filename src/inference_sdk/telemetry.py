"""OpenTelemetry for a client: spans and metrics of its calls, tries, uploads and streams.

Needs the extra `otel`, and is loaded by nothing else of the package. Names follow OpenTelemetry's
conventions for HTTP clients and for generative AI; what they have no name for is `inference.…`.
Pictures, results, keys and queries of addresses are in no span.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from inference_sdk.http.observing import CallRecord, Listener, Phase, TryRecord
from inference_sdk.version import __version__

try:
    from opentelemetry import context, metrics, propagate, trace
    from opentelemetry.context import Context
    from opentelemetry.trace import Span, SpanKind, Status, StatusCode
except ImportError as error:
    raise ImportError(
        f"Telemetry needs OpenTelemetry: pip install 'inference-sdk[otel]' ({error})."
    ) from error

if TYPE_CHECKING:
    from inference_sdk.http.client import InferenceHTTPClient
    from inference_sdk.webrtc import WebRTCSession

_NAME = "inference_sdk"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Boundaries that the convention for HTTP names."""

_OWN_SPANS = {Phase.SENDING: "upload", Phase.CONNECTING: "connect"}
"""Phases that are spans; of the others a call says how long they took."""

_DEFAULT_PORTS = {"http": 80, "https": 443}


def instrument(
    client: InferenceHTTPClient, *, tracer_provider: Any = None, meter_provider: Any = None
) -> Telemetry:
    """Make spans and metrics of all calls of a client and of the copies that `with_options` makes.

    Each call is a span, with one of kind `CLIENT` inside for each try, whose context travels to the
    server as the global propagators write it (W3C `traceparent`, unless changed).

    Args:
        client: of which calls are told, from now on.
        tracer_provider: None takes the global one.
        meter_provider: as `tracer_provider`.

    Returns:
        What listens; `stop()` ends it.

    Raises:
        ImportError: (of the module) the extra `otel` is not installed.

    Example:
        >>> from inference_sdk.telemetry import instrument
        >>> instrument(client)
        >>> client.infer("street.jpg", model_id="coco/3")  # a span `infer`, and one `POST` in it
    """
    telemetry = Telemetry(
        client,
        trace.get_tracer(_NAME, __version__, tracer_provider),
        metrics.get_meter(_NAME, __version__, meter_provider),
    )
    client.listeners.add(telemetry)
    return telemetry


@contextmanager
def stream_span(
    session: WebRTCSession, *, tracer_provider: Any = None
) -> Generator[Span, None, None]:
    """A span around the life of a stream, with what `session.stats()` says of it at the end.

    Example:
        >>> with stream_span(session):
        ...     session.run()
    """
    tracer = trace.get_tracer(_NAME, __version__, tracer_provider)
    with tracer.start_as_current_span("stream", kind=SpanKind.CLIENT) as span:
        try:
            yield span
        except BaseException as error:
            span.set_attribute("error.type", type(error).__name__)
            raise
        finally:
            told = {f"inference.stream.{k}": v for k, v in vars(session.stats()).items()}
            span.set_attributes({k: v for k, v in told.items() if isinstance(v, (int, float))})


class _Open(NamedTuple):
    """A span that is under way, and how to leave its context."""

    span: Span
    within: Context
    token: Any
    began: float

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.began

    def leave(self) -> None:
        # What was cut off ends elsewhere, where its context never was.
        if context.get_current() is self.within:
            context.detach(self.token)


class Telemetry(Listener):
    """What listens to a client for OpenTelemetry; made by `instrument`."""

    def __init__(
        self, client: InferenceHTTPClient, tracer: trace.Tracer, meter: metrics.Meter
    ) -> None:
        self._listeners = client.listeners
        self._tracer = tracer
        self._open: dict[int, _Open] = {}  # by the record, which lives as long
        self._models: dict[int, str] = {}
        self._calls = _histogram(
            meter, "gen_ai.client.operation.duration", "Calls, from asking to the result."
        )
        self._requests = _histogram(
            meter, "http.client.request.duration", "Requests, each try for itself."
        )
        self._phases = _histogram(
            meter, "inference.client.phase.duration", "What calls spend their time on."
        )
        self._bytes = meter.create_counter(
            "inference.client.io", "By", "Bytes of HTTP that calls sent and received."
        )

    def stop(self) -> None:
        """Tell of no further call."""
        self._listeners.remove(self)

    def call_begins(self, call: CallRecord) -> None:
        """Open the span of a call."""
        self._begin(call, call.name, SpanKind.INTERNAL, {"gen_ai.operation.name": call.name})

    def call_ends(self, call: CallRecord) -> None:
        """Close it, and count."""
        model = self._models.pop(id(call), None)
        named = _known({"gen_ai.operation.name": call.name, "gen_ai.request.model": model})
        told = {
            "inference.tries": call.tries,
            "inference.server.processing_time": call.processing,
            **{f"inference.phase.{phase.value}": s for phase, s in call.phases.items()},
        }
        self._end(call, {**named, **told}, call.error)
        self._calls.record(call.elapsed, {**named, **_known({"error.type": call.error})})
        self._bytes.add(call.bytes_sent, {"network.io.direction": "transmit"})
        self._bytes.add(call.bytes_received, {"network.io.direction": "receive"})

    def try_begins(self, call: CallRecord, tried: TryRecord) -> None:
        """Open the span of a request, and send its context along."""
        if tried.model is not None:
            self._models[id(call)] = tried.model
        resent = {"http.request.resend_count": tried.number - 1} if tried.number > 1 else {}
        model = _known({"gen_ai.request.model": tried.model})
        self._begin(tried, tried.method, SpanKind.CLIENT, {**_of_request(tried), **resent, **model})
        propagate.inject(tried.headers)

    def try_ends(self, call: CallRecord, tried: TryRecord) -> None:  # noqa: ARG002 - its span knows
        """Close it, and count."""
        status = tried.status
        failed = tried.error or (str(status) if status is not None and status >= 400 else None)
        told = {**_of_request(tried), **_known({"http.response.status_code": status})}
        seconds = self._end(tried, {**told, "url.full": tried.url}, failed)
        self._requests.record(seconds, {**told, **_known({"error.type": failed})})

    def phase_ended(self, call: CallRecord, phase: Phase, seconds: float) -> None:
        """Note what a call was at; an upload is a span of its own."""
        named = {"gen_ai.operation.name": call.name, "inference.phase": phase.value}
        self._phases.record(seconds, named)
        if phase in _OWN_SPANS:
            now = time.time_ns()
            began = now - int(seconds * 1e9)
            self._tracer.start_span(_OWN_SPANS[phase], start_time=began).end(now)

    def _begin(self, record: object, name: str, kind: SpanKind, attributes: dict[str, Any]) -> None:
        span = self._tracer.start_span(name, kind=kind, attributes=attributes)
        within = trace.set_span_in_context(span)
        token = context.attach(within)
        self._open[id(record)] = _Open(span, within, token, time.perf_counter())

    def _end(self, record: object, attributes: dict[str, Any], failed: str | None) -> float:
        ended = self._open.pop(id(record))
        ended.span.set_attributes(attributes)
        if failed is not None:
            ended.span.set_attribute("error.type", failed)
            ended.span.set_status(Status(StatusCode.ERROR))
        ended.span.end()
        ended.leave()
        return ended.seconds


def _histogram(meter: metrics.Meter, name: str, description: str) -> metrics.Histogram:
    return meter.create_histogram(
        name, "s", description, explicit_bucket_boundaries_advisory=_SECONDS
    )


def _of_request(tried: TryRecord) -> dict[str, Any]:
    parts = urlsplit(tried.url)
    return {
        "http.request.method": tried.method,
        "server.address": parts.hostname or "",
        "server.port": parts.port or _DEFAULT_PORTS.get(parts.scheme, 0),
    }


def _known(attributes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if value is not None}
