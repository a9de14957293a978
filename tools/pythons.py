"""`make` on every Python that the package claims, as far as the machine has it.

Looks on the path and among pyenv's, says which were not there, and keeps an environment for each
(`.venv-3.12`). All are tried, also after one that failed.

    python tools/pythons.py demo test              # each; `make test-pythons`
    python tools/pythons.py --ends --skip 3.11 short   # the oldest and the newest there is; in CI
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
CLAIMED = re.findall(
    r'"Programming Language :: Python :: (3\.\d+)"', (ROOT / "pyproject.toml").read_text()
)
PYENV = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ends", action="store_true", help="only the oldest and the newest")
    parser.add_argument("--skip", default="", metavar="3.X", help="one that was tested already")
    parser.add_argument("targets", nargs="+", help="of the Makefile")
    arguments = parser.parse_args()
    there = {version: python for version in CLAIMED if (python := found(version))}
    for version in CLAIMED:
        print(f"Python {version}: {there.get(version, 'not there, so not tested')}", flush=True)
    if not there:
        return 1
    versions = list(there)
    if arguments.ends:
        versions = versions[:1] + versions[1:][-1:]
    outcomes = {
        version: "passed" if made(version, there[version], arguments.targets) else "FAILED"
        for version in versions
        if version != arguments.skip
    }
    for version, outcome in outcomes.items():
        print(f"Python {version}: {outcome}")
    return int("FAILED" in outcomes.values())


def found(version: str) -> str | None:
    """The interpreter of a version. One of pyenv's shims may be there and not run."""
    installed = sorted(PYENV.glob(f"versions/{version}.*/bin/python"), key=_patch)
    for candidate in (shutil.which(f"python{version}"), *map(str, reversed(installed))):
        if candidate and _runs(candidate):
            return candidate
    return None


def _patch(python: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", python.parents[1].name)]


def _runs(python: str) -> bool:
    # A Python without these cannot set up an environment.
    tried = [python, "-c", "import ensurepip, ssl, venv"]
    return subprocess.run(tried, capture_output=True, timeout=60, check=False).returncode == 0


def made(version: str, python: str, targets: list[str]) -> bool:
    print(f"\n=== Python {version}: make {' '.join(targets)}", flush=True)
    command = ["make", *targets, f"PYTHON={python}", f"VENV=.venv-{version}"]
    # A `make` that called this one hands down its own variables.
    environment = {name: value for name, value in os.environ.items() if name[:4] != "MAKE"}
    environment.pop("MFLAGS", None)
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
