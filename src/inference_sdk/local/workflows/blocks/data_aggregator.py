"""Values over an interval."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import Block, Kinds, Outputs, Value
from inference_sdk.local.workflows.blocks.formatters import Operations, with_operations

Mode = Literal[
    "sum",
    "avg",
    "max",
    "min",
    "count",
    "distinct",
    "count_distinct",
    "values_counts",
    "values_difference",
]
SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600}
MAX_VALUES = 1_000_000
"""Of one name in one interval; a longer one would fill the memory."""

AGGREGATED: Mapping[str, Callable[[list[Any]], Any]] = {
    "sum": sum,
    "avg": lambda values: sum(values) / len(values),
    "max": max,
    "min": min,
    "count": len,
    "distinct": lambda values: list(Counter(values)),
    "count_distinct": lambda values: len(Counter(values)),
    "values_counts": lambda values: dict(Counter(values)),
    "values_difference": lambda values: max(values) - min(values),
}


class _Interval:
    """What was given since the last outputs."""

    def __init__(self) -> None:
        self.values: dict[str, list[Any]] = {}
        self.runs = 0
        self.since = time.monotonic()


class DataAggregator(Block):
    """Values over an interval or a number of runs: `<name>_<mode>` at its end, null between."""

    TYPES = ("roboflow_core/data_aggregator@v1",)

    data: dict[str, Value]
    data_operations: Operations
    aggregation_mode: dict[str, list[Mode]]
    interval_unit: Literal["seconds", "minutes", "hours", "runs"] = "seconds"
    interval: Annotated[int, Field(gt=0)]

    def outputs(self) -> Mapping[str, Kinds]:
        unknown = sorted(set(self.aggregation_mode) - set(self.data))
        if unknown:
            raise ValueError(f"aggregation_mode names {', '.join(unknown)}, which data has not.")
        return {
            f"{name}_{mode}": (k.ANY,)
            for name, modes in self.aggregation_mode.items()
            for mode in modes
        }

    def run(self) -> Outputs:
        now = self.kept("interval", _Interval)
        now.runs += 1
        for name, value in with_operations(self.data, self.data_operations).items():
            values = now.values.setdefault(name, [])
            values += value if isinstance(value, list) else [value]
            if len(values) > MAX_VALUES:
                raise ValueError(f"'{name}' has more than {MAX_VALUES} values in an interval.")
        if not self._is_over(now):
            return {}
        self._context.kept["interval"] = _Interval()
        return {
            f"{name}_{mode}": AGGREGATED[mode](now.values[name]) if now.values[name] else None
            for name, modes in self.aggregation_mode.items()
            for mode in modes
        }

    def _is_over(self, now: _Interval) -> bool:
        if self.interval_unit == "runs":
            return now.runs >= self.interval
        return time.monotonic() - now.since >= self.interval * SECONDS[self.interval_unit]
