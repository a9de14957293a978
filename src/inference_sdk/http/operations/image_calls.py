"""Calls that send images: load, send and read the answers, over a window that stays bounded."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from operator import itemgetter
from typing import Any
from urllib.parse import urlsplit

from inference_sdk.http.answers import Answer
from inference_sdk.http.entities import (
    AUTO,
    RETRYABLE_STATUS_CODES,
    Concurrency,
    InferenceConfiguration,
)
from inference_sdk.http.errors import (
    HTTPCallErrorError,
    HTTPClientError,
    InvalidInputFormatError,
    NotFoundError,
)
from inference_sdk.http.operations.exchange import exchange, made_of
from inference_sdk.http.operations.loading import LoadedImage, describe, flatten
from inference_sdk.http.operations.state import MODEL_ID, ClientState
from inference_sdk.http.steps import Each, LoadImages, Operation
from inference_sdk.http.utils.iterables import make_batches, remove_empty_values
from inference_sdk.http.utils.request_building import (
    ImagePlacement,
    RequestData,
    assembly_request_data,
)

LOADED_AT_ONCE = 16
"""Inputs of up to so many images are loaded by one call, before anything is sent; larger ones
are loaded, sent and forgotten batch by batch, so that memory does not grow with them."""

_OF_ALL_IMAGES = frozenset({401, 402, 403, 404, 405}) | RETRYABLE_STATUS_CODES
"""Statuses that speak of the key, the account, the model or the server, whatever the image."""

Factor = float | None
Decode = Callable[[Answer, list[Factor]], list[Any]]
"""An answer, and the scaling factors of the images it answers, to a result for each image."""


def answers_per_image(answer: Answer, factors: list[Factor]) -> list[Any]:
    """The answer to one image as it is; that to several as a list.

    Raises:
        InvalidServerResponseError: it is neither an object nor a list of objects.
    """
    parsed = answer.json_objects()
    if not isinstance(parsed, list) or len(parsed) == len(factors) == 1:
        return [parsed]
    return parsed


@dataclass(frozen=True)
class ImageCall:
    """An endpoint that takes images: where it is, what goes with them, what comes of answers."""

    state: ClientState
    url: str = field(repr=False)
    payload: dict[str, Any] | None = field(default=None, repr=False)
    parameters: dict[str, Any] | None = field(default=None, repr=False)
    placement: ImagePlacement = ImagePlacement.JSON
    batch_size: int = 1
    load_arguments: Mapping[str, Any] = field(default_factory=dict)
    """`max_height` and `max_width`, for the calls that downsize."""
    decode: Decode = answers_per_image
    renewed: Callable[[float], Operation[ImageCall]] | None = None
    """The call as it is after the server was asked again, for a request sent at that moment
    (`time.monotonic`) that found no such model; None where that cannot help."""

    @property
    def configuration(self) -> InferenceConfiguration:
        return self.state.configuration

    @property
    def kind(self) -> str:
        """Which calls take about as long as this one: of an endpoint, and of a model."""
        model = (self.payload or {}).get(MODEL_ID)
        path = urlsplit(self.url).path
        return f"{path} {model}" if model else path

    def request(self, images: list[LoadedImage]) -> RequestData:
        return assembly_request_data(
            url=self.url,
            batch_inference_inputs=images,
            headers=self.state.headers(),
            parameters=self.parameters,
            payload=self.payload,
            image_placement=self.placement,
        )

    def load(self, inference_input: Any) -> Operation[list[LoadedImage]]:
        images: list[LoadedImage] = yield LoadImages(
            {"inference_input": inference_input, **self.load_arguments}
        )
        return images

    def send(self, images: list[LoadedImage]) -> Operation[list[Any]]:
        """One request; a result for each of its images.

        Raises:
            InvalidServerResponseError: there are not as many results as images, or odd ones.
        """
        sent = time.monotonic()
        try:
            return (yield from self._send_once(images))
        except NotFoundError:
            if self.renewed is None:
                raise
        call = yield from self.renewed(sent)
        return (yield from call._send_once(images))

    def _send_once(self, images: list[LoadedImage]) -> Operation[list[Any]]:
        request = self.request(images)
        answer = yield from exchange(self.state, request)
        factors = request.image_scaling_factors
        with answer.being_read():
            results = yield from made_of(answer, self.decode, answer, factors)
        if len(results) == len(images):
            return results
        came = f"with {_counted(len(results), 'result')} for {_counted(len(images), 'image')}"
        if len(images) == 1:
            raise answer.unusable(came)
        raise answer.unusable(came, "Use max_batch_size=1 with this server.")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def call_endpoint(
    state: ClientState,
    path: str,
    fields: Mapping[str, Any],
    inference_input: Any,
    *,
    required: Mapping[str, Any] | None = None,
    batched: bool = True,
    decode: Decode = answers_per_image,
    **places: str,
) -> Operation[list[Any]]:
    """Send images to an endpoint, with `fields` beside them; a result for each image, in order.

    Args:
        state: the client's settings.
        path: of `endpoints`.
        fields: of the JSON body; None values are left out.
        inference_input: an image reference, or a (nested) list of them.
        required: fields that are sent also where they are None.
        batched: whether the endpoint takes several images in one request.
        decode: what a result is made of.
        places: what fills the braces of the path.
    """
    call = ImageCall(
        state,
        url=state.model_url(path, **places),
        payload=state.model_body(**remove_empty_values(dict(fields)), **(required or {})),
        batch_size=state.configuration.max_batch_size if batched else 1,
        decode=decode,
    )
    return (yield from call_with_images(call, inference_input))


def call_with_images(call: ImageCall, inference_input: Any) -> Operation[list[Any]]:
    """Send an input, or a (nested) list of them; a result for each image, in order."""
    references = list(flatten(inference_input))
    if len(references) <= LOADED_AT_ONCE:
        images = yield from call.load(inference_input)
        if len(images) == 1:
            return (yield from call.send(images))
        batches = make_batches(_number(images, references), call.batch_size)
        operations = [_send(call, batch) for batch in batches]
    else:
        operations = [
            load_and_send(call, batch)
            for batch in make_batches(enumerate(references), call.batch_size)
        ]
    concurrency = _at_once(call.configuration, len(operations))
    results: list[list[Result]] = yield Each(operations, concurrency, call.kind)
    return [result for batch in results for _, result in batch]


def prepare(call: ImageCall, inference_input: Any) -> Operation[list[RequestData]]:
    """The requests of a call, with nothing sent yet."""
    images = yield from call.load(inference_input)
    return [call.request(batch) for batch in make_batches(images, call.batch_size)]


def execute(state: ClientState, requests: list[RequestData]) -> Operation[list[Answer]]:
    """Send prepared requests; their answers as they came, in order."""
    operations = (exchange(state, request) for request in requests)
    concurrency = _at_once(state.configuration, len(requests))
    answers: list[Answer] = yield Each(operations, concurrency, "prepared requests")
    return answers


def _at_once(configuration: InferenceConfiguration, requests: int) -> Concurrency:
    concurrency = configuration.max_concurrent_requests
    if concurrency == AUTO:
        return concurrency if requests > 1 else 1
    return max(1, min(concurrency, requests))


Result = tuple[int, Any]
"""Place of an input, and what came of it: an answer, or the error where errors are kept."""


@dataclass(frozen=True)
class _Loaded:
    index: int
    reference: Any
    image: LoadedImage


def _number(images: list[LoadedImage], references: list[Any]) -> Iterator[_Loaded]:
    # A replaced loader may give another number of images than it was asked for.
    for index, (image, reference) in enumerate(zip_longest(images, references)):
        if image is not None:
            yield _Loaded(index, reference, image)


def load_and_send(
    call: ImageCall, batch: list[tuple[int, Any]], *, keep_errors: bool = False
) -> Operation[list[Result]]:
    """Load the references of one request, send it, and give each its result.

    Args:
        call: what to send to.
        batch: each reference with its place among all inputs.
        keep_errors: an input that fails has its error for a result, and the others theirs.

    Raises:
        HTTPClientError: an input failed, and errors are not kept; the message says which.
    """
    loaded: list[_Loaded] = []
    failed: list[Result] = []
    for index, reference in batch:
        try:
            image = yield from _load_one(call, reference)
            loaded.append(_Loaded(index, reference, image))
        except HTTPClientError as error:
            error.locate(index, f"inputs[{index}] ({describe(reference)})")
            if not keep_errors:
                raise
            failed.append((index, error))
    sent = (yield from _send(call, loaded, keep_errors=keep_errors)) if loaded else []
    return sorted([*sent, *failed], key=itemgetter(0))


def _load_one(call: ImageCall, reference: Any) -> Operation[LoadedImage]:
    if isinstance(reference, (list, tuple)):
        raise InvalidInputFormatError("A list of images stands where one image is expected.")
    return (yield from call.load(reference))[0]


def _send(
    call: ImageCall, batch: list[_Loaded], *, keep_errors: bool = False
) -> Operation[list[Result]]:
    try:
        answers = yield from call.send([loaded.image for loaded in batch])
    except HTTPClientError as error:
        if keep_errors and len(batch) > 1 and _may_be_of_one_image(error):
            # One bad image fails the whole request: the others get a request of their own.
            apart: list[Result] = []
            for loaded in batch:
                apart += yield from _send(call, [loaded], keep_errors=True)
            return apart
        error.locate(batch[0].index, _label(batch))
        if not keep_errors:
            raise
        return [(loaded.index, error) for loaded in batch]
    return [(loaded.index, answer) for loaded, answer in zip(batch, answers, strict=True)]


def _may_be_of_one_image(error: HTTPClientError) -> bool:
    return isinstance(error, HTTPCallErrorError) and error.status_code not in _OF_ALL_IMAGES


def _label(batch: list[_Loaded]) -> str:
    first, last = batch[0], batch[-1]
    if first is last:
        return f"inputs[{first.index}] ({describe(first.reference)})"
    return f"inputs[{first.index}:{last.index + 1}]"
