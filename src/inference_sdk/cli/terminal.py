"""What is written for people: on any console, and with nothing in it that a console obeys.

Names of files and of classes come from others. An escape sequence in one could move the cursor,
set the window's title or worse; rich would read `[red]` and `:smile:` in it. And a console need not
know the characters: those of Windows and of services often know a few hundred, or ASCII.
"""

from __future__ import annotations

import sys
import unicodedata
from typing import Any, TextIO

from rich.console import Console
from rich.text import Text

_JOINERS = "\u200c\u200d"
"""Invisible, but part of words of some languages and of emoji."""

_OBEYED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories: control, format (direction of writing), surrogates, ends of lines."""

_PLAIN = {"·": "-", "…": "...", "×": "x", "–": "-", "→": "->"}  # noqa: RUF001
"""Our own punctuation, where a console does not know it."""


def console(*, stderr: bool = False, **options: Any) -> Console:
    """Standard output or standard error, as `legible` lines."""
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False, **options)


def say(to: Console, line: str, style: str | None = None) -> None:
    """Write a line, whatever is in it, unbroken: people copy these."""
    to.print(cell(line, to.encoding), style=style, soft_wrap=True)


def cell(text: str, encoding: str | None = None) -> Text:
    """A text to be shown as it is, on standard output if no other encoding is named."""
    return Text(legible(text, encoding or _encoding(sys.stdout)))


def legible(text: str, encoding: str) -> str:
    r"""A text without what a console would obey, and in characters that it knows.

    Example:
        >>> legible("caf\u00e9 \x1b[2J.jpg", "ascii")
        'caf\\xe9 \\x1b[2J.jpg'
    """
    return "".join(_legible(character, encoding) for character in text)


def tolerate(stream: TextIO) -> None:
    """Let a stream write what its encoding lacks (of rich, of typer) as an escape, and not fail."""
    if getattr(stream, "errors", None) == "strict" and hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")


def spinner(of: Console) -> str:
    """Name of the one that a console can show."""
    return "dots" if of.encoding.startswith("utf") else "line"


def _legible(character: str, encoding: str) -> str:
    if character.isascii() and character.isprintable():
        return character
    if unicodedata.category(character) in _OBEYED and character not in _JOINERS:
        return _escaped(character)
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return _PLAIN.get(character) or _escaped(character)
    return character


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def _encoding(stream: TextIO) -> str:
    return getattr(stream, "encoding", None) or "utf-8"
