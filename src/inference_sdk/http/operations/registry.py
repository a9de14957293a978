"""What a server is, and which models it has loaded."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

from inference_sdk.http import endpoints
from inference_sdk.http.entities import (
    ModelDescription,
    RegisteredModels,
    RequestMethod,
    ServerInfo,
)
from inference_sdk.http.errors import (
    HTTPServerConnectionError,
    InvalidServerResponseError,
    ModelNotInitializedError,
)
from inference_sdk.http.from_wire import FromWire
from inference_sdk.http.operations.described import Forget
from inference_sdk.http.operations.exchange import exchange
from inference_sdk.http.operations.metadata import not_counted
from inference_sdk.http.operations.state import MODEL_ID, ClientState
from inference_sdk.http.steps import Call, Change, Each, Operation
from inference_sdk.http.utils.aliases import resolve_roboflow_model_alias
from inference_sdk.http.utils.post_processing import filter_model_descriptions
from inference_sdk.http.utils.request_building import RequestData, execution_headers

T = TypeVar("T", bound=FromWire)


def _ask(
    state: ClientState,
    request: RequestData,
    kind: type[T],
    method: RequestMethod = RequestMethod.POST,
) -> Operation[T]:
    """A request, and its answer as a value of that kind.

    Raises:
        InvalidServerResponseError: it is of another one.
    """
    answer = yield from exchange(state, request, method, book=not_counted)
    parsed = answer.json_object()
    try:
        return kind.from_dict(parsed)
    except InvalidServerResponseError as error:
        problem = str(error).rstrip(".")
    raise answer.unusable(f"not as agreed: {problem}")


def get_server_info(state: ClientState) -> Operation[ServerInfo]:
    request = state.json_request(state.bare_url(endpoints.INFO), None)
    request = replace(request, headers=execution_headers())  # open to all: it needs no key
    return (yield from _ask(state, request, ServerInfo, RequestMethod.GET))


def list_loaded_models(state: ClientState) -> Operation[RegisteredModels]:
    state.require_v1("list_loaded_models()")
    request = state.json_request(state.keyed_url(endpoints.MODEL_REGISTRY), None)
    return (yield from _ask(state, request, RegisteredModels, RequestMethod.GET))


def load_model(
    state: ClientState, model_id: str, set_as_default: bool
) -> Operation[RegisteredModels]:
    state.require_v1("load_model()")
    if set_as_default:
        yield Change("require_changeable", {})
    model = resolve_roboflow_model_alias(model_id)
    yield Forget(model, under_way=False)
    body = state.body(**{MODEL_ID: model})
    registered = yield from _on_each_server(state, endpoints.MODEL_ADD, body)
    if set_as_default:
        yield Change("select_model", {MODEL_ID: model})
    return registered


def unload_model(state: ClientState, model_id: str) -> Operation[RegisteredModels]:
    state.require_v1("unload_model()")
    model = resolve_roboflow_model_alias(model_id)
    registered = yield from _on_each_server(state, endpoints.MODEL_REMOVE, {MODEL_ID: model})
    yield Forget(model)
    yield Change("forget_model", {MODEL_ID: model})
    return registered


def unload_all_models(state: ClientState) -> Operation[RegisteredModels]:
    state.require_v1("unload_all_models()")
    registered = yield from _on_each_server(state, endpoints.MODEL_CLEAR, None)
    yield Forget()
    yield Change("forget_model", {})
    return registered


def _on_each_server(
    state: ClientState, path: str, body: dict[str, Any] | None
) -> Operation[RegisteredModels]:
    """Change what every server has loaded; the answer of the first one that gives one.

    Servers that cannot be reached are passed over, as long as there is one that can.
    """
    changes = [_on_one(state.bound_to(url), path, body) for url in state.api_urls]
    if len(changes) == 1:
        outcomes: list[RegisteredModels | HTTPServerConnectionError] = [(yield from changes[0])]
    else:
        outcomes = yield Each(changes, len(changes))
    answers = [outcome for outcome in outcomes if isinstance(outcome, RegisteredModels)]
    for outcome in outcomes:
        if isinstance(outcome, HTTPServerConnectionError) and not answers:
            raise outcome
    return answers[0]


def _on_one(
    state: ClientState, path: str, body: dict[str, Any] | None
) -> Operation[RegisteredModels | HTTPServerConnectionError]:
    request = state.json_request(state.bare_url(path), body)
    try:
        return (yield from _ask(state, request, RegisteredModels))
    except HTTPServerConnectionError as error:
        if error.may_have_arrived:
            raise
        return error


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
        raise ModelNotInitializedError(f"{state.hosts} has no model {model!r} loaded. {remedy}")
    return description
