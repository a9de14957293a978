"""Counting: what is told of a stream, and None where nothing is known."""

from __future__ import annotations

import time

from inference_sdk.webrtc.stats import _MAX_SENT_TIMES, Counters, Transport


def test_a_stream_that_did_nothing():
    stats = Counters().snapshot(None)
    assert stats.frames_sent == stats.frames_received == stats.frames_dropped == 0
    assert stats.latency is stats.bitrate_sent is stats.round_trip_time is None


def test_latency_from_the_time_that_comes_back():
    counters = Counters()
    counters.sent(3000, time.monotonic() - 0.5)
    counters.sent(6000, time.monotonic() - 0.1)
    counters.returned(None)
    counters.returned(4500)
    assert counters.latency is None
    counters.returned(3000)
    assert 0.5 <= counters.latency < 1
    counters.returned(6001)
    stats = counters.snapshot(None)
    assert 0.1 <= stats.latency_last < 0.5
    assert stats.latency_last < stats.latency
    assert stats.frames_sent == 2


def test_frames_that_never_come_back_are_forgotten():
    counters = Counters()
    for number in range(_MAX_SENT_TIMES + 1):
        counters.sent(number * 3000, time.monotonic())
    counters.returned(0)
    assert counters.latency is None
    counters.returned(3000)
    assert counters.latency is not None


def test_bitrates_come_from_bytes_and_time():
    counters = Counters(started=time.monotonic() - 2)
    for count in (counters.frame_dropped, counters.frame_skipped):
        count()
    stats = counters.snapshot(Transport(bytes_sent=1000, bytes_received=4000, packets_lost=3))
    assert 3900 < stats.bitrate_sent < 4100
    assert 15000 < stats.bitrate_received < 16100
    assert (stats.frames_dropped, stats.messages_dropped, stats.frames_skipped) == (1, 0, 1)
    assert stats.packets_lost == 3
