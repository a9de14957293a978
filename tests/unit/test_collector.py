"""What servers report of the time they spent, gathered for the caller."""

from __future__ import annotations

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from requests import Response
from requests.structures import CaseInsensitiveDict

from inference_sdk.config import RemoteProcessingTimeCollector, remote_processing_times
from inference_sdk.http.utils.executors import (
    collect_remote_processing_metadata_from_headers,
    collect_remote_processing_metadata_from_response,
)
from inference_sdk.http.utils.request_building import RequestData


@pytest.fixture
def collector() -> Any:
    gathering = RemoteProcessingTimeCollector()
    token = remote_processing_times.set(gathering)
    yield gathering
    remote_processing_times.reset(token)


def request(url: str, payload: dict[str, Any] | None) -> RequestData:
    return RequestData(url, 1, None, None, None, payload, [None])


# -- the collector itself ----------------------------------------------------------------------


def test_a_new_collector_is_empty():
    collector = RemoteProcessingTimeCollector()
    assert not collector.has_data()
    assert collector.drain() == []
    assert collector.summarize() == (0.0, "[]")
    assert not collector.has_cold_start_data()
    assert collector.snapshot_cold_start_count() == 0
    assert collector.snapshot_cold_start_total_load_time() == 0.0
    assert collector.snapshot_model_ids() == set()


def test_entries_are_taken_out_once_in_order():
    collector = RemoteProcessingTimeCollector()
    collector.add(0.5, model_id="coco/3")
    collector.add(0.25)
    assert collector.has_data()
    assert collector.drain() == [("coco/3", 0.5), ("unknown", 0.25)]
    assert collector.drain() == []


def test_a_summary_is_a_sum_and_a_list_and_drains():
    collector = RemoteProcessingTimeCollector()
    collector.add(0.5, model_id="coco/3")
    collector.add(0.25, model_id="clip")
    total, details = collector.summarize()
    assert total == 0.75
    assert json.loads(details) == [{"m": "coco/3", "t": 0.5}, {"m": "clip", "t": 0.25}]
    assert not collector.has_data()


def test_a_list_that_is_too_long_is_left_out_and_the_sum_stays():
    collector = RemoteProcessingTimeCollector()
    for _ in range(2):
        collector.add(0.5, model_id="münchen/1")
    _, details = collector.snapshot_summary()
    size = len(details.encode())
    assert collector.snapshot_summary(max_detail_bytes=size) == (1.0, details)
    assert collector.summarize(max_detail_bytes=size - 1) == (1.0, None)


def test_snapshots_leave_the_entries():
    collector = RemoteProcessingTimeCollector()
    collector.add(0.5)
    assert collector.snapshot_entries() == [("unknown", 0.5)]
    collector.snapshot_entries().clear()
    assert collector.snapshot_summary()[0] == 0.5
    assert collector.has_data()


def test_model_ids_are_a_set_without_empty_ones():
    collector = RemoteProcessingTimeCollector()
    collector.add_model_id(None)
    collector.add_model_id("")
    collector.add_model_ids(["coco/3", "clip", "coco/3"])
    assert collector.snapshot_model_ids() == {"coco/3", "clip"}
    collector.snapshot_model_ids().add("other")
    assert collector.snapshot_model_ids() == {"coco/3", "clip"}


def test_cold_starts_add_up():
    collector = RemoteProcessingTimeCollector()
    collector.record_cold_start(1.5, model_id="coco/3")
    collector.record_cold_start(2.0, count=3)
    assert collector.has_cold_start_data()
    assert collector.snapshot_cold_start_entries() == [("coco/3", 1.5)]
    assert collector.snapshot_cold_start_total_load_time() == 3.5
    assert collector.snapshot_cold_start_count() == 4
    assert collector.snapshot_model_ids() == {"coco/3"}


def test_no_entry_is_lost_between_threads():
    collector = RemoteProcessingTimeCollector()

    def work(_: int) -> list[tuple[str, float]]:
        taken: list[tuple[str, float]] = []
        for turn in range(200):
            collector.add(1.0)
            collector.record_cold_start(1.0)
            if turn % 7 == 0:
                taken += collector.drain()
        return taken

    with ThreadPoolExecutor(8) as executor:
        drained = [entry for taken in executor.map(work, range(8)) for entry in taken]
    assert len(drained) + len(collector.drain()) == 8 * 200
    assert collector.snapshot_cold_start_count() == 8 * 200


