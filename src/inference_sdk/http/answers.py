"""What a server answered, and what it means: JSON, a picture, or an error with its reason.

Values only: nothing here sends anything, and both runners read answers with it.
"""

from __future__ import annotations

import gc
import html
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from inference_sdk.http.errors import (
    NO_MESSAGE,
    EncodingError,
    HTTPCallErrorError,
    InvalidServerResponseError,
    call_error,
)
from inference_sdk.http.utils.json_values import described
from inference_sdk.http.utils.requests import shown_url
from inference_sdk.utils.masking import mask
from inference_sdk.utils.shortening import shortened

if TYPE_CHECKING:
    import requests

SHOWN_CHARACTERS = 200
"""How much of an unexpected body an error shows."""

_LONGEST_REASON = 100
_LONGEST_SHOWN_URL = 200

_REQUEST_IDS = (
    "X-Request-Id",
    "Request-Id",
    "X-Correlation-Id",
    "X-Amzn-RequestId",
    "X-Amz-Request-Id",
    "X-Amz-Cf-Id",
    "Cf-Ray",
    "X-Cloud-Trace-Context",
)
"""Headers in which servers and the gateways before them name a request, the server's own first."""

SUCCESSFUL_STATUS_CODE = 200


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, read to its end. `headers` ignore case."""

    status: int
    reason: str = field(repr=False)
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)
    response: requests.Response | None = field(default=None, repr=False)
    """The answer as `requests` gave it, where it was sent that way."""
    tries: int = 1
    elapsed: float = 0.0
    """Seconds from the first try to this answer."""

    @property
    def is_jpeg(self) -> bool:
        return "image/jpeg" in self.headers.get("Content-Type", "").lower()

    @property
    def request_id(self) -> str | None:
        named = (self.headers.get(name) for name in _REQUEST_IDS)
        return next((value for value in named if value), None)

    def json(self) -> Any:
        """The body, parsed.

        Raises:
            InvalidServerResponseError: it is not JSON; the message shows how it begins.
        """
        try:
            return parse_json(self.content)
        except ValueError as error:
            problem = str(error)
        kind = shortened(self.headers.get("Content-Type") or "no content type", 100)
        raise self.unusable(
            f"not with JSON ({kind}, {len(self.content)} bytes, {problem}): {self._beginning()!r}"
        )

    def json_object(self) -> dict[str, Any]:
        """The body, which must be a JSON object; errors as of `json`."""
        parsed = self.json()
        if not isinstance(parsed, dict):
            raise self.unusable(f"with {described(parsed)}, not with an object")
        return parsed

    def json_objects(self) -> dict[str, Any] | list[dict[str, Any]]:
        """The body, which must be a JSON object or a list of objects; errors as of `json`."""
        parsed = self.json()
        several = parsed if isinstance(parsed, list) else [parsed]
        odd = next((value for value in several if not isinstance(value, dict)), parsed)
        if odd is not parsed or not isinstance(parsed, (dict, list)):
            within = " in a list" if odd is not parsed else ""
            raise self.unusable(f"with {described(odd)}{within}, not with an object")
        return parsed

    @contextmanager
    def being_read(self) -> Iterator[None]:
        """Where what is done with the answer tells whether it is one.

        Raises:
            InvalidServerResponseError: it holds a picture that is none, or is nested too deeply.
        """
        try:
            yield
            return
        except EncodingError as error:
            problem = f"with what cannot be read: {str(error).rstrip('.')}"
        except RecursionError:
            problem = "with JSON that is nested too deeply"
        raise self.unusable(problem)

    def unusable(
        self, what_came: str, remedy: str = "Is this the address of an inference server?"
    ) -> InvalidServerResponseError:
        """The error of an answer that is not what was agreed.

        Args:
            what_came: the end of "It answered with status 200, but …".
            remedy: what the caller can do.
        """
        error = InvalidServerResponseError(
            f"{self._shown_url} answered with status {self.status}, but {what_came}. {remedy}"
        )
        error.status_code = self.status
        error.tries, error.elapsed = self.tries, self.elapsed
        error.request_id = self.request_id and mask(self.request_id)
        error.body = self._body
        return error

    def raise_for_status(self) -> None:
        """Raise what the server complains of.

        Raises:
            HTTPCallErrorError: the status is 400 or more.
            InvalidServerResponseError: it is neither that nor one of success (2xx).
        """
        if self.status < 400:
            if not 200 <= self.status < 300:
                raise self.unusable(f"not with a result: {self._beginning()!r}")
            return
        raise self.error()

    def error(self) -> HTTPCallErrorError:
        """The answer as an error, of the class that fits its status."""
        side = "Client" if self.status < 500 else "Server"
        reason = shortened(mask(self.reason), _LONGEST_REASON)
        named = f" ({reason})" if reason else ""
        return call_error(
            f"{self.status} {side} Error: {reason} for url: {self.url}",
            self.status,
            api_message(self.content),
            summary=f"{self._shown_url} answered with status {self.status}{named}",
            body=self._body,
            request_id=self.request_id,
            tries=self.tries,
            elapsed=self.elapsed,
        )

    @property
    def _shown_url(self) -> str:
        return shortened(shown_url(self.url), _LONGEST_SHOWN_URL)

    @property
    def _body(self) -> str:
        return mask(self.content.decode(errors="replace"))

    def _beginning(self) -> str:
        # Masked before it is cut: half a key would not be known for one.
        begins = self.content[: 10 * SHOWN_CHARACTERS].decode(errors="replace")
        return mask(begins)[:SHOWN_CHARACTERS]


# -- JSON --------------------------------------------------------------------------------------

_DIGITS = bytes(ord("0") if chr(code).isdigit() else ord(" ") for code in range(256))
_BEYOND_64_BITS = re.compile(rb"(?<![\d.])\d{19,}(?![\d.eE])")
_LOOKED_THROUGH_BYTES = 2**20
_LARGE_BYTES = 2**15


def parse_json(content: bytes) -> Any:
    """JSON as servers in Python write it: also NaN, Infinity, lone surrogates and large integers.

    Raises:
        ValueError: it is not JSON, or is nested too deeply to be of use.
    """
    try:
        if not _holds_large_integer(content):
            return _loads(content)
    except orjson.JSONDecodeError:
        pass
    try:
        # Also other encodings than UTF-8, and a byte order mark.
        return json.loads(content)
    except UnicodeDecodeError:
        raise ValueError("its bytes are no text") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg} at character {error.pos}") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _loads(content: bytes) -> Any:
    """As `orjson.loads`, with the garbage collector at rest.

    Of many thousands of lists and dicts it finds none to be garbage, and takes half the time. No
    other code waits for it: orjson lets no thread run meanwhile.
    """
    if len(content) < _LARGE_BYTES or not gc.isenabled():
        return orjson.loads(content)
    gc.disable()
    try:
        return orjson.loads(content)
    finally:
        gc.enable()


def _holds_large_integer(content: bytes) -> bool:
    """Whether an integer is in it that orjson would read as a float, losing digits.

    Looking takes half the time of reading, some hundredth of a call; what is larger than any list
    of predictions is mostly a picture in base64.
    """
    if len(content) > _LOOKED_THROUGH_BYTES or b"0" * 19 not in content.translate(_DIGITS):
        return False
    return _BEYOND_64_BITS.search(content) is not None


# -- errors in the words of servers ------------------------------------------------------------

_MESSAGE_KEYS = ("message", "detail", "msg", "error", "errors", "error_description", "reason")
"""Where servers and gateways say what went wrong: the contract's first, compared in lower case."""

