"""What running a workflow takes: its graph, how often each step runs, which models it asks.

Made from the plan. What a step does is told for blocks that are known here, and said to be unknown
for others; where Roboflow's hosted servers would limit a step is not told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from inference_sdk.local.workflows.block import Block
from inference_sdk.local.workflows.engine import Workflow
from inference_sdk.local.workflows.plan import PlannedStep
from inference_sdk.local.workflows.selectors import Selector
from inference_sdk.local.workflows.specification import ENGINE_VERSION

OPERATIONS: Mapping[str, str] = {
    "cache_read": "cache_get",
    "cache_write": "cache_set",
    "data_aggregation": "data_aggregator",
    "data_transformation": "vlm_as_detector vlm_as_classifier stitch_ocr_detections "
    "dimension_collapse first_non_empty_or_default property_definition expression string_template "
    "current_time json_parser csv_formatter",
    "detection_matching": "detections_difference",
    "detection_processing": "perspective_correction track_class_lock overlap_analysis overlap "
    "size_measurement distance_measurement bounding_rect mask_area_measurement detections_filter "
    "detections_transformation detection_offset per_class_confidence_filter detections_merge "
    "detections_combine detections_consensus detections_stitch detections_classes_replacement "
    "detections_list_rollup dynamic_zone detections_difference stitch_ocr_detections line_counter "
    "time_in_zone velocity path_deviation_analytics stabilize_detections",
    "environment_read": "environment_secrets_store",
    "expression_evaluation": "detections_filter detections_transformation continue_if switch_case "
    "property_definition expression",
    "external_request": "webhook_sink",
    "flow_control": "continue_if switch_case rate_limiter delta_filter",
    "image_analysis": "contours_detection camera_focus pixel_color_count dominant_color "
    "template_matching sift sift_comparison qr_code_detector barcode_detector motion_detection",
    "image_composition": "stitch_images qr_code_generator crop_visualization grid_visualization",
    "image_crop": "absolute_static_crop relative_statoic_crop dynamic_crop image_slicer",
    "image_filtering": "convert_grayscale image_blur threshold morphological_transformation "
    "contrast_equalization contrast_enhancement",
    "image_resize": "image_preprocessing",
    "image_transform": "perspective_correction stitch_images",
    "model_inference": "roboflow_object_detection_model roboflow_instance_segmentation_model "
    "roboflow_keypoint_detection_model roboflow_classification_model "
    "roboflow_multi_label_classification_model ocr_model easy_ocr pp_ocr clip clip_comparison",
    "numerical_computation": "cosine_similarity",
    "storage_write": "local_file_sink",
    "temporal_buffering": "track_class_lock motion_detection line_counter time_in_zone velocity "
    "path_deviation_analytics data_aggregator stabilize_detections delta_filter buffer "
    "heatmap_visualization trace_visualization",
    "tracking": "byte_tracker",
    "visualization": "contours_detection camera_focus text_display",
}
"""What blocks do, by their names without version; those named `…_visualization` draw as well."""


ONE_BY_ONE = Block.run_batch.__func__  # type: ignore[attr-defined]


def describe_workload(workflow: Workflow) -> dict[str, Any]:
    """Nodes, edges, steps with their depth and models, and a summary."""
    steps = [_step(step) for step in workflow.plan.steps.values()]
    return {
        "type": "workflow_introspection_v1",
        "execution_engine_version": ".".join(map(str, ENGINE_VERSION)),
        "nodes": list(_nodes(workflow)),
        "edges": _edges(workflow),
        "steps": steps,
        "summary": _summary(steps),
    }


# --- The graph ----------------------------------------------------------------------------------


def _nodes(workflow: Workflow) -> Iterator[dict[str, Any]]:
    plan = workflow.plan
    for kind, names in (
        ("input", plan.inputs),
        ("step", plan.steps),
        ("output", [output.name for output in plan.outputs]),
    ):
        for name in names:
            yield {"type": "graph_node_v1", "id": f"${kind}s.{name}", "kind": kind}


def _edges(workflow: Workflow) -> list[dict[str, Any]]:
    plan = workflow.plan
    edges = {
        (_node(reference.selector), _id(step), "data")
        for step in plan.steps.values()
        for reference in step.references
    }
    edges |= {
        (f"$steps.{gate}", _id(step), "control")
        for step in plan.steps.values()
        for gate in step.gates
    }
    edges |= {
        (_node(output.selector), f"$outputs.{output.name}", "data") for output in plan.outputs
    }
    return [
        {"type": "graph_edge_v1", "source": source, "target": target, "kind": kind}
        for source, target, kind in sorted(edges)
    ]


def _node(selector: Selector) -> str:
    return f"${selector.source}.{selector.name}"


def _id(step: PlannedStep) -> str:
    return f"$steps.{step.name}"


# --- Steps --------------------------------------------------------------------------------------


def _step(step: PlannedStep) -> dict[str, Any]:
    block = step.definition.block
    operations = _operations(block)
    what = f"What {block.TYPES[0]} does is not known."
    unknown = [] if operations else [_problem("unknown_block", what)]
    return {
        "type": "step_metadata_v1",
        "node_id": _id(step),
        "block_type": block.TYPES[0],
        "input_dimensionality": len(step.levels),
        "output_dimensionality": len(step.output_levels),
        "accepts_batch_input": block.run_batch.__func__ is not ONE_BY_ONE,  # type: ignore[attr-defined]
        "resources": _resources(step),
        "restrictions": _found(_restrictions(operations), unknown),
        "operations": _found(operations, unknown),
    }


def _operations(block: type[Block]) -> list[str]:
    owner, _, rest = block.TYPES[0].rpartition("/")
    name = rest.partition("@")[0]
    if owner != "roboflow_core":
        return []
    done = {operation for operation, names in OPERATIONS.items() if name in names.split()}
    if name.endswith("_visualization"):
        done.add("visualization")
    return sorted(done)


def _restrictions(operations: Sequence[str]) -> list[dict[str, Any]]:
    """What is kept over frames is of one request, or of a stream; it is of no use to one picture."""
    if not {"tracking", "temporal_buffering"} & set(operations):
        return []
    return [
        _restriction(
            "stateful_video_state_resets_on_stateless_http",
            runtimes=["dedicated_deployment", "hosted_serverless"],
            input_modes=["video"],
        ),
        _restriction("temporal_block_no_benefit_on_still_image", input_modes=["image"]),
    ]


def _restriction(code: str, **when: Any) -> dict[str, Any]:
    always = {"runtimes": None, "step_execution_modes": None, "input_modes": None}
    return {
        "type": "restriction_v1",
        "code": code,
        "severity": "soft",
        "when": {
            "type": "restriction_condition_v1",
            **always,
            **when,
            "configuration_equals": {},
        },
    }


def _resources(step: PlannedStep) -> dict[str, Any]:
    """Models, with the selector where a parameter says which."""
    asked = step.definition.model.asks()
    items = [
        {
            "type": "dependent_resource_v1",
            "resource_type": MODEL,
            "metadata": {
                "type": "roboflow_platform_model_v1",
                "model_id": str(model_id),
                "required_action": "execution",
                "execution_location": "environment_defined",
            },
        }
        for model_id in asked
    ]
    return _found(items, [_unresolved(step, each) for each in asked if isinstance(each, Selector)])


MODEL = "roboflow_platform_model"


def _unresolved(step: PlannedStep, selector: Selector) -> dict[str, Any]:
    return _problem(
        "unresolved_selector",
        f"The model of step '{step.name}' is what '{selector}' says, known when it runs.",
        node_id=_id(step),
        declaration="resources",
        field="model_id",
        selector=str(selector),
        resource_type=MODEL,
    )


def _problem(code: str, description: str, **details: Any) -> dict[str, Any]:
    return {
        "type": "discovery_problem_v1",
        "code": code,
        "description": description,
        "details": details,
    }


def _found(items: Sequence[Any], unknown: Sequence[Any] = ()) -> dict[str, Any]:
    return {
        "type": "discovery_v1",
        "items": list(items),
        "complete": not unknown,
        "unknown_reasons": list(unknown),
    }


# --- All in all ---------------------------------------------------------------------------------


def _summary(steps: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    unknown = [reason for step in steps for reason in step["resources"]["unknown_reasons"]]
    return {
        "type": "workflow_summary_v1",
        "models": _found(_models(steps), unknown),
        "max_dimensionality": max((_depth(step) for step in steps), default=0),
        "steps_by_dimensionality": _by_depth(steps),
    }


def _models(steps: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    used: dict[str, list[Mapping[str, Any]]] = {}
    for step in steps:
        for item in step["resources"]["items"]:
            used.setdefault(item["metadata"]["model_id"], []).append(step)
    return [
        {
            "type": "model_summary_v1",
            "provider": "roboflow",
            "model_id": model_id,
            "used_by_steps": [step["node_id"] for step in users],
            "steps_by_dimensionality": _by_depth(users),
            "metadata": None,
            "metadata_status": "unavailable",
        }
        for model_id, users in sorted(used.items())
        if not model_id.startswith("$")
    ]


def _depth(step: Mapping[str, Any]) -> int:
    return int(step["input_dimensionality"])


def _by_depth(steps: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    counted = Counter(_depth(step) for step in steps)
    return {str(depth): counted[depth] for depth in sorted(counted)}


__all__ = ["describe_workload"]
