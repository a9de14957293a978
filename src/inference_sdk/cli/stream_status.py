"""How a stream goes, in one line: live for a terminal, once at the end for all."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from inference_sdk.cli.terminal import legible

if TYPE_CHECKING:
    from rich.console import Console

    from inference_sdk.webrtc import StreamStats

REFRESHES_PER_SECOND = 4
_RATE_SECONDS = 2


class HasStats(Protocol):
    """A session, as far as it matters here."""

    def stats(self) -> StreamStats: ...


class Sees(Protocol):
    """Knows what the newest frame shows."""

    @property
    def now_seen(self) -> str: ...


@contextmanager
def status_line(session: HasStats, eye: Sees, console: Console) -> Iterator[None]:
    """Show how a stream goes while it runs; nothing where the console is no terminal."""
    from rich.live import Live
    from rich.text import Text

    if not console.is_terminal:
        yield
        return
    rate = Rate()

    def line() -> Text:
        stats = session.stats()
        parts = [summary(stats, rate.of(stats)), eye.now_seen]
        shown = legible(" · ".join(filter(None, parts)), console.encoding)
        return Text(shown, overflow="ellipsis", no_wrap=True)

    with Live(
        get_renderable=line,
        console=console,
        refresh_per_second=REFRESHES_PER_SECOND,
        transient=True,
        redirect_stdout=False,
    ):
        yield


class Rate:
    """Frames per second of late; the average since the start would hide a stream that stalls."""

    def __init__(self) -> None:
        self._recent: deque[tuple[float, int]] = deque(maxlen=_RATE_SECONDS * REFRESHES_PER_SECOND)

    def of(self, stats: StreamStats) -> float:
        self._recent.append((stats.duration, stats.frames_received))
        (began, before), (ended, after) = self._recent[0], self._recent[-1]
        return (after - before) / (ended - began) if ended > began else 0.0


def summary(stats: StreamStats, rate: float | None = None) -> str:
    """What a stream did, as in "90 frames · 29.8 per second · latency 85 ms · 0 dropped".

    Args:
        stats: of the session.
        rate: frames per second; None takes the average.
    """
    if rate is None:
        rate = stats.frames_received / stats.duration if stats.duration > 0 else 0.0
    parts = [f"{stats.frames_received} frames", f"{rate:.1f} per second"]
    if stats.latency is not None:
        parts.append(f"latency {1000 * stats.latency:.0f} ms")
    parts.append(f"{stats.frames_dropped + stats.frames_skipped} dropped")
    if stats.packets_lost:
        parts.append(f"{stats.packets_lost} packets lost")
    return " · ".join(parts)
