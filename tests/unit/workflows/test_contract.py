"""Blocks beside what is known of Roboflow's: names, old spellings, fields, defaults, kinds, outputs."""

from __future__ import annotations

import importlib
import json
import pkgutil
from pathlib import Path
from typing import Any

import pytest

from inference_sdk.local.workflows import blocks, registry
from inference_sdk.local.workflows.registry import known_blocks
from inference_sdk.local.workflows.workload import OPERATIONS

BLOCKS: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "data" / "workflow-blocks.json").read_text()
)


@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_is_as_it_is_known(name: str) -> None:
    block = known_blocks()[name]
    wanted = BLOCKS[name]
    assert {known_blocks()[other] for other in wanted["types"]} == {block}, "old spellings"
    rules = block.rules()
    for field, told in wanted["fields"].items():
        info = block.model_fields[field]
        assert info.is_required() == told.get("required", False), field
        if "default" in told:
            default = info.get_default(call_default_factory=True)
            default = list(default) if isinstance(default, tuple) else default
            assert default == told["default"], field
        takes = rules[field].whole or rules[field].items
        assert sorted(takes.kinds if takes else ()) == told.get("kinds", []), field
    if "*" not in wanted["outputs"]:
        outputs = {output: sorted(kinds) for output, kinds in block.OUTPUTS.items()}
        assert outputs == {output: sorted(kinds) for output, kinds in wanted["outputs"].items()}


def test_no_two_modules_have_blocks_of_one_name() -> None:
    found: dict[str, str] = {}
    for info in pkgutil.iter_modules(blocks.__path__, f"{blocks.__name__}."):
        module = importlib.import_module(info.name)
        for block in registry.add_blocks_of(module):
            for name in block.TYPES:
                assert found.setdefault(name, module.__name__) == module.__name__, name


@pytest.mark.parametrize("name", [name for name in BLOCKS if "inner_workflow" not in name])
def test_it_is_known_what_a_block_does(name: str) -> None:
    """For `/workflows/describe_workload`; an inner workflow may do anything."""
    family = name.rpartition("/")[2].partition("@")[0]
    told = {each for names in OPERATIONS.values() for each in names.split()}
    assert family in told or family.endswith("_visualization")