# -- from headers ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_data", "model"),
    [
        (request("http://host/infer/lmm?api_key=abc", {"model_id": "coco/3"}), "coco/3"),
        (request("http://host/clip/embed_text?api_key=abc", {}), "clip/embed_text"),
        (request("http://host/coco/3?api_key=abc", None), "coco/3"),
        (request("http://host", None), "unknown"),
        (None, "unknown"),
    ],
)
def test_a_time_is_booked_to_the_model_of_the_request(collector, request_data, model):
    headers = CaseInsensitiveDict({"x-processing-time": "0.25"})
    collect_remote_processing_metadata_from_headers(headers, request_data)
    assert collector.drain() == [(model, 0.25)]


def test_the_fallback_may_be_named(collector):
    collect_remote_processing_metadata_from_headers(
        {"X-Processing-Time": "1"}, fallback_model_id="my/1"
    )
    assert collector.drain() == [("my/1", 1.0)]


def test_an_answer_of_requests_is_read_too(collector):
    response = Response()
    response.headers["X-Processing-Time"] = "0.5"
    collect_remote_processing_metadata_from_response(response, model_id="my/1")
    assert collector.drain() == [("my/1", 0.5)]


COLD = "X-Model-Cold-Start"


@pytest.mark.parametrize(
    ("headers", "entries", "count"),
    [
        ({}, [], 0),
        ({COLD: "false", "X-Model-Load-Time": "2"}, [], 0),
        ({COLD: "true"}, [], 1),
        ({COLD: "True", "X-Model-Load-Time": "2.5"}, [], 1),
        (
            {COLD: "true", "X-Model-Load-Time": "2.5", "X-Model-Id": "coco/3"},
            [("coco/3", 2.5)],
            1,
        ),
        (
            {
                COLD: "true",
                "X-Model-Load-Time": "2.5",
                "X-Model-Cold-Start-Count": "2",
                "X-Model-Id": "coco/3, clip",
            },
            [],
            2,
        ),
        (
            {COLD: "true", "X-Model-Load-Details": '[{"m": "a/1", "t": 1}, {"m": "b/2", "t": 2}]'},
            [("a/1", 1.0), ("b/2", 2.0)],
            2,
        ),
    ],
)
def test_cold_starts_are_recorded(collector, headers, entries, count):
    collect_remote_processing_metadata_from_headers(headers)
    assert collector.snapshot_cold_start_entries() == entries
    assert collector.snapshot_cold_start_count() == count


def test_a_model_id_of_another_kind_is_read_as_text(collector):
    headers = {COLD: "true", "X-Model-Load-Details": '[{"m": ["a"], "t": 1}]'}
    collect_remote_processing_metadata_from_headers(headers)
    assert collector.snapshot_cold_start_entries() == [("['a']", 1.0)]


def test_models_of_an_answer_are_gathered_whether_cold_or_not(collector):
    collect_remote_processing_metadata_from_headers({"X-Model-Id": "coco/3, clip,, "})
    assert collector.snapshot_model_ids() == {"coco/3", "clip"}
    assert not collector.has_cold_start_data()


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Processing-Time": "soon"},
        {"X-Processing-Time": "nan"},
        {COLD: "true", "X-Model-Load-Time": "soon"},
        {COLD: "true", "X-Model-Cold-Start-Count": "many"},
        {COLD: "true", "X-Model-Cold-Start-Count": "inf"},
        {COLD: "true", "X-Model-Cold-Start-Count": "nan"},
        {COLD: "true", "X-Model-Load-Details": "{broken"},
        {COLD: "true", "X-Model-Load-Details": '[{"m": "a/1"}]'},
        {COLD: "true", "X-Model-Load-Details": '["a/1"]'},
        {COLD: "true", "X-Model-Load-Details": "7"},
    ],
    ids=lambda headers: "=".join(list(headers.items())[-1]),
)
def test_what_does_not_parse_is_logged_and_not_raised(collector, caplog, headers):
    with caplog.at_level(logging.WARNING, logger="inference_sdk"):
        collect_remote_processing_metadata_from_headers(headers)
    name = list(headers)[-1]
    assert name in caplog.text
    assert not collector.has_data()
    assert collector.snapshot_cold_start_count() == (1 if COLD in headers else 0)


def test_without_a_collector_nothing_happens():
    collect_remote_processing_metadata_from_headers({"X-Processing-Time": "0.5"})
