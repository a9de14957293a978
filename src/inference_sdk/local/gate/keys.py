"""The key: looked for where requests carry it, without reading JSON for whom it may not be meant."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

import orjson
from aiohttp import web

from inference_sdk.local.faults import UnauthorizedError
from inference_sdk.local.gate.bodies import read_body

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler, Middleware

OPEN_PATHS = frozenset({"/", "/info", "/healthz", "/readiness"})
"""Answered without a key."""

MOST_KEYS = 16
"""That are looked at in a body: steps of a workflow may carry some; millions are an attack."""

_IN_JSON = re.compile(rb'"api_key"\s*:\s*("(?:[^"\\]|\\.){0,1000}")')


def key_check(api_key: str) -> Middleware:
    """Refuses requests that do not carry the key: as `Authorization: Bearer`, in the query, or as
    `api_key` in the body.

    Wherever in a JSON body it stands: whoever writes it knows it. So the body is searched and not
    parsed, and where a header or the query has a key, it is not even read.

    Raises:
        ValueError: the key is empty.
    """
    if not api_key.strip():
        raise ValueError(
            "The API key is empty, so anybody could use this server. Is the variable that it comes "
            "from set? Give a key, or leave it out."
        )
    expected = api_key.encode()

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path not in OPEN_PATHS:
            sent = _before_body(request)
            found = [sent] if sent is not None else _in_body(await read_body())
            if not any(hmac.compare_digest(key, expected) for key in found):
                raise UnauthorizedError(
                    "The API key is wrong or missing. Send the key this server was started with."
                )
        return await handler(request)

    return check


def _before_body(request: web.Request) -> bytes | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip().encode(errors="replace")
    if "api_key" in request.query:
        return request.query["api_key"].encode(errors="replace")
    return None


def _in_body(body: bytes) -> Iterator[bytes]:
    for found in islice(_IN_JSON.finditer(body), MOST_KEYS):
        try:
            yield str(orjson.loads(found[1])).encode(errors="replace")
        except orjson.JSONDecodeError:
            continue
