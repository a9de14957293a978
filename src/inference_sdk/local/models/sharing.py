"""What several models are made of, loaded once, and freed when the last of them is gone."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

_there: weakref.WeakValueDictionary[str, Any] = weakref.WeakValueDictionary()
_making = threading.Lock()


def shared(name: str, make: Callable[[], T]) -> T:
    """What was made under this name and is still in use, else what `make` makes."""
    with _making:
        thing: T | None = _there.get(name)
        if thing is None:
            _there[name] = thing = make()
        return thing
