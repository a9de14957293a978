"""Latency: how long a 720p frame takes from `ManualSource.send` to the frame that comes back.

    python benchmarks/webrtc_latency.py [--rounds 3] [--background moving] [--url http://localhost:9001]

Our client beside `inference-sdk` 1.8, in turns, each run in a process of its own. Without an
address our embedded server is started, in its own process. The workflow turns frames grey. Each
frame carries its number as a row of black and white tiles, which survives the video codec, so the
time is measured on the picture itself and not on what metadata say. All frames count, also those
sent while the connection is made.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
from collections.abc import Iterator

from peers import HERE, PROJECT, Peer

OURS = Peer(
    "ours", ("--editable", f"{PROJECT}[webrtc]"), "webrtc_frames.py", environment="ours-webrtc"
)
SDK_18 = Peer(
    "1.8",
    ("inference-sdk[webrtc]==1.8.*",),
    "webrtc_frames.py",
    environment="inference-sdk-1.8",
)
CLIENTS = (OURS, SDK_18)
LIMIT = 180
"""Seconds for one run."""

SERVE = """
import sys
from inference_sdk.local import LocalServer

with LocalServer(process=True) as server:
    print(server.url, flush=True)
    sys.stdin.read()
"""


@contextlib.contextmanager
def embedded_server(url: str | None) -> Iterator[str]:
    """The address of a server: the one given, or our embedded one."""
    if url is not None:
        yield url
        return
    with subprocess.Popen(
        [str(OURS.python), "-c", SERVE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process.stdout.readline().strip()
        finally:
            process.communicate(timeout=20)


def run(client: Peer, url: str, options: argparse.Namespace) -> list[float]:
    """Milliseconds of each frame that came back."""
    command = [str(client.python), str(HERE / "workers" / client.worker), "--url", url]
    for name in ("fps", "frames", "background"):
        command += [f"--{name}", str(getattr(options, name))]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, env=client.variables(), check=True, timeout=LIMIT
    )
    return json.loads(done.stdout.splitlines()[-1])


def summary(found: list[float], frames: int) -> dict[str, float]:
    """Frames that came back, of `frames`; median and 95th percentile in ms."""
    ordered = sorted(found) or [float("nan")]
    return {
        "came": len(found),
        "of": frames,
        "p50_ms": statistics.median(ordered),
        "p95_ms": ordered[int((len(ordered) - 1) * 0.95)],
    }


def show(label: str, figures: dict[str, float]) -> None:
    print(
        "{:8} {came:3} of {of} frames   p50 {p50_ms:6.1f} ms   p95 {p95_ms:6.1f} ms".format(
            label, **figures
        ),
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url")
    parser.add_argument("--fps", type=float, default=15)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--background", choices=("still", "moving", "tiles", "noise"), default="moving"
    )
    options = parser.parse_args()
    for client in CLIENTS:
        client.install()
    taken: dict[str, list[float]] = {client.name: [] for client in CLIENTS}
    with embedded_server(options.url) as url:
        for _ in range(options.rounds):
            for client in CLIENTS:
                found = run(client, url, options)
                show(client.name, summary(found, options.frames))
                taken[client.name] += found
    print(f"All rounds ({options.background}, load {os.getloadavg()[0]:.1f}):")
    frames = options.frames * options.rounds
    all_rounds = {name: summary(found, frames) for name, found in taken.items()}
    for name, figures in all_rounds.items():
        show(name, figures)
    for name in ("p50_ms", "p95_ms"):
        ratio = all_rounds["ours"][name] / all_rounds["1.8"][name]
        print(f"{name[:3]}: ours takes {ratio:.2f} of the time of 1.8")
    print(json.dumps(all_rounds))


if __name__ == "__main__":
    main()
