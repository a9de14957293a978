"""docs/performance.md and its plot, from what `bench.py` measured. Needs matplotlib (extra `dev`)."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from http_path import PARTS, Measurement, Part
from peers import PROJECT

RESULTS = PROJECT / "benchmarks" / "results"
PAGE = PROJECT / "docs" / "performance.md"
PLOT = PROJECT / "docs" / "performance" / "ratios.svg"

COLUMNS = ("wall", "CPU", "1.8.3 / ours", "RSS MB", "connections", "requests")
CLIENT = "from inference_sdk import InferenceHTTPClient"


class Figures:
    """What was measured: medians, and ratios, which are taken within a round."""

    def __init__(self, folder: Path) -> None:
        self.paths: dict[str, Any] = json.loads((folder / "path.json").read_text())
        self.imports: dict[str, list[Any]] = json.loads((folder / "import.json").read_text())

    def rounds(self, part: str, label: str) -> list[Measurement]:
        rounds: list[Measurement] = self.paths["parts"].get(part, {}).get(label, [])
        return rounds

    def median(self, part: str, label: str, name: str = "ms") -> float:
        return statistics.median(each[name] for each in self.rounds(part, label))

    def ratio(self, part: str, label: str, other: str) -> float:
        """How many times as long the first takes."""
        pairs = zip(self.rounds(part, label), self.rounds(part, other), strict=True)
        return statistics.median(one["ms"] / two["ms"] for one, two in pairs)

    def faster(self, part: str, scenario: str, peer: str = "1.8") -> float:
        """How many times as fast as the peer we are."""
        return self.ratio(part, f"{peer} {scenario}", f"ours {scenario}")

    def of_import(self, peer: str, name: str) -> float:
        return statistics.median(each[name] for each in self.imports[f"{peer}: {CLIENT}"])


@dataclass(frozen=True)
class Judged:
    """A figure, and what it has to be."""

    what: str
    value: Callable[[Figures], float]
    least: float | None = None
    most: float | None = None
    unit: str = "x"

    def row(self, figures: Figures) -> str:
        value = self.value(figures)
        due = f"at least {self.least}" if self.least is not None else f"at most {self.most}"
        holds = (self.least or 0) <= value <= (self.most if self.most is not None else value)
        return f"| {self.what} | {due} {self.unit} | {value:.3g} {self.unit} | {'yes' if holds else '**no**'} |"


def _faster(part: str, scenario: str) -> Callable[[Figures], float]:
    return lambda figures: figures.faster(part, scenario)


def _beside(part: str, label: str, other: str) -> Callable[[Figures], float]:
    return lambda figures: figures.ratio(part, label, other)


def _rss(part: str, scenario: str) -> Callable[[Figures], float]:
    return lambda figures: figures.median(part, f"ours {scenario}", "rss_mb")


JUDGED = (
    Judged("import of the client beside 1.8.3, as fast",
           lambda f: f.of_import("1.8", "ms") / f.of_import("ours", "ms"), least=10),
    Judged("the same, memory",
           lambda f: f.of_import("ours", "rss_mb") / f.of_import("1.8", "rss_mb"), most=0.25),
    Judged("1080p file, one at a time, v1, beside 1.8.3", _faster("call", "v1"), least=10),
    Judged("the same beside a bare `http.client` with a ready body",
           _beside("call", "ours v1", "bare -"), most=1.4),
    Judged("v1 beside v0: one request for one inference",
           _beside("call", "ours v1", "ours v0"), most=1.05),
    Judged("small file, v1, beside 1.8.3", _faster("small", "v1"), least=4),
    Judged("small file, v0, beside 1.8.3", _faster("small", "v0"), least=3),
    Judged("small file beside a bare `http.client`",
           _beside("small", "ours v1", "bare -"), most=2.3),
    Judged("640 small files, 8 at once, async, beside 1.8.3",
           _faster("small-many", "together-async"), least=2),
    Judged("400 x 1080p, 8 at once, sync, beside 1.8.3", _faster("many", "together"), least=7),
    Judged("the same, async", _faster("many", "together-async"), least=7),
    Judged("peak RSS at 400, sync", _rss("many", "together"), most=120, unit="MB"),
    Judged("peak RSS at 400, async", _rss("many", "together-async"), most=120, unit="MB"),
    Judged("peak RSS at 40,000, sync", _rss("many-huge", "many"), most=120, unit="MB"),
    Judged("peak RSS at 40,000, async", _rss("many-huge", "many-async"), most=120, unit="MB"),
    Judged("arrays of 1080p, 8 at once, beside all that the cores can encode",
           _beside("arrays", "ours arrays", "cores -"), most=1.1),
    Judged("TLS and 40 ms, one after the other, v1, beside a bare `http.client`",
           _beside("far", "ours v1", "bare -"), most=1.04),
    Judged("TLS and 40 ms, 640 with 32 at once, sync, beside twenty round trips",
           lambda f: f.median("far-many", "ours together-32") / 800, most=1.1),
    Judged("the same, async",
           lambda f: f.median("far-many", "ours together-32-async") / 800, most=1.1),
    Judged("the same beside 32 bare `http.client`, sync",
           _beside("far-many", "ours together-32", "bare 32"), most=1.1),
    Judged("10,000 polygons in the answer, beside 1.8.3", _faster("answers", "polygons"), least=3),
)  # fmt: skip


def tables(figures: Figures) -> Iterator[str]:
    for part in PARTS:
        if part.key in figures.paths["parts"]:
            yield f"\n### {part.title}\n"
            yield from table(part, figures)


def table(part: Part, figures: Figures) -> Iterator[str]:
    unit, scale = ("s", 1e-3) if part.one_call else ("ms", 1)
    heads = [f"{head} {unit}" if head in ("wall", "CPU") else head for head in COLUMNS]
    yield "| | " + " | ".join(heads) + " |"
    yield "|---|" + "---:|" * len(heads)
    for entry in part.entries:
        peer, label = entry.peer.name, entry.label
        rival = f"1.8 {entry.scenario}"
        compared = peer == "ours" and figures.rounds(part.key, rival)
        cells = [
            f"{figures.median(part.key, label) * scale:.2f}",
            f"{figures.median(part.key, label, 'cpu_ms') * scale:.2f}",
            f"**{figures.ratio(part.key, rival, label):.1f} x**" if compared else "",
            *(
                f"{figures.median(part.key, label, name):.0f}"
                for name in ("rss_mb", "connections", "requests")
            ),
        ]
        yield f"| {label.removesuffix(' -')} | " + " | ".join(cells) + " |"


def imports(figures: Figures) -> Iterator[str]:
    yield "| | ms | RSS MB | modules | first call ms |"
    yield "|---|---:|---:|---:|---:|"
    for label, rounds in figures.imports.items():
        cells = [
            f"{statistics.median(each[name] for each in rounds):.0f}" if name in rounds[0] else ""
            for name in ("ms", "rss_mb", "count", "first_call_ms")
        ]
        yield f"| {label.replace(': ', ': `', 1)}` | " + " | ".join(cells) + " |"


def draw(figures: Figures) -> None:
    """How many times as fast as 1.8.3 we are, in each part and scenario that both have."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "performance"  # the same file each time
    import matplotlib.pyplot as plt

    bars = {
        f"{part.key}: {entry.scenario}": figures.faster(part.key, entry.scenario)
        for part in PARTS
        for entry in part.entries
        if entry.peer.name == "1.8" and figures.rounds(part.key, entry.label)
    }
    figure, axes = plt.subplots(figsize=(8, 0.28 * len(bars) + 0.8), layout="constrained")
    drawn = axes.barh(list(bars), list(bars.values()), color="tab:blue")
    axes.bar_label(drawn, fmt="%.1f", padding=3, fontsize="small")
    axes.axvline(1, color="grey", linewidth=1)
    axes.invert_yaxis()
    axes.set(xlabel="times as fast as inference-sdk 1.8.3")
    PLOT.parent.mkdir(exist_ok=True)
    figure.savefig(PLOT, metadata={"Date": None})
    plt.close(figure)


