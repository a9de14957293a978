"""The calls that are compared: each a client's settings, a method, its arguments, the answers.

Written in values that every version understands; `run.py` carries them out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

KEY = "a-key-of-nineteen-c"
BASE64 = "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAAAAABX3VL4AAAADklEQVR4nGPkZGBiYAAAAD8ADdx46sQAAAAASUVORK5CYII="
"""A grey PNG of 2x2."""


@dataclass(frozen=True)
class Case:
    method: str
    arguments: dict[str, Any] = field(default_factory=dict)
    mode: str = "v1"
    key: str | None = KEY
    configuration: dict[str, Any] = field(default_factory=dict)
    model: str | None = None
    answers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    context: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    concurrent: bool = False

    @property
    def name(self) -> str:
        parts = [self.mode, self.method]
        for label, value in (
            ("", self.arguments),
            ("configuration", self.configuration),
            ("context", self.context),
            ("environment", self.environment),
            ("model", self.model),
            ("key", None if self.key == KEY else [self.key]),
            ("answers", self.answers),
        ):
            if value:
                parts.append(f"{label} {json.dumps(value, default=str, sort_keys=True)[:160]}")
        return " | ".join(parts)


IMAGES = [BASE64, "$jpeg", "$png", "$array", "$grey", "$pil", "$url"]
SEVERAL = ["$jpeg", BASE64, "$array"]

SPECIFICATION = {"version": "1.0", "inputs": [], "steps": [], "outputs": []}


def registry(task: str = "object-detection", model: str = "coco/3", **rest: Any) -> dict[str, Any]:
    models = [{"model_id": model, "task_type": task, "batch_size": 1, **rest}]
    return {"/model/registry": [{"json": {"models": models}}]}


def vectors(count: int = 1) -> dict[str, Any]:
    embeddings = [[n + 0.25, 0.5] for n in range(count)]
    return {"frame_id": None, "time": 0.25, "embeddings": embeddings}


def boxes(**image: int) -> dict[str, Any]:
    box = {"x": 50.0, "y": 20.0, "width": 10.0, "height": 6.0, "confidence": 0.5, "class": "a"}
    return {"time": 1.0, "image": image or {"width": 64, "height": 48}, "predictions": [box]}


IMAGE_CALLS: list[tuple[str, list[dict[str, Any]]]] = [
    (
        "ocr_image",
        [
            {},
            {"model": "trocr"},
            {"model": "easy_ocr", "language_codes": ["en"], "quantize": True},
            {"model": "doctr", "version": "v1", "generate_bounding_boxes": False},
            {"model": "pp_ocr"},
            {"model": "DocTR"},
        ],
    ),
    ("detect_gazes", [{}]),
    ("get_clip_image_embeddings", [{}, {"clip_version": "ViT-B-32"}]),
    ("get_perception_encoder_image_embeddings", [{}, {"perception_encoder_version": "PE"}]),
    (
        "get_image_embeddings",
        [{"model_id": "resnet50"}, {"model_id": "my/1", "output_type": "logits"}],
    ),
    (
        "infer_lmm",
        [
            {"model_id": "florence-2-base", "prompt": "<OCR>"},
            {"model_id": "florence-2-base", "prompt": "<OCR>", "model_id_in_path": True},
            {"model_id": "my/1"},
            {"model_id": "my/1", "max_new_tokens": 5, "enable_thinking": True},
        ],
    ),
    (
        "depth_estimation",
        [
            {},
            {"model_id": "yolo26n-depth-768"},
            {"depth_map_format": "json"},
            {"depth_map_format": "png16", "model_id_in_path": True},
        ],
    ),
    (
        "infer_from_yolo_world",
        [
            {"class_names": ["cat"]},
            {"class_names": ["cat", "dog"], "model_version": "l", "confidence": 0.3},
        ],
    ),
    (
        "sam2_segment_image",
        [
            {},
            {"prompts": [{"points": [{"x": 1, "y": 2, "positive": True}]}]},
            {"prompts": [], "sam2_version_id": "hiera_large", "multimask_output": False},
            {"mask_input_format": "rle"},
        ],
    ),
    (
        "sam3_concept_segment",
        [
            {"prompts": [{"type": "text", "text": "cat"}]},
            {"prompts": [], "output_prob_thresh": 0.1, "nms_iou_threshold": 0.5, "format": "rle"},
            {"prompts": [], "model_id": "sam3/x"},
        ],
    ),
    (
        "sam3_visual_segment",
        [{}, {"prompts": [{"box": {"x": 1, "y": 1, "width": 2, "height": 2}}]}, {"prompts": []}],
    ),
    ("sam3_embed_image", [{}, {"image_id": "street"}]),
]


def image_calls() -> Iterator[Case]:
    for method, argument_sets in IMAGE_CALLS:
        embeds = "embed" in method and method != "sam3_embed_image"
        for mode in ("v1", "v0"):
            for arguments in argument_sets:
                answers = {"*": [{"json": vectors()}]} if embeds else {}
                yield Case(
                    method,
                    {"inference_input": BASE64, **arguments},
                    mode=mode,
                    answers=answers,
                )
            first = argument_sets[0]
            for image in IMAGES[1:]:
                answers = {"*": [{"json": vectors()}]} if embeds else {}
                yield Case(method, {"inference_input": image, **first}, mode=mode, answers=answers)
            for size in (1, 2, 4):
                answers = {}
                if embeds:
                    counts = {1: (1, 1, 1), 2: (2, 1), 4: (3,)}[size]
                    answers = {"*": [{"json": vectors(n)} for n in counts]}
                yield Case(
                    method,
                    {"inference_input": SEVERAL, **first},
                    mode=mode,
                    configuration={"max_batch_size": size},
                    answers=answers,
                )
        yield Case(method, {"inference_input": 7, **argument_sets[0]})
        yield Case(
            method,
            {"inference_input": BASE64, **argument_sets[0]},
            answers={"*": [{"status": 500, "json": {"message": "broken"}}]},
        )


TASKS = ["object-detection", "instance-segmentation", "classification", "keypoint-detection"]

SETTINGS: list[dict[str, Any]] = [
    {},
    {"confidence_threshold": 0.25, "iou_threshold": 0.5, "max_detections": 5},
    {"confidence_threshold": "best"},
    {"class_filter": ["a", "b"], "class_agnostic_nms": True, "fix_batch_size": True},
    {"visualize_predictions": True, "visualize_labels": True, "stroke_width": 2},
    {"disable_preproc_auto_orientation": True, "disable_preproc_contrast": False},
    {"source": "me", "source_info": "here"},
    {"count_inference": False, "service_secret": "hush-hush"},
    {"active_learning_target_dataset": "d", "disable_active_learning": True},
    {"mask_decode_mode": "fast", "tradeoff_factor": 0.5, "keypoint_confidence_threshold": 0.1},
    {"format": "image", "max_candidates": 9},
    {"allow_reduced_mask_resolution": True, "response_mask_format": "rle"},
    {"include_anomaly_map": True},
    {"api_key_transport": "both"},
    {"api_key_transport": "header"},
    {"max_batch_size": 2},
]

CONTEXTS: list[dict[str, Any]] = [
    {"execution_id": "run-1"},
    {"usage_source_tags": {"source": "tagged"}},
    {"usage_source_tags": {"source_info": "si", "extra": "e"}},
    {"outbound_service_secret": "outer-secret"},
    {"apply_duration_minimum": True},
]


def inferences() -> Iterator[Case]:
    for task in TASKS:
        for configuration in SETTINGS:
            yield Case(
                "infer",
                {"inference_input": BASE64, "model_id": "coco/3"},
                configuration=configuration,
                answers=registry(task),
            )
    for configuration in SETTINGS:
        yield Case(
            "infer",
            {"inference_input": BASE64, "model_id": "coco/3"},
            mode="v0",
            configuration=configuration,
        )


def inputs() -> Iterator[Case]:
    """What `infer` takes: images, models, keys."""
    for mode in ("v1", "v0"):
        for image in IMAGES:
            yield Case(
                "infer",
                {"inference_input": image, "model_id": "yolov8n-640"},
                mode=mode,
                answers=registry(),
            )
        for several in (SEVERAL, [BASE64], [[BASE64], [BASE64, BASE64]], []):
            for size in (1, 2):
                yield Case(
                    "infer",
                    {"inference_input": several, "model_id": "coco/3"},
                    mode=mode,
                    configuration={"max_batch_size": size},
                    answers=registry(),
                )
        yield Case("infer", {"inference_input": BASE64}, mode=mode, answers=registry())
        yield Case(
            "infer", {"inference_input": BASE64}, mode=mode, model="coco/3", answers=registry()
        )
        yield Case(
            "infer",
            {"inference_input": BASE64, "model_id": "coco/3"},
            mode=mode,
            key=None,
            answers=registry(),
        )
        for bad in ("coco", "a/b/c", "workspace/project/3", ""):
            yield Case(
                "infer",
                {"inference_input": BASE64, "model_id": bad},
                mode=mode,
                answers=registry(),
            )
        for context in CONTEXTS:
            yield Case(
                "infer",
                {"inference_input": BASE64, "model_id": "coco/3"},
                mode=mode,
                context=context,
                environment={"ROBOFLOW_INTERNAL_SERVICE_SECRET": "internal"},
                answers=registry(),
            )
    yield Case(
        "infer",
        {"inference_input": BASE64, "model_id": "coco/9"},
        answers={
            **registry(),
            "/model/add": [{"json": {"models": [{"model_id": "coco/9", "task_type": TASKS[0]}]}}],
        },
    )
    yield Case("infer", {"inference_input": BASE64, "model_id": "coco/9"}, answers=registry())
    for task in ("lmm", "action-recognition", "semantic-segmentation", "embedding"):
        yield Case(
            "infer",
            {"inference_input": BASE64, "model_id": "coco/3"},
            answers=registry(task),
        )


def scaled() -> Iterator[Case]:
    """Answers to pictures that were scaled down, 128x96 to 64x48."""
    points = {"points": [{"x": 8, "y": 4}]}
    keypoints = {"keypoints": [{"x": 8, "y": 4, "confidence": 0.5}]}
    box = boxes()["predictions"][0]
    results = [
        boxes(),
        {**boxes(), "predictions": []},
        {"time": 1.0, "image": {"width": 64, "height": 48}},
        {"image": {"width": 64, "height": 48}, "predictions": {"cat": {"confidence": 0.5}}},
        {"image": {"width": 64, "height": 48}, "predictions": [{"class": "cat", "confidence": 1}]},
        {**boxes(), "is_stub": True},
        {**boxes(), "predictions": [{**box, **points}]},
        {**boxes(), "predictions": [{**box, **keypoints}]},
        {"predictions": [box]},
        {"image": [{"width": 64, "height": 48}], "predictions": [box]},
        {**boxes(), "visualization": "$jpeg64"},
    ]
    configuration = {"client_downsizing_disabled": False, "default_max_input_size": 64}
    for mode in ("v1", "v0"):
        for result in results:
            path = "/infer/object_detection" if mode == "v1" else "/coco/3"
            yield Case(
                "infer",
                {"inference_input": "$wide", "model_id": "coco/3"},
                mode=mode,
                configuration=configuration,
                answers={
                    **registry(input_height=64, input_width=64),
                    path: [{"json": result}],
                },
            )
        for image in ("$array", "$grey", "$wide", "$png", "$pil", BASE64, "$url"):
            for size in (32, 1024):
                yield Case(
                    "infer",
                    {"inference_input": image, "model_id": "coco/3"},
                    mode=mode,
                    configuration={**configuration, "default_max_input_size": size},
                    answers=registry(),
                )


def visualised() -> Iterator[Case]:
    for mode, path in (("v1", "/infer/object_detection"), ("v0", "/coco/3")):
        for form in ("base64", "numpy", "pillow"):
            for answer in (
                {"json": {**boxes(), "visualization": "$jpeg64"}},
                {"json": {**boxes(), "visualization": "$png16"}},
                {"json": {**boxes(), "visualization": None}},
                {"raw": "$jpeg64", "headers": {"Content-Type": "image/jpeg"}},
            ):
                if mode == "v1" and "raw" in answer:
                    continue
                yield Case(
                    "infer",
                    {"inference_input": BASE64, "model_id": "coco/3"},
                    mode=mode,
                    configuration={"output_visualisation_format": form},
                    answers={**registry(), path: [answer]},
                )


def texts() -> Iterator[Case]:
    for mode in ("v1", "v0"):
        for text in ("cat", ["cat", "dog"], []):
            for method, version in (
                ("get_clip_text_embeddings", "clip_version"),
                ("get_perception_encoder_text_embeddings", "perception_encoder_version"),
            ):
                yield Case(method, {"text": text}, mode=mode)
                yield Case(method, {"text": text, version: "x"}, mode=mode)
        for kinds in (("image", "text"), ("text", "text"), ("text", "image"), ("image", "image")):
            values = {"image": "$jpeg", "text": "cat"}
            lists = {"image": ["$jpeg", BASE64], "text": ["cat", "dog"]}
            arguments = {"subject_type": kinds[0], "prompt_type": kinds[1]}
            for prompt in (values, lists):
                for version in ({}, {"clip_version": "x"}):
                    yield Case(
                        "clip_compare",
                        {
                            "subject": values[kinds[0]],
                            "prompt": prompt[kinds[1]],
                            **arguments,
                            **version,
                        },
                        mode=mode,
                    )
        yield Case("clip_compare", {"subject": "a", "prompt": "b", "subject_type": "x"}, mode=mode)
        for mask in ([[0, 0, 1, 0, 1, 1]], {"size": [4, 4], "counts": "x"}, None):
            yield Case("sam3_3d_infer", {"inference_input": BASE64, "mask_input": mask}, mode=mode)
        yield Case(
            "sam3_3d_infer",
            {
                "inference_input": "$jpeg",
                "mask_input": [],
                "output_meshes": False,
                "use_distillations": True,
            },
            mode=mode,
        )
        yield Case(
            "sam3_3d_infer", {"inference_input": [BASE64, BASE64], "mask_input": []}, mode=mode
        )


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


def clips() -> Iterator[Case]:
    for mode in ("v1", "v0"):
        for video in ("$clip", "http://videos.test/v.mp4"):
            for configuration in (
                {},
                {"class_filter": ["a", "b"]},
                {"count_inference": False, "service_secret": "hush-hush"},
                {"confidence_threshold": 0.3, "source": "me", "source_info": "x"},
                {"api_key_transport": "header"},
            ):
                yield Case(
                    "infer_on_video",
                    {"video_reference": video, "model_id": "clips/2"},
                    mode=mode,
                    configuration=configuration,
                    answers=registry("action-recognition", "clips/2"),
                )
        for context in CONTEXTS:
            yield Case(
                "infer_on_video",
                {"video_reference": "$clip", "model_id": "clips/2"},
                mode=mode,
                context=context,
                answers=registry("action-recognition", "clips/2"),
            )
        yield Case(
            "infer_on_video",
            {"video_reference": "$clip", "model_id": "yolov8n-640"},
            mode=mode,
            answers=registry(),
        )
        yield Case(
            "infer_on_video",
            {"video_reference": "/not/there.mp4", "model_id": "clips/2"},
            mode=mode,
            answers=registry("action-recognition", "clips/2"),
        )
    yield Case(
        "infer_on_video",
        {"video_reference": "$clip", "model_id": "clips/2"},
        answers=registry("video-classification", "clips/2"),
    )


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
        for status in (400, 401, 404, 422, 500):
            for body in bodies[: 5 if status == 400 else 1]:
                yield Case(method, arguments, answers={"*": [{"status": status, **body}]})
        yield Case(method, arguments, answers={"*": [{"raw": "bm8ganNvbg=="}]})


def every() -> Iterator[Case]:
    for cases in (
        image_calls,
        inferences,
        inputs,
        scaled,
        visualised,
        texts,
        servers,
        workflows,
        pipelines,
        clips,
        contexts,
        times,
        failures,
    ):
        yield from cases()
