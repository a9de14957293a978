"""Settings of a stream, and how soon it is tried again."""

from __future__ import annotations

import pytest

from inference_sdk.http.errors import InvalidParameterError
from inference_sdk.webrtc.config import ReconnectPolicy, StreamConfig


def test_reconnect_takes_a_policy_or_a_flag():
    policy = ReconnectPolicy(max_attempts=1)
    assert StreamConfig().reconnect_policy is None
    assert StreamConfig(reconnect=False).reconnect_policy is None
    assert StreamConfig(reconnect=True).reconnect_policy == ReconnectPolicy()
    assert StreamConfig(reconnect=policy).reconnect_policy is policy


def test_delays_double_up_to_a_limit():
    policy = ReconnectPolicy(initial_delay=1, max_delay=5, jitter=0.5)
    assert [policy.delay(attempt, 0) for attempt in range(1, 6)] == [1, 2, 4, 5, 5]
    assert policy.delay(3, 1) == 2
    assert policy.delay(10_000, 0) == 5


def test_attempts_are_limited_or_not():
    assert ReconnectPolicy(max_attempts=2).allows(2)
    assert not ReconnectPolicy(max_attempts=2).allows(3)
    assert ReconnectPolicy(max_attempts=None).allows(10**6)


@pytest.mark.parametrize("wrong", [{"initial_delay": -1}, {"max_delay": -1}, {"jitter": 2}])
def test_policies_that_make_no_sense(wrong):
    with pytest.raises(InvalidParameterError):
        ReconnectPolicy(**wrong)


def test_configurations_do_not_share_their_lists():
    StreamConfig().stream_output.append("x")
    assert StreamConfig().stream_output == []
