"""Known faults of what the distribution brings along, by pip-audit; silence is not taken for none.

The list of known faults is a service on the network. A package that it has no answer for, or none
at all when it is out of reach, pip-audit skips, and ends with "No known vulnerabilities found" and
0. Here that is a failure of its own: 2 for "not known", 1 for "faulty".

    python tools/known_faults.py .venv-release/lib/python3.11/site-packages
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

OURS = "inference-sdk"
"""Its name belongs to another package on the index, whose faults are not ours."""

FAULTY, NOT_KNOWN = 1, 2


def main(site_packages: str) -> int:
    packages = [package for package in audited(site_packages) if package["name"] != OURS]
    faulty = [line for package in packages for line in faults_of(package)]
    skipped = [package for package in packages if "skip_reason" in package]
    print(*faulty, sep="\n")
    if skipped:
        names = ", ".join(package["name"] for package in skipped)
        print(f"NOT KNOWN for {len(skipped)} of {len(packages)} packages: {names}")
        print(f"The first reason: {skipped[0]['skip_reason']}")
    print(f"{len(faulty)} known faults in {len(packages) - len(skipped)} packages looked up.")
    if faulty:
        return FAULTY
    return NOT_KNOWN if skipped or not packages else 0


def audited(site_packages: str) -> list[dict[str, Any]]:
    command = [Path(sys.executable).parent / "pip-audit", "--path", site_packages]
    found = subprocess.run(
        [*command, "--format", "json", "--progress-spinner", "off"],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,  # 1 when it found something
    )
    if not found.stdout:
        print("NOT KNOWN: pip-audit gave no list:", found.stderr.strip()[-1000:])
        return []
    packages: list[dict[str, Any]] = json.loads(found.stdout)["dependencies"]
    return packages


def faults_of(package: dict[str, Any]) -> list[str]:
    return [
        f"{package['name']} {package['version']}: {fault['id']}, "
        f"mended in {', '.join(fault['fix_versions']) or 'no release'}"
        for fault in package.get("vulns", [])
    ]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
