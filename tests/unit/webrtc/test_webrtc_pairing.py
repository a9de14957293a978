"""Frames find their predictions by time, on two ways that keep no step."""

from __future__ import annotations

import threading
import time

from inference_sdk.webrtc.pairing import MAX_WAITING, Pairing


def test_the_nearest_within_a_millisecond_is_the_pair():
    pairing = Pairing()
    for ticks in (0, 3000, 3080, 6000):
        pairing.put(ticks, f"p{ticks}")
    assert pairing.take(3050) == "p3080"
    assert pairing.take(6090) == "p6000"


def test_a_frame_waits_for_predictions_that_come_later():
    pairing = Pairing()
    timer = threading.Timer(0.03, pairing.put, (3000, "late"))
    timer.start()
    assert pairing.take(3001, timeout=5) == "late"
    timer.join(5)


def test_none_at_once_when_later_predictions_are_there():
    pairing = Pairing()
    pairing.put(9000, "later")
    begun = time.monotonic()
    assert pairing.take(3000, timeout=30) is None
    assert time.monotonic() - begun < 5
    assert pairing.take(9000) == "later"


def test_none_after_a_little_while():
    pairing = Pairing()
    pairing.put(0, "old")
    begun = time.monotonic()
    assert pairing.take(3000, timeout=0.05) is None
    assert time.monotonic() - begun >= 0.05


def test_predictions_are_given_once():
    pairing = Pairing()
    pairing.put(0, "a")
    assert pairing.take(0) == "a"
    assert pairing.take(0, timeout=0.01) is None


def test_a_repeated_time_keeps_the_newest():
    pairing = Pairing()
    pairing.put(0, "a")
    pairing.put(0, "b")
    assert pairing.take(0) == "b"


def test_predictions_that_no_frame_wants_are_bounded():
    pairing = Pairing()
    for number in range(MAX_WAITING + 10):
        pairing.put(number * 3000, number)
    assert pairing.take(0, timeout=0) is None
    assert pairing.take(10 * 3000, timeout=0) == 10


def test_clocks_that_start_at_different_times_are_aligned():
    pairing = Pairing()
    got = []
    for number in range(10):
        pairing.put(12345 + number * 3000, number)
        got.append(pairing.take(number * 3000, timeout=0))
    assert got[:5] == [None] * 5
    assert got[5:] == [5, 6, 7, 8, 9]


def test_closing_lets_nobody_wait():
    pairing = Pairing()
    timer = threading.Timer(0.03, pairing.close)
    timer.start()
    begun = time.monotonic()
    assert pairing.take(0, timeout=30) is None
    assert time.monotonic() - begun < 10
    timer.join(5)
