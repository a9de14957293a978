"""Images in, predictions out: the endpoints of v1, one for each task, and the one of v0."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from functools import partial
from typing import Any

from aiohttp import web

from inference_sdk.http.utils.encoding import decode_base_64, encode_base_64
from inference_sdk.http.utils.picture_kinds import kind_of
from inference_sdk.local.faults import (
    InvalidRequestError,
    Location,
    NoModelForTaskError,
    WrongTaskError,
)
from inference_sdk.local.gate.bodies import read_body
from inference_sdk.local.gate.forms import file_of
from inference_sdk.local.gate.limits import require_images
from inference_sdk.local.models import InferenceParameters, Model
from inference_sdk.local.tasks import NOT_SERVED, TASKS, Task
from inference_sdk.local.wire import (
    LIMITS,
    MODELS,
    answering_id,
    decode_image,
    fetch_image_file,
    in_order,
    json_response,
    load_image_file,
    read_json_object,
    run_blocking,
    use_model,
)

V0_NAMES = {
    "iou_threshold": "overlap",
    "class_filter": "classes",
    "visualization_labels": "labels",
    "visualization_stroke_width": "stroke",
}
"""Parameters that v0 calls otherwise."""

V0_PERCENTAGES = ("confidence", "overlap", "keypoint_confidence")
"""Of v0: a value above 1 is in percent."""

V0_FORMATS = ("json", "image", "image_and_json")


def add_routes(app: web.Application) -> None:
    """Add the endpoints of the tasks; `add_v0_route` goes after all others."""
    for task in TASKS:
        app.router.add_post(_pattern(task.path), partial(_infer, task))
    for path, noun in NOT_SERVED.items():
        app.router.add_route("*", path, partial(_refuse, noun))


def add_v0_route(app: web.Application) -> None:
    """Add the endpoint that takes any path of two parts that no other has."""
    app.router.add_post("/{project}/{version}", _infer_v0)


def _pattern(path: str) -> str:
    return path.replace("{model_id}", "{model_id:.+}")


async def _refuse(noun: str, _: web.Request) -> web.Response:
    raise NoModelForTaskError(
        f"This server has no {noun}, and none can be registered here yet. Send this request to a "
        "Roboflow server."
    )


async def _infer(task: Task, request: web.Request) -> web.Response:
    body = await read_json_object(request)
    model_id = task.model_id(body, request.match_info)
    parameters = InferenceParameters.from_wire(body)
    images = _image_references(body)
    require_images(len(images), request.app[LIMITS])
    model = await _model_for(task, model_id, request)

    async def answer(location: Location, reference: Any) -> dict[str, Any]:
        file = await load_image_file(request, reference, location)
        return await run_blocking(request, infer_file, model, file, parameters)

    answers = await in_order(answer, images)
    return json_response(answers if isinstance(body["image"], list) else answers[0])


def _image_references(body: Mapping[str, Any]) -> list[tuple[Location, Any]]:
    """Each image of a request, and where it is in there."""
    image = body.get("image")
    if image is None:
        raise InvalidRequestError.missing(("body", "image"))
    if not isinstance(image, list):
        return [(("body", "image"), image)]
    return [(("body", "image", index), reference) for index, reference in enumerate(image)]


async def _model_for(task: Task, model_id: str, request: web.Request) -> Model:
    if not task.packaged and not request.app[MODELS].knows(model_id):
        extra = (
            f"Install one with pip install 'inference-sdk[{task.extra}]', or r"
            if task.extra
            else "R"
        )
        raise NoModelForTaskError(
            f"This server has no {task.noun.partition(' ')[2]}. {extra}egister one for '{model_id}' "
            f"with ModelStore.register('{model_id}', factory), or send {request.path} to a "
            "Roboflow server."
        )
    model = await use_model(request, model_id)
    kind = model.description["task_type"]
    if task.task_types and kind not in task.task_types:
        raise WrongTaskError(
            f"'{model_id}' is a model for {kind}, and {request.path} needs {task.noun}."
        )
    return model


def infer_file(model: Model, file: bytes | str, parameters: InferenceParameters) -> dict[str, Any]:
    """The whole answer about one image, given as file or base64; for a worker thread."""
    image = decode_image(file)
    started = time.perf_counter()
    answer = model.infer(image, parameters)
    elapsed = time.perf_counter() - started
    answer = {
        "inference_id": str(uuid.uuid4()),
        "frame_id": None,
        "time": elapsed,
        "model_id": answering_id(model),
        **answer,
    }
    if parameters.visualize_predictions:
        from inference_sdk.local.drawing import draw_predictions

        answer["visualization"] = encode_base_64(draw_predictions(image, answer, parameters))
    return answer


async def _infer_v0(request: web.Request) -> web.Response:
    query = _v0_query(request)
    answer_format = query.get("format", "json")
    if answer_format not in V0_FORMATS:
        raise InvalidRequestError.at(
            ("query", "format"), "enum", f"Input should be one of {V0_FORMATS}", answer_format
        )
    query["visualize_predictions"] = answer_format != "json"
    parameters = InferenceParameters.from_wire(query, location="query", names=V0_NAMES)
    model = await use_model(request, "{project}/{version}".format(**request.match_info))
    file = await _v0_image(request)
    answer = await run_blocking(request, infer_file, model, file, parameters)
    if answer_format == "image":
        return web.Response(body=decode_base_64(answer["visualization"]), content_type="image/jpeg")
    return json_response(answer)


def _v0_query(request: web.Request) -> dict[str, Any]:
    query: dict[str, Any] = dict(request.query)
    classes = [*request.query.getall("classes", ()), *request.query.getall("class_filter", ())]
    if classes:
        query["classes"] = ",".join(classes)
    for name in V0_PERCENTAGES:
        if name in query:
            query[name] = _percentage_to_share(query[name])
    return query


def _percentage_to_share(text: str) -> float | str:
    try:
        number = float(text)
    except ValueError:
        return text  # to be refused with the other parameters, in its own words
    return number / 100 if number > 1 else number


async def _v0_image(request: web.Request) -> bytes | str:
    """The URL in the query, or the body: a form with a file, a picture as it is, or base64.

    The content type tells a form only: clients call base64 JSON, and curl calls pictures a form.
    """
    if "image" in request.query:
        return await fetch_image_file(request, request.query["image"])
    payload = await read_body()
    if not payload:
        raise InvalidRequestError.missing(("body",))
    if request.content_type == "multipart/form-data":
        payload = file_of(request, payload)
    if kind_of(payload) is not None:
        return payload
    return payload.decode("ascii", errors="replace")
