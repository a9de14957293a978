"""Blocks that are not here: what to say of them.

Knows only names.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

WAY_ON = "It runs on Roboflow's server: point the client at one."


def where_it_runs(name: str, known: Iterable[str]) -> str:
    """The rest of a sentence about a block that is not here."""
    names = list(known)
    if name.startswith("roboflow_core/") and "@" in name:
        family = name.partition("@")[0]
        versions = [other for other in names if other.partition("@")[0] == family]
        if versions:
            return f", a version that is not here; here {_are(versions)}. {WAY_ON}"
        close = difflib.get_close_matches(name, names, 1, 0.85)
        hint = f" Did you mean {close[0]}?" if close else ""
        return f", a block that this server does not have.{hint} {WAY_ON}"
    close = difflib.get_close_matches(name, names, 3, 0.6)
    return (
        f", which is no block.{' Close to it: ' + ', '.join(close) + '.' if close else ''} "
        "GET /workflows/blocks/describe lists all; blocks of your own come with "
        "`serve --blocks my_blocks.py`."
    )


def _are(names: list[str]) -> str:
    return f"is {names[0]}" if len(names) == 1 else f"are {', '.join(sorted(names))}"
