"""What holds for calls of every kind: settings, keys, times, failures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from case import BASE64, CONTEXTS, KEY, SEVERAL, SPECIFICATION, Case, boxes, registry, vectors
from model_cases import IMAGE_CALLS


def contexts() -> Iterator[Case]:
    """Settings and context variables on one call of each kind."""
    calls: list[tuple[str, dict[str, Any]]] = [
        (method, {"inference_input": BASE64, **argument_sets[0]})
        for method, argument_sets in IMAGE_CALLS
    ]
    calls += [
        ("get_clip_text_embeddings", {"text": "a"}),
        ("get_perception_encoder_text_embeddings", {"text": "a"}),
        ("clip_compare", {"subject": BASE64, "prompt": "a"}),
        ("sam3_3d_infer", {"inference_input": BASE64, "mask_input": []}),
    ]
    for method, arguments in calls:
        for mode in ("v1", "v0"):
            common = {"mode": mode, "answers": {"*": [{"json": vectors()}]}}
            for context in CONTEXTS:
                environment = {"ROBOFLOW_INTERNAL_SERVICE_SECRET": "internal"}
                yield Case(method, arguments, context=context, environment=environment, **common)
            for configuration in (
                {"source": "me", "source_info": "here"},
                {"count_inference": True, "service_secret": "hush-hush"},
                {"api_key_transport": "header"},
                {"api_key_transport": "both"},
                {"disable_preproc_contrast": True},
            ):
                yield Case(method, arguments, configuration=configuration, **common)
            yield Case(
                method,
                arguments,
                configuration={"source": "me"},
                context={"usage_source_tags": {"source": "tag", "source_info": "x"}},
                **common,
            )
            yield Case(method, arguments, key=None, **common)


def keys() -> Iterator[Case]:
    """How the key travels, of every kind of call."""
    calls: list[tuple[str, dict[str, Any]]] = [
        ("infer", {"inference_input": BASE64, "model_id": "coco/3"}),
        ("infer", {"inference_input": "$url", "model_id": "yolov8n-640"}),
        ("infer_on_video", {"video_reference": "$clip", "model_id": "coco/3"}),
        ("list_loaded_models", {}),
        ("load_model", {"model_id": "coco/3"}),
        ("unload_model", {"model_id": "coco/3"}),
        ("unload_all_models", {}),
        ("get_server_info", {}),
        ("run_workflow", {"specification": SPECIFICATION, "images": {"image": "$url"}}),
        ("list_inference_pipelines", {}),
        (
            "start_inference_pipeline_with_workflow",
            {"video_reference": "v", "workflow_specification": SPECIFICATION},
        ),
        ("clip_compare", {"subject": "a", "prompt": "b", "subject_type": "text"}),
    ]
    everything = {**registry()["/model/registry"][0]["json"], **vectors(), "outputs": []}
    everything |= {"name": "n", "version": "v", "uuid": "u"}
    for mode in ("v1", "v0"):
        for method, arguments in calls:
            for transport in ("legacy", "both", "header", "query", ""):
                for key in (KEY, None, ""):
                    yield Case(
                        method,
                        arguments,
                        mode=mode,
                        key=key,
                        configuration={"api_key_transport": transport},
                        answers={"*": [{"json": everything}]},
                    )


def times() -> Iterator[Case]:
    headers = {
        "X-Processing-Time": "0.5",
        "X-Model-Id": "a/1, b/2",
        "X-Model-Cold-Start": "true",
        "X-Model-Cold-Start-Count": "2",
        "X-Model-Load-Time": "1.5",
    }
    variants: list[dict[str, str]] = [
        headers,
        {"X-Processing-Time": "0.5"},
        {"X-Processing-Time": "soon"},
        {**headers, "X-Model-Load-Details": '[{"m": "a/1", "t": 1.0}, {"m": "c/3", "t": 0.25}]'},
        {**headers, "X-Model-Id": "a/1", "X-Model-Load-Details": "broken"},
        {"X-Model-Cold-Start": "true"},
        {"X-Model-Cold-Start": "true", "X-Model-Id": "a/1", "X-Model-Load-Time": "2"},
        {"X-Model-Id": "a/1"},
        {"X-Processing-Time": "0.5", "X-Model-Id": "unknown", "X-Model-Cold-Start": "true"},
    ]
    calls: list[tuple[str, dict[str, Any]]] = [
        ("infer_lmm", {"inference_input": BASE64, "model_id": "my/1"}),
        ("get_clip_text_embeddings", {"text": "a"}),
        ("get_clip_text_embeddings", {"text": "a", "clip_version": "V"}),
        ("clip_compare", {"subject": "a", "prompt": "b", "subject_type": "text"}),
        ("clip_compare", {"subject": BASE64, "prompt": "b", "clip_version": "V"}),
        ("get_clip_image_embeddings", {"inference_input": BASE64}),
        ("get_clip_image_embeddings", {"inference_input": BASE64, "clip_version": "V"}),
        ("get_perception_encoder_text_embeddings", {"text": "a"}),
        ("get_perception_encoder_image_embeddings", {"inference_input": BASE64}),
        ("ocr_image", {"inference_input": BASE64}),
        ("run_workflow", {"workspace_name": "w", "workflow_id": "f"}),
        ("list_inference_pipelines", {}),
        ("get_server_info", {}),
        ("list_loaded_models", {}),
        ("load_model", {"model_id": "a/1"}),
        ("infer", {"inference_input": BASE64, "model_id": "coco/3"}),
        ("infer", {"inference_input": BASE64, "model_id": "yolov8n-640"}),
        ("infer_on_video", {"video_reference": "$clip", "model_id": "coco/3"}),
        ("sam2_segment_image", {"inference_input": BASE64}),
        ("depth_estimation", {"inference_input": BASE64}),
    ]
    everything = {"outputs": [], "name": "n", "version": "v", "uuid": "u", **vectors()}
    for method, arguments in calls:
        task = "action-recognition" if method == "infer_on_video" else "object-detection"
        everything["models"] = registry(task)["/model/registry"][0]["json"]["models"]
        for mode in ("v1", "v0"):
            chosen = variants if method in ("infer_lmm", "infer") else variants[:1]
            for given in chosen:
                yield Case(
                    method,
                    arguments,
                    mode=mode,
                    context={"remote_processing_times": True},
                    answers={"*": [{"json": everything, "headers": given}]},
                )


def failures() -> Iterator[Case]:
    bodies: list[dict[str, Any]] = [
        {"json": {"message": "broken"}},
        {"json": {"detail": "not so"}},
        {"json": {"message": "m", "inner_error_message": "inner"}},
        {"json": []},
        {"raw": "bm8ganNvbg==", "headers": {"Content-Type": "text/plain"}},
    ]
    for method, arguments in (
        ("infer_lmm", {"inference_input": BASE64, "model_id": "my/1"}),
        ("list_loaded_models", {}),
        ("run_workflow", {"workspace_name": "w", "workflow_id": "f"}),
        ("list_inference_pipelines", {}),
        ("get_clip_text_embeddings", {"text": "a"}),
    ):
        for status in (400, 401, 402, 403, 404, 409, 413, 422, 500, 501, 502):
            for body in bodies[: 5 if status == 400 else 1]:
                yield Case(method, arguments, answers={"*": [{"status": status, **body}]})
        yield Case(method, arguments, answers={"*": [{"raw": "bm8ganNvbg=="}]})


def failures_of_several() -> Iterator[Case]:
    """One request of several fails, or the look-up before them; or one fails and is tried again."""
    bad = {"status": 400, "json": {"message": "m"}}
    busy = {"status": 503, "json": {"message": "m"}}
    good = {"json": {**boxes(), **vectors()}}
    calls: list[tuple[str, dict[str, Any]]] = [
        ("infer", {"model_id": "coco/3"}),
        ("ocr_image", {}),
        ("get_clip_image_embeddings", {}),
        ("sam2_segment_image", {}),
    ]
    for mode in ("v1", "v0"):
        for method, arguments in calls:
            for answers in ([bad], [good, bad], [good, good, bad], [busy, good]):
                yield Case(
                    method,
                    {"inference_input": SEVERAL, **arguments},
                    mode=mode,
                    answers={**registry(), "*": answers},
                )
        for status in (400, 401, 404, 500):
            error = {"status": status, "json": {"message": "m"}}
            yield Case(
                "infer",
                {"inference_input": BASE64, "model_id": "coco/3"},
                mode=mode,
                answers={"*": [error]},
            )
            yield Case(
                "infer",
                {"inference_input": BASE64, "model_id": "coco/9"},
                mode=mode,
                answers={**registry(), "/model/add": [error]},
            )
        for enabled in (True, False):
            yield Case(
                "run_workflow",
                {"workspace_name": "w", "workflow_id": "f"},
                mode=mode,
                configuration={"workflow_run_retries_enabled": enabled},
                answers={"*": [busy, {"json": {"outputs": []}}]},
            )
