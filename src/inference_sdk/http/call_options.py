"""Options of a single call, such as `infer(…, confidence=0.4)`: which there are, what they set.

An option of a call is a setting of `InferenceConfiguration` that holds for this call only. The two
that everybody types have short names.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields, replace
from typing import Any, Literal, Optional, TypedDict, Union

from inference_sdk.http.entities import (
    SETTINGS_OF_MODELS,
    ColorOrder,
    Confidence,
    HTTPClientMode,
    InferenceConfiguration,
    TaskType,
    VisualisationResponseFormat,
    settings_of_task,
)
from inference_sdk.http.errors import InvalidParameterError

SHORT_NAMES = {
    "confidence": "confidence_threshold",
    "keypoint_confidence": "keypoint_confidence_threshold",
}
"""Names of servers, and of everybody else, for settings of the configuration."""

Timeout = Union[float, tuple[Optional[float], Optional[float]]]
"""Seconds of silence that end a request, or (connect, read) seconds."""


class ClipOptions(TypedDict, total=False):
    """Options of one call of `infer_on_video`; see `InferenceConfiguration`."""

    class_filter: list[str]
    timeout: Timeout


class TaskOptions(TypedDict, total=False):
    """Options of one call of a task with arguments of its own, such as `ocr_image`."""

    color_order: ColorOrder
    timeout: Timeout


class TextOptions(TypedDict, total=False):
    """Options of one call that sends texts."""

    timeout: Timeout


class WorkflowOptions(TypedDict, total=False):
    """Options of one call of `run_workflow`; the workflow's own inputs are its `parameters`."""

    color_order: ColorOrder
    output_visualisation_format: VisualisationResponseFormat
    timeout: Timeout


class InferenceOptions(TypedDict, total=False):
    """Options of one call of `infer`, `infer_many` or `infer_on_stream`.

    They are settings of `InferenceConfiguration`, of the same name unless said otherwise. Of those
    that concern the model, a call takes what the model's task knows.
    """

    confidence: Confidence
    """`confidence_threshold`: detections below it are left out."""
    keypoint_confidence: float
    """`keypoint_confidence_threshold`."""
    iou_threshold: float
    max_detections: int
    max_candidates: int
    class_filter: list[str]
    class_agnostic_nms: bool
    fix_batch_size: bool
    mask_decode_mode: str
    tradeoff_factor: float
    response_mask_format: Literal["polygon", "rle"]
    allow_reduced_mask_resolution: bool
    include_anomaly_map: bool
    visualize_predictions: bool
    visualize_labels: bool
    stroke_width: int
    format: str
    output_visualisation_format: VisualisationResponseFormat
    disable_preproc_auto_orientation: bool
    disable_preproc_contrast: bool
    disable_preproc_grayscale: bool
    disable_preproc_static_crop: bool
    disable_active_learning: bool
    active_learning_target_dataset: str
    color_order: ColorOrder
    timeout: Timeout


OF_CLIPS = frozenset(ClipOptions.__annotations__)
OF_TASKS = frozenset(TaskOptions.__annotations__)
OF_TEXTS = frozenset(TextOptions.__annotations__)
OF_WORKFLOWS = frozenset(WorkflowOptions.__annotations__)
OF_IMAGES = frozenset(InferenceOptions.__annotations__)


def full_name(option: str) -> str:
    """Name of the setting that an option stands for."""
    return SHORT_NAMES.get(option, option)


def require_known(
    options: Iterable[str], known: frozenset[str], arguments: Collection[str] = ()
) -> None:
    """Refuse options that a call does not take; a setting's own name is as good as its short one.

    Args:
        options: names that a call was given.
        known: options that it takes.
        arguments: its other arguments, which may have been meant.

    Raises:
        InvalidParameterError: names the option, and the one that was probably meant.
    """
    settings = {full_name(option) for option in known}
    for option in options:
        if full_name(option) not in settings:
            meant = _meant(option, {*known, *arguments})
            raise InvalidParameterError(f"There is no option {option!r}{meant}")


def require_of_task(
    options: Iterable[str], mode: HTTPClientMode, task: TaskType, model_id: str
) -> None:
    """Refuse options, by their settings' names, that the model would pass over in silence.

    Raises:
        InvalidParameterError: names the option, and those that there are.
    """
    known = settings_of_task(mode, task)
    for option in sorted(options):
        if option in SETTINGS_OF_MODELS - known:
            raise InvalidParameterError(
                f"{_short_name(option)!r} is no option of {model_id!r}: {_of_what(mode, task)} "
                f"takes {', '.join(sorted(map(_short_name, known)))}."
            )


def _of_what(mode: HTTPClientMode, task: TaskType) -> str:
    return "API v0" if mode is HTTPClientMode.V0 else f"the task {task}"


def _short_name(setting: str) -> str:
    short = {full: name for name, full in SHORT_NAMES.items()}
    return short.get(setting, setting)


def configured(
    configuration: InferenceConfiguration, timeout: Timeout | None, changes: Mapping[str, Any]
) -> InferenceConfiguration:
    """A configuration with some of its settings changed.

    Raises:
        InvalidParameterError: there is no such setting, or its value is out of range.
    """
    known = {field.name for field in fields(InferenceConfiguration)}
    settings = {full_name(name): value for name, value in changes.items()}
    for name in settings:
        if name not in known:
            raise InvalidParameterError(
                f"with_options() knows no option {name!r}{_meant(name, {*known, *SHORT_NAMES})}"
            )
    limits: dict[str, float | None] = {}
    if isinstance(timeout, tuple):
        limits = {"connect_timeout": timeout[0], "read_timeout": timeout[1]}
    elif timeout is not None:
        limits = {"read_timeout": timeout}
    return replace(configuration, **{**limits, **settings})


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The name that was probably meant; None where none is near."""
    from difflib import get_close_matches

    found = get_close_matches(name.lower(), list(names), n=1, cutoff=0.6)
    return found[0] if found else None


def _meant(name: str, names: Collection[str]) -> str:
    found = nearest(name, names)
    return f"; did you mean {found!r}?" if found else f". It is one of {', '.join(sorted(names))}."
