"""From encoded images to requests ready to be sent: batches, placement, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Optional, Union

from inference_sdk.http.utils.iterables import make_batches
from inference_sdk.http.utils.requests import deduct_api_key_from_string, inject_images_into_payload


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
        url = deduct_api_key_from_string(self.url)
        return f"{type(self).__name__}(url={url!r}, request_elements={self.request_elements})"


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
    """One request with all the images given. `headers` and `payload` are never changed.

    Raises:
        ValueError: more than one image with `ImagePlacement.DATA`.
    """
    data = None
    if image_placement is ImagePlacement.DATA:
        data = _only_image(batch_inference_inputs)
    elif batch_inference_inputs:
        payload = inject_images_into_payload(payload or {}, batch_inference_inputs)
    return RequestData(
        url=url,
        request_elements=len(batch_inference_inputs),
        headers=headers,
        parameters=parameters,
        data=data,
        payload=payload,
        image_scaling_factors=[factor for _, factor in batch_inference_inputs],
    )


def _only_image(images: list[tuple[str, Optional[float]]]) -> Optional[str]:
    if len(images) > 1:
        raise ValueError(
            f"A request whose body is the image itself holds one image, got {len(images)}. "
            "Use max_batch_size=1."
        )
    return images[0][0] if images else None
