"""The calls of the API as a table: what a method sends, and what it makes of the answer.

Executable form of the contract's page on HTTP. A row is one way to call one method; tests run
each sync and async, in API v0 and v1.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from inference_sdk import (
    InferenceConfiguration,
    InferenceHTTPClient,
    InferenceSDKDeprecationWarning,
)
from inference_sdk.http.entities import ModelDescription, RegisteredModels, ServerInfo
from tests.recording_server import Recorded, RecordingServer

KEY = "the-secret-api-key"
IMAGE = "R0lGODlhaW1hZ2U="
"""An image reference that travels unchanged."""

PICTURE = {"type": "base64", "value": IMAGE}
"""How it looks in a JSON body."""

Answers = Callable[[list[str]], Any]
"""What a server answers to images, given by their base64."""


def one_or_many(images: list[str]) -> Any:
    results = [result_of(image) for image in images]
    return results if len(results) > 1 else results[0]


def always_a_list(images: list[str]) -> Any:
    return [result_of(image) for image in images]


def one_for_all(images: list[str]) -> Any:
    """One answer with a vector for each image, as embeddings come."""
    vectors = [[float(len(image)), 0.5] for image in images]
    return {"frame_id": None, "time": 0.25, "model": "m", "embeddings": vectors}


def result_of(image: str) -> dict[str, Any]:
    return {"of": image}


def embedding_of(image: str) -> dict[str, Any]:
    return one_for_all([image])


@dataclass(frozen=True)
class Row:
    """One way to call one method."""

    method: str
    path: str
    arguments: dict[str, Any] = field(default_factory=dict)
    body: dict[str, Any] | None = field(default_factory=dict)
    """The JSON body beside the key, and beside `image` of image calls; None for no body."""
    verb: str = "POST"
    key: str = "moves"
    """"moves" (body in v1, query in v0), "query", "body" (the same in both) or "nowhere"."""
    modes: tuple[str, ...] = ("v0", "v1")
    answer: Any = field(default_factory=lambda: {"answer": 42})
    result: Any = None
    """What the method returns; None for the answer as it is."""
    before: dict[str, Any] = field(default_factory=dict)
    """Answers to requests that the call makes first, by path."""
    warns: bool = False
    """It is deprecated or experimental, and says so."""

    # Of calls that take images:
    images: bool = False
    batched: bool = True
    answers: Answers = one_or_many
    result_of: Callable[[str], Any] = result_of
    several_only: bool = False
    """One image, too, gives a list."""

    @property
    def of_a_model(self) -> bool:
        """Whether it goes to a model: billing and the source of the images travel along."""
        return not re.match(
            "/(info|model|inference_pipelines|infer/workflows)\\b|.*/?workflows/", self.path
        )

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def takes_images(method: str, path: str, body: dict[str, Any] | None = None, **rest: Any) -> Row:
    """A row of a call that takes an image, or a list of them, under `image`."""
    return Row(method, path, body=body or {}, images=True, **rest)


def embeds_images(method: str, path: str, body: dict[str, Any] | None = None, **rest: Any) -> Row:
    return takes_images(method, path, body, answers=one_for_all, result_of=embedding_of, **rest)


def registry(task_type: str, model_id: str = "coco/3") -> dict[str, Any]:
    """An answer of the registry, with one model."""
    return {"models": [{"model_id": model_id, "task_type": task_type}]}


def knows(task_type: str, model_id: str = "coco/3") -> dict[str, Any]:
    """The request that `infer` makes first in v1: the model's task, from the registry."""
    return {"/model/registry": registry(task_type, model_id)}


MODELS = registry("object-detection")
REGISTERED = RegisteredModels(models=[ModelDescription("coco/3", "object-detection")])
INFO = {"name": "server", "version": "0.60.0", "uuid": "abc"}
POINT = {"points": [{"x": 1, "y": 2, "positive": True}]}
WORDS = {"type": "text", "text": "cat"}
SPECIFICATION = {"version": "1.0", "inputs": [], "steps": [], "outputs": []}
INFER_DEFAULTS = {"visualize_predictions": False, "disable_active_learning": False}

