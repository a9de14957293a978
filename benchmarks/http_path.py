"""What the HTTP path costs, ours beside the peers, against a server that costs next to nothing.

    python benchmarks/http_path.py [--rounds 5] [--only PART] [--no-large]

Standard library only. Makes the virtual environments it needs (network, once). Every figure comes
from a fresh process; the clients take turns (A B A B …), so that noise of the machine hits all of
them, and ratios are taken within a round. See README.md for what the figures mean.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from peers import (
    BARE,
    CORES,
    EVERYONE,
    FLOOR,
    HERE,
    HUGGING_FACE,
    OPENAI,
    OURS,
    SDK_11,
    SDK_18,
    Peer,
    beside,
)

Measurement = dict[str, float]
Taken = dict[str, list[Measurement | None]]
"""The rounds of each entry; None for one that failed, so that rounds stay side by side."""

FEW, FAR, MANY, HUGE = 400, 640, 4000, 40_000
CALLS = 100


@dataclass(frozen=True)
class Entry:
    """A client in a part, and what its worker calls the measurement."""

    peer: Peer
    scenario: str

    @property
    def label(self) -> str:
        return f"{self.peer.name} {self.scenario}"


@dataclass(frozen=True)
class Part:
    """Measurements that belong side by side."""

    key: str
    title: str
    entries: tuple[Entry, ...]
    count: int = CALLS
    """Calls, or pictures of the one call."""
    one_call: bool = False
    large: bool = False
    pictures: str = ""
    """The folder within that of all pictures."""
    is_far: bool = False
    """Whether the server is behind TLS and 40 ms."""


def _sdks(
    *scenarios: str, ours: tuple[str, ...] = (), peers: tuple[Peer, ...]
) -> tuple[Entry, ...]:
    everyone = [Entry(peer, scenario) for scenario in scenarios for peer in (OURS, *peers)]
    return (*everyone, *(Entry(OURS, scenario) for scenario in ours))


_CLIENTS = {"sdk.py", "hugging_face.py", "openai_chat.py"}
BOTH, NEWER = (SDK_18, SDK_11), (SDK_18,)

PARTS = (
    Part(
        "call",
        "One 1080p JPEG file a call",
        (
            Entry(FLOOR, "-"),
            Entry(BARE, "-"),
            *_sdks("v1", "v0", "v1-async", "v0-async", peers=BOTH),
        ),
    ),
    Part(
        "small",
        "One small JPEG file (320 x 180) a call",
        (
            Entry(FLOOR, "-"),
            Entry(BARE, "-"),
            *_sdks("v1", "v0", "v1-async", "v0-async", peers=BOTH),
        ),
        count=4 * CALLS,
        pictures="small",
    ),
    Part(
        "small-many",
        "640 small files, 8 at once",
        _sdks("together", "together-async", peers=BOTH),
        count=FAR,
        one_call=True,
        pictures="small",
    ),
    Part(
        "far",
        "One small file a call, TLS and 40 ms away",
        (Entry(BARE, "-"), *_sdks("v1", "v0", "v1-async", peers=NEWER)),
        count=CALLS // 2,
        pictures="small",
        is_far=True,
    ),
    Part(
        "far-many",
        "640 small files, 32 at once, TLS and 40 ms away: twenty round trips are 0.80 s",
        (Entry(BARE, "32"), *_sdks("together-32", "together-32-async", peers=NEWER)),
        count=FAR,
        one_call=True,
        pictures="small",
        is_far=True,
    ),
    Part(
        "threads",
        "640 small files by 16 threads on one client",
        _sdks("threads", peers=NEWER),
        count=FAR,
        one_call=True,
        pictures="small",
    ),
    Part(
        "answers",
        "One small file a call, 10,000 polygons of 20 points in the answer",
        _sdks("polygons", "polygons-async", peers=NEWER),
        count=10,
        pictures="small",
    ),
    Part("array", "One 1080p array a call", _sdks("array", peers=NEWER)),
    Part(
        "workflow",
        "One workflow run a call, a 1080p JPEG file in it",
        _sdks("workflow", ours=("workflow-async",), peers=BOTH),
    ),
    Part(
        "many",
        f"{FEW} files, 8 at once",
        _sdks(
            "together",
            "together-async",
            ours=("together-auto", "together-auto-async", "many", "many-async"),
            peers=NEWER,
        ),
        count=FEW,
        one_call=True,
    ),
    Part(
        "many-large",
        f"{MANY} files, 8 at once (ours only: 1.8 would hold some 10 GB)",
        tuple(Entry(OURS, s) for s in ("together", "together-async", "many", "many-async")),
        count=MANY,
        one_call=True,
        large=True,
    ),
    Part(
        "many-huge",
        f"{HUGE} files, 8 at once (ours only)",
        (Entry(OURS, "many"), Entry(OURS, "many-async")),
        count=HUGE,
        one_call=True,
        large=True,
    ),
    Part(
        "batches",
        "200 files, 4 in a request, 8 requests at once",
        _sdks("batches", "batches-async", peers=NEWER),
        count=200,
        one_call=True,
    ),
    Part(
        "arrays",
        f"{CALLS} arrays of 1080p, 8 at once",
        (Entry(CORES, "-"), *_sdks("arrays", "arrays-async", peers=NEWER)),
        one_call=True,
    ),
    Part(
        "others",
        "One 1080p JPEG file a call, the nearest call of other clients",
        (
            *(Entry(OURS, scenario) for scenario in ("v1", "v0", "v1-async", "v0-async")),
            *(Entry(peer, s) for peer in (HUGGING_FACE, OPENAI) for s in ("sync", "async")),
        ),
    ),
)


class Server:
    """The constant server, in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin
        assert process.stdout
        self._commands, self._answers = process.stdin, process.stdout
        self.url = f"http://127.0.0.1:{int(self._answers.readline())}"

    def counters(self) -> Measurement:
        """What happened since the last call."""
        self._commands.write("\n")
        self._commands.flush()
        counted: Measurement = json.loads(self._answers.readline())
        return counted


