"""Settings from the environment, and what a caller hands down through context variables.

The environment gives each setting its first value, at import. From then on the value here
counts, whenever it is needed: a program that sets `inference_sdk.config.ALLOW_URL_INPUT = False`
is heard by the next call. Modules therefore read `config.NAME`, and never import the value.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable, Set
from contextvars import ContextVar
from typing import Any, Optional

from inference_sdk.regions import (
    DEFAULT_REGION,
    DOMAINS,
    PROD_ENVIRONMENT_NAME,
    STAGING_ENVIRONMENT_NAME,
    resolve_roboflow_service_url,
)
from inference_sdk.utils.environment import (
    comma_separated,
    flag,
    header_name,
    seconds,
    whole_number,
)

INFERENCE_WARNINGS_DISABLED = flag("INFERENCE_WARNINGS_DISABLED", False)
"""Silences the package's own warnings: deprecated, experimental, guidance."""

WORKFLOW_RUN_RETRIES_ENABLED = flag("WORKFLOW_RUN_RETRIES_ENABLED", True)
"""What `InferenceConfiguration.workflow_run_retries_enabled` is by default."""

EXECUTION_ID_HEADER = header_name("EXECUTION_ID_HEADER", "execution_id")
PROCESSING_TIME_HEADER = header_name("PROCESSING_TIME_HEADER", "X-Processing-Time")
ENABLE_INTERNAL_REMOTE_EXEC_HEADER = flag("ENABLE_INTERNAL_REMOTE_EXEC_HEADER", False)
INTERNAL_REMOTE_EXEC_REQ_HEADER = "X-Internal-Remote-Exec-Req"
INTERNAL_REMOTE_EXEC_REQ_VERIFIED_HEADER = "X-Internal-Remote-Exec-Req-Verified"
"""Servers mark requests with it whose `INTERNAL_REMOTE_EXEC_REQ_HEADER` they have checked."""

_HOSTED_INFERENCE = {
    PROD_ENVIRONMENT_NAME: ("detect", "outline", "classify", "infer", "serverless", "asyncinfer"),
    STAGING_ENVIRONMENT_NAME: ("serverless", "asyncinfer"),
}
_HOSTED_IN_EUROPE = ("serverless",)

ALL_ROBOFLOW_API_URLS = {
    f"https://{service}.{domain}"
    for (region, environment), domain in DOMAINS.items()
    for service in (
        _HOSTED_INFERENCE[environment] if region == DEFAULT_REGION else _HOSTED_IN_EUROPE
    )
}
"""Addresses of Roboflow's hosted inference services, which speak API v0."""

RF_API_BASE_URL = os.environ.get("RF_API_BASE_URL") or resolve_roboflow_service_url("api")

ALLOW_URL_INPUT = flag("ALLOW_URL_INPUT", True, unclear=False)
ALLOW_NON_HTTPS_URL_INPUT = flag("ALLOW_NON_HTTPS_URL_INPUT", True, unclear=False)
ALLOW_URL_INPUT_WITHOUT_FQDN = flag("ALLOW_URL_INPUT_WITHOUT_FQDN", True, unclear=False)
"""Whether the host of an image's URL may be a bare name (`localhost`) or an address."""

WHITELISTED_DESTINATIONS_FOR_URL_INPUT: Optional[Set[str]] = (
    comma_separated("WHITELISTED_DESTINATIONS_FOR_URL_INPUT") or None
)
"""When set, the only hosts allowed: `host`, `host:port`, `*.domain`, or an address."""

BLACKLISTED_DESTINATIONS_FOR_URL_INPUT: Optional[Set[str]] = (
    comma_separated("BLACKLISTED_DESTINATIONS_FOR_URL_INPUT") or None
)
"""Hosts that are refused, written the same way; an address also where a name leads to it."""

VALIDATE_IMAGE_URL_REDIRECTS = flag("VALIDATE_IMAGE_URL_REDIRECTS", False, unclear=True)
MAX_IMAGE_URL_REDIRECTS = whole_number("MAX_IMAGE_URL_REDIRECTS", 30, least=0)
ALLOW_URL_TO_NON_GLOBAL_ADDRESSES = flag("ALLOW_URL_TO_NON_GLOBAL_ADDRESSES", True, unclear=False)
"""Whether loopback, private and link-local addresses may be connected to for an image."""

WEBRTC_INITIAL_FRAME_TIMEOUT = seconds("WEBRTC_INITIAL_FRAME_TIMEOUT", 90.0)
"""Seconds. A hosted server starts a worker process per stream, which takes 10 to 19 s."""

WEBRTC_VIDEO_QUEUE_MAX_SIZE = whole_number("WEBRTC_VIDEO_QUEUE_MAX_SIZE", 8)
"""Frames that wait for the user's code; when it is full, the oldest is dropped."""

WEBRTC_DATA_MAX_WAITING_MESSAGES = whole_number("WEBRTC_DATA_MAX_WAITING_MESSAGES", 100_000)
"""Data messages that may wait for the user's handlers; none is dropped, one more is an error."""

WEBRTC_DATA_MAX_WAITING_BYTES = whole_number("WEBRTC_DATA_MAX_WAITING_BYTES", 512 * 1024 * 1024)
"""Bytes of them: some 20 minutes of 15 KB, 30 times a second."""

WEBRTC_EVENT_LOOP_SHUTDOWN_TIMEOUT = seconds("WEBRTC_EVENT_LOOP_SHUTDOWN_TIMEOUT", 2.0)
"""Seconds that closing a session may take."""

