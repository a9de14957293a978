# pyright: strict
"""What users write, for mypy and pyright in their strictest modes: never run, only checked.

`assert_type` fails the check where the inferred type is another one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from typing_extensions import assert_type

from inference_sdk import (
    HTTPCallErrorError,
    HTTPClientError,
    InferenceConfiguration,
    InferenceHTTPClient,
    batch,
)
from inference_sdk.http.entities import PingResult
from inference_sdk.local import LocalServer
from inference_sdk.types import (
    AnyResult,
    ClassificationResult,
    DepthResult,
    Detection,
    EmbeddingResult,
    GazeResult,
    InferenceResult,
    LanguageResult,
    OCRResult,
    SimilarityResult,
    is_classification,
    is_multi_label,
)
from inference_sdk.webrtc import StreamConfig, VideoFileSource, VideoMetadata

client = InferenceHTTPClient("http://localhost:9001", api_key="…")


def detections(path: str, frame: npt.NDArray[np.uint8]) -> list[str]:
    result = client.infer(path, model_id="coco/3", confidence=0.4, class_filter=["cat"])
    assert_type(result, InferenceResult)
    first = result["predictions"][0]
    assert_type(first, Detection)
    assert_type(first["class"], str)
    assert_type(first["confidence"], float)
    assert_type(result["image"]["width"], int)
    for point in first.get("points", []):
        assert_type(point["x"], float)
    for keypoint in first.get("keypoints", []):
        assert_type(keypoint["class"], str)
    assert_type(client.infer(frame, "coco/3", color_order="rgb", timeout=5), InferenceResult)
    assert_type(client.infer([path, frame], "coco/3"), list[InferenceResult])
    paths = [path, path]
    for each in client.infer(paths, "coco/3"):
        assert_type(each, InferenceResult)
    return [prediction["class"] for prediction in result["predictions"]]


def kinds(result: AnyResult) -> str:
    if is_classification(result):
        assert_type(result, ClassificationResult)
        return result["top"]
    if is_multi_label(result):
        return ", ".join(result["predicted_classes"])
    return ""


def many(images: Iterator[npt.NDArray[np.uint8]], ordered: bool) -> None:
    for result in client.infer_many(images, model_id="coco/3"):
        assert_type(result, InferenceResult)
    for outcome in client.infer_many(images, "coco/3", on_error="return"):
        assert_type(outcome, InferenceResult | HTTPClientError)
        if not isinstance(outcome, HTTPClientError):
            assert_type(outcome["predictions"], list[Detection])
    for pair in client.infer_many(images, "coco/3", ordered=False):
        assert_type(pair, tuple[int, InferenceResult])
    for place, outcome in client.infer_many(images, "coco/3", ordered=False, on_error="return"):
        assert_type(place, int)
        assert_type(outcome, InferenceResult | HTTPClientError)
    for either in client.infer_many(images, "coco/3", ordered=ordered):
        if isinstance(either, tuple):
            assert_type(either[0], int)


def video(path: str) -> None:
    for name, frame, result in client.infer_on_stream(path, "coco/3", confidence=0.5):
        assert_type(name, str | int)
        pixels: npt.NDArray[np.uint8] = frame
        assert_type(pixels.ndim, int)
        assert_type(result, InferenceResult)


def other_tasks(path: str) -> None:
    assert_type(client.ocr_image(path), OCRResult)
    assert_type(client.ocr_image(path, timeout=5)["result"], str)
    assert_type(client.ocr_image([path, path], model="easy_ocr"), list[OCRResult])
    assert_type(client.depth_estimation(path, depth_map_format="png16"), DepthResult)
    assert_type(client.get_clip_image_embeddings(path), EmbeddingResult)
    assert_type(client.get_clip_image_embeddings([path, path]), list[EmbeddingResult])
    assert_type(client.get_clip_text_embeddings("a cat")["embeddings"], list[list[float]])
    assert_type(client.clip_compare(path, ["cat", "dog"], prompt_type="text"), SimilarityResult)
    assert_type(client.get_image_embeddings(path, "resnet50"), EmbeddingResult)
    assert_type(client.infer_lmm(path, "florence-2-base", prompt="<OCR>"), LanguageResult)
    assert_type(client.sam2_segment_image(path), dict[str, Any])
    assert_type(client.sam3_concept_segment([path, path], prompts=[]), list[dict[str, Any]])
    assert_type(client.infer_from_yolo_world(path, ["cat"]), list[InferenceResult])
    gazes = client.detect_gazes(path)
    assert_type(gazes, GazeResult)
    assert_type(gazes["predictions"][0]["yaw"], float)
    assert_type(gazes["predictions"][0]["face"]["width"], float)


def workflows(path: str) -> None:
    outputs = client.run_workflow(
        workspace_name="mine",
        workflow_id="count",
        images={"image": [path, path]},
        parameters={"confidence": 0.4},
    )
    assert_type(outputs, list[dict[str, Any]])


def settings() -> None:
    patient = client.with_options(timeout=600, max_concurrent_requests=8)
    assert_type(patient, InferenceHTTPClient)
    with client.use_configuration(InferenceConfiguration(confidence_threshold=0.5)) as same:
        assert_type(same, InferenceHTTPClient)
    with InferenceHTTPClient("http://localhost:9001") as closing:
        assert_type(closing.ping(), PingResult)


def errors(path: str) -> int:
    try:
        client.infer(path, "coco/3")
    except HTTPCallErrorError as error:
        assert_type(error.status_code, int)
        return error.status_code
    return 0


async def with_asyncio(path: str) -> None:
    async with InferenceHTTPClient("http://localhost:9001") as one:
        assert_type(await one.infer_async(path, "coco/3"), InferenceResult)
        assert_type(await one.infer_async([path, path], "coco/3"), list[InferenceResult])
        assert_type(await one.ocr_image_async([path, path]), list[OCRResult])
        assert_type(await one.detect_gazes_async(path), GazeResult)
        assert_type(await one.ping_async(), PingResult)
        assert_type(await one.run_workflow_async(specification={}), list[dict[str, Any]])
        async for result in one.infer_many_async([path], "coco/3"):
            assert_type(result, InferenceResult)
        async for _, _, found in one.infer_on_stream_async(path, "coco/3"):
            assert_type(found["predictions"], list[Detection])


def live(path: str) -> None:
    source = VideoFileSource(path)
    session = client.webrtc.stream(source, model_id="coco/3", config=StreamConfig())

    @session.on_frame
    def show(frame: npt.NDArray[np.uint8], metadata: VideoMetadata) -> None: ...

    @session.on_data("predictions")
    def take(value: dict[str, Any], metadata: VideoMetadata) -> None: ...

    @session.on_error
    def complain(texts: list[str]) -> None: ...

    session.run()


def big_job(folder: str) -> int:
    def report(progress: batch.Progress) -> None: ...

    summary = batch.run(folder, "out.jsonl", client=client, model_id="coco/3", report=report)
    assert_type(summary, batch.Summary)
    with LocalServer() as server:
        assert_type(server.url, str)
    return 0
