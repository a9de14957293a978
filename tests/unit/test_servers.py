"""The choice between servers, with a clock and chance that are given."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_sdk.http.answers import Answer
from inference_sdk.http.errors import (
    HTTPCallErrorError,
    HTTPClientError,
    HTTPConnectTimeoutError,
    HTTPServerConnectionError,
    HTTPServerDisconnectedError,
    HTTPServerTimeoutError,
    InvalidParameterError,
    InvalidServerResponseError,
)
from inference_sdk.http.servers import Outcome, ServerPool, Turn
from inference_sdk.http.servers.server import LONGEST_ABSENCE
from inference_sdk.http.traffic import outcome_of, outcome_of_error

A, B, C = "http://a", "http://b", "http://c"


class Bench:
    """A pool under a clock that is moved by hand."""

    def __init__(self, *addresses: str, seed: int = 1) -> None:
        self.now = 0.0
        self.addresses = addresses
        self.pool = ServerPool(lambda: self.now, random.Random(seed).random)

    def begin(self) -> Turn:
        return self.pool.begin(self.addresses)

    def one(self, outcome: Outcome = Outcome.ANSWERED, rest: float | None = None) -> str:
        turn = self.begin()
        self.pool.end(turn, outcome, rest)
        return turn.server.address

    def kill(self, address: str) -> None:
        """Let requests to an address fail until it is left."""
        while self.healthy(address):
            turn = self.begin()
            self.pool.end(
                turn, Outcome.LOST if turn.server.address == address else Outcome.ANSWERED
            )

    def healthy(self, address: str) -> bool:
        [stats] = self.pool.stats([address])
        return stats.healthy

    def chosen(self, times: int = 60) -> Counter[str]:
        return Counter(self.one() for _ in range(times))


def test_work_is_spread_by_what_is_in_flight() -> None:
    bench = Bench(*(f"http://{number}" for number in range(10)))
    for _ in range(1000):
        bench.begin()
    loads = [stats.in_flight for stats in bench.pool.stats(bench.addresses)]
    assert sum(loads) == 1000
    assert max(loads) - min(loads) <= 6  # by chance alone it would be some 40


def test_a_slow_server_is_given_less() -> None:
    bench = Bench(A, B)
    slow: list[Turn] = []
    for number in range(400):
        turn = bench.begin()
        if turn.server.address == A:
            slow.append(turn)
        else:
            bench.pool.end(turn, Outcome.ANSWERED)
        if number % 20 == 0 and slow:
            bench.pool.end(slow.pop(0), Outcome.ANSWERED)
    asked = {stats.address: stats.requests for stats in bench.pool.stats([A, B])}
    assert asked[A] < asked[B] / 5


def test_a_dead_server_is_left_probed_by_one_request_and_taken_back() -> None:
    bench = Bench(A, B)
    bench.kill(A)
    assert set(bench.chosen()) == {B}
    bench.now = 2
    probe = bench.begin()
    assert probe.server.address == A
    assert set(bench.chosen()) == {B}  # while the probe is under way
    bench.pool.end(probe, Outcome.LOST)
    assert set(bench.chosen()) == {B}
    bench.now = 6
    assert bench.one() == A
    assert bench.healthy(A)
    assert set(bench.chosen()) == {A, B}


def test_the_absence_of_a_dead_server_doubles_up_to_a_limit() -> None:
    bench = Bench(A, B)
    bench.kill(A)
    probes = []
    while bench.now < 400:
        bench.now += 0.25
        turn = bench.begin()
        if turn.server.address == A:
            probes.append(bench.now)
        bench.pool.end(turn, Outcome.LOST if turn.server.address == A else Outcome.ANSWERED)
    waits = [later - earlier for earlier, later in pairwise(probes)]
    assert max(waits) <= 1.5 * LONGEST_ABSENCE + 0.25
    assert 10 <= len(probes) <= 25


def test_many_requests_that_die_together_are_one_death() -> None:
    bench = Bench(A, B)
    under_way = [bench.begin() for _ in range(40)]
    for turn in under_way:
        bench.pool.end(turn, Outcome.LOST if turn.server.address == A else Outcome.ANSWERED)
    bench.now = 2
    assert bench.one() == A


@pytest.mark.parametrize(
    ("outcome", "in_a_row"), [(Outcome.LOST, 1), (Outcome.CLOSED, 2), (Outcome.FAILED, 5)]
)
def test_how_many_failures_in_a_row_are_a_death(outcome: Outcome, in_a_row: int) -> None:
    bench = Bench(A)
    for _ in range(3):
        for _ in range(in_a_row - 1):
            bench.one(outcome)
        bench.one()  # an answer between them begins the count anew
    assert bench.healthy(A)
    for _ in range(in_a_row):
        assert bench.healthy(A)
        bench.one(outcome)
    assert not bench.healthy(A)


def test_answers_to_what_was_begun_before_do_not_take_a_server_back() -> None:
    bench = Bench(A, B)
    under_way = [bench.begin() for _ in range(40)]
    dying = [turn for turn in under_way if turn.server.address == A]
    bench.pool.end(dying.pop(), Outcome.LOST)
    for turn in dying:  # a server that shuts down takes nothing new, and answers what it has
        bench.pool.end(turn, Outcome.ANSWERED)
    assert not bench.healthy(A)
    bench.now = 2
    assert bench.one() == A
    assert bench.healthy(A)


def test_what_the_caller_broke_off_says_nothing() -> None:
    bench = Bench(A, B)
    bench.kill(A)
    bench.now = 2
    probe = bench.begin()
    bench.pool.end(probe, Outcome.DROPPED)
    assert not bench.healthy(A)
    assert bench.one() == A  # it is still to be found out


def test_a_server_that_refuses_is_spared_as_long_as_it_asked() -> None:
    bench = Bench(A, B)
    while bench.one() != A:
        pass
    turn = bench.begin()
    other = A if turn.server.address == B else B
    bench.pool.end(turn, Outcome.REFUSED, 10.0)
    assert bench.healthy(turn.server.address)
    assert set(bench.chosen()) == {other}
    bench.now = 16
    assert set(bench.chosen()) == {A, B}


def test_where_all_are_dead_a_request_still_goes_somewhere() -> None:
    bench = Bench(A, B)
    for _ in range(10):
        bench.one(Outcome.LOST)
    assert set(bench.chosen(2)) <= {A, B}


OUTCOMES = st.sampled_from(list(Outcome))


@given(
    st.lists(st.tuples(st.booleans(), OUTCOMES, st.floats(0, 40)), max_size=120),
    st.integers(1, 4),
    st.integers(0, 10),
)
def test_counts_add_up_whatever_happens(
    events: list[tuple[bool, Outcome, float]], count: int, seed: int
) -> None:
    bench = Bench(*(A, B, C, "http://d")[:count], seed=seed)
    under_way: list[Turn] = []
    begun = 0
    for begins, outcome, seconds in events:
        bench.now += seconds
        if begins or not under_way:
            under_way.append(bench.begin())
            begun += 1
        else:
            bench.pool.end(under_way.pop(0), outcome)
    stats = bench.pool.stats(bench.addresses)
    assert sum(one.in_flight for one in stats) == len(under_way)
    assert sum(one.requests for one in stats) == begun
    assert all(one.in_flight >= 0 for one in stats)
    assert all(one.refused + one.failed <= one.requests for one in stats)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Outcome.ANSWERED),
        (404, Outcome.ANSWERED),
        (429, Outcome.REFUSED),
        (503, Outcome.REFUSED),
        (500, Outcome.FAILED),
    ],
)
def test_what_a_status_says_of_a_server(status: int, outcome: Outcome) -> None:
    assert outcome_of(Answer(status, "", A, {}, b"")) is outcome


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (HTTPServerDisconnectedError("closed"), Outcome.CLOSED),
        (HTTPServerConnectionError("refused"), Outcome.LOST),
        (HTTPConnectTimeoutError("no connection"), Outcome.LOST),
        (HTTPServerTimeoutError("silence"), Outcome.LOST),
        (InvalidServerResponseError("no HTTP"), Outcome.FAILED),
        (HTTPClientError("no trust"), Outcome.FAILED),
        (HTTPCallErrorError("too large", 413, None), Outcome.FAILED),
        (InvalidParameterError("no JSON"), Outcome.DROPPED),
        (KeyboardInterrupt(), Outcome.DROPPED),
    ],
)
def test_what_an_error_says_of_a_server(error: BaseException, outcome: Outcome) -> None:
    assert outcome_of_error(error) is outcome
