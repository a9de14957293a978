"""Warnings to the user of the package, on the line of the user's code that they are about.

Knows nothing of what is warned of. The user's filters decide what becomes of a warning;
`INFERENCE_WARNINGS_DISABLED` silences all of them.
"""

from __future__ import annotations

import sys
import warnings

from inference_sdk import config
from inference_sdk.utils.masking import mask

_PACKAGE = __name__.partition(".")[0]


def warn_user(message: str, category: type[Warning]) -> None:
    """Warn at the nearest line in the call stack that is not the package's own."""
    if not config.INFERENCE_WARNINGS_DISABLED:
        warnings.warn(mask(message), category, stacklevel=_levels_to_user_code())


def _levels_to_user_code() -> int:
    """What `stacklevel` means the user's frame, for `warnings.warn` in the caller of this."""
    level = 1
    frame = sys._getframe(1)
    while frame.f_back is not None and _is_our_own(frame.f_globals.get("__name__", "")):
        frame = frame.f_back
        level += 1
    return level


def _is_our_own(module: str) -> bool:
    return module == _PACKAGE or module.startswith(_PACKAGE + ".")
