"""What comes out of `infer`: a table for people, or JSON lines for programs.

Results go to standard output, all else to standard error.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from inference_sdk.cli import terminal
from inference_sdk.viz.findings import Box, Finding, findings

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


@dataclass(frozen=True)
class Outcome:
    """What became of one image: a result, or an error in one line; and its annotated picture."""

    image: str
    result: Mapping[str, Any] | None = None
    error: str | None = None
    picture: str | None = None


class Report(Protocol):
    """Takes outcomes as they come, in the order of the images."""

    def add(self, outcome: Outcome) -> None: ...

    def finish(self) -> None: ...


class JSONLines:
    """One object an image, each on its line as soon as it is known."""

    def add(self, outcome: Outcome) -> None:
        line: dict[str, Any] = {"image": outcome.image}
        if outcome.error is None:
            line["result"] = outcome.result
        else:
            line["error"] = outcome.error
        if outcome.picture is not None:
            line["picture"] = outcome.picture
        write_json_line(line)

    def finish(self) -> None:
        """Nothing is kept back."""


def write_json_line(value: Mapping[str, Any]) -> None:
    """Write an object on a line of its own to standard output, as UTF-8 whatever the locale."""
    options = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS | orjson.OPT_APPEND_NEWLINE
    sys.stdout.buffer.write(orjson.dumps(value, default=str, option=options))
    sys.stdout.buffer.flush()


def progress_console(console: Console, json: bool) -> Console:
    """Where progress is shown: nowhere, when lines of JSON go to the same terminal."""
    quiet = json and sys.stdout.isatty()
    return terminal.console(stderr=True, force_terminal=False) if quiet else console


class FindingsTable:
    """A row for each finding, shown at the end, when the columns know how wide they must be."""

    def __init__(self) -> None:
        self._table = _empty_table()
        self._pictures: list[str] = []

    def add(self, outcome: Outcome) -> None:
        if outcome.error is not None:
            self._add_row(outcome.image, "failed", style="red")
        elif found := findings(outcome.result or {}):
            for number, finding in enumerate(found):
                self._add_row(outcome.image if number == 0 else "", *_cells(finding))
        else:
            self._add_row(outcome.image, "nothing found", style="dim")
        if outcome.picture is not None:
            self._pictures.append(outcome.picture)

    def finish(self) -> None:
        if not self._table.row_count:
            return
        output = terminal.console()
        output.print(self._table)
        for picture in self._pictures:
            terminal.say(output, f"Annotated picture: {picture}")

    def _add_row(self, *cells: str, style: str | None = None) -> None:
        self._table.add_row(*map(terminal.cell, cells), style=style)


def _empty_table() -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("image", overflow="fold", style="bold")
    table.add_column("class", overflow="fold")
    table.add_column("confidence", justify="right", no_wrap=True)
    table.add_column("box: left, top, right, bottom", justify="right", no_wrap=True)
    return table


def _cells(finding: Finding) -> tuple[str, str, str]:
    confidence = "" if finding.confidence is None else f"{finding.confidence:.2f}"
    return finding.name, confidence, "" if finding.box is None else _pixels(finding.box)


def _pixels(box: Box) -> str:
    return ", ".join(f"{edge:4.0f}" for edge in box)
