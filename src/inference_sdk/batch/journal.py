"""What is kept beside a target: what job it is of, how far its source was read, and a lock.

    results.jsonl            the target
    results.jsonl.journal/   job.json   what was asked, and how it stands
                             lock       held while a run is at work
                             results.jsonl, pictures/   where the target is written at the end

No key is ever written: a job is described by what decides its answers.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from inference_sdk.batch.errors import TargetError
from inference_sdk.batch.log import cannot_write

FORMAT = 1
SUFFIX = ".journal"


@dataclass(frozen=True)
class State:
    """How a job stands.

    Attributes:
        job: what was asked.
        units: how many units of the source were taken up.
        digest: of their names and versions, in order.
        listed: whether those are all.
        disordered: whether the lines are in another order than the source.
        finished: whether the target is complete.
    """

    job: Mapping[str, Any]
    units: int = 0
    digest: str = ""
    listed: bool = False
    disordered: bool = False
    finished: bool = False
    format: int = FORMAT


class Journal:
    """The folder beside a target; `open` it, and nobody else can."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._state_file = folder / "job.json"
        self._lock: BinaryIO | None = None
        self.state: State | None = None

    def open(self) -> None:
        """Take the lock, and read how the job stands.

        Raises:
            TargetError: another run holds it, or the folder cannot be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = (self.folder / "lock").open("ab")
        except OSError as error:
            raise cannot_write(self.folder, error) from None
        if not _lock(self._lock):
            self._lock.close()
            raise TargetError(f"Another run is writing here: it holds {self.folder}/lock.")
        self.state = self._read()

    def close(self) -> None:
        if self._lock is not None:
            self._lock.close()  # which gives the lock back, as does the end of the process

    def save(self, state: State, **changes: Any) -> None:
        """Write how the job stands, all at once."""
        self.state = replace(state, **changes)
        write_whole(self._state_file, orjson.dumps(asdict(self.state)))

    def _read(self) -> State | None:
        try:
            return State(**orjson.loads(self._state_file.read_bytes()))
        except FileNotFoundError:
            return None
        except (orjson.JSONDecodeError, TypeError) as error:
            raise TargetError(
                f"{self._state_file} is no journal of this version. Begin again: restart=True (--restart)."
            ) from error


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is the old one or the new one at any moment.

    Raises:
        TargetError: it cannot be written.
    """
    new = path.with_name(path.name + ".new")
    try:
        with new.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError as error:
        with suppress(OSError):
            new.unlink()
        raise cannot_write(path, error) from None


def _lock(file: BinaryIO) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows
        return _lock_on_windows(file)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _lock_on_windows(file: BinaryIO) -> bool:  # pragma: no cover - the tests run on Linux
    import msvcrt

    try:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    except OSError:
        return False
    return True
