"""Whether a target was begun as this job, and of this source."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from itertools import islice
from typing import Any

from inference_sdk.batch.errors import JobChangedError
from inference_sdk.batch.items import Unit
from inference_sdk.batch.journal import State
from inference_sdk.batch.sources import Source

_CHOICE = (
    "To ask for everything again: restart=True (--restart). To keep the answers that are there, "
    "and ask for the rest: proceed=True (--continue)."
)


class Listing:
    """How far a source was listed, and a digest of what it held."""

    def __init__(self) -> None:
        self.units = 0
        self._hash = blake2b(digest_size=16)

    def add(self, unit: Unit) -> None:
        self._hash.update(f"{unit.name}\0{unit.version}\n".encode())
        self.units += 1

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()


def refuse_another_job(state: State, job: Mapping[str, Any]) -> None:
    """Raise if a target was begun with another source, model or parameters.

    Raises:
        JobChangedError: names what differs.
    """
    changed = sorted(k for k in {*state.job, *job} if state.job.get(k) != job.get(k))
    if changed:
        raise JobChangedError(
            f"The target was begun with another {' and '.join(changed)}. {_CHOICE}"
        )


def refuse_another_source(state: State, source: Source) -> None:
    """Raise if what the source holds has changed.

    Raises:
        JobChangedError: files are gone, are new where all were listed, or have changed.
    """
    listing, units = Listing(), source.units()
    for unit in islice(units, state.units):
        listing.add(unit)
    if state.units and listing.digest != state.digest:
        raise JobChangedError(
            f"What is in {source.name} is not what it was when the target was begun. {_CHOICE}"
        )
    if state.listed and next(units, None) is not None:
        raise JobChangedError(
            f"There is more in {source.name} than when the target was finished. {_CHOICE}"
        )