SERVER = [
    Row(
        "get_server_info",
        "/info",
        verb="GET",
        body=None,
        answer=INFO,
        result=ServerInfo(**INFO),
        key="nowhere",
    ),
    *(
        Row(answer=MODELS, result=REGISTERED, modes=("v1",), **row)
        for row in (
            {
                "method": "list_loaded_models",
                "path": "/model/registry",
                "verb": "GET",
                "body": None,
                "key": "query",
            },
            {
                "method": "load_model",
                "path": "/model/add",
                "arguments": {"model_id": "yolov8n-640"},
                "body": {"model_id": "coco/3"},
            },
            {
                "method": "unload_model",
                "path": "/model/remove",
                "arguments": {"model_id": "yolov8n-640"},
                "body": {"model_id": "coco/3"},
                "key": "nowhere",
            },
            {
                "method": "unload_all_models",
                "path": "/model/clear",
                "body": None,
                "key": "nowhere",
            },
        )
    ),
    Row(
        "get_model_description",
        "/model/registry",
        {"model_id": "yolov8n-640"},
        verb="GET",
        body=None,
        key="query",
        modes=("v1",),
        answer=MODELS,
        result=REGISTERED.models[0],
    ),
]

READING = [
    takes_images("ocr_image", "/doctr/ocr", batched=False),
    takes_images("ocr_image", "/ocr/trocr", batched=False, arguments={"model": "trocr"}),
    takes_images("ocr_image", "/easy_ocr/ocr", batched=False, arguments={"model": "easy_ocr"}),
    takes_images("ocr_image", "/ocr/pp-ocr", batched=False, arguments={"model": "pp_ocr"}),
    takes_images(
        "ocr_image",
        "/easy_ocr/ocr",
        {
            "easy_ocr_version_id": "english_g2",
            "quantize": False,
            "generate_bounding_boxes": True,
            "language_codes": ["en", "pl"],
        },
        batched=False,
        arguments={
            "model": "Easy_OCR",
            "version": "english_g2",
            "quantize": False,
            "generate_bounding_boxes": True,
            "language_codes": ["en", "pl"],
        },
    ),
    takes_images(
        "ocr_image",
        "/doctr/ocr",
        {"doctr_version_id": "default"},
        batched=False,
        arguments={"version": "default"},
    ),
    takes_images("detect_gazes", "/gaze/gaze_detection", modes=("v1",)),
]

