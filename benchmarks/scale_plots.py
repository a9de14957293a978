"""The plots of `scale.py`, as SVG in docs/scale/. Needs matplotlib, which the tests' tools bring."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
from tests.simulation import Batching, Network, Simulation, WindowedClient, Workers, service_times

from inference_sdk.http.concurrency import AdaptiveWindow

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "scale"  # the same file each time
import matplotlib.pyplot as plt  # noqa: E402 - after the choice of its backend

FOLDER = Path(__file__).parent.parent / "docs" / "scale"
JOB = 0.05


def draw(outcomes: Sequence[Any], *troubles: tuple[float, float]) -> None:
    """All plots; `troubles` are spans of seconds to be shaded."""
    FOLDER.mkdir(exist_ok=True)
    over_time(outcomes, "throughput", "answers a second", troubles)
    over_time(outcomes, "load", "requests that reach servers, a second", troubles)
    windows()


def over_time(
    outcomes: Sequence[Any], name: str, label: str, troubles: Sequence[tuple[float, float]]
) -> None:
    figure, axes = plt.subplots(figsize=(8, 3.5), layout="constrained")
    for one in outcomes:
        axes.plot(getattr(one, name), label=one.name, linewidth=1)
    for begin, end in troubles:
        axes.axvspan(begin, end, alpha=0.12, color="grey")
    axes.set(xlabel="seconds", ylabel=label, ylim=(0, None))
    axes.legend(fontsize="small")
    save(figure, name)


def windows() -> None:
    """The window of one client over time, before servers of several kinds."""
    figure, axes = plt.subplots(figsize=(8, 3.5), layout="constrained")
    for count in (1, 4, 32):
        client = followed(lambda sim, count=count: Workers(sim, count, service_times(JOB, 0.1)))
        axes.step(*zip(*client.limits, strict=True), where="post", label=f"{count} workers")
    client = followed(lambda sim: Batching(sim, 8, 0.02, 0.002, service_times(1, 0.1)))
    axes.step(*zip(*client.limits, strict=True), where="post", label="batches of 8", linewidth=1)
    axes.set(xlabel="seconds", ylabel="window", xlim=(0, 10), ylim=(0, None))
    axes.legend(fontsize="small")
    save(figure, "windows")


def followed(build: Any) -> WindowedClient:
    simulation = Simulation()
    server = Network(simulation, build(simulation))
    client = WindowedClient(simulation, server, AdaptiveWindow(simulation.clock))
    client.fill()
    simulation.run(10)
    return client


def save(figure: Any, name: str) -> None:
    figure.savefig(FOLDER / f"{name}.svg", metadata={"Date": None})
    plt.close(figure)
