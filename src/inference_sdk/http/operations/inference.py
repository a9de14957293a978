"""`infer`: one image, one model, one answer, against either API."""

from __future__ import annotations

from functools import partial
from typing import Any

from inference_sdk.http import endpoints
from inference_sdk.http.answers import Answer
from inference_sdk.http.call_options import require_of_task
from inference_sdk.http.entities import (
    ACTION_RECOGNITION_TASK,
    CLASSIFICATION_TASK,
    INSTANCE_SEGMENTATION_TASK,
    KEYPOINTS_DETECTION_TASK,
    OBJECT_DETECTION_TASK,
    HTTPClientMode,
    InferenceConfiguration,
    ModelDescription,
)
from inference_sdk.http.errors import InvalidModelIdentifier, ModelTaskTypeNotSupportedError
from inference_sdk.http.operations.described import Describe, Doubt
from inference_sdk.http.operations.image_calls import (
    Factor,
    ImageCall,
    call_with_images,
)
from inference_sdk.http.operations.loading import refuse_what_is_no_image
from inference_sdk.http.operations.state import MODEL_ID, ClientState
from inference_sdk.http.steps import Call, Operation
from inference_sdk.http.utils.aliases import resolve_roboflow_model_alias
from inference_sdk.http.utils.anomaly_maps import decode_anomaly_detection_result
from inference_sdk.http.utils.iterables import unwrap_single_element_list
from inference_sdk.http.utils.post_processing import (
    adjust_prediction_to_client_scaling_factor,
    picture_or_raw,
    transform_visualisation_bytes,
)
from inference_sdk.http.utils.request_building import ImagePlacement

NEW_INFERENCE_ENDPOINTS = {
    OBJECT_DETECTION_TASK: endpoints.OBJECT_DETECTION,
    INSTANCE_SEGMENTATION_TASK: endpoints.INSTANCE_SEGMENTATION,
    CLASSIFICATION_TASK: endpoints.CLASSIFICATION,
    KEYPOINTS_DETECTION_TASK: endpoints.KEYPOINTS_DETECTION,
}

VIDEO_INFERENCE_ENDPOINTS = {ACTION_RECOGNITION_TASK: endpoints.ACTION_RECOGNITION}
"""Tasks of models that take a clip instead of an image."""

UNKNOWN_TASK = ""
"""In API v0 nobody says what a model does; all of them take the same parameters."""

VISUALIZATION = "visualization"

IMAGE_INPUT = "inference_input"


def infer(state: ClientState, inference_input: Any, model_id: str | None) -> Operation[Any]:
    """Results by the API that the client is set to."""
    api = "v0" if state.mode is HTTPClientMode.V0 else "v1"
    arguments = {IMAGE_INPUT: inference_input, MODEL_ID: model_id}
    return (yield Call(f"infer_from_api_{api}", arguments))


def infer_from_api_v0(
    state: ClientState, inference_input: Any, model_id: str | None
) -> Operation[Any]:
    refuse_what_is_no_image(inference_input)
    call = plan_v0(state, model_id)
    return unwrap_single_element_list((yield from call_with_images(call, inference_input)))


def infer_from_api_v1(
    state: ClientState, inference_input: Any, model_id: str | None
) -> Operation[Any]:
    refuse_what_is_no_image(inference_input)
    call = yield from plan_v1(state, model_id)
    return unwrap_single_element_list((yield from call_with_images(call, inference_input)))


def plan(state: ClientState, model_id: str | None) -> Operation[ImageCall]:
    """The call that infers with a model, by the API that the client is set to."""
    if state.mode is HTTPClientMode.V0:
        return plan_v0(state, model_id)
    return (yield from plan_v1(state, model_id))


def plan_v0(state: ClientState, model_id: str | None) -> ImageCall:
    """The call that infers with a model of the hosted API; errors as of `hosted_model`."""
    model = hosted_model(state, model_id)
    require_of_task(state.named, HTTPClientMode.V0, UNKNOWN_TASK, model)
    return ImageCall(
        state,
        url=state.bare_url(endpoints.INFER_V0, model_id=model),
        parameters=state.v0_query(**state.configuration.to_legacy_call_parameters()),
        placement=ImagePlacement.DATA,
        load_arguments=downsizing(state.configuration),
        decode=lambda answer, factors: [decode_v0(answer, factors, state.configuration)],
    )


