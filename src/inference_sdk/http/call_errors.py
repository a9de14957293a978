"""Decorators that turn errors of the HTTP libraries into the package's own.

The client does not need them: its transport lets no such error through. They are for code of
users that calls `requests` or aiohttp beside it, or the executor helpers.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, TypeVar

from inference_sdk.http import faults
from inference_sdk.http.answers import Answer
from inference_sdk.http.errors import NO_MESSAGE, HTTPClientError, RetryError, call_error
from inference_sdk.http.transport.json_body import encode_json
from inference_sdk.http.utils.masked_copies import masked_alone, text_of

P = ParamSpec("P")
T = TypeVar("T")


def wrap_errors(function: Callable[P, T]) -> Callable[P, T]:
    """Make a function raise `HTTPClientError`s in place of the libraries' errors.

    An answer with status 400 or more becomes `HTTPCallErrorError`, with the server's message.
    """

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            if not _is_of_a_call(error):
                raise
            cause = error
        # Outside the handler: the library's error quotes the whole URL; a masked copy is chained.
        raise as_client_error(cause) from masked_alone(cause)

    return wrapper


def wrap_errors_async(function: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """The twin of `wrap_errors` for coroutine functions."""

    @functools.wraps(function)
    async def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await function(*args, **kwargs)
        except Exception as error:
            if not _is_of_a_call(error):
                raise
            cause = error
        # Outside the handler: the library's error quotes the whole URL; a masked copy is chained.
        raise as_client_error(cause) from masked_alone(cause)

    return wrapper


def as_client_error(error: Exception) -> HTTPClientError:
    """What an error of a library, or of the executor helpers, means for the caller."""
    if isinstance(error, RetryError):
        return _of_retries(error)
    response: Any = getattr(error, "response", None)
    if response is not None and hasattr(response, "status_code"):
        return _of_response(response)
    status = getattr(error, "status", None)
    if isinstance(status, int) and _is_of(error, "aiohttp."):
        return call_error(str(error), status, str(getattr(error, "message", NO_MESSAGE)))
    request: Any = getattr(error, "request", None) or getattr(error, "request_info", None)
    return faults.translate(error, str(getattr(request, "url", None) or "the server"))


def _is_of_a_call(error: Exception) -> bool:
    """Whether it is a library's, or the system's about a connection; a missing file is not."""
    if isinstance(error, HTTPClientError):
        return False
    if isinstance(error, (RetryError, ConnectionError, TimeoutError, asyncio.TimeoutError)):
        return True
    return _is_of(error, "aiohttp.") or _is_of(error, "requests.") or _is_of(error, "urllib3.")


def _is_of(error: Exception, library: str) -> bool:
    return any(kind.__module__.startswith(library) for kind in type(error).__mro__)


def _of_retries(error: RetryError) -> HTTPClientError:
    if error.status_code is not None:
        return call_error(error.description, error.status_code, NO_MESSAGE)
    return HTTPClientError(str(error))


def _of_response(response: Any) -> HTTPClientError:
    answer = Answer(
        status=response.status_code,
        reason=text_of(response.reason),
        url=response.url or "",
        headers=response.headers,
        content=_content(response),
    )
    if answer.status >= 400:
        return answer.error()
    return HTTPClientError(f"Unusable answer with status {answer.status}.")


def _content(response: Any) -> bytes:
    content = response.content or b""
    # Where tests raise an error with a stand-in for its answer, that may know its JSON only.
    return content if isinstance(content, bytes) else encode_json(response.json())
