"""Reading settings from the process environment. Knows nothing of what they are for."""

from __future__ import annotations

import os
from typing import Union


def str2bool(value: Union[str, bool]) -> bool:
    """Read a flag: a bool passes, "true" and "false" count in any case.

    Raises:
        ValueError: the value is neither, so a typo never switches a feature silently.
    """
    if isinstance(value, bool):
        return value
    flag = {"true": True, "false": False}.get(str(value).strip().lower())
    if flag is None:
        raise ValueError(f"Expected a boolean ('true' or 'false'), got {value!r}.")
    return flag


def flag(name: str, default: bool) -> bool:
    """Value of the boolean environment variable `name`.

    Raises:
        ValueError: the variable is set to something that is neither true nor false.
    """
    try:
        return str2bool(os.environ.get(name, default))
    except ValueError as error:
        raise ValueError(f"Environment variable {name}: {error}") from None


def comma_separated(name: str) -> frozenset[str]:
    """Entries of the environment variable `name`, stripped; empty when it is not set."""
    entries = (entry.strip() for entry in os.environ.get(name, "").split(","))
    return frozenset(entry for entry in entries if entry)
