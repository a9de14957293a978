"""What this server says of its blocks and of workflows: what there is, and what goes in and out.

Made from the blocks themselves. Knows nothing of requests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from inference_sdk.local.workflows.block import Block, Takes
from inference_sdk.local.workflows.engine import Workflow
from inference_sdk.local.workflows.kinds import ANY, KINDS, Kind
from inference_sdk.local.workflows.operations.pipe import OPERATIONS
from inference_sdk.local.workflows.operations.statements import BINARY, UNARY
from inference_sdk.local.workflows.plan import Plan
from inference_sdk.local.workflows.registry import known_blocks
from inference_sdk.local.workflows.selectors import Selector
from inference_sdk.local.workflows.specification import (
    ENGINE_VERSION,
    INPUT_TYPES,
    SECTIONS,
    read_step,
)

OWN = "roboflow_core/"


def versions() -> list[str]:
    """Versions of the language that are spoken here."""
    return [".".join(map(str, ENGINE_VERSION))]


def describe_blocks() -> dict[str, Any]:
    """All blocks, with the form of their fields, their outputs, and what can be joined to what."""
    blocks = unique_blocks()
    return {
        "blocks": [_described(block) for block in blocks],
        "declared_kinds": [kind_described(name) for name in KINDS],
        "kinds_connections": _kind_connections(blocks),
        "primitives_connections": _primitive_connections(blocks),
        "universal_query_language_description": _language(),
        "dynamic_block_definition_schema": {},
    }


def unique_blocks() -> list[type[Block]]:
    """Each block once."""
    return list(dict.fromkeys(known_blocks().values()))


def kind_described(name: str) -> dict[str, Any]:
    kind = KINDS.get(name, Kind(name))
    return {
        "name": name,
        "description": kind.description,
        "docs": kind.description,
        "serialised_data_type": kind.data_type,
        "internal_data_type": kind.data_type,
    }


def outputs_described(outputs: Mapping[str, Iterable[str]]) -> list[dict[str, Any]]:
    return [
        {"name": name, "kind": [kind_described(kind) for kind in kinds]}
        for name, kinds in outputs.items()
    ]


def _described(block: type[Block]) -> dict[str, Any]:
    name, *aliases = block.TYPES
    return {
        "manifest_type_identifier": name,
        "manifest_type_identifier_aliases": aliases,
        "block_schema": block_schema(block),
        "outputs_manifest": outputs_described(block.OUTPUTS),
        "human_friendly_block_name": _title(name),
        "block_source": "workflows_core" if name.startswith(OWN) else "own",
        "fully_qualified_block_class_name": f"{block.__module__}.{block.__qualname__}",
        "execution_engine_compatibility": ">=1.0.0,<2.0.0",
        "restrictions": [],
        "input_dimensionality_offsets": dict(block.DIMENSIONS),
        "dimensionality_reference_property": next(
            (field for field, offset in block.DIMENSIONS.items() if not offset), None
        ),
        "output_dimensionality_offset": block.OUTPUT_DIMENSION,
    }


@cache
def block_schema(block: type[Block]) -> dict[str, Any]:
    """The JSON schema of a step of this type."""
    schema = block.model_json_schema()
    name = block.TYPES[0]
    schema["properties"] = {
        "type": {"enum": list(block.TYPES), "title": "Type", "type": "string"},
        "name": {"description": "Name of the step.", "title": "Step Name", "type": "string"},
        **schema.get("properties", {}),
    }
    return {
        **schema,
        "required": ["type", "name", *schema.get("required", [])],
        "name": _title(name),
        "short_description": (block.__doc__ or "").strip().split("\n")[0],
        "long_description": (block.__doc__ or "").strip(),
        "version": name.partition("@")[2] or "v1",
    }


def _title(name: str) -> str:
    words = re.split(r"[_\s]+", name.partition("@")[0].rpartition("/")[2])
    return " ".join(word.capitalize() for word in words)


def _references(block: type[Block]) -> Iterable[tuple[str, Takes, bool]]:
    """Fields that take references, with what they take and whether it stands in a list or map."""
    for name, rule in block.rules().items():
        for takes, within in ((rule.whole, False), (rule.items, True)):
            if takes is not None:
                yield name, takes, within


def _kind_connections(blocks: Iterable[type[Block]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for block in blocks:
        for name, takes, within in _references(block):
            for kind in takes.kinds:
                found.setdefault(kind, []).append(
                    {
                        "manifest_type_identifier": block.TYPES[0],
                        "property_name": name,
                        "property_description": block.model_fields[name].description or "",
                        "compatible_element": takes.points_to or "any_data",
                        "is_list_element": within,
                        "is_dict_element": within,
                    }
                )
    return found


def _primitive_connections(blocks: Iterable[type[Block]]) -> list[dict[str, Any]]:
    return [
        {
            "manifest_type_identifier": block.TYPES[0],
            "property_name": name,
            "property_description": info.description or "",
            "type_annotation": _annotation(info.annotation),
        }
        for block in blocks
        for name, info in block.model_fields.items()
        if (rule := block.rules()[name]).whole is None or rule.whole.literal
    ]


def _annotation(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def _language() -> dict[str, Any]:
    return {
        "operations_description": [
            {
                "operation_type": operation.model_fields["type"].annotation.__args__[0],  # type: ignore[union-attr]
                "compound": "operations" in operation.model_fields,
                "description": (operation.__doc__ or "").strip(),
            }
            for operation in OPERATIONS
        ],
        "operators_descriptions": [
            {"operator_type": name, "operands_number": number}
            for number, names in ((2, BINARY), (1, UNARY))
            for name in names
        ],
    }


# --- Of one workflow ----------------------------------------------------------------------------


def describe_interface(workflow: Workflow) -> dict[str, Any]:
    """What goes in and out: `{inputs, outputs, typing_hints, kinds_schemas}`."""
    plan = workflow.plan
    inputs = {name: _input_kinds(plan, name) for name in plan.inputs}
    outputs = {output.name: _output_kinds(plan, output.selector) for output in plan.outputs}
    named = [*inputs.values()]
    for kinds in outputs.values():
        named.extend(kinds.values() if isinstance(kinds, dict) else [kinds])
    used = dict.fromkeys(kind for kinds in named for kind in kinds)
    return {
        "inputs": inputs,
        "outputs": outputs,
        "typing_hints": {kind: _hint(kind) for kind in used},
        "kinds_schemas": {},
    }


def _hint(kind: str) -> str:
    data_type = KINDS.get(kind, Kind("")).data_type
    return "dict" if data_type.startswith("{") else data_type


def _input_kinds(plan: Plan, name: str) -> list[str]:
    """Of a batch those declared, of a parameter those of the fields that it goes to."""
    given = plan.inputs[name]
    if given.dimensions and given.kinds != (ANY,):
        return list(given.kinds)
    taken = [
        kind
        for step in plan.steps.values()
        for reference in step.references
        if reference.selector == Selector("inputs", name) and reference.rule is not None
        for kind in reference.rule.kinds
    ]
    return list(dict.fromkeys(taken)) or [ANY]


def _output_kinds(plan: Plan, selector: Selector) -> Any:
    if selector.source == "inputs":
        given = plan.inputs[selector.name]
        return list(given.kinds) if given.dimensions else [ANY]
    outputs = plan.steps[selector.name].definition.outputs
    if selector.output == "*":
        return {name: list(kinds) for name, kinds in outputs.items()}
    return list(outputs[selector.output])


def dynamic_outputs(step: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The outputs of a step as its fields make them.

    Raises:
        WorkflowSyntaxError: it is no step.
    """
    return outputs_described(read_step(step).outputs)


def specification_schema() -> dict[str, Any]:
    """The JSON schema of specifications."""
    definitions = {block.TYPES[0]: block_schema(block) for block in unique_blocks()}
    named = {"type": "object", "properties": {"name": {"type": "string"}}}
    return {
        "type": "object",
        "required": list(SECTIONS),
        "properties": {
            "version": {"type": "string"},
            "inputs": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["type", "name"],
                    "properties": {"type": {"enum": list(INPUT_TYPES)}, "name": {"type": "string"}},
                },
            },
            "steps": {
                "type": "array",
                "items": {"anyOf": [{"$ref": f"#/$defs/{_pointer(name)}"} for name in definitions]},
            },
            "outputs": {"type": "array", "items": named},
        },
        "$defs": definitions,
    }


def _pointer(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
