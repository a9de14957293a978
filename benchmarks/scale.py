"""A thousand clients on a hundred servers, in a simulation that drives the client's own code.

What is simulated is the servers, the network and the clock. The tries and their budget
(`operations.exchange.attempt`), the choice of server and what is learnt of it (`traffic.Sending`,
`servers`), and the window (`concurrency`) are the very code that the client runs.

    python -m benchmarks.scale                   # all of it, some minutes; writes docs/scale/
    python -m benchmarks.scale --clients 100 --servers 10 --no-plots
"""

from __future__ import annotations

import argparse
import json
import math
import random
from bisect import bisect_left
from collections import deque
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextvars import Context
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tests.simulation import Simulation, jain, service_times

from inference_sdk.http.answers import Answer
from inference_sdk.http.entities import AUTO, InferenceConfiguration, RequestMethod
from inference_sdk.http.errors import (
    HTTPClientError,
    HTTPServerConnectionError,
    HTTPServerTimeoutError,
)
from inference_sdk.http.operations.exchange import attempt
from inference_sdk.http.operations.metadata import not_counted
from inference_sdk.http.operations.retries import RetryBudget
from inference_sdk.http.pipeline import FixedLimit
from inference_sdk.http.steps import Exchange, Sleep
from inference_sdk.http.traffic import Sending, Traffic
from inference_sdk.http.utils.request_building import RequestData

WORKERS, SECONDS, VARIATION = 16, 1.0, 0.3
"""Of a server: requests that it works on at once, and how long one takes."""
TAKEN_IN = 96
"""Requests that a server takes in, those at work included; it answers 503 to others."""
SPEEDS = (0.7, 1.3)
SLOW = 0.3
"""Speed of one of the servers, where the mean is 1."""
NETWORK = 0.002
"""Seconds each way."""
READ_TIMEOUT = 15.0
FAILING, OVERLOADED = (80.0, 140.0), (150.0, 210.0)
END = 260.0
STEADY = (50.0, 80.0)
LEFT_IN_OVERLOAD = 0.25
"""Of the workers: other work has the others."""

AFTER_FAILURE = 1.0
"""Seconds until a program that got an error goes on."""

SERVED = Answer(200, "OK", "http://server", {}, b"{}")
BUSY = Answer(503, "Busy", "http://server", {}, b"")

Reply = Callable[[Answer | HTTPClientError], None]


class Server:
    """Works on some requests at once, keeps some waiting, refuses the others."""

    def __init__(self, simulation: Simulation, speed: float, seed: int) -> None:
        self._simulation = simulation
        self._service = service_times(SECONDS / speed, VARIATION, seed)
        self._waiting: deque[Reply] = deque()
        self._busy = 0
        self._lives = 0
        self.workers = WORKERS
        self.dead = False
        self.arrived = 0

    def send(self, reply: Reply) -> None:
        if self.dead:
            error = HTTPServerConnectionError("refused")
            error.may_have_arrived = False
            return self._soon(reply, error)
        self.arrived += 1
        if self._busy + len(self._waiting) >= TAKEN_IN:
            return self._soon(reply, BUSY)
        self._waiting.append(reply)
        return self.work()

    def work(self) -> None:
        while self._busy < self.workers and self._waiting:
            self._busy += 1
            done = partial(self._finish, self._waiting.popleft(), self._lives)
            self._simulation.after(self._service(), done)

    def die(self) -> None:
        """Lose all that it had; also what it works on is never answered, but cut off."""
        self.dead = True
        self._lives += 1
        self._busy = 0
        waiting, self._waiting = self._waiting, deque()
        for reply in waiting:
            self._soon(reply, HTTPServerConnectionError("cut off"))

    def _finish(self, reply: Reply, life: int) -> None:
        if life != self._lives:
            return reply(HTTPServerConnectionError("cut off"))
        self._busy -= 1
        self._soon(reply, SERVED)
        return self.work()

    def _soon(self, reply: Reply, outcome: Answer | HTTPClientError) -> None:
        self._simulation.after(NETWORK, partial(reply, outcome))


@dataclass(frozen=True)
class Variant:
    """How clients behave."""

    name: str
    concurrency: Any
    budget: int | None


VARIANTS = [
    Variant("auto", AUTO, 100),
    Variant("8 at once, no budget", 8, None),
    Variant("8 at once", 8, 100),
    Variant("2 at once", 2, 100),
]