VECTORS = [
    embeds_images("get_clip_image_embeddings", "/clip/embed_image"),
    embeds_images(
        "get_clip_image_embeddings",
        "/clip/embed_image",
        {"clip_version_id": "ViT-B-32"},
        arguments={"clip_version": "ViT-B-32"},
    ),
    Row("get_clip_text_embeddings", "/clip/embed_text", {"text": "cat"}, {"text": "cat"}),
    Row(
        "get_clip_text_embeddings",
        "/clip/embed_text",
        {"text": ["cat", "dog"], "clip_version": "ViT-B-32"},
        {"text": ["cat", "dog"], "clip_version_id": "ViT-B-32"},
    ),
    Row(
        "clip_compare",
        "/clip/compare",
        {"subject": IMAGE, "prompt": ["cat", "dog"]},
        {
            "subject_type": "image",
            "prompt_type": "text",
            "subject": PICTURE,
            "prompt": ["cat", "dog"],
        },
    ),
    Row(
        "clip_compare",
        "/clip/compare",
        {
            "subject": IMAGE,
            "prompt": [IMAGE, IMAGE],
            "prompt_type": "image",
            "clip_version": "ViT-B-32",
        },
        {
            "subject_type": "image",
            "prompt_type": "image",
            "clip_version_id": "ViT-B-32",
            "subject": PICTURE,
            "prompt": [PICTURE, PICTURE],
        },
    ),
    Row(
        "clip_compare",
        "/clip/compare",
        {"subject": "a cat", "prompt": IMAGE, "subject_type": "text", "prompt_type": "image"},
        {"subject_type": "text", "prompt_type": "image", "subject": "a cat", "prompt": PICTURE},
    ),
    Row(
        "clip_compare",
        "/clip/compare",
        {"subject": "a cat", "prompt": "a dog", "subject_type": "text", "prompt_type": "text"},
        {"subject_type": "text", "prompt_type": "text", "subject": "a cat", "prompt": "a dog"},
    ),
    embeds_images("get_perception_encoder_image_embeddings", "/perception_encoder/embed_image"),
    embeds_images(
        "get_perception_encoder_image_embeddings",
        "/perception_encoder/embed_image",
        {"perception_encoder_version_id": "PE-Core-B16-224"},
        arguments={"perception_encoder_version": "PE-Core-B16-224"},
    ),
    Row(
        "get_perception_encoder_text_embeddings",
        "/perception_encoder/embed_text",
        {"text": "cat"},
        {"text": "cat"},
    ),
    Row(
        "get_perception_encoder_text_embeddings",
        "/perception_encoder/embed_text",
        {"text": ["cat"], "perception_encoder_version": "PE-Core-B16-224"},
        {"text": ["cat"], "perception_encoder_version_id": "PE-Core-B16-224"},
    ),
    embeds_images(
        "get_image_embeddings",
        "/infer/embeddings",
        {"model_id": "resnet50", "output_type": "feature_vector"},
        arguments={"model_id": "resnet50"},
    ),
    embeds_images(
        "get_image_embeddings",
        "/infer/embeddings",
        {"model_id": "my/1", "output_type": "logits"},
        arguments={"model_id": "my/1", "output_type": "logits"},
    ),
]

LANGUAGE_AND_DEPTH = [
    takes_images(
        "infer_lmm",
        "/infer/lmm",
        {"model_id": "florence-2-base", "prompt": "<OCR>"},
        arguments={"model_id": "florence-2-base", "prompt": "<OCR>"},
    ),
    takes_images(
        "infer_lmm",
        "/infer/lmm/florence-2-base",
        {"model_id": "florence-2-base", "prompt": "<OCR>"},
        arguments={"model_id": "florence-2-base", "prompt": "<OCR>", "model_id_in_path": True},
    ),
    takes_images(
        "infer_lmm",
        "/infer/lmm",
        {"model_id": "my/1", "max_new_tokens": 64, "enable_thinking": False},
        arguments={"model_id": "my/1", "max_new_tokens": 64, "enable_thinking": False},
    ),
    takes_images(
        "depth_estimation",
        "/infer/depth-estimation",
        {"model_id": "depth-anything-v3/small"},
    ),
    takes_images(
        "depth_estimation",
        "/infer/depth-estimation/yolo26n-depth-768",
        {"model_id": "yolo26n-depth-768", "depth_map_format": "png16"},
        arguments={
            "model_id": "yolo26n-depth-768",
            "model_id_in_path": True,
            "depth_map_format": "png16",
        },
    ),
    takes_images(
        "depth_estimation",
        "/infer/depth-estimation",
        {"model_id": "depth-anything-v3/small", "depth_map_format": "json"},
        arguments={"depth_map_format": "json"},
    ),
    takes_images(
        "infer_from_yolo_world",
        "/yolo_world/infer",
        {"text": ["cat", "dog"]},
        batched=False,
        several_only=True,
        arguments={"class_names": ["cat", "dog"]},
    ),
    takes_images(
        "infer_from_yolo_world",
        "/yolo_world/infer",
        {"text": ["cat"], "yolo_world_version_id": "l", "confidence": 0.2},
        batched=False,
        several_only=True,
        arguments={"class_names": ["cat"], "model_version": "l", "confidence": 0.2},
    ),
]

