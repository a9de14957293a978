"""The simulation of many clients and servers, in small: what `benchmarks/scale.py` shows at large."""

from __future__ import annotations

import pytest
from benchmarks import scale

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def outcome() -> scale.Outcome:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scale, "WORKERS", 10)
        patch.setattr(scale, "TAKEN_IN", 64)
        return scale.play(scale.VARIANTS[0], clients=10, servers=5)


def test_the_servers_are_kept_busy(outcome: scale.Outcome) -> None:
    speeds = 5 - 1 + scale.SLOW
    assert scale.mean(outcome.throughput, *scale.STEADY) >= 0.8 * 10 * speeds


def test_work_of_dead_servers_goes_to_the_others(outcome: scale.Outcome) -> None:
    assert scale.mean(outcome.throughput, *scale.FAILING) >= 20
    assert outcome.failed["failing"] == 0


def test_no_storm_keeps_an_overload_up(outcome: scale.Outcome) -> None:
    answers = scale.mean(outcome.throughput, *scale.OVERLOADED)
    assert scale.mean(outcome.load, *scale.OVERLOADED) <= 3 * answers
    usual = scale.mean(outcome.throughput, *scale.STEADY)
    assert scale.mean(outcome.throughput, scale.END - 10, scale.END) >= 0.3 * usual
    assert outcome.failed["after"] == 0
