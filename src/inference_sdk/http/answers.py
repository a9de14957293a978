"""What a server answered, and what it means: JSON, a picture, or an error with its reason.

Values only: nothing here sends anything, and both runners read answers with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from inference_sdk.http.errors import HTTPCallErrorError, InvalidServerResponseError
from inference_sdk.http.utils.requests import mask_key_in

if TYPE_CHECKING:
    import requests

SHOWN_BYTES = 200
"""How much of an unexpected body an error shows."""

NO_MESSAGE = "N/A"

SUCCESSFUL_STATUS_CODE = 200


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, read to its end. `headers` ignore case."""

    status: int
    reason: str
    url: str = field(repr=False)
    headers: Mapping[str, str]
    content: bytes = field(repr=False)
    response: requests.Response | None = field(default=None, repr=False)
    """The answer as `requests` gives it, from the sync sender only."""
    api_key: str | None = field(default=None, repr=False)
    """The key of the request, which servers quote; it is masked in errors."""

    @property
    def is_jpeg(self) -> bool:
        return "image/jpeg" in self.headers.get("Content-Type", "").lower()

    def json(self) -> Any:
        """The body, parsed.

        Raises:
            InvalidServerResponseError: it is not JSON; the message shows how it begins.
        """
        try:
            return orjson.loads(self.content)
        except orjson.JSONDecodeError as error:
            shown = self._masked(self.content[:SHOWN_BYTES].decode(errors="replace"))
            raise InvalidServerResponseError(
                f"{self._masked(self.url)} answered with status {self.status}, but "
                f"not with JSON ({self.headers.get('Content-Type', 'no content type')}, "
                f"{len(self.content)} bytes): {shown!r}. Is this the address of an inference "
                "server?"
            ) from error

    def raise_for_status(self) -> None:
        """Raise what the server complains of.

        Raises:
            HTTPCallErrorError: the status is 400 or more.
        """
        if self.status < 400:
            return
        side = "Client" if self.status < 500 else "Server"
        raise HTTPCallErrorError(
            description=f"{self.status} {side} Error: {self.reason} for url: {self._masked(self.url)}",
            status_code=self.status,
            api_message=self._masked(api_message(self.content)),
        )

    def _masked(self, text: str) -> str:
        return mask_key_in(text, self.api_key)


def api_message(content: bytes) -> str:
    """What the body of an error says: its `message`, else its `detail`, else the text itself."""
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError:
        return content.decode(errors="replace")
    if not isinstance(body, dict):
        return NO_MESSAGE
    message = body.get("message") or _readable_detail(body.get("detail")) or NO_MESSAGE
    inner = body.get("inner_error_message")
    # Servers write the text "None" where there was no inner error.
    if inner in (None, "", "None"):
        return str(message)
    return f"{message}. More details: {inner}"


def _readable_detail(detail: Any) -> str | None:
    """A validation report, `[{"loc": ["body", "model_id"], "msg": …}]`, as a sentence each."""
    if not isinstance(detail, list):
        return None if detail is None else str(detail)
    return "; ".join(_readable_problem(problem) for problem in detail)


def _readable_problem(problem: Any) -> str:
    if not isinstance(problem, dict) or "msg" not in problem:
        return str(problem)
    loc = problem.get("loc")
    place = ".".join(map(str, loc)) if isinstance(loc, list) else str(loc or "")
    return f"{place}: {problem['msg']}" if place else str(problem["msg"])