_PAGE = re.compile(r"\s*<(?:!doctype html|html|head|\?xml)", re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_SHORT_PAGE = 300


def api_message(content: bytes) -> str:
    """What the body of an error says: its `message`, else its `detail`, else what else there is."""
    try:
        body = parse_json(content)
    except ValueError:
        return _readable_text(content.decode(errors="replace"))
    message = _readable(body) or NO_MESSAGE
    inner = body.get("inner_error_message") if isinstance(body, dict) else None
    # Servers write the text "None" where there was no inner error.
    if inner in (None, "", "None"):
        return message
    return f"{message}. More details: {inner}"


def _readable(said: Any) -> str | None:
    """A message, or a report, `[{"loc": ["body", "model_id"], "msg": …}]`, as a sentence each."""
    if isinstance(said, list):
        return "; ".join(filter(None, map(_in_words, said))) or None
    if not isinstance(said, dict):
        return None if said in (None, "") or isinstance(said, bool) else str(said)
    named = {str(name).lower(): value for name, value in said.items()}
    found = (_in_words(named[key]) for key in _MESSAGE_KEYS if key in named)
    message = next(filter(None, found), None)
    loc = said.get("loc")
    place = ".".join(map(str, loc)) if isinstance(loc, list) else str(loc or "")
    return f"{place}: {message}" if place and message else message


def _in_words(value: Any) -> str | None:
    is_odd = isinstance(value, dict) and value
    return _readable(value) or (str(value) if is_odd else None)


def _readable_text(text: str) -> str:
    """A text as it is; of a page that is longer than a message, its title."""
    if len(text) <= _SHORT_PAGE or not _PAGE.match(text):
        return text
    title = _TITLE.search(text)
    said = html.unescape(" ".join(title[1].split())) if title else ""
    return f"{said or 'no title'} (a page of {len(text)} characters)"
