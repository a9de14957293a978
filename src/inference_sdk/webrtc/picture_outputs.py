"""Which outputs of a workflow are pictures, told from its specification. Pure: nothing is asked.

An output is a selector: of an input, or of one output of a step. The steps of Roboflow's workflows
name their outputs by what is in them, so the name tells; steps that give lists of pictures (crops,
slices) are no video.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from inference_sdk.utils.logging import get_logger
from inference_sdk.webrtc.config import is_unset
from inference_sdk.webrtc.errors import WebRTCStartError

if TYPE_CHECKING:
    from inference_sdk.webrtc.config import StreamConfig

logger = get_logger("webrtc.picture_outputs")

_OF_INPUT = re.compile(r"\$inputs\.([^.]+)")
_OF_STEP = re.compile(r"\$steps\.[^.]+\.((?:\w+_)?image|qr_code|visualization_\w+)")
_IMAGE_INPUTS = ("InferenceImage", "WorkflowImage")


def choose_stream_output(config: StreamConfig, workflow: Mapping[str, Any]) -> StreamConfig:
    """The configuration, with the workflow's one picture as video where none was named.

    Args:
        workflow: {"workflow_specification": …}; of one that is named by its id nothing is known.

    Raises:
        WebRTCStartError: it has several pictures; names them.
    """
    if not is_unset(config.stream_output):
        return config
    found = picture_outputs(workflow.get("workflow_specification"))
    if len(found) > 1:
        raise WebRTCStartError(
            f"The workflow has several outputs that are pictures: {', '.join(found)}. Say which "
            f"one to stream: StreamConfig(stream_output=[{found[0]!r}]); or none: stream_output=[]."
        )
    if found:
        logger.info("stream_output was not set: streaming %r, the workflow's one picture.", *found)
    elif "workflow_id" in workflow:
        logger.info("stream_output was not set: the server chooses what to stream.")
    return replace(config, stream_output=found)


def picture_outputs(specification: object) -> list[str]:
    """Names of the outputs that are pictures, in their order; empty where nothing can be told."""
    inputs = {
        entry.get("name")
        for entry in _entries(specification, "inputs")
        if entry.get("type") in _IMAGE_INPUTS
    }
    return [
        str(entry["name"])
        for entry in _entries(specification, "outputs")
        if "name" in entry and _is_picture(str(entry.get("selector")), inputs)
    ]


def _is_picture(selector: str, image_inputs: set[Any]) -> bool:
    of_input = _OF_INPUT.fullmatch(selector)
    if of_input:
        return of_input.group(1) in image_inputs
    return _OF_STEP.fullmatch(selector) is not None


def _entries(specification: object, part: str) -> list[Mapping[str, Any]]:
    listed = specification.get(part) if isinstance(specification, Mapping) else None
    return [entry for entry in listed or () if isinstance(entry, Mapping)]
