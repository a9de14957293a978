"""Where answers go: the lines, and the file or folder that is made of them at the end.

JSON lines are their own target. For any other form the lines are kept in the journal, and the
target is written beside and put in its place whole.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any, Protocol

from inference_sdk.batch.errors import TargetError
from inference_sdk.batch.items import Item
from inference_sdk.batch.journal import SUFFIX
from inference_sdk.batch.log import Record, cannot_write, read_lines
from inference_sdk.utils.masking import mask

Records = Callable[[], Iterator[Record]]
"""Gives all lines, in order; may be called again."""


class Sink(Protocol):
    """A form of target.

    Attributes:
        is_folder: whether it is a folder of files.
    """

    is_folder: bool

    def check(self) -> None:
        """Raise if what it needs is not installed."""

    def write(self, records: Records, where: Path) -> None:
        """Write it, as a new file or into a new folder."""


class Beside(Protocol):
    """Something that is saved of each picture, before its answer counts.

    Attributes:
        folder: where.
    """

    folder: Path

    def check(self) -> None: ...

    def save(self, item: Item, result: Any) -> None: ...


class Target:
    """A target on this machine, or by fsspec elsewhere.

    Attributes:
        name: as people know it.
        journal: the folder that is kept beside it.
        lines: the file of lines.
    """

    def __init__(
        self,
        where: str | os.PathLike[str],
        form: str,
        sink: Sink | None,
        beside: Sequence[Beside] = (),
        storage_options: dict[str, Any] | None = None,
    ) -> None:
        text = os.fspath(where)
        self.name = mask(text)
        self.description = {"form": form}
        self._sink = sink
        self._beside = beside
        self._upload = _Upload(text, storage_options) if "://" in text else None
        self._path = self._upload.staged if self._upload else Path(text)
        self.journal = self._path.with_name(self._path.name + SUFFIX)
        self.lines = self._path if sink is None else self.journal / "results.jsonl"

    def check(self) -> None:
        """Raise if the target cannot be written, or something is not installed.

        Raises:
            TargetError: says why.
        """
        if self._sink is not None:
            self._sink.check()
        for each in self._beside:
            each.check()
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_write(self._path.parent, error) from None
        if not os.access(self._path.parent, os.W_OK):
            raise TargetError(f"{self._path.parent} cannot be written: permission denied.")
        if self._upload is not None:
            self._upload.check()

    @property
    def is_there(self) -> bool:
        """Whether the target itself is where it belongs."""
        return self._path.exists()

    def refuse_to_write_into(self, folders: Sequence[Path]) -> None:
        """Raise if pictures would be saved among those of the source, and be listed next time.

        Raises:
            TargetError: names the folder.
        """
        written = [each.folder for each in self._beside] + [self._path] * self._is_folder
        for path in written:
            if any(path.resolve().is_relative_to(folder.resolve()) for folder in folders):
                raise TargetError(
                    f"{path} is inside the source: its pictures would become part of it."
                )

    def refuse_what_is_not_ours(self) -> None:
        """Raise if something stands there that no job of ours wrote."""
        path = self._path
        ours = not path.exists() or (path.is_file() and path.stat().st_size == 0)
        if self._upload is not None and self._upload.is_taken():
            shutil.rmtree(self.journal, ignore_errors=True)
            raise TargetError(
                f"{self.name} is there, and is not of a job that this machine knows. Name another "
                "target, or move it away."
            )
        if not ours and not (path.is_dir() and self._is_folder and not any(path.iterdir())):
            shutil.rmtree(self.journal, ignore_errors=True)
            raise TargetError(
                f"{self.name} is there, and is not of this job: there is no {self.journal.name} "
                "beside it. Name another target, or move it away."
            )

    @property
    def _is_folder(self) -> bool:
        return self._sink is not None and self._sink.is_folder

    def clear(self) -> None:
        """Drop what this job wrote."""
        for path in (self.lines, self._path, self.journal / "job.json"):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                with suppress(OSError):
                    path.unlink()

    def forget(self) -> None:
        """Drop all traces, of a job that wrote nothing."""
        self.clear()
        shutil.rmtree(self.journal, ignore_errors=True)

    def save_beside(self, item: Item, result: Any) -> None:
        """Save what goes beside an answer; again where it is there.

        Raises:
            TargetError: it cannot be written.
            EncodingError: the picture does not decode.
        """
        for each in self._beside:
            each.save(item, result)

    def complete(self) -> None:
        """Make the target of the lines.

        Raises:
            TargetError: it cannot be written; the lines are kept.
        """
        try:
            if self._sink is not None:
                self._write_whole(self._sink)
        except OSError as error:
            raise cannot_write(self.name, error) from None
        if self._upload is not None:
            self._upload.send(self._path)

    def _write_whole(self, sink: Sink) -> None:
        new = self.journal / "new"
        shutil.rmtree(new, ignore_errors=True)
        new.unlink(missing_ok=True)
        if sink.is_folder:
            new.mkdir()
        sink.write(self._records, new)
        _put_in_place(new, self._path)

    def _records(self) -> Iterator[Record]:
        return (line.record for line in read_lines(self.lines))


def _put_in_place(new: Path, path: Path) -> None:
    if path.is_dir():
        old = new.with_name("old")
        shutil.rmtree(old, ignore_errors=True)
        path.rename(old)
        new.rename(path)
        shutil.rmtree(old, ignore_errors=True)
    else:
        new.replace(path)


class _Upload:
    """A target elsewhere: made here, sent when it is complete. A failed sending is made up for."""

    def __init__(self, url: str, options: dict[str, Any] | None) -> None:
        self._url = url
        self._options = options or {}
        name = url.rstrip("/").rpartition("/")[2]
        self.staged = _cache() / blake2b(url.encode(), digest_size=8).hexdigest() / name

    def check(self) -> None:
        """Raise where it can be known now that nothing can be written there."""
        probe = f"{self._url.rstrip('/')}.probe"
        try:
            system, path = self._system(probe)
            with system.open(path, "wb") as file:
                file.write(b"")
            system.rm(path)
        except Exception as error:  # noqa: BLE001 - each file system of fsspec has its own
            raise self._cannot(error) from None

    def is_taken(self) -> bool:
        """Whether something stands there already: a file that is not empty, or a folder of some."""
        try:
            system, there = self._system(self._url)
            if not system.exists(there):
                return False
            return bool(system.ls(there) if system.isdir(there) else system.size(there))
        except Exception as error:  # noqa: BLE001 - each file system of fsspec has its own
            raise self._cannot(error) from None

    def send(self, path: Path) -> None:
        """Copy the finished target, whole files at a time; a folder takes the place of the last."""
        try:
            system, there = self._system(self._url)
            if path.is_dir() and system.exists(there):  # else it would be put into that
                system.rm(there, recursive=True)
            system.put(str(path), there, recursive=path.is_dir())
        except Exception as error:  # noqa: BLE001 - each file system of fsspec has its own
            raise self._cannot(error) from None

    def _system(self, url: str) -> tuple[Any, str]:
        from fsspec.core import url_to_fs

        found: tuple[Any, str] = url_to_fs(url, **self._options)
        return found

    def _cannot(self, error: Exception) -> TargetError:
        reason = mask(" ".join(str(error).split())) or type(error).__name__
        return TargetError(
            f"{mask(self._url)} cannot be written: {reason}. What is answered is kept on this "
            "machine; the same call goes on."
        )


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "inference_sdk" / "batch"
