"""Buckets and other file systems by fsspec (S3, GCS, Azure, HTTP, …), and archives in them or here.

fsspec and the package of each store (`s3fs`, `gcsfs`, `adlfs`) are loaded when one is named.
"""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from inference_sdk.batch.errors import SourceError
from inference_sdk.batch.items import (
    Deferred,
    Item,
    RemoteFile,
    Unit,
    Unreadable,
    safe_name,
    text_of,
)
from inference_sdk.batch.sources import files
from inference_sdk.utils.masking import mask

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")

LARGEST_MEMBER = 512 * 2**20
"""Bytes, unpacked, of a picture in an archive."""

Options = "dict[str, Any] | None"
UnitLister = Callable[..., "partial[Iterator[Unit]]"]


def is_remote(text: str) -> bool:
    return "://" in text


def is_archive(text: str) -> bool:
    return text.lower().endswith(ARCHIVES)


def without_secrets(text: str) -> str:
    """An address without user, password and signature."""
    return mask(text)


def remote_file(url: str, options: Any) -> RemoteFile:
    """A file that fsspec opens.

    Raises:
        SourceError: its file system is not known, or not installed.
    """
    system, path = _system(url, options)
    return _file(system, path, mask(url))


def lister(url: str, options: Any, unit_lister: UnitLister) -> partial[Iterator[Unit]]:
    """How an address is listed: a single picture, a manifest or video, an archive, or a folder.

    A picture by http(s) is left to the client, which has a policy for where it may lead.
    """
    suffix = PurePosixPath(url.partition("?")[0]).suffix.lower()
    if url.startswith(("http://", "https://")) and suffix in files.SUFFIXES:
        return partial(_list_picture_url, url)
    if is_archive(url):
        return partial(list_archive, remote_file(url, options), "")
    if suffix and suffix not in files.SUFFIXES and not files.is_pattern(url):
        system, path = _system(url, options)
        return unit_lister(_file(system, path, mask(url)), _version(_info(system, path, url)))
    return partial(_list_store, url, options)


def _list_picture_url(url: str) -> Iterator[Unit]:
    label = mask(url)
    name = safe_name(PurePosixPath(label.partition("?")[0]).name)
    yield Unit(label, "", lambda: iter([Item(label, label, url, name)]))


def _list_store(url: str, options: Any) -> Iterator[Unit]:
    system, path = _system(url, options)
    try:
        found = (
            system.glob(path, detail=True)
            if files.is_pattern(path)
            else system.find(path, detail=True)
        )
    except Exception as error:  # noqa: BLE001 - each file system of fsspec has its own
        raise SourceError(f"{mask(url)} cannot be listed: {mask(str(error))}.") from None
    root = path.partition("*")[0].rstrip("/")
    for name in sorted(found):
        if PurePosixPath(name).suffix.lower() in files.SUFFIXES:
            label = mask(system.unstrip_protocol(name))
            file = _file(system, name, label)
            below = name.removeprefix(root).lstrip("/") or PurePosixPath(name).name
            item = Item(label, label, file, safe_name(below))
            yield Unit(label, _version(found[name]), partial(_one, item))


def _one(item: Item) -> Iterator[Item]:
    yield item


def _system(url: str, options: Any) -> tuple[Any, str]:
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise SourceError(
            f"{mask(url)} needs fsspec: pip install 'inference-sdk[batch]'."
        ) from None
    try:
        system, path = url_to_fs(url, **(options or {}))
    except (ImportError, ValueError) as error:
        raise SourceError(f"{mask(url)}: {mask(str(error))}") from None
    return system, path


def _info(system: Any, path: str, url: str) -> Any:
    try:
        return system.info(path)
    except Exception as error:  # noqa: BLE001 - each file system of fsspec has its own
        raise SourceError(f"{mask(url)} cannot be read: {mask(str(error))}.") from None


def _version(info: Any) -> str:
    """Size, and whatever the store calls the state of its content."""
    marks = (info.get(k) for k in ("size", "ETag", "etag", "md5Hash", "mtime", "LastModified"))
    return "-".join(str(mark) for mark in marks if mark is not None)


class _StoreFile(RemoteFile):
    def __init__(self, system: Any, path: str, label: str) -> None:
        super().__init__(label, partial(system.open, path, "rb"))
        self._system, self._path = system, path

    def beside(self, name: str) -> RemoteFile:
        """A file named from the folder of this one."""
        path = str(PurePosixPath(self._path).parent / name)
        return _file(self._system, path, mask(self._system.unstrip_protocol(path)))


def _file(system: Any, path: str, label: str) -> RemoteFile:
    return _StoreFile(system, path, label)


# -- archives ----------------------------------------------------------------------------------


def list_archive(place: Any, version: str) -> Iterator[Unit]:
    """Pictures of a zip or tar, in its order, each unpacked when its turn comes."""
    yield Unit(text_of(place), version, partial(_members, place))


def _members(place: Any) -> Iterator[Item]:
    label = text_of(place)
    try:
        with place.open("rb") if isinstance(place, Path) else place.open() as file:
            of_kind = _zipped if label.lower().endswith(".zip") else _tarred
            for name, size, load in of_kind(file):
                if PurePosixPath(name).suffix.lower() in files.SUFFIXES:
                    yield _member(f"{label}!{name}", name, size, load)
    except (OSError, EOFError, tarfile.TarError, zipfile.BadZipFile) as error:
        raise SourceError(f"{label} cannot be read: {error}.") from None


def _member(id: str, name: str, size: int, load: Callable[[], bytes]) -> Item:
    if size > LARGEST_MEMBER:
        broken = Unreadable(f"{id!r} has {size} bytes; the limit is {LARGEST_MEMBER}.")
        return Item(id, id, broken, safe_name(name))
    return Item(id, id, Deferred(load), safe_name(name))


Members = Iterator["tuple[str, int, Callable[[], Any]]"]


def _zipped(file: BinaryIO) -> Members:
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            yield member.filename, member.file_size, partial(archive.read, member)


def _tarred(file: BinaryIO) -> Members:
    with tarfile.open(fileobj=file, mode="r:*") as archive:
        for member in archive:
            if member.isfile():
                yield member.name, member.size, partial(_content, archive, member)


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    content = archive.extractfile(member)
    return content.read() if content else b""
