"""What all routes share: bodies in, images in, blocking work off the event loop, JSON out.

Knows nothing of what is asked or answered. Only event-loop code lives here and in the routes;
decoding, loading and inference run on the threads under `WORKERS`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
from aiohttp import web

from inference_sdk.http.errors import EncodingError, HTTPClientError
from inference_sdk.local.faults import (
    ContentTypeError,
    InvalidRequestError,
    Location,
    UndecodableImageError,
)
from inference_sdk.local.gate import Limits
from inference_sdk.local.gate.bodies import read_body
from inference_sdk.local.gate.json_shape import require_few_values, require_flat
from inference_sdk.local.gate.limits import current_budget
from inference_sdk.local.gate.origins import is_from_browser
from inference_sdk.local.json_answers import to_json
from inference_sdk.local.models import Model, ModelStore

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

T = TypeVar("T")

MODELS = web.AppKey("models", ModelStore)
WORKERS = web.AppKey("workers", ThreadPoolExecutor)
LIMITS = web.AppKey("limits", Limits)
FETCHES_URLS = web.AppKey("fetches_urls", bool)
READS_FILES: web.AppKey[Path | None] = web.AppKey("reads_files")

used_models: ContextVar[dict[str, float | None]] = ContextVar("used_models")
"""Models that took part in the request under way: {id: seconds of loading, None if it was there}.

