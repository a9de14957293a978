from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from inference_sdk.http.utils import profilling
from inference_sdk.http.utils.profilling import save_workflows_profiler_trace


def test_a_trace_is_written_as_json_into_a_new_folder(tmp_path: Path) -> None:
    directory = tmp_path / "deep" / "down"
    save_workflows_profiler_trace(str(directory), [{"name": "é", "ts": 1.5}])
    [path] = directory.iterdir()
    assert re.fullmatch(r"workflow_execution_tack_\d{4}(_\d\d){5}\.json", path.name)
    assert json.loads(path.read_text(encoding="utf-8")) == [{"name": "é", "ts": 1.5}]


def test_traces_of_the_same_second_are_all_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class StoppedClock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> StoppedClock:
            return cls(2024, 1, 2, 3, 4, 5)

    monkeypatch.setattr(profilling, "datetime", StoppedClock)
    for number in range(3):
        save_workflows_profiler_trace(str(tmp_path), [{"number": number}])
    stem = "workflow_execution_tack_2024_01_02_03_04_05"
    names = [f"{stem}.json", f"{stem}_1.json", f"{stem}_2.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    for number, name in enumerate(names):
        assert json.loads((tmp_path / name).read_text()) == [{"number": number}]
