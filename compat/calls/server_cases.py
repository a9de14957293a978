"""Calls of a server: what it has loaded, workflows, pipelines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from case import BASE64, CONTEXTS, SPECIFICATION, Case, registry


def servers() -> Iterator[Case]:
    info = {"/info": [{"json": {"name": "n", "version": "v", "uuid": "u", "more": 1}}]}
    for mode in ("v1", "v0"):
        for configuration in ({}, {"service_secret": "hush-hush"}, {"api_key_transport": "header"}):
            common = {"mode": mode, "configuration": configuration}
            yield Case("get_server_info", answers=info, **common)
            yield Case("list_loaded_models", answers=registry(), **common)
            models = registry()["/model/registry"]
            for path, method, arguments in (
                ("/model/add", "load_model", {"model_id": "yolov8n-640"}),
                ("/model/add", "load_model", {"model_id": "a/1", "set_as_default": True}),
                ("/model/remove", "unload_model", {"model_id": "yolov8n-640"}),
                ("/model/clear", "unload_all_models", {}),
            ):
                yield Case(method, arguments, answers={path: models}, **common)
            yield Case(
                "get_model_description", {"model_id": "coco/3"}, answers=registry(), **common
            )
            yield Case(
                "get_model_description", {"model_id": "yolov8n-640"}, answers=registry(), **common
            )
            yield Case(
                "get_model_description",
                {"model_id": "other/1", "allow_loading": False},
                answers=registry(),
                **common,
            )
        yield Case("get_server_info", answers={"/info": [{"json": {"name": "n"}}]}, mode=mode)
        yield Case("get_server_info", answers=info, key=None, mode=mode)
        yield Case("list_loaded_models", answers=registry(), key=None, mode=mode)
        for context in CONTEXTS:
            yield Case("get_server_info", answers=info, mode=mode, context=context)
            yield Case("list_loaded_models", answers=registry(), mode=mode, context=context)


def workflows() -> Iterator[Case]:
    named = {"workspace_name": "w", "workflow_id": "f"}
    outputs = {"*": [{"json": {"outputs": [{"a": 1}], "profiler_trace": []}}]}
    picture = {"type": "base64", "value": "$jpeg64"}
    for mode in ("v1", "v0"):
        for extra in (
            {},
            {"images": {"image": BASE64}},
            {"images": {"image": "$jpeg", "other": [BASE64, "$jpeg"]}},
            {"images": {"image": [[BASE64], [BASE64, BASE64]]}},
            {"images": {"image": [BASE64]}},
            {"images": {"image": []}},
            {"images": {"image": "$array"}},
            {"parameters": {"a": 1, "b": [1, 2], "c": None}},
            {"images": {"image": BASE64}, "parameters": {"image": 5}},
            {"excluded_fields": ["x"]},
            {"excluded_fields": []},
            {"use_cache": False},
            {"workflow_version_id": "v9"},
            {"disable_sinks": True},
            {"enable_profiling": True},
        ):
            yield Case("run_workflow", {**named, **extra}, mode=mode, answers=outputs)
            yield Case(
                "run_workflow",
                {"specification": SPECIFICATION, **extra},
                mode=mode,
                answers=outputs,
            )
        old = {"workspace_name": "w", "workflow_name": "f"}
        yield Case("infer_from_workflow", old, mode=mode, answers=outputs)
        yield Case(
            "infer_from_workflow", {"specification": SPECIFICATION}, mode=mode, answers=outputs
        )
        for wrong in ({}, {"workspace_name": "w"}, {**named, "specification": SPECIFICATION}):
            yield Case("run_workflow", wrong, mode=mode, answers=outputs)
        for configuration in (
            {"api_key_transport": "header"},
            {"api_key_transport": "both"},
            {"count_inference": True, "service_secret": "hush-hush"},
            {"source": "me", "source_info": "here"},
        ):
            yield Case(
                "run_workflow", named, mode=mode, answers=outputs, configuration=configuration
            )
        for context in CONTEXTS:
            yield Case("run_workflow", named, mode=mode, answers=outputs, context=context)
        yield Case("run_workflow", named, mode=mode, answers=outputs, key=None)
        for form in ("base64", "numpy", "pillow"):
            yield Case(
                "run_workflow",
                named,
                mode=mode,
                configuration={"output_visualisation_format": form},
                answers={
                    "*": [
                        {
                            "json": {
                                "outputs": [
                                    {
                                        "p": picture,
                                        "l": [picture, {"q": picture}],
                                        "n": {"type": "base64"},
                                        "d": {"type": "other", "value": 3},
                                        "e": {"type": "base64", "value": None},
                                    }
                                ]
                            }
                        }
                    ]
                },
            )
        yield Case("run_workflow", named, mode=mode, answers={"*": [{"json": {"x": 1}}]})


def nested_workflow_inputs() -> Iterator[Case]:
    outputs = {"*": [{"json": {"outputs": [{"a": 1}]}}]}
    pictures: list[Any] = [
        "$jpeg",
        "$array",
        "$pil",
        "$url",
        ["$array"],
        [["$array"]],
        [["$jpeg"], ["$array", "$pil"]],
        [[["$jpeg"]]],
        [[]],
        ["$url", BASE64],
        {"type": "url", "value": "http://x/y.jpg"},
        None,
        7,
    ]
    for configuration in ({}, {"client_downsizing_disabled": False, "default_max_input_size": 16}):
        for picture in pictures:
            for target in (
                {"workspace_name": "w", "workflow_id": "f"},
                {"specification": SPECIFICATION},
            ):
                yield Case(
                    "run_workflow",
                    {**target, "images": {"image": picture}},
                    configuration=configuration,
                    answers=outputs,
                )
    for parameters in ({"image": [BASE64]}, {"n": {"m": [1, 2, None]}}, {"text": "é"}, {}):
        yield Case(
            "run_workflow",
            {"workspace_name": "w", "workflow_id": "f", "parameters": parameters},
            answers=outputs,
        )


def pipelines() -> Iterator[Case]:
    for mode in ("v1", "v0"):
        start = "start_inference_pipeline_with_workflow"
        for arguments in (
            {"video_reference": "v.mp4", "workflow_specification": SPECIFICATION},
            {"video_reference": ["a", 0], "workspace_name": "w", "workflow_id": "f"},
            {
                "video_reference": 0,
                "workflow_specification": SPECIFICATION,
                "max_fps": 5,
                "image_input_name": "i",
                "workflows_parameters": {"a": 1},
                "source_buffer_filling_strategy": "WAIT",
                "source_buffer_consumption_strategy": None,
                "video_source_properties": {"frame_width": 5.0},
                "batch_collection_timeout": 0.5,
                "results_buffer_size": 3,
            },
            {"video_reference": "v.mp4"},
        ):
            yield Case(start, arguments, mode=mode)
        yield Case("list_inference_pipelines", mode=mode)
        for method in (
            "get_inference_pipeline_status",
            "pause_inference_pipeline",
            "resume_inference_pipeline",
            "terminate_inference_pipeline",
            "consume_inference_pipeline_result",
        ):
            for context in ({}, *CONTEXTS):
                yield Case(method, {"pipeline_id": "p-1"}, mode=mode, context=context)
            yield Case(method, {"pipeline_id": ""}, mode=mode)
            for configuration in (
                {"api_key_transport": "header"},
                {"service_secret": "hush-hush", "count_inference": False},
            ):
                yield Case(method, {"pipeline_id": "p"}, mode=mode, configuration=configuration)
        yield Case(
            "consume_inference_pipeline_result",
            {"pipeline_id": "p", "excluded_fields": ["a"]},
            mode=mode,
        )
