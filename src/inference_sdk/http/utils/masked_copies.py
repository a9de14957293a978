"""Copies without secrets of what the HTTP libraries hand out: their errors, and their answers.

An error of a library quotes the whole URL, and holds the request with its headers and body. What
hangs on an error of ours, as its cause or its answer, is such a copy: of the same class, saying
the same, with the secrets masked.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from inference_sdk.utils.masking import mask
from inference_sdk.utils.shortening import shortened

_LONGEST_TEXT = 1000
_PLAIN = (bool, int, float, type(None))


class _Masked:
    """Says what the error said that it is a copy of."""

    _said: str
    _shown: str

    def __str__(self) -> str:
        return self._said

    def __repr__(self) -> str:
        return self._shown

    def __reduce__(self) -> tuple[Any, ...]:
        kind = type(self).__mro__[2]
        return _copy, (kind, self._said, self._shown, _attributes(self))


def masked_error(error: BaseException) -> BaseException:
    """The error itself where it holds no secret, else a copy that holds none."""
    if isinstance(error, _Masked):
        return error
    said, shown = str(error), repr(error)
    own = vars(error)
    is_plain = all(isinstance(value, (str, *_PLAIN)) for value in own.values())
    if is_plain and not any(map(_is_secret, (said, shown, *map(str, own.values())))):
        return error
    return _copy(type(error), _fit(said), _fit(shown), _attributes(error))


def masked_alone(error: BaseException) -> BaseException:
    """As `masked_error`, without traceback and chain: what it says, not where it came from."""
    masked = masked_error(error)
    masked.__cause__ = masked.__context__ = None
    return masked.with_traceback(None)


def _is_secret(text: str) -> bool:
    return len(text) > _LONGEST_TEXT or mask(text) != text


def _fit(text: str) -> str:
    return shortened(mask(text), _LONGEST_TEXT)


def _attributes(error: object) -> dict[str, Any]:
    system = {name: getattr(error, name, None) for name in ("errno", "strerror")}
    held = {**{name: value for name, value in system.items() if value is not None}, **vars(error)}
    return {name: _masked_value(value) for name, value in held.items() if name[:1] != "_"}


def _masked_value(value: Any) -> Any:
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, str):
        return _fit(value)
    if type(value).__module__.startswith("requests") and hasattr(value, "status_code"):
        return masked_response(value)
    return None


def _copy(kind: Any, said: str, shown: str, attributes: dict[str, Any]) -> BaseException:
    masked = _masked_kind(kind)
    try:
        copy = masked.__new__(masked)
    except TypeError:  # a kind that cannot be made without its arguments
        masked = _masked_kind(Exception)
        copy = masked.__new__(masked)
    copy.args = (said,)
    for name, value in attributes.items():
        setattr(copy, name, value)
    copy._said, copy._shown = said, shown
    return copy


@cache
def _masked_kind(kind: type[Any]) -> Any:
    namespace = {"__module__": kind.__module__, "__qualname__": kind.__qualname__}
    return type(kind.__name__, (_Masked, kind), namespace)


def masked_response(response: Any) -> Any:
    """The answer with its secrets masked, and of its request only what was asked for, and where.

    An object of a test that only plays an answer is left as it is.
    """
    import requests
    from requests.structures import CaseInsensitiveDict

    if not isinstance(response, requests.Response):
        return response
    masked = requests.Response()
    masked.status_code = response.status_code
    masked.url = mask(response.url or "")
    masked.reason = mask(text_of(response.reason))
    masked.headers = CaseInsensitiveDict(
        {name: mask(str(value)) for name, value in response.headers.items()}
    )
    masked.encoding = response.encoding
    masked.elapsed = response.elapsed
    content = (response.content or b"").decode(errors="surrogateescape")
    masked._content = mask(content).encode(errors="surrogateescape")
    masked.request = requests.PreparedRequest()
    masked.request.headers = CaseInsensitiveDict()
    if response.request is not None:
        masked.request.method = response.request.method
        masked.request.url = mask(response.request.url or "")
    return masked


def text_of(reason: str | bytes | None) -> str:
    """A reason phrase, which `requests` may give as bytes, or not at all."""
    return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason or "")
