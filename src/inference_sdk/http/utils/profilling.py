"""Profiles of workflow runs, kept as files. (The name's spelling is part of the contract.)"""

from __future__ import annotations

import json
import os
from datetime import datetime
from typing import Any, TextIO


def save_workflows_profiler_trace(directory: str, profiler_trace: list[dict[str, Any]]) -> None:
    """Write a trace as JSON to `workflow_execution_tack_{YYYY_MM_DD_HH_MM_SS}.json`.

    The folder is made when it is missing. A trace of the same second is never overwritten: the
    later file gets `_1`, `_2`, … before the extension.
    """
    os.makedirs(directory, exist_ok=True)
    moment = datetime.now().strftime("%Y_%m_%d_%H_%M_%S")
    with _create(os.path.join(directory, f"workflow_execution_tack_{moment}")) as file:
        json.dump(profiler_trace, file)


def _create(stem: str) -> TextIO:
    """Open a new file. "x" leaves it to the file system who is first, also among processes."""
    path = f"{stem}.json"
    number = 0
    while True:
        try:
            return open(path, "x", encoding="utf-8")
        except FileExistsError:
            number += 1
            path = f"{stem}_{number}.json"