def hosted_model(state: ClientState, model_id: str | None) -> str:
    """The id, `project/version`, of the model that a v0 call means.

    Raises:
        ModelNotSelectedError: there is no model; checked first.
        APIKeyNotProvided: there is no key.
        InvalidModelIdentifier: the model is not of the form `project/version`.
    """
    model = resolve_roboflow_model_alias(state.require_model(model_id))
    state.require_key()
    parts = model.split("/")
    if len(parts) != 2 or not all(parts):
        raise InvalidModelIdentifier(
            f"{model!r} is no model id of the hosted API. Pass one of the form 'project/version', "
            "such as 'coco/3', or one of its public aliases, such as 'yolov8n-640'."
        )
    return model


def plan_v1(state: ClientState, model_id: str | None) -> Operation[ImageCall]:
    """The call that infers with a model of an inference server.

    Raises:
        WrongClientModeError: the client is set to v0.
        ModelNotSelectedError: there is no model.
        ModelNotInitializedError: the server cannot load it.
        ModelTaskTypeNotSupportedError: it is of a kind that `infer` does not serve.
    """
    state.require_v1("infer_from_api_v1()")
    model = resolve_roboflow_model_alias(state.require_model(model_id))
    description: ModelDescription = yield Describe(state, model)
    endpoint = NEW_INFERENCE_ENDPOINTS.get(description.task_type)
    if endpoint is None:
        raise _unsupported(description)
    require_of_task(state.named, state.mode, description.task_type, model)
    parameters = state.configuration.to_api_call_parameters(state.mode, description.task_type)
    return ImageCall(
        state,
        url=state.billed_url(endpoint),
        payload=state.body(**{MODEL_ID: model}, **parameters),
        batch_size=state.configuration.max_batch_size,
        load_arguments=downsizing(state.configuration, description),
        decode=lambda answer, factors: decode_v1(answer, factors, state.configuration),
        renewed=partial(_planned_again, state, model),
    )


def _planned_again(state: ClientState, model: str, sent: float) -> Operation[ImageCall]:
    """The call of v1, after a request sent at `sent` found no such model on the server."""
    yield Doubt(state, model, sent)
    if len(state.api_urls) > 1:  # one has it and is asked, another has not and is sent to
        yield Call("load_model", {MODEL_ID: model})
    return (yield from plan_v1(state, model))


def _unsupported(description: ModelDescription) -> ModelTaskTypeNotSupportedError:
    served = ", ".join(sorted(NEW_INFERENCE_ENDPOINTS))
    remedy = (
        "Use infer_on_video() for it."
        if description.task_type in VIDEO_INFERENCE_ENDPOINTS
        else f"infer() serves {served}."
    )
    return ModelTaskTypeNotSupportedError(
        f"Model {description.model_id!r} does {description.task_type}. {remedy}"
    )


def downsizing(
    configuration: InferenceConfiguration, description: ModelDescription | None = None
) -> dict[str, int | None]:
    """Limits (pixels) that images are scaled down to: the model's input, where it is known."""
    if configuration.client_downsizing_disabled:
        return {"max_height": None, "max_width": None}
    default = configuration.default_max_input_size
    height = description.input_height if description else None
    width = description.input_width if description else None
    if height is None or width is None:
        height = width = default
    return {"max_height": height, "max_width": width}


def decode_v0(
    answer: Answer, factors: list[Factor], configuration: InferenceConfiguration
) -> dict[str, Any]:
    """A v0 answer: a picture, or the JSON of one image."""
    if answer.is_jpeg:
        picture = transform_visualisation_bytes(
            visualisation=answer.content,
            expected_format=configuration.output_visualisation_format,
        )
        return {VISUALIZATION: picture}
    return finish(answer.json_object(), factors[0] if factors else None, configuration)


def decode_v1(
    answer: Answer, factors: list[Factor], configuration: InferenceConfiguration
) -> list[Any]:
    """A v1 answer: a result for each image, or as many as there are, which the call refuses."""
    parsed = answer.json_objects()
    results = parsed if isinstance(parsed, list) else [parsed]
    if len(results) != len(factors):
        return results
    return [
        finish(result, factor, configuration)
        for result, factor in zip(results, factors, strict=True)
    ]


def finish(result: dict[str, Any], factor: Factor, configuration: InferenceConfiguration) -> Any:
    """A result as the caller wants it: scaled back, its pictures and maps decoded."""
    if result.get(VISUALIZATION) is not None:
        picture = picture_or_raw(
            result[VISUALIZATION], configuration.output_visualisation_format, VISUALIZATION
        )
        result = {**result, VISUALIZATION: picture}
    result = adjust_prediction_to_client_scaling_factor(prediction=result, scaling_factor=factor)
    return decode_anomaly_detection_result(result)