A context variable, because aiohttp has typed keys for requests only since 3.14.
"""

IMAGES_AT_ONCE = 8
"""Of one request, loaded or worked on; so a large batch is never in memory as pixels."""


async def run_blocking(request: web.Request, function: Callable[..., T], *arguments: Any) -> T:
    """Call a function on a worker thread, in the context of the request."""
    loop = asyncio.get_running_loop()
    context = copy_context()
    return await loop.run_in_executor(
        request.app[WORKERS], partial(context.run, function, *arguments)
    )


async def in_order(
    function: Callable[..., Awaitable[T]],
    arguments: Iterable[tuple[Any, ...]],
    at_once: int = IMAGES_AT_ONCE,
) -> list[T]:
    """Results of a function for each tuple of arguments; the first error ends the others."""
    free = asyncio.Semaphore(at_once)

    async def run(call: tuple[Any, ...]) -> T:
        async with free:
            return await function(*call)

    tasks = [asyncio.ensure_future(run(call)) for call in arguments]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


async def read_json_object(request: web.Request) -> dict[str, Any]:
    """The body, which has to be a JSON object.

    Raises:
        InvalidRequestError: it is none.
        ContentTypeError: a page sends it without saying that it is JSON.
        TooLargeError: it has more values than this server reads.
    """
    is_json = "json" in request.content_type
    if not is_json and is_from_browser(request):
        raise ContentTypeError("Send JSON with the content type application/json.")
    payload = await read_body()
    if not payload:
        raise InvalidRequestError.missing(("body",))
    limits = request.app[LIMITS]
    require_few_values(payload, limits)
    try:
        body = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise InvalidRequestError.at(
            ("body", error.pos), "json_invalid", f"JSON decode error: {error.msg}", None
        ) from error
    if not isinstance(body, dict):
        raise InvalidRequestError.at(
            ("body",), "dict_type", "Input should be a valid dictionary", type(body).__name__
        )
    require_flat(body, limits)
    return body


def read_text(body: dict[str, Any], name: str) -> str:
    """A field that has to be a text.

    Raises:
        InvalidRequestError: it is missing or something else.
    """
    value = body.get(name)
    if value is None:
        raise InvalidRequestError.missing(("body", name))
    if not isinstance(value, str):
        raise InvalidRequestError.at(
            ("body", name), "string_type", "Input should be a valid string", value
        )
    return value


async def use_model(request: web.Request, model_id: str) -> Model:
    """The model of an id, loaded if need be, and named in the headers of the answer.

    Raises:
        UnknownModelError: there is none.
    """
    store = request.app[MODELS]
    was_loaded = store.is_loaded(model_id)
    model = await run_blocking(request, store.get, model_id)
    load_time = None if was_loaded else store.load_time(model_id)
    used_models.get()[answering_id(model)] = load_time
    return model


def answering_id(model: Model) -> str:
    """Id of what really answers: that of a stand-in is its own, whatever was asked for."""
    description = model.description
    return str(description.get("answering_model_id", description["model_id"]))


async def load_image(
    request: web.Request, reference: Any, location: Location = ("body", "image")
) -> NDArray[np.uint8]:
    """Pixels of an image as JSON bodies hold it: `{"type": "base64" or "url", "value": "…"}`.

    Returns:
        uint8 of shape (H, W, 3), BGR, upright.

    Raises:
        InvalidRequestError: the reference is malformed; says where.
        UndecodableImageError: it leads to no image.
    """
    file = await load_image_file(request, reference, location)
    return await run_blocking(request, decode_image, file)


async def load_image_file(
    request: web.Request, reference: Any, location: Location = ("body", "image")
) -> bytes | str:
    """The file of an image as JSON bodies hold it; base64 is left as it is. See `load_image`."""
    if not isinstance(reference, dict):
        raise InvalidRequestError.at(
            location, "dict_type", "Input should be {'type': …, 'value': …}", reference
        )
    for name in ("type", "value"):
        if reference.get(name) is None:
            raise InvalidRequestError.missing((*location, name))
        if not isinstance(reference[name], str):
            raise InvalidRequestError.at(
                (*location, name), "string_type", "Input should be a valid string", None
            )
    kind, value = reference["type"], reference["value"]
    if kind == "base64":
        return str(value)
    if kind == "url":
        return await fetch_image_file(request, value)
    if kind == "file" and request.app[READS_FILES] is not None:
        return await run_blocking(request, read_named_file, request, value)
    raise InvalidRequestError.at(
        (*location, "type"), "enum", "Input should be 'base64' or 'url'", kind
    )


async def fetch_image_file(request: web.Request, url: str) -> bytes:
    """What an image URL leads to, where the server fetches any: never to this machine or its
    network, which whoever sends a request may not be meant to reach.

    Raises:
        UndecodableImageError: it leads nowhere, or where it must not.
    """
    from inference_sdk.http.downloads.fetching import download_async
    from inference_sdk.http.downloads.policy import AddressRules

    if not request.app[FETCHES_URLS]:
        raise UndecodableImageError(
            "Could not load input image. Cause: This server fetches no images by URL. Send the "
            "picture itself, or start the server with --allow-url-input "
            "(LocalServer(allow_url_input=True))."
        )
    try:
        return (await download_async(url, rules=AddressRules.current(server_is_here=False))).content
    except HTTPClientError as error:
        raise UndecodableImageError(f"Could not load input image. Cause: {error}") from error


def read_named_file(request: web.Request, name: str) -> bytes:
    """A file below the folder that the server was started with.

    Raises:
        UndecodableImageError: it is not below it, or no file.
    """
    folder = request.app[READS_FILES]
    largest = request.app[LIMITS].body_bytes
    try:
        path = None if folder is None else (folder / name).resolve(strict=True)
        inside = path and folder and path.is_relative_to(folder) and path.is_file()
        if path and inside and path.stat().st_size <= largest:
            return path.read_bytes()
    except (OSError, ValueError):  # all the same: what is elsewhere is nobody's business
        pass
    raise UndecodableImageError(
        "Could not load input image. Cause: no such file in the folder of this server "
        "(--allow-file-input)."
    )


def decode_image(file: bytes | str) -> NDArray[np.uint8]:
    """Pixels of a file, or of the base64 of one: uint8 of shape (H, W, 3), BGR, upright.

    Raises:
        UndecodableImageError: it is no image.
    """
    from inference_sdk.http.utils.encoding import decode_base_64
    from inference_sdk.http.utils.image_codec import pillow_to_bgr
    from inference_sdk.http.utils.picture_opening import open_picture, upright

    try:
        content = decode_base_64(file) if isinstance(file, str) else file
        picture = open_picture(content)
        budget = current_budget.get(None)
        if budget is not None:
            budget.take_picture(*picture.size)
        return pillow_to_bgr(upright(picture))
    except EncodingError as error:
        raise UndecodableImageError(f"Could not load input image. Cause: {error}") from error


def json_response(
    answer: Any, status: int = 200, headers: dict[str, str] | None = None
) -> web.Response:
    """An answer in JSON; see `to_json`."""
    return web.Response(
        body=to_json(answer),
        status=status,
        headers=headers,
        content_type="application/json",
    )
