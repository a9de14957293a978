"""The window of `max_concurrent_requests="auto"`, under a virtual clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference_sdk.http.concurrency import AdaptiveWindow
from tests.simulation import (
    Batching,
    Fixed,
    Network,
    Simulation,
    WindowedClient,
    Workers,
    jain,
    service_times,
)

SERVICE = 0.05
FIXED_WINDOWS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)

Build = Callable[[Simulation], "Workers | Batching"]


@dataclass(frozen=True)
class Kind:
    """A kind of server, and how its times vary."""

    name: str
    build: Build

    def __str__(self) -> str:
        return self.name


def workers(count: int, variation: float) -> Kind:
    times = lambda: service_times(SERVICE, variation)  # noqa: E731 - made anew for each run
    return Kind(f"{count} workers ±{variation}", lambda sim: Workers(sim, count, times()))


def batching(largest: int, fixed: float, each: float, variation: float) -> Kind:
    def build(sim: Simulation) -> Batching:
        return Batching(sim, largest, fixed, each, service_times(1, variation))

    return Kind(f"batches of {largest} ±{variation}", build)


VARIATIONS = (0.0, 0.1, 0.3)
KINDS = [
    *(workers(count, variation) for count in (1, 4, 32) for variation in VARIATIONS),
    *(batching(8, 0.02, 0.002, variation) for variation in VARIATIONS),
    *(batching(16, 0.05, 0.001, variation) for variation in VARIATIONS),
]


def simulate(kind: Kind, window: AdaptiveWindow | Fixed | None, seconds: float) -> WindowedClient:
    simulation = Simulation()
    server = Network(simulation, kind.build(simulation))
    window = window or AdaptiveWindow(simulation.clock)
    client = WindowedClient(simulation, server, window)
    client.fill()
    simulation.run(seconds)
    return client


def best_fixed(kind: Kind) -> float:
    return max(simulate(kind, Fixed(limit), 10).rate(1, 10) for limit in FIXED_WINDOWS)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_is_within_ten_percent_of_the_best_fixed_window_after_fifty_jobs(kind: Kind) -> None:
    client = simulate(kind, None, 22)
    best = best_fixed(kind)
    warm = client.served[49]
    assert client.rate(warm, warm + 2) >= 0.9 * best
    assert client.rate(warm, 22) >= 0.93 * best


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "0.3" not in kind.name], ids=str)
def test_throughput_does_not_swing(kind: Kind) -> None:
    client = simulate(kind, None, 25)
    rates = [client.rate(second, second + 1) for second in range(5, 25)]
    assert min(rates) >= 0.8 * max(rates)


def test_one_worker_gets_few_jobs_at_once() -> None:
    client = simulate(workers(1, 0.0), None, 30)
    assert max(limit for time, limit in client.limits if time > 3) <= 5


def test_thirty_two_workers_are_busy_within_fifty_jobs() -> None:
    client = simulate(workers(32, 0.0), None, 5)
    reached = next(time for time, limit in client.limits if limit >= 32)
    assert sum(time <= reached for time in client.served) <= 50


def test_rests_below_what_a_server_refuses() -> None:
    client = simulate(Kind("", lambda sim: Workers(sim, 32, lambda: SERVICE, most=8)), None, 20)
    assert client.rate(2, 20) >= 0.9 * 8 / (SERVICE + 0.002)
    assert len(client.refused) < 0.03 * len(client.served)


def test_backs_off_from_a_server_that_refuses_all_and_comes_back() -> None:
    simulation = Simulation()
    server = Workers(simulation, 8, lambda: SERVICE)
    client = WindowedClient(simulation, server, AdaptiveWindow(simulation.clock))
    client.fill()
    simulation.run(5)
    server.most = 0
    simulation.run(10)
    assert client.window.limit == 1
    server.most = 10**6
    simulation.run(20)
    assert client.rate(14, 20) >= 0.9 * 8 / SERVICE


@pytest.mark.parametrize("delay", [0.0, 2.0, 5.0])
@pytest.mark.parametrize(
    "kind",
    [workers(1, 0.1), workers(4, 0.1), workers(32, 0.1), batching(8, 0.02, 0.002, 0.1)],
    ids=str,
)
def test_two_clients_share_a_server_fairly(kind: Kind, delay: float) -> None:
    simulation = Simulation()
    server = Network(simulation, kind.build(simulation))
    clients = [
        WindowedClient(simulation, server, AdaptiveWindow(simulation.clock)) for _ in range(2)
    ]
    clients[0].fill()
    simulation.after(delay, clients[1].fill)
    simulation.run(90)
    assert jain([client.rate(45, 90) for client in clients]) >= 0.95
    assert sum(client.rate(45, 90) for client in clients) >= 0.93 * best_fixed(kind)


def test_takes_what_another_client_leaves() -> None:
    simulation = Simulation()
    server = Workers(simulation, 32, service_times(SERVICE, 0.1))
    first, second = (
        WindowedClient(simulation, server, AdaptiveWindow(simulation.clock)) for _ in range(2)
    )
    first.fill()
    second.fill()
    simulation.run(10)
    second.stopped = True
    simulation.run(25)
    assert first.rate(20, 25) >= 0.9 * 32 / SERVICE


def test_a_server_that_becomes_slower_is_learnt_anew() -> None:
    simulation = Simulation()
    seconds = SERVICE
    client = WindowedClient(
        simulation,
        Workers(simulation, 16, lambda: seconds),
        AdaptiveWindow(simulation.clock),
    )
    client.fill()
    simulation.run(5)
    seconds = 4 * SERVICE
    simulation.run(60)
    assert client.rate(40, 60) >= 0.9 * 16 / seconds


def test_a_caller_with_two_jobs_at_once_opens_the_window_no_further() -> None:
    now = 0.0
    window = AdaptiveWindow(lambda: now)
    for _ in range(500):
        slots = [window.begin(1), window.begin(2)] if window.limit > 1 else [window.begin(1)]
        now += SERVICE
        for slot in slots:
            window.end(slot)
    assert window.limit <= 4


JOBS = st.tuples(st.floats(0, 100), st.booleans(), st.booleans())


@settings(max_examples=150)
@given(st.lists(JOBS, max_size=300), st.integers(1, 64))
def test_the_limit_stays_in_its_bounds_whatever_happens(
    jobs: list[tuple[float, bool, bool]], largest: int
) -> None:
    now = 0.0
    window = AdaptiveWindow(lambda: now, largest)
    for seconds, refused, counts in jobs:
        before = window.limit
        slot = window.begin(before)
        now += seconds
        if refused:
            window.refuse(slot)
        window.end(slot, counts=counts)
        assert 1 <= window.limit <= largest
        assert not (refused and window.limit > before)


@settings(max_examples=50)
@given(st.lists(st.floats(0.001, 10), max_size=100))
def test_jobs_that_failed_by_themselves_say_nothing(durations: list[float]) -> None:
    now = 0.0
    window = AdaptiveWindow(lambda: now)
    for seconds in durations:
        slot = window.begin(window.limit)
        now += seconds
        window.end(slot, counts=False)
    assert window.limit == 1
