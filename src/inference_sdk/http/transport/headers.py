"""Headers of an answer: a mapping that ignores case, and knows which came twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping


class Headers(Mapping[str, str]):
    """Values by name; of a header that came several times, all, with commas in between."""

    __slots__ = ("_values",)

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        values: dict[str, tuple[str, str]] = {}
        for name, value in pairs:
            folded = name.lower()
            before = values.get(folded)
            values[folded] = (name, value) if before is None else (name, f"{before[1]}, {value}")
        self._values = values

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()][1]

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._values.values())

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self)})"
