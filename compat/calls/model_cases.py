"""Calls of models: images, texts and clips, in every form they are taken in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from case import BASE64, CONTEXTS, SEVERAL, TASKS, Case, boxes, registry, vectors

IMAGES = [BASE64, "$jpeg", "$png", "$array", "$grey", "$pil", "$url"]


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
