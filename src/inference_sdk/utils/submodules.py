"""Submodules as attributes of their packages, though nothing has imported them yet.

Programs write `import inference_sdk` and go on with `inference_sdk.http.errors`. Importing every
module at once would make the first import slow; a package's `__getattr__` imports one when it is
asked for.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType


def submodule(package: str, name: str) -> ModuleType:
    """Import the submodule `name` of a package; for the package's `__getattr__`.

    Raises:
        AttributeError: there is none, as Python says it of any name.
        ImportError: it needs a package that is not installed.
    """
    if name.startswith("__") or find_spec(f"{package}.{name}") is None:
        raise AttributeError(f"module {package!r} has no attribute {name!r}")
    return import_module(f"{package}.{name}")