SEGMENTATION = [
    takes_images(
        "sam2_segment_image",
        "/sam2/segment_image",
        {"sam2_version_id": "hiera_tiny", "multimask_output": True, "format": "json"},
    ),
    takes_images(
        "sam2_segment_image",
        "/sam2/segment_image",
        {
            "sam2_version_id": "hiera_large",
            "multimask_output": False,
            "format": "rle",
            "prompts": {"prompts": [POINT]},
        },
        arguments={
            "prompts": [POINT],
            "sam2_version_id": "hiera_large",
            "multimask_output": False,
            "mask_input_format": "rle",
        },
    ),
    takes_images(
        "sam3_concept_segment",
        "/sam3/concept_segment",
        {
            "model_id": "sam3/sam3_final",
            "prompts": [WORDS],
            "output_prob_thresh": 0.5,
            "format": "polygon",
        },
        arguments={"prompts": [WORDS]},
    ),
    takes_images(
        "sam3_concept_segment",
        "/sam3/concept_segment",
        {
            "model_id": "sam3/other",
            "prompts": [WORDS],
            "output_prob_thresh": 0.0,
            "nms_iou_threshold": 0.9,
            "format": "rle",
        },
        arguments={
            "prompts": [WORDS],
            "model_id": "sam3/other",
            "output_prob_thresh": 0.0,
            "nms_iou_threshold": 0.9,
            "format": "rle",
        },
    ),
    takes_images(
        "sam3_visual_segment",
        "/sam3/visual_segment",
        {"multimask_output": True, "format": "json"},
    ),
    takes_images(
        "sam3_visual_segment",
        "/sam3/visual_segment",
        {"multimask_output": False, "format": "rle", "prompts": {"prompts": [POINT]}},
        arguments={
            "prompts": [POINT],
            "multimask_output": False,
            "mask_input_format": "rle",
        },
    ),
    takes_images("sam3_embed_image", "/sam3/embed_image"),
    takes_images(
        "sam3_embed_image",
        "/sam3/embed_image",
        {"image_id": "street"},
        arguments={"image_id": "street"},
    ),
    Row(
        "sam3_3d_infer",
        "/sam3_3d/infer",
        {"inference_input": IMAGE, "mask_input": [[0, 0, 9, 0, 9, 9]]},
        {
            "image": PICTURE,
            "model_id": "sam3-3d-objects",
            "mask_input": [[0, 0, 9, 0, 9, 9]],
            "output_meshes": True,
            "output_scene": True,
            "with_mesh_postprocess": True,
            "with_texture_baking": True,
            "use_distillations": False,
        },
    ),
    Row(
        "sam3_3d_infer",
        "/sam3_3d/infer",
        {
            "inference_input": [IMAGE],
            "mask_input": {"size": [9, 9], "counts": "x"},
            "model_id": "my/3d",
            "output_meshes": False,
            "output_scene": False,
            "with_mesh_postprocess": False,
            "with_texture_baking": False,
            "use_distillations": True,
        },
        {
            "image": PICTURE,
            "model_id": "my/3d",
            "mask_input": {"size": [9, 9], "counts": "x"},
            "output_meshes": False,
            "output_scene": False,
            "with_mesh_postprocess": False,
            "with_texture_baking": False,
            "use_distillations": True,
        },
    ),
]


def infers(method: str, task: str, path: str, fields: dict[str, Any]) -> Row:
    return takes_images(
        method,
        path,
        {"model_id": "coco/3", **fields},
        arguments={"model_id": "yolov8n-640"},
        before=knows(task),
        modes=("v1",),
    )


INFER = [
    *(
        infers(method, task, path, {**INFER_DEFAULTS, **more})
        for method in ("infer", "infer_from_api_v1")
        for task, path, more in (
            ("object-detection", "/infer/object_detection", {}),
            (
                "instance-segmentation",
                "/infer/instance_segmentation",
                {"allow_reduced_mask_resolution": False},
            ),
            ("classification", "/infer/classification", {}),
            ("keypoint-detection", "/infer/keypoints_detection", {}),
        )
    ),
    *(
        Row(
            method,
            "/infer/action_recognition",
            {"video_reference": "https://host.test/clip.mp4", "model_id": "clips/2"},
            {
                "model_id": "clips/2",
                "video": {"type": "url", "value": "https://host.test/clip.mp4"},
            },
            before=knows("action-recognition", "clips/2"),
            modes=("v1",),
        )
        for method in ("infer_on_video", "infer_on_video_from_api_v1")
    ),
]


