"""Images and texts to vectors: CLIP, perception encoder, and any image model's features."""

from __future__ import annotations

from typing import Any

from inference_sdk.http import endpoints
from inference_sdk.http.answers import Answer
from inference_sdk.http.errors import InvalidParameterError
from inference_sdk.http.operations.exchange import exchange_object
from inference_sdk.http.operations.image_calls import Factor, call_endpoint
from inference_sdk.http.operations.inference import IMAGE_INPUT
from inference_sdk.http.operations.metadata import by_label
from inference_sdk.http.operations.state import MODEL_ID, ClientState
from inference_sdk.http.steps import LoadImages, Operation
from inference_sdk.http.utils.iterables import remove_empty_values, unwrap_single_element_list
from inference_sdk.http.utils.post_processing import (
    combine_clip_embeddings,
    split_image_embeddings,
)
from inference_sdk.http.utils.requests import inject_images_into_payload

CLIP_VERSION = "clip_version_id"
PERCEPTION_ENCODER_VERSION = "perception_encoder_version_id"
CLIP = "clip"
PERCEPTION_ENCODER = "perception_encoder"
"""What their times are booked to where no version is named."""

TEXT = "text"
IMAGE = "image"
CLIP_ARGUMENT_TYPES = {IMAGE, TEXT}


def clip_image_embeddings(
    state: ClientState, inference_input: Any, clip_version: str | None
) -> Operation[Any]:
    fields = {CLIP_VERSION: clip_version}
    return _image_embeddings(state, endpoints.CLIP_EMBED_IMAGE, fields, inference_input)


def clip_text_embeddings(
    state: ClientState, text: str | list[str], clip_version: str | None
) -> Operation[Any]:
    fields = {TEXT: text, CLIP_VERSION: clip_version}
    return _text_embeddings(state, endpoints.CLIP_EMBED_TEXT, fields, clip_version or CLIP)


def perception_encoder_image_embeddings(
    state: ClientState, inference_input: Any, version: str | None
) -> Operation[Any]:
    path = endpoints.PERCEPTION_ENCODER_EMBED_IMAGE
    fields = {PERCEPTION_ENCODER_VERSION: version}
    return _image_embeddings(state, path, fields, inference_input)


def perception_encoder_text_embeddings(
    state: ClientState, text: str | list[str], version: str | None
) -> Operation[Any]:
    path = endpoints.PERCEPTION_ENCODER_EMBED_TEXT
    fields = {TEXT: text, PERCEPTION_ENCODER_VERSION: version}
    return _text_embeddings(state, path, fields, version or PERCEPTION_ENCODER)


def _image_embeddings(
    state: ClientState, path: str, fields: dict[str, Any], inference_input: Any
) -> Operation[Any]:
    results = yield from call_endpoint(
        state, path, fields, inference_input, decode=_one_embedding_each
    )
    return unwrap_single_element_list(results)


def _one_embedding_each(answer: Answer, factors: list[Factor]) -> list[Any]:  # noqa: ARG001
    return combine_clip_embeddings(embeddings=answer.json_objects())


def _text_embeddings(
    state: ClientState, path: str, fields: dict[str, Any], model: str
) -> Operation[Any]:
    request = state.post_to_model(path, remove_empty_values(fields))
    return exchange_object(state, request, book=by_label(model))


def image_embeddings(
    state: ClientState, inference_input: Any, model_id: str, output_type: str
) -> Operation[Any]:
    """Raises:
    InvalidParameterError: there is no such output type.
    """
    if output_type not in ("feature_vector", "logits"):
        raise InvalidParameterError(
            f"output_type is {output_type!r}, but must be 'feature_vector' or 'logits'."
        )
    fields = {
        MODEL_ID: model_id,
        "output_type": output_type,
        **state.configuration.to_preprocessing_parameters(),
    }
    results = yield from call_endpoint(
        state,
        endpoints.EMBEDDINGS,
        fields,
        inference_input,
        decode=lambda answer, _: split_image_embeddings(answer.json_objects()),
    )
    return unwrap_single_element_list(results)


def clip_compare(
    state: ClientState,
    subject: Any,
    prompt: Any,
    subject_type: str,
    prompt_type: str,
    clip_version: str | None,
) -> Operation[Any]:
    """Raises:
    InvalidParameterError: a type other than "image" and "text".
    """
    payload = state.model_body(
        subject_type=subject_type,
        prompt_type=prompt_type,
        **remove_empty_values({CLIP_VERSION: clip_version}),
    )
    sides = [("subject", subject, subject_type), ("prompt", prompt, prompt_type)]
    for side, _, kind in sides:
        if kind not in CLIP_ARGUMENT_TYPES:
            raise InvalidParameterError(
                f"{side}_type is {kind!r}, but must be {IMAGE!r} or {TEXT!r}."
            )
    for side, value, kind in sides:
        if kind == IMAGE:
            images = yield LoadImages({IMAGE_INPUT: value})
            payload = inject_images_into_payload(payload, images, key=side)
        else:
            payload = {**payload, side: value}
    request = state.json_request(state.model_url(endpoints.CLIP_COMPARE), payload)
    return (yield from exchange_object(state, request, book=by_label(clip_version or CLIP)))
