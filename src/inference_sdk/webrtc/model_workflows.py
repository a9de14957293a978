"""Streaming a model without writing a workflow: the one-step workflow around it.

Knows which step serves which task. Asks the platform for a model's task when it is not told.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Optional

import requests

from inference_sdk import config
from inference_sdk.http.errors import (
    HTTPServerConnectionError,
    InvalidServerResponseError,
    ModelTaskTypeNotSupportedError,
    call_error,
)
from inference_sdk.webrtc.config import StreamConfig

if TYPE_CHECKING:
    from requests import Response

IMAGE_INPUT = "image"
IMAGE_OUTPUT = "image"
PREDICTIONS_OUTPUT = "predictions"

TASK_TYPE_TO_BLOCK = {
    task: {
        "block_type": f"roboflow_core/roboflow_{task.replace('-', '_')}_model@v2",
        "predictions_output": PREDICTIONS_OUTPUT,
    }
    for task in (
        "object-detection",
        "instance-segmentation",
        "classification",
        "multi-label-classification",
        "keypoint-detection",
        "semantic-segmentation",
    )
}
"""The step that serves each task, and which of its outputs holds the predictions."""

_ALIASES = {"single-label-classification": "classification"}
_STAT_PATH = "/models/v1/external/stat"
_STAT_TIMEOUT = 10.0


def resolve_task_type(model_id: str, task_type: Optional[str], api_key: Optional[str]) -> str:
    """The task of a model: as given, else asked from the platform.

    Raises:
        ModelTaskTypeNotSupportedError: there is no step for the task.
        HTTPServerConnectionError: the platform cannot be reached.
        HTTPCallErrorError: it does not know the model, or the key.
        InvalidServerResponseError: its answer makes no sense.
    """
    found = task_type if task_type is not None else _ask_task_type(model_id, api_key)
    normal = found.strip().lower().replace("_", "-")
    normal = _ALIASES.get(normal, normal)
    if normal not in TASK_TYPE_TO_BLOCK:
        raise ModelTaskTypeNotSupportedError(
            f"The model {model_id!r} is for {found!r}, which has no streaming step. "
            f"There is one for: {', '.join(TASK_TYPE_TO_BLOCK)}."
        )
    return normal


def build_model_workflow(model_id: str, task_type: str) -> dict[str, Any]:
    """A workflow of one step that runs the model on each frame.

    Raises:
        ModelTaskTypeNotSupportedError: there is no step for the task.
    """
    block = TASK_TYPE_TO_BLOCK[resolve_task_type(model_id, task_type, None)]
    return {
        "version": "1.0",
        "inputs": [{"type": "InferenceImage", "name": IMAGE_INPUT}],
        "steps": [
            {
                "type": block["block_type"],
                "name": "model",
                "images": f"$inputs.{IMAGE_INPUT}",
                "model_id": model_id,
            }
        ],
        "outputs": [
            {
                "type": "JsonField",
                "name": PREDICTIONS_OUTPUT,
                "selector": f"$steps.model.{block['predictions_output']}",
            },
            {
                "type": "JsonField",
                "name": IMAGE_OUTPUT,
                "selector": f"$inputs.{IMAGE_INPUT}",
            },
        ],
    }


def apply_model_id_defaults(config: Optional[StreamConfig]) -> StreamConfig:
    """The configuration, with the model's image as video and its predictions as data.

    What the caller set stays; the predictions are added, since frames are paired with them.
    """
    config = config or StreamConfig()
    stream_output = config.stream_output or [IMAGE_OUTPUT]
    data_output = list(config.data_output)
    if PREDICTIONS_OUTPUT not in data_output:
        data_output.append(PREDICTIONS_OUTPUT)
    return replace(config, stream_output=list(stream_output), data_output=data_output)


def _ask_task_type(model_id: str, api_key: Optional[str]) -> str:
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    url = f"{config.RF_API_BASE_URL}{_STAT_PATH}"
    try:
        response = requests.get(
            url, params={"modelId": model_id}, headers=headers, timeout=_STAT_TIMEOUT
        )
    except requests.RequestException as error:
        raise HTTPServerConnectionError(
            f"Could not ask {url} for the task of {model_id!r} ({type(error).__name__}). "
            "Give task_type, and nothing is asked."
        ) from error
    return _read_task_type(response, model_id, url)


def _read_task_type(response: Response, model_id: str, url: str) -> str:
    if response.status_code >= 400:
        raise call_error(
            f"Asking {url} for the task of {model_id!r}: status {response.status_code}. "
            "Check the model id and the API key, or give task_type.",
            response.status_code,
            response.text[:200] or None,
        )
    try:
        task = response.json()["modelMetadata"]["taskType"]
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidServerResponseError(
            f"{url} did not tell the task of {model_id!r}. Give task_type."
        ) from error
    if not isinstance(task, str):
        raise InvalidServerResponseError(f"{url} tells no task of {model_id!r}. Give task_type.")
    return task