def runs_workflow(
    path: str,
    arguments: dict[str, Any],
    fields: dict[str, Any] | None = None,
    method: str = "run_workflow",
    **rest: Any,
) -> Row:
    """A row of a workflow run; `fields` over those that are always sent."""
    always = {"use_cache": True, "enable_profiling": False, "inputs": {}}
    return Row(
        method,
        path,
        arguments,
        {**always, **(fields or {})},
        key="body",
        answer={"outputs": [{"count": 1}], "profiler_trace": []},
        result=[{"count": 1}],
        **rest,
    )


NAMED = {"workspace_name": "my space", "workflow_id": "count-cats"}

WORKFLOWS = [
    runs_workflow("/my space/workflows/count-cats", NAMED),
    runs_workflow(
        "/workflows/run", {"specification": SPECIFICATION}, {"specification": SPECIFICATION}
    ),
    runs_workflow(
        "/my space/workflows/count-cats",
        {**NAMED, "workflow_version_id": "v7"},
        {"workflow_version_id": "v7"},
    ),
    runs_workflow(
        "/my space/workflows/count-cats",
        {
            **NAMED,
            "images": {"image": IMAGE, "others": [[IMAGE], [IMAGE, IMAGE], []]},
            "parameters": {"limit": 7, "names": ["cat"]},
            "excluded_fields": ["picture"],
            "use_cache": False,
            "disable_sinks": True,
        },
        {
            "inputs": {
                "image": PICTURE,
                "others": [[PICTURE], [PICTURE, PICTURE], []],
                "limit": 7,
                "names": ["cat"],
            },
            "excluded_fields": ["picture"],
            "use_cache": False,
            "disable_sinks": True,
        },
    ),
    runs_workflow(
        "/infer/workflows/my space/count-cats",
        {"workspace_name": "my space", "workflow_name": "count-cats", "disable_sinks": True},
        {"disable_sinks": True},
        method="infer_from_workflow",
        warns=True,
    ),
    runs_workflow(
        "/infer/workflows",
        {"specification": SPECIFICATION, "images": {"image": [IMAGE]}, "excluded_fields": []},
        {"specification": SPECIFICATION, "inputs": {"image": [PICTURE]}, "excluded_fields": []},
        method="infer_from_workflow",
        warns=True,
    ),
]

PIPELINE = {"pipeline_id": "pipe-1"}

PIPELINE_DEFAULTS = {
    "video_configuration": {
        "type": "VideoConfiguration",
        "video_reference": "rtsp://camera.test/1",
        "max_fps": None,
        "source_buffer_filling_strategy": "DROP_OLDEST",
        "source_buffer_consumption_strategy": "EAGER",
        "video_source_properties": None,
        "batch_collection_timeout": None,
    },
    "processing_configuration": {
        "type": "WorkflowConfiguration",
        "workflow_specification": None,
        "workspace_name": "my space",
        "workflow_id": "count-cats",
        "image_input_name": "image",
        "workflows_parameters": None,
        "workflows_thread_pool_workers": 4,
        "cancel_thread_pool_tasks_on_exit": True,
        "video_metadata_input_name": "video_metadata",
    },
    "sink_configuration": {"type": "MemorySinkConfiguration", "results_buffer_size": 64},
}

