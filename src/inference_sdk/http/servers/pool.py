"""The choice between servers: of two taken by chance, the one with less work in flight.

The power of two choices (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing",
2001): nearly as even as asking all of them, and clients that know nothing of each other do not all
run to the same one. A slow server has more in flight, so it is given less.
"""

from __future__ import annotations

import random as chance
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter

from inference_sdk.http.servers.server import Outcome, Server, ServerStats, Turn


class ServerPool:
    """The servers of a client. Safe to share between threads.

    Args:
        clock: seconds, from any start.
        random: gives 0..1.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = chance.random,
    ) -> None:
        self._clock = clock
        self._random = random
        self._lock = threading.Lock()
        self._servers: dict[str, Server] = {}

    def begin(self, addresses: Sequence[str]) -> Turn:
        """Choose a server for a request that now starts; `end` it with the turn given."""
        with self._lock:
            servers = [self._servers.get(address) or self._add(address) for address in addresses]
            server = servers[0] if len(servers) == 1 else self._choose(servers)
            return server.begin()

    def end(self, turn: Turn, outcome: Outcome, rest: float | None = None) -> None:
        """A request ended; `rest` is what the server's `Retry-After` asked for, in seconds."""
        with self._lock:
            turn.server.end(turn, outcome, self._clock(), self._random(), rest)

    def stats(self, addresses: Iterable[str]) -> tuple[ServerStats, ...]:
        """What is known of the servers, in the order of their addresses."""
        with self._lock:
            return tuple(
                (self._servers.get(address) or self._add(address)).stats() for address in addresses
            )

    def _add(self, address: str) -> Server:
        return self._servers.setdefault(address, Server(address))

    def _choose(self, servers: list[Server]) -> Server:
        now = self._clock()
        back = next((server for server in servers if server.wants_probe(now)), None)
        if back is not None:
            return back
        # Where none is ready a request still has to go somewhere: to one that lives, else to any.
        ready = [server for server in servers if server.is_ready(now)]
        ready = ready or [server for server in servers if server.healthy] or servers
        if len(ready) == 1:
            return ready[0]
        first = int(self._random() * len(ready))
        second = (first + 1 + int(self._random() * (len(ready) - 1))) % len(ready)
        return min(ready[first], ready[second], key=attrgetter("in_flight"))