@dataclass
class World:
    """All that is simulated, and what is noted of it."""

    variant: Variant
    simulation: Simulation
    servers: dict[str, Server]
    random: random.Random
    configuration: InferenceConfiguration
    addresses: tuple[str, ...]
    request: RequestData
    jobs: list[tuple[float, float]] = field(default_factory=list)
    """End and duration of each that got its answer."""
    failed: list[float] = field(default_factory=list)

    @classmethod
    def of(cls, variant: Variant, servers: int) -> World:
        simulation = Simulation()
        chance = random.Random(7)
        addresses = tuple(f"http://server-{number}" for number in range(servers))
        speeds = [SLOW, *(chance.uniform(*SPEEDS) for _ in range(servers - 1))]
        return cls(
            variant=variant,
            simulation=simulation,
            servers={
                f"{address}/infer": Server(simulation, speed, seed)
                for seed, (address, speed) in enumerate(zip(addresses, speeds, strict=True))
            },
            random=chance,
            configuration=InferenceConfiguration(
                max_concurrent_requests=variant.concurrency, retry_budget=variant.budget
            ),
            addresses=addresses,
            request=RequestData(f"{addresses[0]}/infer", 1, {}, None, None, None, [None]),
        )


class Client:
    """One program with an `infer_many` that does not end."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.traffic = Traffic(world.simulation.clock, world.random.random)
        limit = self.traffic.limit(world.variant.concurrency, "infer")
        self.window = FixedLimit(limit) if isinstance(limit, int) else limit
        self.budget = RetryBudget()
        self.running = 0
        self.served = 0

    def fill(self) -> None:
        while self.running < self.window.limit:
            self.running += 1
            Job(self).start()

    def free(self) -> None:
        self.running -= 1
        self.fill()


class Job:
    """One image: a window's slot, and the tries until it is answered."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.world = client.world
        self.begun = self.world.simulation.now
        self.context = Context()
        self.operation = attempt(
            Exchange(
                self.world.request,
                RequestMethod.POST,
                self.world.configuration,
                self.world.addresses,
            ),
            self.world.configuration.max_tries,
            self.world.random.random,
            self.world.simulation.clock,
            budget=client.budget,
            book=not_counted,
        )

    def start(self) -> None:
        self.slot = self.context.run(self.client.window.begin, self.client.running)
        self.go_on(partial(next, self.operation))

    def go_on(self, resume: Callable[[], Any]) -> None:
        try:
            step = resume()
        except StopIteration as done:
            self.end(served=done.value.status < 400)
        except HTTPClientError:
            self.end(served=False)
        else:
            if isinstance(step, Sleep):
                go_on = partial(self.go_on, partial(self.operation.send, None))
                self.world.simulation.after(step.seconds, go_on)
            else:
                self.send(step)

    def send(self, step: Exchange) -> None:
        sending = Sending(
            step.request, step.servers, self.client.traffic.pool, step.configuration
        ).__enter__()
        answered = False

        def reply(outcome: Answer | HTTPClientError) -> None:
            nonlocal answered
            if not answered:  # else the client has hung up, and the work was in vain
                answered = True
                self.context.run(self.learn, sending, outcome)

        simulation = self.world.simulation
        server = self.world.servers[sending.request.url]
        simulation.after(NETWORK, partial(server.send, reply))
        simulation.after(READ_TIMEOUT, partial(reply, HTTPServerTimeoutError("silence")))

    def learn(self, sending: Sending, outcome: Answer | HTTPClientError) -> None:
        if isinstance(outcome, Answer):
            sending.answer = outcome
            sending.__exit__(None, None, None)
            self.go_on(partial(self.operation.send, outcome))
        else:
            sending.__exit__(type(outcome), outcome, None)
            self.go_on(partial(self.operation.throw, outcome))

    def end(self, served: bool) -> None:
        now = self.world.simulation.now
        if served:
            self.world.jobs.append((now, now - self.begun))
            self.client.served += STEADY[0] < now <= STEADY[1]
        else:
            self.world.failed.append(now)
        self.client.window.end(self.slot, counts=served)
        self.world.simulation.after(0.0 if served else AFTER_FAILURE, self.client.free)


@dataclass
class Outcome:
    """What one variant came to."""

    name: str
    throughput: list[int]
    """Answers in each second."""
    load: list[int]
    """Requests that arrived at servers in each second."""
    in_flight: list[int]
    jain: float
    p99: dict[str, float]
    failed: dict[str, int]
    recovery: float
    """Seconds after the overload until throughput is what it was."""
    failing_recovery: float


