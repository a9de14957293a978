"""Selectors: the texts by which a specification refers to inputs and to outputs of steps.

`$inputs.name`, `$steps.name`, `$steps.name.output`, `$steps.name.*`. Knows nothing of what they
point at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Optional

INPUT = re.compile(r"\$inputs\.([A-Za-z0-9_\-]+)")
STEP = re.compile(r"\$steps\.([A-Za-z0-9_\-]+)(?:\.([A-Za-z0-9_\-]+|\*))?")
EXAMPLES = "'$inputs.image' and '$steps.name.output'"


@dataclass(frozen=True)
class Selector:
    """A reference.

    Attributes:
        source: "inputs" or "steps".
        name: of the input or step.
        output: of the step; "" for an input and for the step itself, "*" for all outputs.
    """

    source: str
    name: str
    output: str = ""

    def __str__(self) -> str:
        return ".".join(filter(None, (f"${self.source}", self.name, self.output)))

    @property
    def is_step(self) -> bool:
        """Whether it means a step as such, not one of its outputs."""
        return self.source == "steps" and not self.output


def read_selector(value: Any) -> Optional[Selector]:
    """The selector that a text is; None for anything else."""
    if not isinstance(value, str) or not value.startswith("$"):
        return None
    found = INPUT.fullmatch(value)
    if found:
        return Selector("inputs", found[1])
    found = STEP.fullmatch(value)
    return Selector("steps", found[1], found[2] or "") if found else None


def with_selectors(value: Any) -> Any:
    """A property in which the texts that are selectors have become `Selector`s."""
    if isinstance(value, list):
        return [with_selectors(item) for item in value]
    if isinstance(value, Mapping):
        return {key: with_selectors(item) for key, item in value.items()}
    return read_selector(value) or value


def selectors_in(value: Any) -> Iterator[Selector]:
    """All selectors in a property, however nested."""
    if isinstance(value, Selector):
        yield value
    elif isinstance(value, (Mapping, list, tuple)):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from selectors_in(item)


def filled(value: Any, values: Mapping[Selector, Any]) -> Any:
    """A property with each selector replaced by what it stands for; steps stay as they are."""
    if isinstance(value, Selector):
        return values.get(value, value)
    if isinstance(value, list):
        return [filled(item, values) for item in value]
    if isinstance(value, Mapping):
        return {key: filled(item, values) for key, item in value.items()}
    return value
