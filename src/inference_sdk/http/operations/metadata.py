"""What an answer's headers report of the work behind it, into the caller's collector."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson

from inference_sdk import config

if TYPE_CHECKING:
    from inference_sdk.http.utils.request_building import RequestData

logger = logging.getLogger(__name__)

UNKNOWN_MODEL_ID = "unknown"

MODEL_ID_HEADER = "X-Model-Id"
MODEL_COLD_START_HEADER = "X-Model-Cold-Start"
MODEL_COLD_START_COUNT_HEADER = "X-Model-Cold-Start-Count"
MODEL_LOAD_TIME_HEADER = "X-Model-Load-Time"
MODEL_LOAD_DETAILS_HEADER = "X-Model-Load-Details"


def collect_remote_processing_metadata_from_headers(
    headers: Mapping[str, str],
    request_data: RequestData | None = None,
    fallback_model_id: str = UNKNOWN_MODEL_ID,
) -> None:
    """Add what the headers report to the collector in `config.remote_processing_times`, if any.

    The time is booked to the model id in the request's body, else to the path of its URL, else
    to `fallback_model_id`. Models used, and loaded first, are those that the headers name, else
    that of the body, else the fallback. A value that does not parse is logged and left out.
    """
    collector = config.remote_processing_times.get()
    if collector is None:
        return
    model_id = _model_of(request_data)
    seconds = processing_time(headers)
    if seconds is not None:
        label = model_id or _path_of(request_data) or fallback_model_id
        collector.add(seconds, model_id=label)
    named = _comma_list(headers.get(MODEL_ID_HEADER, "")) or [model_id or fallback_model_id]
    model_ids = [name for name in named if name != UNKNOWN_MODEL_ID]
    collector.add_model_ids(model_ids)
    if headers.get(MODEL_COLD_START_HEADER, "").lower() == "true":
        _record_cold_start(collector, headers, model_ids)


def processing_time(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server says it worked, None where it does not say."""
    return _number(headers, config.PROCESSING_TIME_HEADER)


def _record_cold_start(
    collector: config.RemoteProcessingTimeCollector,
    headers: Mapping[str, str],
    model_ids: list[str],
) -> None:
    details = _load_details(headers)
    for model_id, load_time in details:
        collector.record_cold_start(load_time, model_id=model_id)
    if not details:
        collector.record_cold_start(
            _number(headers, MODEL_LOAD_TIME_HEADER) or 0.0,
            model_id=model_ids[0] if len(model_ids) == 1 else None,
            count=int(_number(headers, MODEL_COLD_START_COUNT_HEADER) or 1),
        )


def _load_details(headers: Mapping[str, str]) -> list[tuple[str | None, float]]:
    text = headers.get(MODEL_LOAD_DETAILS_HEADER)
    if not text:
        return []
    try:
        return [_load_entry(entry) for entry in orjson.loads(text)]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        logger.warning("Header %s is unreadable: %r", MODEL_LOAD_DETAILS_HEADER, error)
        return []


def _load_entry(entry: dict[str, Any]) -> tuple[str | None, float]:
    model_id = entry.get("m")
    return None if model_id is None else str(model_id), float(entry["t"])


def _number(headers: Mapping[str, str], name: str) -> float | None:
    text = headers.get(name)
    if text is None:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if math.isfinite(number):
        return number
    logger.warning("Header %s holds %r, which is no number.", name, text)
    return None


def _comma_list(text: str) -> list[str]:
    return [entry.strip() for entry in text.split(",") if entry.strip()]


def _model_of(request: RequestData | None) -> str | None:
    payload: Mapping[str, Any] = (request.payload if request else None) or {}
    return payload.get("model_id") or None


def _path_of(request: RequestData | None) -> str | None:
    return urlsplit(request.url).path.strip("/") or None if request else None


Booking = Callable[[Mapping[str, str], "RequestData"], None]
"""What is done with the headers of an answer, once for each try."""


def by_request(headers: Mapping[str, str], request: RequestData) -> None:
    """Book the answer to the model, or the path, of its request."""
    collect_remote_processing_metadata_from_headers(headers, request)


def by_label(label: str) -> Booking:
    """Book the answer to a model that the request does not name by `model_id`."""

    def book(headers: Mapping[str, str], request: RequestData) -> None:  # noqa: ARG001 - a Booking
        collect_remote_processing_metadata_from_headers(headers, fallback_model_id=label)

    return book


def not_counted(headers: Mapping[str, str], request: RequestData) -> None:
    """For calls that infer nothing by themselves: look-ups, workflows, pipelines."""
