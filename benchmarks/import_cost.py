"""What importing costs, ours beside the peers: time, memory, modules, and the first call.

    python benchmarks/import_cost.py [--rounds 9]

Every figure is the median of fresh interpreters, which take turns. The empty interpreter is the
first line; the others include it in memory, not in time. "first call" is a v0 call with a 1080p
JPEG file right after the import: what is imported late is paid there.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from http_path import Server, make_pictures, running_server
from peers import EVERYONE, HERE, HUGGING_FACE, OPENAI, OURS, SDK_11, SDK_18, Peer

HEAVY = ("numpy", "PIL", "requests", "aiohttp", "cv2", "av", "supervision", "pydantic", "httpx2")


@dataclass(frozen=True)
class Entry:
    peer: Peer
    statement: str
    calls: bool = False
    """Whether a first call is made too."""

    @property
    def label(self) -> str:
        return f"{self.peer.name}: {self.statement}"


CLIENT = "from inference_sdk import InferenceHTTPClient"
ENTRIES = (
    Entry(OURS, "pass"),
    *(Entry(peer, "import inference_sdk") for peer in (OURS, SDK_18, SDK_11)),
    *(Entry(peer, CLIENT, calls=True) for peer in (OURS, SDK_18, SDK_11)),
    Entry(HUGGING_FACE, "from huggingface_hub import InferenceClient"),
    Entry(OPENAI, "from openai import OpenAI"),
)


def measure(entry: Entry, server: Server, pictures: Path) -> dict[str, Any]:
    command = [str(entry.peer.python), str(HERE / "workers" / "importing.py"), entry.statement]
    if entry.calls:
        command += [server.url, str(pictures / "00000.jpg")]
    output = subprocess.check_output(command, env=entry.peer.variables(), text=True)
    measured: dict[str, Any] = json.loads(output.splitlines()[-1])
    return measured


def show(taken: dict[str, list[dict[str, Any]]]) -> None:
    heads = ("ms", "RSS MB", "modules", "first call ms")
    print(f"\n{'':52}" + "".join(f"{head:>15}" for head in heads) + "   heavy modules")
    for label, own in taken.items():
        cells = [
            f"{statistics.median(each[name] for each in own):.0f}" if name in own[0] else ""
            for name in ("ms", "rss_mb", "count", "first_call_ms")
        ]
        heavy = [name for name in HEAVY if name in own[0]["modules"]]
        print(f"{label:52}" + "".join(f"{c:>15}" for c in cells) + "   " + " ".join(heavy))


def main() -> None:
    parser = ArgumentParser(description="What importing costs, ours beside the peers.")
    parser.add_argument("--rounds", type=int, default=9, help="interpreters of each (default 9)")
    parser.add_argument("--save", type=Path, help="write every measurement here, as JSON")
    chosen = parser.parse_args()
    rounds: int = chosen.rounds
    for peer in EVERYONE:
        peer.install()
    taken: dict[str, list[dict[str, Any]]] = {entry.label: [] for entry in ENTRIES}
    with tempfile.TemporaryDirectory() as folder, running_server() as server:
        make_pictures(Path(folder), 1)
        for _ in range(rounds + 1):
            for entry in ENTRIES:
                taken[entry.label].append(measure(entry, server, Path(folder)))
    taken = {
        label: own[1:] for label, own in taken.items()
    }  # the first one filled the disk's cache
    show(taken)
    if chosen.save:
        chosen.save.write_text(json.dumps(taken))


if __name__ == "__main__":
    main()