@contextmanager
def running_server() -> Iterator[Server]:
    command = [sys.executable, str(HERE / "constant_server.py")]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        yield Server(process)
        process.communicate()


@dataclass(frozen=True)
class Place:
    """Where it is measured."""

    server: Server
    pictures: Path
    far_url: str
    authority: Path
    """A file with the certificate of whoever vouches for the far server."""


@contextmanager
def far_away(server: Server, folder: Path) -> Iterator[Place]:
    """The server, and the way to it that is long."""
    authority, certificate = folder / "authority.pem", folder / "server.pem"
    maker = [str(OURS.python), str(HERE / "workers" / "make_certificate.py")]
    subprocess.run([*maker, str(authority), str(certificate)], check=True)
    port = server.url.rpartition(":")[2]
    command = [sys.executable, str(HERE / "distance.py"), port, str(certificate)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout
        far = f"https://localhost:{int(process.stdout.readline())}"
        yield Place(server, folder, far, authority)
        process.communicate()


def make_pictures(folder: Path, count: int) -> int:
    """Picture files in a folder; how many bytes each has."""
    maker = [str(OURS.python), str(HERE / "workers" / "make_pictures.py"), str(folder), str(count)]
    return int(subprocess.check_output(maker, text=True))


def measure(entry: Entry, part: Part, place: Place) -> Measurement | None:
    """One measurement in a fresh process, and what the server saw of it; None if it failed."""
    server = place.server
    server.counters()
    command = [str(entry.peer.python), str(HERE / "workers" / entry.peer.worker), entry.scenario]
    command += ["--url", place.far_url if part.is_far else server.url]
    command += ["--pictures", str(place.pictures / part.pictures), "--count", str(part.count)]
    variables = entry.peer.variables(place.authority if part.is_far else None)
    done = subprocess.run(command, env=variables, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        return None
    measured: Measurement = json.loads(done.stdout.splitlines()[-1])
    return {**measured, **server.counters()}


def run_part(part: Part, rounds: int, place: Place) -> Taken:
    taken: Taken = {entry.label: [] for entry in part.entries}
    for _ in range(1 if part.large else rounds):
        for entry in part.entries:
            taken[entry.label].append(measure(entry, part, place))
    return taken


def median(measurements: list[Measurement], name: str) -> float:
    return statistics.median(measurement[name] for measurement in measurements)


def times_as_fast(ours: list[Measurement | None], theirs: list[Measurement | None]) -> str:
    rounds = [(a, b) for a, b in zip(ours, theirs, strict=True) if a and b]
    return f"{statistics.median(b['ms'] / a['ms'] for a, b in rounds):.1f} x" if rounds else ""


def show(part: Part, taken: Taken) -> None:
    unit, scale = ("s", 1e-3) if part.one_call else ("ms", 1)
    heads = (unit, "CPU " + unit, "ours is", "RSS MB", "connections", "at once", "requests")
    print(f"\n{part.title}\n{'':28}" + "".join(f"{head:>13}" for head in heads))
    for entry in part.entries:
        own = [measured for measured in taken[entry.label] if measured]
        failed = len(taken[entry.label]) - len(own)
        cells = _cells(entry, own, taken, scale) if own else []
        note = f"   {failed} of {len(taken[entry.label])} rounds FAILED" if failed else ""
        print(f"{entry.label:28}" + "".join(f"{c:>13}" for c in cells) + note, flush=True)


def _cells(entry: Entry, own: list[Measurement], taken: Taken, scale: float) -> list[str]:
    ours = taken.get(Entry(OURS, entry.scenario).label)
    compared = ours is not None and entry.peer.worker in _CLIENTS and entry.peer is not OURS
    counts = ("rss_mb", "connections", "open_at_once", "requests")
    return [
        f"{median(own, 'ms') * scale:.2f}",
        f"{median(own, 'cpu_ms') * scale:.2f}",
        times_as_fast(ours, taken[entry.label]) if ours is not None and compared else "",
        *(f"{median(own, name):.0f}" for name in counts),
    ]


def with_tree(part: Part, tree: Peer) -> Part:
    """A part with ours, another tree of ours, and no peer."""
    ours = [entry for entry in part.entries if entry.peer is OURS]
    pairs = [each for entry in ours for each in (entry, Entry(tree, entry.scenario))]
    return replace(part, entries=tuple(pairs))


def options() -> Namespace:
    parser = ArgumentParser(description="What the HTTP path costs, ours beside the peers.")
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each (default 5)")
    parser.add_argument("--only", choices=[part.key for part in PARTS], action="append")
    parser.add_argument("--no-large", action="store_true", help=f"leave out {MANY} files and more")
    parser.add_argument("--beside", type=Path, help="measure another tree of ours, and no peer")
    parser.add_argument("--save", type=Path, help="write every measurement here, as JSON")
    return parser.parse_args()


def main() -> None:
    chosen = options()
    for peer in EVERYONE:
        peer.install()
    versions = {peer.name: peer.version() for peer in EVERYONE if peer.worker in _CLIENTS}
    machine = f"Python {platform.python_version()}, {os.cpu_count()} CPUs, {platform.platform()}"
    print(machine)
    print(", ".join(f"{name}: {version}" for name, version in versions.items()))
    parts = [part for part in PARTS if not chosen.only or part.key in chosen.only]
    parts = [part for part in parts if not (part.large and chosen.no_large)]
    if chosen.beside:
        parts = [with_tree(part, beside(chosen.beside)) for part in parts]
    results: dict[str, Taken] = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        running_server() as server,
        far_away(server, Path(folder)) as place,
    ):
        size = make_pictures(place.pictures, MANY)
        print(f"The picture: 1920 x 1080, {size / 1000:.0f} kB. Medians of {chosen.rounds} rounds.")
        for part in parts:
            results[part.key] = run_part(part, chosen.rounds, place)
            show(part, results[part.key])
    if any(None in own for taken in results.values() for own in taken.values()):
        sys.exit("Some measurements failed; their errors are above.")
    if chosen.save:
        saved = {"machine": machine, "rounds": chosen.rounds, "versions": versions}
        chosen.save.write_text(json.dumps({**saved, "parts": results}))


if __name__ == "__main__":
    main()
