"""How many jobs at once, where the caller leaves it to the client: `max_concurrent_requests="auto"`.

    window       `AdaptiveWindow`: how long jobs take, epoch by epoch, and the limit that follows
    slow_start   from one job at once to about as many as pay
    vegas        keeping it there: one more, some fewer

Pure policy: nothing here starts, sends or waits for anything, and the clock is given. So all of
it runs under a virtual clock, in tests and in `benchmarks/scale.py`.
"""

from __future__ import annotations

from inference_sdk.http.concurrency.window import AdaptiveWindow, Slot

__all__ = ["AdaptiveWindow", "Slot"]
