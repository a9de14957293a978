"""The classes of a whole job, numbered: the same numbers whatever order the answers came in."""

from __future__ import annotations

from collections.abc import Iterable

from inference_sdk.batch.log import Record
from inference_sdk.batch.sinks.findings import objects_of


def classes_of(records: Iterable[Record]) -> dict[str, int]:
    """Names of all classes, numbered from 0 in the order of the server's own numbers."""
    found: dict[str, int] = {}
    for record in records:
        for each in objects_of(record):
            number = found.get(each.name)
            known = each.number if each.number is not None else 2**31
            found[each.name] = known if number is None else min(number, known)
    ordered = sorted(found, key=lambda name: (found[name], name))
    return {name: number for number, name in enumerate(ordered)}
