"""Where the frames per second went: what `client.timings()` measures, and the table it prints."""

from __future__ import annotations

import statistics
import threading
import time
from collections import deque
from dataclasses import fields

from inference_sdk.http.observing import CallRecord, Listener, Phase

MOST_KEPT = 10_000
"""Records of single calls; older ones live on in the totals."""

_NAMES = {
    Phase.SOURCE: "waiting for your images",
    Phase.SLOT: "waiting for a slot",
    Phase.PAUSING: "pausing between tries",
}
_NOT_WORK = (Phase.SOURCE, Phase.SLOT)


class Timings(Listener):
    """What the calls of a client spent their time on; `print` shows a table.

    Attributes:
        total: of all calls that ended; `elapsed` and phases are sums.
        count: how many calls ended.
        failed: how many of them with an error.
        other: seconds of all calls that belong to no phase; see `CallRecord.other`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._began = time.perf_counter()
        self._ended: float | None = None
        self._kept: deque[CallRecord] = deque(maxlen=MOST_KEPT)
        self.total = CallRecord("all")
        self.count = 0
        self.failed = 0
        self.other = 0.0

    @property
    def calls(self) -> list[CallRecord]:
        """The calls in the order they ended: all, or the last 10,000."""
        with self._lock:
            return list(self._kept)

    @property
    def wall(self) -> float:
        """Seconds since the measuring began, or until it ended."""
        return (self._ended or time.perf_counter()) - self._began

    @property
    def at_once(self) -> float:
        """How many calls were under way at once, on average, those waiting for a slot left out."""
        waited = sum(self.total.phases.get(phase, 0.0) for phase in _NOT_WORK)
        return max(0.0, self.total.elapsed - waited) / self.wall

    def call_ends(self, call: CallRecord) -> None:
        """Take a call in, unless nothing had to be done for it."""
        if not call.phases and call.error is None:
            return
        with self._lock:
            self._kept.append(call)
            self.count += 1
            self.failed += call.error is not None
            self.other += call.other
            _add(self.total, call)

    def stop(self) -> None:
        """The time is over; calls that are under way are still taken in when they end."""
        self._ended = time.perf_counter()

    def __str__(self) -> str:
        """A table: milliseconds a call for each phase (mean, median, 95th percentile), and its
        share of the time that calls were at work.
        """
        if not self.count:
            return f"No call ended within {self.wall:.3f} s."
        return "\n".join([*self._beginning(), *self._table(), self._end()])

    def _beginning(self) -> list[str]:
        failed = f", {self.failed} of them failed" if self.failed else ""
        rate = f"{self.count / self.wall:.1f} a second, {self.at_once:.1f} at once"
        heads = f"{'mean':>10}{'median':>10}{'95 %':>10}{'share':>8}"
        return [
            f"{self.count} calls in {self.wall:.3f} s{failed}: {rate}",
            f"{'ms a call':<26}{heads}",
        ]

    def _table(self) -> list[str]:
        calls, total = self.calls, self.total
        work = self.other + sum(s for phase, s in total.phases.items() if phase not in _NOT_WORK)
        lines = []
        for phase in (phase for phase in Phase if total.phases.get(phase)):
            seconds, kept = total.phases[phase], [call.phases.get(phase, 0.0) for call in calls]
            share = None if phase in _NOT_WORK else seconds / work
            lines.append(_row(_NAMES.get(phase, phase.value), seconds / self.count, kept, share))
            if phase is Phase.WAITING and total.processing:
                kept = [call.processing for call in calls]
                lines.append(_row("  of it the server's work", total.processing / self.count, kept))
        kept = [call.other for call in calls]
        return [*lines, _row("other", self.other / self.count, kept, self.other / work)]

    def _end(self) -> str:
        total = self.total
        requests = f"{total.tries} requests ({total.tries / self.count:.2f} a call)"
        sent, received = total.bytes_sent / 1e6, total.bytes_received / 1e6
        opened = f"{total.connections} connections opened"
        return f"{requests}, {opened}, {sent:.1f} MB sent, {received:.1f} MB received"


def _row(name: str, mean: float, seconds: list[float], share: float | None = None) -> str:
    shown = (mean, statistics.median(seconds), sorted(seconds)[int(0.95 * (len(seconds) - 1))])
    cells = "".join(f"{1000 * value:>10.2f}" for value in shown)
    return f"{name:<26}{cells}" + ("" if share is None else f"{share:>8.0%}")


_SUMMED = [field.name for field in fields(CallRecord) if field.type in ("int", "float")]
_SUMMED.remove("began")


def _add(total: CallRecord, call: CallRecord) -> None:
    for name in _SUMMED:
        setattr(total, name, getattr(total, name) + getattr(call, name))
    for phase, seconds in call.phases.items():
        total.phases[phase] = total.phases.get(phase, 0.0) + seconds
