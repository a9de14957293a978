"""What a server is, and which models it has loaded."""

from __future__ import annotations

from dataclasses import replace

from inference_sdk.http import endpoints
from inference_sdk.http.entities import (
    ModelDescription,
    RegisteredModels,
    RequestMethod,
    ServerInfo,
)
from inference_sdk.http.errors import ModelNotInitializedError
from inference_sdk.http.faults import host_of
from inference_sdk.http.operations.exchange import exchange_json
from inference_sdk.http.operations.metadata import not_counted
from inference_sdk.http.operations.state import MODEL_ID, ClientState
from inference_sdk.http.steps import Call, Change, Operation
from inference_sdk.http.utils.aliases import resolve_roboflow_model_alias
from inference_sdk.http.utils.post_processing import filter_model_descriptions
from inference_sdk.http.utils.request_building import execution_headers


def get_server_info(state: ClientState) -> Operation[ServerInfo]:
    request = state.json_request(state.bare_url(endpoints.INFO), None)
    request = replace(request, headers=execution_headers())  # open to all: it needs no key
    return ServerInfo.from_dict(
        (yield from exchange_json(state, request, RequestMethod.GET, book=not_counted))
    )


def list_loaded_models(state: ClientState) -> Operation[RegisteredModels]:
    state.require_v1("list_loaded_models()")
    request = state.json_request(state.keyed_url(endpoints.MODEL_REGISTRY), None)
    return RegisteredModels.from_dict(
        (yield from exchange_json(state, request, RequestMethod.GET, book=not_counted))
    )


def load_model(
    state: ClientState, model_id: str, set_as_default: bool
) -> Operation[RegisteredModels]:
    state.require_v1("load_model()")
    if set_as_default:
        yield Change("require_changeable", {})
    model = resolve_roboflow_model_alias(model_id)
    request = state.json_request(
        state.bare_url(endpoints.MODEL_ADD), state.body(**{MODEL_ID: model})
    )
    registered = RegisteredModels.from_dict(
        (yield from exchange_json(state, request, book=not_counted))
    )
    if set_as_default:
        yield Change("select_model", {MODEL_ID: model})
    return registered


def unload_model(state: ClientState, model_id: str) -> Operation[RegisteredModels]:
    state.require_v1("unload_model()")
    model = resolve_roboflow_model_alias(model_id)
    request = state.json_request(state.bare_url(endpoints.MODEL_REMOVE), {MODEL_ID: model})
    registered = RegisteredModels.from_dict(
        (yield from exchange_json(state, request, book=not_counted))
    )
    yield Change("forget_model", {MODEL_ID: model})
    return registered


def unload_all_models(state: ClientState) -> Operation[RegisteredModels]:
    state.require_v1("unload_all_models()")
    request = state.json_request(state.bare_url(endpoints.MODEL_CLEAR), None)
    registered = RegisteredModels.from_dict(
        (yield from exchange_json(state, request, book=not_counted))
    )
    yield Change("forget_model", {})
    return registered


def get_model_description(
    state: ClientState, model_id: str, allow_loading: bool
) -> Operation[ModelDescription]:
    """Look a model up, loading it where allowed.

    Raises:
        ModelNotInitializedError: the server does not list the model, nor load it when asked.
    """
    state.require_v1("get_model_description()")
    model = resolve_roboflow_model_alias(model_id)
    registered: RegisteredModels = yield Call("list_loaded_models", {})
    description = filter_model_descriptions(descriptions=registered.models, model_id=model)
    if description is None and allow_loading:
        registered = yield Call("load_model", {MODEL_ID: model})
        description = filter_model_descriptions(descriptions=registered.models, model_id=model)
    if description is None:
        remedy = "Is the id right?" if allow_loading else "Load it with load_model() first."
        raise ModelNotInitializedError(
            f"{host_of(state.api_url)} has no model {model!r} loaded. {remedy}"
        )
    return description
