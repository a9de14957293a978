"""All there is to measure of the HTTP client, in one run, and the page that shows it: `make bench`."""

from __future__ import annotations

import subprocess
import sys
from argparse import ArgumentParser

from peers import HERE
from report import PAGE, RESULTS, write


def main() -> None:
    parser = ArgumentParser(description="Measure the HTTP client, and write docs/performance.md.")
    parser.add_argument("--rounds", default="5", help="measurements of each (default 5)")
    rounds = parser.parse_args().rounds
    RESULTS.mkdir(exist_ok=True)
    for script, result in (("http_path.py", "path.json"), ("import_cost.py", "import.json")):
        options = ["--rounds", rounds, "--save", str(RESULTS / result)]
        subprocess.run([sys.executable, str(HERE / script), *options], check=True)
    write()
    print(f"Written: {PAGE}")


if __name__ == "__main__":
    main()
