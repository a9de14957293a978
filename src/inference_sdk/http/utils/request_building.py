"""From encoded images to requests ready to be sent: batches, placement, no I/O."""

from __future__ import annotations

import os
from copy import deepcopy
from dataclasses import dataclass
from enum import Enum
from typing import Any, Optional, Union

from inference_sdk import config
from inference_sdk.http.errors import InvalidParameterError
from inference_sdk.http.utils.iterables import make_batches
from inference_sdk.http.utils.requests import inject_images_into_payload
from inference_sdk.utils.masking import mask, remember, remember_url


class ImagePlacement(Enum):
    """Where in a request the images go."""

    DATA = "data"
    """The body is the bare base64 text of one image (API v0)."""
    JSON = "json"
    """The images are objects in the JSON body (API v1)."""


@dataclass(frozen=True)
class RequestData:
    """One request.

    Attributes:
        request_elements: how many images it carries.
        parameters: the query.
        data: the body where it is not JSON.
        payload: the JSON body.
        image_scaling_factors: for each image, the factor it was scaled by, or None.
    """

    url: str
    request_elements: int
    headers: Optional[dict[str, str]]
    parameters: Optional[dict[str, Union[str, list[str]]]]
    data: Optional[Union[str, bytes]]
    payload: Optional[dict[str, Any]]
    image_scaling_factors: list[Optional[float]]

    def __repr__(self) -> str:
        """Without the headers, query and body, which hold keys and megabytes of pictures."""
        url = mask(self.url)
        return f"{type(self).__name__}(url={url!r}, request_elements={self.request_elements})"


_INTERNAL_SECRET_VARIABLE = "ROBOFLOW_INTERNAL_SERVICE_SECRET"  # noqa: S105 - its name

ENABLE_INTERNAL_REMOTE_EXEC_HEADER = False
"""Switches the header of internal requests on, as `config.ENABLE_INTERNAL_REMOTE_EXEC_HEADER`
does: tests of servers do it here."""


def prepare_requests_data(
    url: str,
    encoded_inference_inputs: list[tuple[str, Optional[float]]],
    headers: Optional[dict[str, str]],
    parameters: Optional[dict[str, Union[str, list[str]]]],
    payload: Optional[dict[str, Any]],
    max_batch_size: int,
    image_placement: ImagePlacement,
) -> list[RequestData]:
    """Requests of up to `max_batch_size` images each, in input order.

    Raises:
        ValueError: more than one image a request with `ImagePlacement.DATA`.
        NotImplementedError: another placement.
    """
    return [
        assembly_request_data(
            url=url,
            batch_inference_inputs=batch,
            headers=headers,
            parameters=parameters,
            payload=payload,
            image_placement=image_placement,
        )
        for batch in make_batches(encoded_inference_inputs, max_batch_size)
    ]


def assembly_request_data(
    url: str,
    batch_inference_inputs: list[tuple[str, Optional[float]]],
    headers: Optional[dict[str, str]],
    parameters: Optional[dict[str, Union[str, list[str]]]],
    payload: Optional[dict[str, Any]],
    image_placement: ImagePlacement,
) -> RequestData:
    """One request with all the images given. `headers` and `payload` are neither changed nor
    shared: each request has copies of its own.

    Where `config.execution_id` is set its header is added, and with
    `ENABLE_INTERNAL_REMOTE_EXEC_HEADER` that of internal requests.

    Raises:
        ValueError: not exactly one image with `ImagePlacement.DATA`.
        NotImplementedError: another placement.
    """
    data = None
    payload = deepcopy(payload)
    if image_placement is ImagePlacement.DATA:
        data = _only_image(batch_inference_inputs)
    elif image_placement is ImagePlacement.JSON:
        payload = inject_images_into_payload(payload or {}, batch_inference_inputs)
    else:
        raise NotImplementedError(
            f"Images can be placed in DATA or JSON, not in {image_placement!r}."
        )
    return RequestData(
        url=url,
        request_elements=len(batch_inference_inputs),
        headers=_with(headers, {**execution_headers(), **internal_headers()}),
        parameters=parameters,
        data=data,
        payload=payload,
        image_scaling_factors=[factor for _, factor in batch_inference_inputs],
    )


def execution_headers() -> dict[str, str]:
    """The header that says of which run a request is part, where `config.execution_id` is set.

    Raises:
        InvalidParameterError: the id cannot stand in a header.
    """
    execution_id = config.execution_id.get()
    if not execution_id:
        return {}
    return {config.EXECUTION_ID_HEADER: header_value("config.execution_id", execution_id)}


def internal_headers() -> dict[str, str]:
    """The header by which a server knows requests of its own kind, within a run."""
    enabled = config.ENABLE_INTERNAL_REMOTE_EXEC_HEADER or ENABLE_INTERNAL_REMOTE_EXEC_HEADER
    secret = os.environ.get(_INTERNAL_SECRET_VARIABLE)
    if not (enabled and secret and config.execution_id.get()):
        return {}
    remember(secret, hint=True)
    return {config.INTERNAL_REMOTE_EXEC_REQ_HEADER: secret}


def header_value(name: str, value: str) -> str:
    """A value that can stand in a header; `name` says what it is.

    Raises:
        InvalidParameterError: it cannot.
    """
    # Line breaks would begin another header, and beyond ASCII the two senders disagree.
    if value.isascii() and value.isprintable() and value == value.strip():
        return value
    raise InvalidParameterError(
        f"{name} cannot be sent in a header: it begins or ends with a space, or holds a line break "
        "or another character that is not printable ASCII. Was it read from a file? Then strip() it."
    )


def _with(headers: Optional[dict[str, str]], more: dict[str, str]) -> Optional[dict[str, str]]:
    return headers if headers is None and not more else {**(headers or {}), **more}


def _only_image(images: list[tuple[str, Optional[float]]]) -> str:
    if len(images) != 1:
        raise ValueError(
            f"A request whose body is the image itself holds one image, got {len(images)}. "
            "Use max_batch_size=1."
        )
    return images[0][0]


_SECRET_FIELDS = ("api_key", "service_secret")
_SECRET_HEADERS = ("authorization", "x-internal-remote-exec-req", "proxy-authorization")


def remember_secrets_of(request: RequestData) -> None:
    """Mask what is secret in a request that somebody else has built."""
    remember_url(request.url)
    for fields in (request.parameters, request.payload):
        if isinstance(fields, dict):
            named = (fields.get(name) for name in _SECRET_FIELDS)
            remember(*(value for value in named if isinstance(value, str)), hint=True)
    for name, value in (request.headers or {}).items():
        if name.lower() in _SECRET_HEADERS:
            remember(value.rpartition(" ")[2], hint=True)