PIPELINES = [
    Row(warns=True, key="body", **row)
    for row in (
        {
            "method": "start_inference_pipeline_with_workflow",
            "path": "/inference_pipelines/initialise",
            "arguments": {"video_reference": "rtsp://camera.test/1", **NAMED},
            "body": PIPELINE_DEFAULTS,
        },
        {
            "method": "start_inference_pipeline_with_workflow",
            "path": "/inference_pipelines/initialise",
            "arguments": {
                "video_reference": [0, "rtsp://camera.test/1"],
                "workflow_specification": SPECIFICATION,
                "image_input_name": "frame",
                "workflows_parameters": {"limit": 7},
                "workflows_thread_pool_workers": 8,
                "cancel_thread_pool_tasks_on_exit": False,
                "video_metadata_input_name": "metadata",
                "max_fps": 10,
                "source_buffer_filling_strategy": "WAIT",
                "source_buffer_consumption_strategy": "LAZY",
                "video_source_properties": {"frame_width": 640.0, "fourcc": "MJPG"},
                "batch_collection_timeout": 0.5,
                "results_buffer_size": 1,
            },
            "body": {
                "video_configuration": {
                    "type": "VideoConfiguration",
                    "video_reference": [0, "rtsp://camera.test/1"],
                    "max_fps": 10,
                    "source_buffer_filling_strategy": "WAIT",
                    "source_buffer_consumption_strategy": "LAZY",
                    "video_source_properties": {"frame_width": 640.0, "fourcc": "MJPG"},
                    "batch_collection_timeout": 0.5,
                },
                "processing_configuration": {
                    "type": "WorkflowConfiguration",
                    "workflow_specification": SPECIFICATION,
                    "workspace_name": None,
                    "workflow_id": None,
                    "image_input_name": "frame",
                    "workflows_parameters": {"limit": 7},
                    "workflows_thread_pool_workers": 8,
                    "cancel_thread_pool_tasks_on_exit": False,
                    "video_metadata_input_name": "metadata",
                },
                "sink_configuration": {
                    "type": "MemorySinkConfiguration",
                    "results_buffer_size": 1,
                },
            },
        },
        {
            "method": "list_inference_pipelines",
            "path": "/inference_pipelines/list",
            "verb": "GET",
        },
        {
            "method": "get_inference_pipeline_status",
            "path": "/inference_pipelines/pipe-1/status",
            "arguments": PIPELINE,
            "verb": "GET",
        },
        {
            "method": "pause_inference_pipeline",
            "path": "/inference_pipelines/pipe-1/pause",
            "arguments": PIPELINE,
        },
        {
            "method": "resume_inference_pipeline",
            "path": "/inference_pipelines/pipe-1/resume",
            "arguments": PIPELINE,
        },
        {
            "method": "terminate_inference_pipeline",
            "path": "/inference_pipelines/pipe-1/terminate",
            "arguments": PIPELINE,
        },
        {
            "method": "consume_inference_pipeline_result",
            "path": "/inference_pipelines/pipe-1/consume",
            "arguments": PIPELINE,
            "body": {"excluded_fields": []},
            "verb": "GET",
        },
        {
            "method": "consume_inference_pipeline_result",
            "path": "/inference_pipelines/pipe-1/consume",
            "arguments": {**PIPELINE, "excluded_fields": ["picture"]},
            "body": {"excluded_fields": ["picture"]},
            "verb": "GET",
        },
    )
]

ROWS = [
    *SERVER,
    *READING,
    *VECTORS,
    *LANGUAGE_AND_DEPTH,
    *SEGMENTATION,
    *INFER,
    *WORKFLOWS,
    *PIPELINES,
]


# -- how tests use the table -------------------------------------------------------------------


def client_for(
    server: RecordingServer, mode: str, key: str | None = KEY, **settings: Any
) -> InferenceHTTPClient:
    """A client of the server, in API "v0" or "v1"."""
    client = InferenceHTTPClient(server.url, key)
    client.configure(InferenceConfiguration(**settings))
    return client.select_api_v0() if mode == "v0" else client.select_api_v1()


@contextmanager
def expected_warning(row: Row) -> Iterator[None]:
    if row.warns:
        with pytest.warns(InferenceSDKDeprecationWarning, match=row.method):
            yield
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            yield


def values_in(picture: Any) -> list[str]:
    pictures = picture if isinstance(picture, list) else [picture]
    return [picture["value"] for picture in pictures]


def set_answers(server: RecordingServer, row: Row) -> None:
    def answer(recorded: Recorded) -> web.Response:
        return web.json_response(row.answers(values_in(recorded.json["image"])))

    for path, registered in row.before.items():
        server.answer(path, registered)
    server.answer(row.path, answer if row.images else row.answer)
