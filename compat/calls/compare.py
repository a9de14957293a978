"""Compares every call, request by request, with a released inference-sdk: `make compare-calls`.

Both run as black boxes, in virtual environments of their own, against one recording server.
Prints each difference that no entry of `EXPLAINED` accounts for; those entries and the rows of
`docs/differences.md` say the same.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import tempfile
import venv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from explained import explain
from PIL import Image
from server import Recorder

HERE = Path(__file__).parent


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--version", default="1.8.3", help="of inference-sdk to compare with")
    arguments.add_argument("--peer", type=Path, help="a Python that has it, in place of a new one")
    arguments.add_argument("--show", type=int, default=40, help="differences to print")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        peer = given.peer or install(folder / "venv", given.version)
        recorder = Recorder(pictures(folder)).start()
        outcomes = [
            run(python, recorder, folder, name)
            for name, python in (("peer", peer), ("own", Path(sys.executable)))
        ]
    return report(*outcomes, version=given.version, shown=given.show)


def install(directory: Path, version: str) -> Path:
    venv.create(directory, with_pip=True)
    python = directory / "bin" / "python"
    package = f"inference-sdk=={version}"
    subprocess.run([python, "-m", "pip", "install", "--quiet", package], check=True)
    return python


def pictures(folder: Path) -> dict[str, bytes]:
    """The pictures of the cases, as files; and those that are had by URL."""
    pixels = np.zeros((96, 128, 3), np.uint8)
    pixels[:, :64] = (50, 100, 200)
    wide = Image.fromarray(pixels)
    small = wide.resize((64, 48))
    small.save(folder / "street.jpg", quality=90)
    small.save(folder / "street.png")
    wide.save(folder / "street-wide.png")
    deep = np.linspace(0, 65535, 48 * 64).astype(np.uint16).reshape(48, 64)
    Image.fromarray(deep).save(folder / "street16.png")
    (folder / "street.mp4").write_bytes(b"no clip, and nobody looks" * 20)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=90)
    return {"/street.jpg": buffer.getvalue()}


def run(python: Path, recorder: Recorder, folder: Path, name: str) -> dict[str, Any]:
    output = folder / f"{name}.jsonl"
    command = [python, HERE / "run.py", recorder.url, folder, output]
    subprocess.run(command, check=True, cwd=folder)
    lines = map(json.loads, output.read_text().splitlines())
    return {f"{line['form']} {line['case']}": line for line in lines}


def report(peer: dict[str, Any], own: dict[str, Any], version: str, shown: int) -> int:
    reasons: Counter[str] = Counter()
    unexplained: list[tuple[str, list[str]]] = []
    for name in peer:
        differences = list(differ(peer[name], own.get(name, {})))
        reason = "same"
        if differences:
            reason = explain(name, differences, peer[name], own.get(name, {}), version)
        if reason is None:
            unexplained.append((name, differences))
        reasons[reason or "UNEXPLAINED"] += 1
    for name, differences in unexplained[:shown]:
        print(name)
        for difference in differences:
            print("   ", difference)
    for reason, count in reasons.most_common():
        print(f"{count:6} {reason}")
    return 1 if unexplained else 0


def differ(peer: Any, own: Any, place: str = "") -> Iterator[str]:
    """What differs, as lines `place: theirs != ours`."""
    if _raised(peer) and peer["raised"][0] in _raised(own):
        return  # who catches theirs catches ours
    if isinstance(peer, dict) and isinstance(own, dict):
        for key in sorted({*peer, *own}):
            yield from differ(peer.get(key, "—"), own.get(key, "—"), f"{place}.{key}")
    elif isinstance(peer, list) and isinstance(own, list) and len(peer) == len(own):
        for index, pair in enumerate(zip(peer, own, strict=True)):
            yield from differ(*pair, f"{place}[{index}]")
    elif peer != own:
        yield f"{place}: {str(peer)[:300]} != {str(own)[:300]}"


def _raised(value: Any) -> list[str]:
    """The classes of an error within a program; none of other values."""
    return value.get("raised", []) if isinstance(value, dict) else []


if __name__ == "__main__":
    sys.exit(main())