TEMPLATE = """\
# Performance

Written by `make bench`: one command, one run. Change `benchmarks/report.py`, not this page.

inference_sdk {own} beside others ({peers}). {machine}. Medians of {rounds} rounds in which the clients
take turns; each figure is from a fresh process, ratios are taken within a round. A constant-answer
server, a process of its own on the same two cores, serves all alike. `benchmarks/README.md` says how
it is measured. Time-outs, retries, masking and checks are on, as users have them.

![times as fast as 1.8.3](performance/ratios.svg)

## What it has to be

| | due | here | holds |
|---|---|---:|---|
{judged}

## The window of `max_concurrent_requests="auto"`

Over time, before servers of 1, 4 and 32 workers and one that batches; simulated, with the client's own
code (see [scale.md](scale.md)):

![window over time](scale/windows.svg)

## All figures

**bare** is `http.client` on a kept connection, with a body that is ready; **floor** a socket, with
reading, base64 and JSON; **cores** JPEG encoding alone, in a thread for each core.
{tables}

### Import

{imports}
"""


def write() -> None:
    """The page, and its plot."""
    figures = Figures(RESULTS)
    versions = dict(figures.paths["versions"])
    page = TEMPLATE.format(
        own=versions.pop("ours"),
        peers=", ".join(f"{name}: {version}" for name, version in versions.items()),
        machine=figures.paths["machine"],
        rounds=figures.paths["rounds"],
        judged="\n".join(judged.row(figures) for judged in JUDGED),
        tables="\n".join(tables(figures)),
        imports="\n".join(imports(figures)),
    )
    PAGE.write_text(page)
    draw(figures)


if __name__ == "__main__":
    write()
