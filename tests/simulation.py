"""Servers and clients under a virtual clock: the policies of the client without a socket.

A discrete-event simulation: whoever waits says for how long and what comes then, and time leaps
from event to event. Chance comes from seeded generators, so a run is the same each time.
"""

from __future__ import annotations

import heapq
import math
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from inference_sdk.http.concurrency import AdaptiveWindow, Slot

Reply = Callable[[bool], None]
"""Called with whether the server served the request, or refused it."""

REFUSAL_SECONDS = 0.001


class Simulation:
    """The clock, and what is to happen when."""

    def __init__(self) -> None:
        self.now = 0.0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0

    def clock(self) -> float:
        return self.now

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._events, (self.now + seconds, self._count, action))

    def run(self, until: float) -> None:
        while self._events and self._events[0][0] <= until:
            self.now, _, action = heapq.heappop(self._events)
            action()
        self.now = until


def service_times(mean: float, variation: float, seed: int = 1) -> Callable[[], float]:
    """Times of a log-normal distribution; `variation` is its deviation over its mean."""
    if not variation:
        return lambda: mean
    generator = random.Random(seed)
    sigma = math.sqrt(math.log(1 + variation**2))
    return lambda: mean * generator.lognormvariate(-(sigma**2) / 2, sigma)


class Workers:
    """A server that works on so many requests at once, the others wait in line."""

    def __init__(
        self,
        simulation: Simulation,
        workers: int,
        service: Callable[[], float],
        most: float = math.inf,
    ) -> None:
        self._simulation = simulation
        self._service = service
        self._waiting: deque[Reply] = deque()
        self._busy = 0
        self.workers = workers
        self.most = most
        """Requests that it takes in at once; it refuses the others."""

    @property
    def load(self) -> int:
        return self._busy + len(self._waiting)

    def send(self, reply: Reply) -> None:
        if self.load >= self.most:
            self._simulation.after(REFUSAL_SECONDS, lambda: reply(False))
            return
        self._waiting.append(reply)
        self._work()

    def _work(self) -> None:
        while self._busy < self.workers and self._waiting:
            self._busy += 1
            reply = self._waiting.popleft()
            self._simulation.after(self._service(), lambda reply=reply: self._finish(reply))

    def _finish(self, reply: Reply) -> None:
        self._busy -= 1
        reply(True)
        self._work()


class Batching:
    """A server that takes what waits, up to `largest`, through its model at one go."""

    def __init__(
        self,
        simulation: Simulation,
        largest: int,
        fixed: float,
        each: float,
        chance: Callable[[], float] = lambda: 1.0,
    ) -> None:
        self._simulation = simulation
        self._largest, self._fixed, self._each = largest, fixed, each
        self._chance = chance
        self._waiting: list[Reply] = []
        self._busy = False

    def send(self, reply: Reply) -> None:
        self._waiting.append(reply)
        self._work()

    def _work(self) -> None:
        if self._busy or not self._waiting:
            return
        batch, self._waiting = self._waiting[: self._largest], self._waiting[self._largest :]
        self._busy = True
        seconds = (self._fixed + self._each * len(batch)) * self._chance()
        self._simulation.after(seconds, lambda: self._finish(batch))

    def _finish(self, batch: list[Reply]) -> None:
        self._busy = False
        for reply in batch:
            reply(True)
        self._work()


class Network:
    """The way to a server, half a millisecond to one and a half each way."""

    def __init__(self, simulation: Simulation, server: Workers | Batching, seed: int = 2) -> None:
        self._simulation = simulation
        self._server = server
        self._random = random.Random(seed)

    def send(self, reply: Reply) -> None:
        def arrive() -> None:
            self._server.send(lambda served: self._travel(lambda: reply(served)))

        self._travel(arrive)

    def _travel(self, then: Callable[[], None]) -> None:
        self._simulation.after(self._random.uniform(0.0005, 0.0015), then)


class Fixed:
    """A window of fixed size, with the face of `AdaptiveWindow`."""

    def __init__(self, limit: int) -> None:
        self.limit = limit

    def begin(self, running: int) -> Slot:
        return Slot(0.0, 0)

    def end(self, slot: Slot, *, counts: bool = True) -> None:
        pass

    def refuse(self, slot: Slot) -> None:
        pass


@dataclass
class WindowedClient:
    """A client with jobs without end, as many at once as its window says."""

    simulation: Simulation
    server: Workers | Batching | Network
    window: AdaptiveWindow | Fixed
    pause: float = 0.05
    """Seconds before a refused job's place is taken by the next."""
    running: int = 0
    stopped: bool = False
    served: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    limits: list[tuple[float, int]] = field(default_factory=list)

    def fill(self) -> None:
        while not self.stopped and self.running < self.window.limit:
            self.running += 1
            slot = self.window.begin(self.running)
            self.server.send(lambda served, slot=slot: self._ended(slot, served))

    def _ended(self, slot: Slot, served: bool) -> None:
        (self.served if served else self.refused).append(self.simulation.now)
        if not served:
            self.window.refuse(slot)
        self.simulation.after(0 if served else self.pause, lambda: self._free(slot))

    def _free(self, slot: Slot) -> None:
        self.running -= 1
        self.window.end(slot)
        self.limits.append((self.simulation.now, self.window.limit))
        self.fill()

    def rate(self, begin: float, end: float) -> float:
        """Jobs served a second."""
        return sum(begin < time <= end for time in self.served) / (end - begin)


def jain(shares: list[float]) -> float:
    """Jain's index of fairness: 1 where all have the same, 1/n where one has all."""
    squares = sum(share * share for share in shares)
    return sum(shares) ** 2 / (len(shares) * squares) if squares else 1.0
