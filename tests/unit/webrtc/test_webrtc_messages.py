"""What a worker says: read right, or refused in a named way, whatever comes."""

from __future__ import annotations

import contextlib
import gzip
import json
import math
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_sdk.webrtc import messages
from inference_sdk.webrtc.backlog import Event
from inference_sdk.webrtc.messages import (
    MalformedMessageError,
    VideoMetadata,
    WorkerMessage,
    parse_message,
    parse_time,
    picture_in,
)

METADATA = {
    "frame_id": 7,
    "received_at": "2025-03-04T05:06:07.123456+00:00",
    "pts": 3000,
    "time_base": 1 / 90000,
    "declared_fps": 30,
    "measured_fps": 29.5,
}
ATOMS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON = st.recursive(
    ATOMS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def message(**fields):
    return json.dumps(fields)


def test_a_whole_message():
    parsed = parse_message(
        message(serialized_output_data={"a": 1}, video_metadata=METADATA, errors=["bad"])
    )
    assert parsed.data == {"a": 1}
    assert parsed.errors == ("bad",)
    assert not parsed.complete
    assert parsed.metadata == VideoMetadata(
        frame_id=7,
        received_at=local(datetime(2025, 3, 4, 5, 6, 7, 123456, tzinfo=timezone.utc)),
        pts=3000,
        time_base=1 / 90000,
        declared_fps=30.0,
        measured_fps=29.5,
        errors=["bad"],
    )
    assert parsed.metadata.ticks == 3000


@pytest.mark.parametrize("pack", [str.encode, lambda text: gzip.compress(text.encode())])
def test_bytes_plain_and_gzipped(pack):
    assert parse_message(pack(message(processing_complete=True))) == WorkerMessage(complete=True)


def test_null_data_and_metadata():
    parsed = parse_message(message(serialized_output_data=None, video_metadata=None, errors=[]))
    assert parsed == WorkerMessage()


@pytest.mark.parametrize("payload", ["", "nonsense", "[]", '"text"', "1", "null", b"\xff\xfe", "{"])
def test_what_is_no_json_object_is_refused(payload):
    with pytest.raises(MalformedMessageError):
        parse_message(payload)


def test_gzip_that_is_broken_or_cut_off_is_refused():
    packed = gzip.compress(b'{"a": 1}' * 100)
    for broken in (packed[:-9], packed[:12], b"\x1f\x8b" + b"junk" * 10):
        with pytest.raises(MalformedMessageError, match="gzip"):
            parse_message(broken)


def test_a_gzip_bomb_is_refused_in_bounded_memory(monkeypatch):
    monkeypatch.setattr(messages, "MAX_MESSAGE_BYTES", 1000)
    bomb = gzip.compress(b" " * 1_000_000)
    assert len(bomb) < 2000
    with pytest.raises(MalformedMessageError, match=r"more than 1000 bytes|of \d+ bytes"):
        parse_message(bomb)


def test_a_huge_plain_message_is_refused(monkeypatch):
    monkeypatch.setattr(messages, "MAX_MESSAGE_BYTES", 10)
    with pytest.raises(MalformedMessageError, match="11 bytes"):
        parse_message("x" * 11)


@pytest.mark.parametrize(
    "broken",
    [
        {},
        [],
        "text",
        {**METADATA, "frame_id": "x"},
        {**METADATA, "frame_id": True},
        {**METADATA, "frame_id": 1.5},
        {**METADATA, "received_at": 17},
        {**METADATA, "received_at": "yesterday"},
        {**METADATA, "time_base": "1/90000"},
    ],
)
def test_metadata_that_will_not_parse_is_none_and_said(broken):
    parsed = parse_message(message(serialized_output_data={"a": 1}, video_metadata=broken))
    assert parsed.metadata is None
    assert parsed.metadata_error
    assert parsed.data == {"a": 1}


def test_errors_of_other_shapes_become_texts():
    assert parse_message(message(errors="one")).errors == ("one",)
    assert parse_message(message(errors=[{"step": "a"}, 3])).errors == ('{"step":"a"}', "3")
    assert parse_message(message(errors=None)).errors == ()


def local(time):
    """As 1.1 tells times: local, and without a zone, so that any two can be compared."""
    return time.astimezone().replace(tzinfo=None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-01-02T03:04:05Z", local(datetime(2025, 1, 2, 3, 4, 5, tzinfo=timezone.utc))),
        (
            "2025-01-02T03:04:05.5Z",
            local(datetime(2025, 1, 2, 3, 4, 5, 500000, tzinfo=timezone.utc)),
        ),
        ("2025-01-02T03:04:05", datetime(2025, 1, 2, 3, 4, 5)),
        (
            "2025-01-02T03:04:05.1234567+02:00",
            local(datetime(2025, 1, 2, 3, 4, 5, 123456, tzinfo=timezone(timedelta(hours=2)))),
        ),
    ],
)
def test_times(text, expected):
    assert parse_time(text) == expected


