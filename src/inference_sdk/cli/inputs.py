"""Which pictures are meant: files, folders, URLs, and names from standard input.

Also where an annotated picture of each goes. Opens no picture.
"""

from __future__ import annotations

import glob
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Union
from urllib.parse import unquote, urlsplit

from inference_sdk.cli.failures import CommandError

Source = Union[str, Path]
"""An http(s) URL as text, anything else as a path: so no name is taken for base64."""

STANDARD_INPUT = "-"

ENCODINGS = {
    ".jpg": "jpeg", ".jpeg": "jpeg", ".jpe": "jpeg", ".png": "png", ".webp": "webp",
}  # fmt: skip
"""Endings of the pictures that are written, and their format."""

_SUFFIXES = frozenset({".bmp", ".dib", ".jpeg", ".jpg", ".jpe", ".jp2", ".png", ".webp"})
"""Pictures of a folder, in any case: more than `infer_on_stream` takes, as the help says."""

_PASSED_OVER = frozenset({
    ".avif", ".gif", ".heic", ".heif", ".ico", ".jxl", ".pbm", ".pfm", ".pgm", ".pnm", ".ppm", ".psd",
    ".svg", ".tga", ".tif", ".tiff",
})  # fmt: skip
"""Pictures, too, that servers need not know, or that are several: those are sent when named."""


def find_sources(names: Iterable[str], tell: Callable[[str], object] | None = None) -> list[Source]:
    """The pictures that the names on the command line mean, in order; those of a folder by name.

    Args:
        tell: told of pictures that were passed over in a folder.

    Raises:
        CommandError: a folder without pictures, wildcards that nothing fits, or no picture at all.
    """
    sources = [source for name in _names(names) for source in _expand(name, tell)]
    if not sources:
        raise CommandError("No image: standard input names none.")
    return sources


def label(source: Source) -> str:
    """A source as shown to people and programs; bytes of its name that are no text become `?`."""
    return os.fsencode(source).decode(errors="replace")


def _names(names: Iterable[str]) -> Iterator[str]:
    """Those of the command line and of standard input, without wildcards."""
    for name in names:
        if name == STANDARD_INPUT:
            # As bytes, for a file name need not be text in any encoding.
            lines = (os.fsdecode(line.rstrip(b"\r\n")) for line in sys.stdin.buffer)
            yield from filter(None, lines)
        else:
            yield from _matches(name)


def _matches(name: str) -> list[str]:
    """What a name with wildcards stands for; shells of Windows leave that to us.

    A name that exists is meant as it is, whatever is in it.
    """
    if not glob.has_magic(name) or _is_url(name) or os.path.lexists(name):
        return [name]
    found = sorted(glob.glob(name, recursive=True))
    if not found:
        raise CommandError(f"No file fits {name}.")
    return found


def _is_url(name: str) -> bool:
    return name.lower().startswith(("http://", "https://"))


def _expand(name: str, tell: Callable[[str], object] | None) -> list[Source]:
    if _is_url(name):
        return [name]
    path = Path(name)
    if not path.is_dir():
        return [path]
    files = sorted(entry for entry in path.iterdir() if entry.is_file())
    found = [file for file in files if file.suffix.lower() in _SUFFIXES]
    passed_over = _count_endings(file for file in files if file.suffix.lower() in _PASSED_OVER)
    if not found:
        rest = f", beside those passed over: {passed_over}" if passed_over else ""
        raise CommandError(f"The folder {label(path)} has no images{rest}.")
    if passed_over and tell is not None:
        tell(f"{label(path)}: passed over {passed_over}. Files that are named are sent.")
    return list(found)


def _count_endings(files: Iterable[Path]) -> str:
    """How many of each ending, as "2 .tif, 1 .gif"; empty for no files."""
    counted = Counter(file.suffix.lower() for file in files)
    return ", ".join(f"{number} {ending}" for ending, number in counted.most_common())


@dataclass(frozen=True)
class Target:
    """Where an annotated picture goes."""

    path: Path

    @property
    def encoding(self) -> str:
        return ENCODINGS[self.path.suffix.lower()]


def plan_targets(save: Path, sources: Sequence[Source]) -> list[Target]:
    """A place for each annotated picture; the folders are made, no picture is written.

    One picture may be named; a folder takes any number, each under the name of its original.

    Raises:
        CommandError: an original would be overwritten, or the place will not do.
    """
    one_file = save.suffix.lower() in ENCODINGS and not save.is_dir()
    targets = [Target(save)] if one_file else _in_folder(save, sources)
    if one_file and len(sources) > 1:
        raise CommandError(
            f"--save {save} names one file, but there are {len(sources)} images. Name a folder."
        )
    if not one_file and save.suffix and not save.is_dir():
        raise CommandError(
            f"--save {save}: pictures are written as {', '.join(ENCODINGS)}. Choose one of these, "
            "or name a folder."
        )
    _protect(sources, targets)
    _make_folder(targets[0].path.parent)
    return targets


def _in_folder(folder: Path, sources: Sequence[Source]) -> list[Target]:
    taken: set[str] = set()
    return [Target(folder / _free_name(source, taken)) for source in sources]


def _free_name(source: Source, taken: set[str]) -> str:
    """Name of the picture, numbered where another of the same name came before."""
    named = source.name if isinstance(source, Path) else _name_in_url(source)
    original = PurePosixPath(named or "image")
    suffix = original.suffix if original.suffix.lower() in ENCODINGS else ".jpg"
    name, number = f"{original.stem}{suffix}", 1
    while name.lower() in taken:  # some file systems take A.jpg and a.jpg for one
        number += 1
        name = f"{original.stem}-{number}{suffix}"
    taken.add(name.lower())
    return name


def _name_in_url(url: str) -> str:
    # Decoded last: a name may hold an encoded slash, which must not lead out of the folder.
    name = unquote(PurePosixPath(urlsplit(url).path).name)
    return "".join("_" if character in '/\\:*?"<>|\0' else character for character in name)


def _protect(sources: Iterable[Source], targets: Iterable[Target]) -> None:
    originals = {source.resolve() for source in sources if isinstance(source, Path)}
    for target in targets:
        if target.path.resolve() in originals:
            raise CommandError(
                f"--save would overwrite the image {label(target.path)}. Name another place."
            )


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(f"--save: cannot make the folder {folder}: {error.strerror}.") from error
