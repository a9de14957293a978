"""Values over some time, or over some runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from time import monotonic
from typing import Annotated, Any, Literal

from pydantic import Field

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import Block, Kinds, Outputs, Value
from inference_sdk.local.workflows.operations import Operation, apply_all

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

_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600}
_NUMERIC = frozenset({"sum", "avg", "max", "min", "values_difference"})
_COUNTED = frozenset({"distinct", "count_distinct", "values_counts"})


class _Summary:
    """What has been seen of one value: no more of it than its modes need."""

    def __init__(self, modes: list[Mode]) -> None:
        self._modes = modes
        self._count = 0
        self._sum: Any = 0
        self._least: Any = None
        self._most: Any = None
        self._counts: Counter[Any] = Counter()

    def add(self, value: Any) -> None:
        """Take a value in; of a list, each element counts."""
        elements = value if isinstance(value, (list, set, tuple)) else [value]
        self._count += len(elements)
        if _NUMERIC & set(self._modes):
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                kind = type(value).__name__
                raise ValueError(f"only numbers have a sum, a mean or a maximum, not a {kind}.")
            self._sum += value
            self._least = value if self._least is None else min(self._least, value)
            self._most = value if self._most is None else max(self._most, value)
        if _COUNTED & set(self._modes):
            try:
                self._counts.update(elements)
            except TypeError:
                raise ValueError("only texts and numbers can be told apart and counted.") from None

    def outcome(self, mode: Mode) -> Any:
        if mode == "count":
            return self._count
        if mode == "sum":
            return self._sum
        if mode == "avg":
            return self._sum / self._count if self._count else None
        if mode == "max":
            return self._most
        if mode == "min":
            return self._least
        if mode == "values_difference":
            return None if self._most is None else self._most - self._least
        if mode == "count_distinct":
            return len(self._counts)
        if mode == "values_counts":
            return dict(self._counts)
        numbers = all(isinstance(value, (int, float)) for value in self._counts)
        return sorted(self._counts) if numbers else list(self._counts)


class _Interval:
    """What was gathered since the last time that it was told."""

    def __init__(self, modes: Mapping[str, list[Mode]]) -> None:
        self.began = monotonic()
        self.runs = 0
        self.summaries = {name: _Summary(wanted) for name, wanted in modes.items()}


class DataAggregator(Block):
    """Values over an interval, as `<name>_<mode>`; null until it is over."""

    TYPES = ("roboflow_core/data_aggregator@v1",)
    OUTPUTS = {"*": (k.ANY,)}

    data: dict[str, Value]
    data_operations: dict[str, list[Operation]] = Field(default_factory=dict)
    aggregation_mode: dict[str, list[Mode]]
    interval_unit: Literal["seconds", "minutes", "hours", "runs"] = "seconds"
    interval: Annotated[int, Field(gt=0)]

    def outputs(self) -> dict[str, Kinds]:
        return dict.fromkeys(self._names(), (k.ANY,))

    def run(self) -> Outputs:
        kept: dict[str, _Interval] = self.kept("interval", dict)
        if "now" not in kept:
            kept["now"] = _Interval(self._modes())
        gathered = kept["now"]
        gathered.runs += 1
        for name, summary in gathered.summaries.items():
            summary.add(apply_all(self.data_operations.get(name, []), self.data[name]))
        if not self._is_over(gathered):
            return dict.fromkeys(self._names())
        kept["now"] = _Interval(self._modes())
        return {
            f"{name}_{mode}": gathered.summaries[name].outcome(mode)
            for name, modes in self._modes().items()
            for mode in modes
        }

    def _is_over(self, gathered: _Interval) -> bool:
        if self.interval_unit == "runs":
            return gathered.runs >= self.interval
        return monotonic() - gathered.began >= self.interval * _SECONDS[self.interval_unit]

    def _modes(self) -> dict[str, list[Mode]]:
        return {name: m for name, m in self.aggregation_mode.items() if name in self.data}

    def _names(self) -> list[str]:
        return [f"{name}_{mode}" for name, modes in self._modes().items() for mode in modes]