def test_pictures():
    assert picture_in({"type": "base64", "value": "abc"}) == "abc"
    for other in (None, 3, "abc", {"type": "base64"}, {"type": "url", "value": "x"}):
        assert picture_in(other) is None


def test_ticks_are_unknown_without_time():
    now = datetime.now(timezone.utc)
    assert VideoMetadata(1, now, pts=5).ticks is None
    assert VideoMetadata(1, now, time_base=0.5).ticks is None
    assert VideoMetadata(1, now, pts=1, time_base=0.5).ticks == 45000
    assert VideoMetadata(1, now, pts=10**9, time_base=1e308).ticks is None


@pytest.mark.parametrize("depth", [300, 900, 3000, 200_000])
def test_what_is_nested_deeply_is_read_or_refused(depth):
    """Each part that may hold it: none of them raises another error, here or while it waits."""
    deep = "[" * depth + "1" + "]" * depth
    for field in ("serialized_output_data", "errors", "video_metadata", "other"):
        text = f'{{"{field}": {{"a": {deep}}}}}'
        try:
            parsed = parse_message(text)
        except MalformedMessageError:
            assert depth > 900
            continue
        event = Event(parsed.data, parsed.errors, parsed.metadata, len(text)).pack(parsed.data)
        assert (event.unpack() is None) == (field != "serialized_output_data")


def test_what_python_writes_is_read():
    text = '{"serialized_output_data": {"a": NaN, "b": -Infinity, "c": "\\ud800", "d": 1%s}}'
    data = parse_message(text % ("0" * 30)).data
    assert math.isnan(data["a"])
    assert data["b"] == -math.inf
    assert data["c"] == "\ud800"
    assert data["d"] == 10**30
    assert repr(Event(None, (), None, 0).pack(data).unpack()) == repr(data)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999", "1" + "0" * 400])
@pytest.mark.parametrize("field", ["frame_id", "pts", "time_base", "declared_fps"])
def test_metadata_of_numbers_that_are_none(field, number):
    metadata = json.dumps({**METADATA, field: "?"}).replace('"?"', number)
    parsed = parse_message(f'{{"video_metadata": {metadata}}}')
    assert parsed.metadata is None or parsed.metadata.ticks in (None, 3000)


@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_what_waits_is_handed_on_as_it_was_read(data):
    parsed = parse_message(json.dumps({"serialized_output_data": data})).data
    event = Event(None, (), None, 0).pack(parsed)
    assert event.packed is not None
    assert event.size == len(event.packed)
    assert repr(event.unpack()) == repr(parsed) == repr(data)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(payload):
    for candidate in (payload, gzip.compress(payload), b"\x1f\x8b" + payload):
        with contextlib.suppress(MalformedMessageError):
            assert isinstance(parse_message(candidate), WorkerMessage)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "serialized_output_data": JSON,
            "video_metadata": JSON
            | st.fixed_dictionaries({"frame_id": JSON, "received_at": JSON, "pts": JSON}),
            "errors": JSON,
            "processing_complete": JSON,
        },
    )
)
def test_any_object_is_read(fields):
    parsed = parse_message(json.dumps(fields))
    assert parsed.data is None or isinstance(parsed.data, dict)
    assert all(isinstance(error, str) for error in parsed.errors)
    assert parsed.complete == (fields.get("processing_complete") is True)