def play(variant: Variant, clients: int, servers: int) -> Outcome:
    """Run the whole course of events with one kind of clients."""
    world = World.of(variant, servers)
    simulation = world.simulation
    crowd = [Client(world) for _ in range(clients)]
    for client in crowd:
        simulation.after(world.random.uniform(0, 5), client.fill)
    machines = list(world.servers.values())
    failing = machines[1 : 1 + max(1, servers // 10)]
    for machine in failing:
        simulation.after(FAILING[0], machine.die)
        simulation.after(FAILING[1], partial(setattr, machine, "dead", False))
    for machine in machines:
        simulation.after(OVERLOADED[0], partial(occupy, machine, LEFT_IN_OVERLOAD))
        simulation.after(OVERLOADED[1], partial(occupy, machine, 1.0))
    load, in_flight = [], []
    for second in range(1, int(END) + 1):
        before = sum(machine.arrived for machine in machines)
        simulation.run(second)
        load.append(sum(machine.arrived for machine in machines) - before)
        in_flight.append(sum(client.running for client in crowd))
    return summary(world, crowd, load, in_flight)


def occupy(machine: Server, left: float) -> None:
    machine.workers = round(WORKERS * left)
    machine.work()


def summary(world: World, crowd: list[Client], load: list[int], in_flight: list[int]) -> Outcome:
    throughput = [0] * int(END)
    for end, _ in world.jobs:
        throughput[min(math.ceil(end) - 1, int(END) - 1)] += 1
    phases = {"steady": STEADY, "failing": FAILING, "overloaded": OVERLOADED, "after": (230.0, END)}
    return Outcome(
        name=world.variant.name,
        throughput=throughput,
        load=load,
        in_flight=in_flight,
        jain=jain([client.served for client in crowd]),
        p99={name: p99(world.jobs, *phase) for name, phase in phases.items()},
        failed={name: between(world.failed, *phase) for name, phase in phases.items()},
        recovery=recovery(throughput, OVERLOADED[1]),
        failing_recovery=recovery(throughput, FAILING[1]),
    )


def p99(jobs: list[tuple[float, float]], begin: float, end: float) -> float:
    durations = sorted(d for ended, d in jobs[bisect_left(jobs, (begin,)) :] if ended <= end)
    return durations[int(0.99 * len(durations))] if durations else math.nan


def between(times: list[float], begin: float, end: float) -> int:
    return sum(begin < time <= end for time in times)


def recovery(throughput: list[int], since: float) -> float:
    """Seconds until the mean of three seconds is 95 % of what it was in steady state."""
    usual = mean(throughput, *STEADY)
    for second in range(int(since), int(END) - 3):
        if mean(throughput, second, second + 3) >= 0.95 * usual:
            return second - since
    return math.inf


def mean(values: list[int], begin: float, end: float) -> float:
    part = values[int(begin) : int(end)]
    return sum(part) / len(part)


def table(outcomes: list[Outcome]) -> str:
    """The figures as Markdown."""
    titles = [
        "clients",
        "steady /s",
        "p99 s",
        "Jain",
        "failing /s",
        "p99 s",
        "overloaded /s",
        "p99 s",
        "requests per answer",
        "failed",
        "back after failing s",
        "after overload s",
    ]
    rows = [f"| {' | '.join(titles)} |", "| --- " * len(titles) + "|"]
    for one in outcomes:
        answers = mean(one.throughput, *OVERLOADED)
        cells = [
            one.name,
            f"{mean(one.throughput, *STEADY):.0f}",
            f"{one.p99['steady']:.1f}",
            f"{one.jain:.3f}",
            f"{mean(one.throughput, *FAILING):.0f}",
            f"{one.p99['failing']:.1f}",
            f"{answers:.0f}",
            f"{one.p99['overloaded']:.1f}",
            f"{mean(one.load, *OVERLOADED) / max(answers, 1):.2f}",
            f"{sum(one.failed.values())}",
            f"{one.failing_recovery:.0f}",
            f"{one.recovery:.0f}",
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def main() -> None:
    options = arguments()
    chosen = [one for one in VARIANTS if options.only in (None, one.name)]
    with ProcessPoolExecutor(options.processes) as pool:
        run = partial(play, clients=options.clients, servers=options.servers)
        outcomes = list(pool.map(run, chosen))
    print(table(outcomes))
    if options.save:
        Path(options.save).write_text(json.dumps([vars(one) for one in outcomes]))
    if not options.no_plots:
        from benchmarks.scale_plots import draw

        draw(outcomes, FAILING, OVERLOADED)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--servers", type=int, default=100)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", help="the name of a variant")
    parser.add_argument("--save", help="a JSON file for all that was counted")
    parser.add_argument("--no-plots", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
