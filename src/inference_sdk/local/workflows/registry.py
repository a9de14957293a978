"""The table of blocks, by their type names: those of `blocks`, and those a user adds.

Knows nothing of running a workflow.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import get_origin

from inference_sdk.local.workflows.block import Block, FlowBlock
from inference_sdk.local.workflows.elsewhere import where_it_runs
from inference_sdk.local.workflows.errors import WorkflowSyntaxError

_BLOCKS: dict[str, type[Block]] = {}
_LOADING = threading.RLock()
_loaded = False


def add_block(block: type[Block]) -> type[Block]:
    """Make a block known under its type names; works as a decorator, too.

    Raises:
        TypeError: it lacks TYPES, or a method.
    """
    if not (isinstance(block, type) and issubclass(block, Block) and block.TYPES):
        raise TypeError(f"{block!r} must be a subclass of Block with TYPES, its type names.")
    for name in block.TYPES:
        _BLOCKS[name] = block
    return block


def add_blocks_of(module: ModuleType) -> list[type[Block]]:
    """Make all blocks known that a module defines."""
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and get_origin(value) is None  # to Python 3.10, `tuple[str, ...]` is a type
        and issubclass(value, Block)
        and value.__module__ == module.__name__
        and value.TYPES
    ]
    return [add_block(block) for block in found]


def add_blocks_from(path: str | Path) -> list[type[Block]]:
    """Run a Python file and make its blocks known: `serve --blocks my_blocks.py`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it defines no block.
    """
    file = Path(path).resolve(strict=True)
    name = f"inference_sdk_blocks_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ValueError(f"{file} is no Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    found = add_blocks_of(module)
    if not found:
        raise ValueError(f"{file} defines no block: a subclass of Block with TYPES.")
    return found


def known_blocks() -> dict[str, type[Block]]:
    """All blocks, by all their names."""
    global _loaded
    with _LOADING:
        if not _loaded:
            _load_own()
            _loaded = True
        return dict(_BLOCKS)


def find_block(name: object, step: str) -> type[Block]:
    """The block of a type name.

    Raises:
        WorkflowSyntaxError: there is none here; says where it runs.
    """
    found = (_BLOCKS if _loaded else known_blocks()).get(str(name))
    if found is not None:
        return found
    raise WorkflowSyntaxError(
        f"Step '{step}' has the type '{name}'{where_it_runs(str(name), _BLOCKS)}",
        step=step,
        step_type=str(name),
        field="type",
    )


def _load_own() -> None:
    """Every module of `blocks`; what a user added before under the same name stays."""
    from inference_sdk.local.workflows import blocks

    added = dict(_BLOCKS)
    for info in pkgutil.iter_modules(blocks.__path__, f"{blocks.__name__}."):
        add_blocks_of(importlib.import_module(info.name))
    _BLOCKS.update(added)


__all__ = [
    "FlowBlock",
    "add_block",
    "add_blocks_from",
    "add_blocks_of",
    "find_block",
    "known_blocks",
]
