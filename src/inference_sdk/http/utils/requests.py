"""Keeping secrets out of messages, and putting images into JSON bodies.

Pure: text and dicts in, text and dicts out; nothing here sends a request.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Optional, Union
from urllib.parse import urlsplit

from inference_sdk.utils.masking import SHORTEST_HINTED, mask, mask_secret

if TYPE_CHECKING:
    from requests import Response

EncodedImage = tuple[str, Optional[float]]
"""A base64 image and the factor it was scaled by, None when it was not."""

IMAGE_KEY = "image"

_ASSIGNMENT = re.compile(r"""=|%3D|["']\s*:\s*["']""", re.IGNORECASE)

MIN_KEY_LENGTH_TO_REVEAL_PREFIX = SHORTEST_HINTED
"""Characters; of a shorter secret nothing is shown."""

API_KEY_PATTERN = re.compile(r"api_key=(.[^&]*)")
KEY_VALUE_GROUP = 1
SERVICE_SECRET_PATTERN = re.compile(r"service_secret=[^&]*")
REDACTED_SERVICE_SECRET = "service_secret=***"  # noqa: S105 - masked
"""For programs that mask by themselves, `API_KEY_PATTERN.sub(deduct_api_key, text)`. What this
package masks is more, see `utils/masking.py`."""


def api_key_safe_raise_for_status(response: Response) -> None:
    """As `response.raise_for_status()`, without secrets: neither in the message nor in the answer.

    Raises:
        requests.HTTPError: the status is 400 or more; it holds a masked copy of the response.
    """
    if response.status_code < 400:
        return
    import requests

    from inference_sdk.http.utils.masked_copies import masked_response, text_of

    fault = "Client" if response.status_code < 500 else "Server"
    reason = text_of(response.reason)
    message = f"{response.status_code} {fault} Error: {reason} for url: {response.url}"
    raise requests.HTTPError(mask(message), response=masked_response(response))


def deduct_api_key_from_string(value: str) -> str:
    """Mask each `api_key=…` and `service_secret=…` in a text, URL-encoded ones as well.

    So is the JSON that servers repeat, `"api_key": "…"`, the signature of a signed URL, and every
    key that a client was made with. User and password of a URL are left out.

    Example:
        >>> deduct_api_key_from_string("GET /info?api_key=0123456789&v=1")
        'GET /info?api_key=01***89&v=1'
    """
    return mask(value)


def deduct_api_key(match: re.Match[str]) -> str:
    """What stands in place of a matched `name=value`: the name, and the value masked."""
    text = match.group(0)
    assignment = _ASSIGNMENT.search(text)
    if assignment is None:
        return mask_secret(text)
    return text[: assignment.end()] + mask_secret(text[assignment.end() :])


def shown_url(url: str) -> str:
    """A URL without what may be secret in it: user, password, query (signatures), fragment."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "a malformed URL"
    return mask(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}")


def inject_images_into_payload(
    payload: dict[str, Any], encoded_images: list[EncodedImage], key: str = IMAGE_KEY
) -> dict[str, Any]:
    """Put the images into `payload`, under `key`, and return it.

    One image is an object, several are a list of objects; none changes nothing.
    """
    if encoded_images:
        images = [_image_object(image) for image in encoded_images]
        payload[key] = images[0] if len(images) == 1 else images
    return payload


def inject_nested_batches_of_images_into_payload(
    payload: dict[str, Any],
    encoded_images: Union[list[Any], EncodedImage],
    key: str = IMAGE_KEY,
) -> dict[str, Any]:
    """Put the images into `payload`, under `key`, in lists nested as they came, and return it."""
    payload[key] = _nested_image_objects(encoded_images)
    return payload


def _nested_image_objects(images: Union[list[Any], EncodedImage]) -> Any:
    if isinstance(images, list):
        return [_nested_image_objects(image) for image in images]
    return _image_object(images)


def _image_object(image: EncodedImage) -> dict[str, str]:
    return {"type": "base64", "value": image[0]}