WEBRTC_VIDEO_UPLOAD_CHUNK_SIZE = whole_number("WEBRTC_VIDEO_UPLOAD_CHUNK_SIZE", 49152)
"""Bytes of one upload message: safely below the 64 KiB that every SCTP peer accepts."""

WEBRTC_VIDEO_UPLOAD_BUFFER_LIMIT = whole_number("WEBRTC_VIDEO_UPLOAD_BUFFER_LIMIT", 262144)
"""Bytes that may wait in the data channel of an upload."""


class InferenceSDKDeprecationWarning(Warning):
    """A call that is deprecated, or experimental and may change."""


class InferenceSDKGuidanceWarning(Warning):
    """A call that works, though another way would serve better."""


class RemoteProcessingTimeCollector:
    """Gathers, from any number of threads, what servers say about the time they spent.

    Put one into the context variable `remote_processing_times`; every answer received in that
    context is then recorded: processing time, models used, and models that had to be loaded
    first (cold starts). Times are seconds.

    Example:
        >>> collector = RemoteProcessingTimeCollector()
        >>> token = remote_processing_times.set(collector)
        >>> ...  # client.infer(...)
        >>> total, details = collector.summarize()
        >>> remote_processing_times.reset(token)
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[tuple[str, float]] = []
        self._model_ids: set[str] = set()
        self._cold_starts: list[tuple[str, float]] = []
        self._cold_start_count = 0
        self._load_time = 0.0

    def add(self, processing_time: float, model_id: str = "unknown") -> None:
        """Record the time that one request took."""
        with self._lock:
            self._entries.append((model_id, processing_time))

    def drain(self) -> list[tuple[str, float]]:
        """Take out all `(model_id, processing_time)` entries."""
        with self._lock:
            entries, self._entries = self._entries, []
        return entries

    def has_data(self) -> bool:
        with self._lock:
            return bool(self._entries)

    def summarize(self, max_detail_bytes: int = 4096) -> tuple[float, Optional[str]]:
        """Take out all entries as (sum, JSON list of `{"m": model_id, "t": time}`).

        The list is None when it is longer than `max_detail_bytes`.
        """
        return _summary(self.drain(), max_detail_bytes)

    def snapshot_summary(self, max_detail_bytes: int = 4096) -> tuple[float, Optional[str]]:
        """As `summarize`, leaving the entries where they are."""
        return _summary(self.snapshot_entries(), max_detail_bytes)

    def snapshot_entries(self) -> list[tuple[str, float]]:
        with self._lock:
            return list(self._entries)

    def add_model_id(self, model_id: Optional[str]) -> None:
        """Record a model that took part; None and empty ids are passed over."""
        if model_id:
            with self._lock:
                self._model_ids.add(model_id)

    def add_model_ids(self, model_ids: Iterable[str]) -> None:
        for model_id in model_ids:
            self.add_model_id(model_id)

    def snapshot_model_ids(self) -> set[str]:
        with self._lock:
            return set(self._model_ids)

    def record_cold_start(
        self, load_time: float, model_id: Optional[str] = None, count: int = 1
    ) -> None:
        """Record `count` models loaded before a request could be served, and how long it took.

        Without a model id the time and the count are added up, and there is no entry.
        """
        with self._lock:
            if model_id:
                self._cold_starts.append((model_id, load_time))
            self._cold_start_count += count
            self._load_time += load_time
        self.add_model_id(model_id)

    def snapshot_cold_start_entries(self) -> list[tuple[str, float]]:
        """(model id, seconds it took to load) of each model that is known by name."""
        with self._lock:
            return list(self._cold_starts)

    def snapshot_cold_start_total_load_time(self) -> float:
        """Seconds, of all models."""
        with self._lock:
            return self._load_time

    def snapshot_cold_start_count(self) -> int:
        with self._lock:
            return self._cold_start_count

    def has_cold_start_data(self) -> bool:
        with self._lock:
            return self._cold_start_count > 0


def _summary(
    entries: list[tuple[str, float]], max_detail_bytes: int
) -> tuple[float, Optional[str]]:
    total = sum((processing_time for _, processing_time in entries), 0.0)
    details = json.dumps(
        [{"m": model_id, "t": processing_time} for model_id, processing_time in entries],
        separators=(",", ":"),
    )
    return total, details if len(details.encode()) <= max_detail_bytes else None


execution_id: ContextVar[Optional[str]] = ContextVar("execution_id", default=None)
"""When set, every request carries it in the header named by `EXECUTION_ID_HEADER`."""

remote_processing_times: ContextVar[Optional[RemoteProcessingTimeCollector]] = ContextVar(
    "remote_processing_times", default=None
)

outbound_service_secret: ContextVar[Optional[str]] = ContextVar(
    "outbound_service_secret", default=None
)
"""When set, calls of models are billed by this secret and not counted, whatever the
configuration says: the query is `service_secret=…&countinference=False`."""

usage_source_tags: ContextVar[dict[str, Any]] = ContextVar("usage_source_tags", default={})  # noqa: B039 - the contract's default; read, never changed
"""Entries that are added to the source parameters of a request, and win over the configured."""

apply_duration_minimum: ContextVar[bool] = ContextVar("apply_duration_minimum", default=False)
"""Read by Roboflow's server, which hands it down here; no call of this package looks at it."""
