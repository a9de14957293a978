"""What all workers share: how a call is timed, and how a result is told to `http_path.py`.

Standard library only: a worker runs in the virtual environment of the client it measures.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from memory import peak_rss_mb

WARM_UP_CALLS = 3


def arguments() -> Namespace:
    parser = ArgumentParser()
    parser.add_argument("scenario")
    parser.add_argument("--url", required=True, help="address of the constant server")
    parser.add_argument("--pictures", required=True, type=Path, help="folder of JPEG files")
    parser.add_argument("--count", required=True, type=int, help="calls, or pictures of one call")
    return parser.parse_args()


def report(seconds: list[float], cpu: float) -> None:
    """Print the measurement: `ms` is the median call, `cpu_ms` the mean, kernel included."""
    print(
        json.dumps(
            {
                "ms": statistics.median(seconds) * 1e3,
                "seconds": sum(seconds),
                "cpu_ms": cpu / len(seconds) * 1e3,
                "rss_mb": peak_rss_mb(),
            }
        )
    )


def time_calls(
    call: Callable[[int], Any], count: int, warm_up: Callable[[int], Any] | None = None
) -> None:
    """Time `count` calls, each given its number, after some calls of `warm_up` (default `call`)."""
    for number in range(WARM_UP_CALLS):
        (warm_up or call)(number)
    cpu, seconds = time.process_time(), []
    for number in range(count):
        start = time.perf_counter()
        call(number)
        seconds.append(time.perf_counter() - start)
    report(seconds, time.process_time() - cpu)


def time_calls_async(
    call: Callable[[int], Awaitable[Any]],
    count: int,
    warm_up: Callable[[int], Awaitable[Any]] | None = None,
) -> None:
    """The twin of `time_calls`, all on one event loop."""

    async def measure() -> None:
        for number in range(WARM_UP_CALLS):
            await (warm_up or call)(number)
        cpu, seconds = time.process_time(), []
        for number in range(count):
            start = time.perf_counter()
            await call(number)
            seconds.append(time.perf_counter() - start)
        report(seconds, time.process_time() - cpu)

    asyncio.run(measure())
