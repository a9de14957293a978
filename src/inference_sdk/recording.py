"""Answers of a real server, recorded once and replayed without it: for tests of other programs.

A recording is a file of JSON that people can read and keep beside their tests. It holds no secret:
keys and passwords are masked in what was asked and in what was answered. Of a picture it keeps the
digest, so what is replayed was asked with these very pixels.
"""

from __future__ import annotations

import base64
import difflib
import hashlib
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from inference_sdk.http.answers import Answer
from inference_sdk.http.transport import Transport
from inference_sdk.http.transport.headers import Headers
from inference_sdk.http.transport.json_body import encode_json
from inference_sdk.http.transport.query import query_values
from inference_sdk.http.utils.requests import shown_url
from inference_sdk.utils.masking import HIDDEN, mask

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from inference_sdk.http.entities import InferenceConfiguration, RequestMethod
    from inference_sdk.http.utils.request_building import RequestData

_LONGEST_TEXT = 200
"""Longer ones are pictures; of them, and of bytes, the digest is kept."""

_SECRET_FIELDS = frozenset({"api_key", "service_secret"})

_KEPT_HEADERS = ("Content-Type", "X-Processing-Time", "X-Request-Id", "Retry-After", "X-Model-Id")


class UnknownRequestError(AssertionError):
    """A request that the recording does not hold; says how it differs from the nearest."""


class Recorder:
    """Answers the requests of all clients from a file, or records them into it.

    Within its context no client sends anything, unless it records. Pictures by URL are still
    downloaded, and streams still run.

    Args:
        path: the file; folders are made.
        records: ask the real server, and write the file anew.

    Raises:
        UnknownRequestError: (of calls) a request that was not recorded.

    Example:
        >>> with Recorder("recordings/cups.json"):
        ...     client.infer("cup.jpg", model_id="coco/3")
    """

    def __init__(self, path: str | Path, *, records: bool = False) -> None:
        self.path = Path(path)
        self.records = records
        self._tape = Tape() if records else Tape.read(self.path)

    def __enter__(self) -> Self:
        self._send, self._send_async = Transport.exchange, Transport.exchange_async
        recorder = self

        def exchange(
            transport: Transport,
            request: RequestData,
            method: RequestMethod,
            configuration: InferenceConfiguration,
        ) -> Answer:
            asked = described(request, method)
            if not recorder.records:
                return recorder._replayed(asked, request)
            keep = recorder._tape.reserve(asked)
            return keep(recorder._send(transport, request, method, configuration))

        async def exchange_async(
            transport: Transport,
            request: RequestData,
            method: RequestMethod,
            configuration: InferenceConfiguration,
        ) -> Answer:
            asked = described(request, method)
            if not recorder.records:
                return recorder._replayed(asked, request)
            keep = recorder._tape.reserve(asked)
            return keep(await recorder._send_async(transport, request, method, configuration))

        _replace_sending(exchange, exchange_async)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _replace_sending(self._send, self._send_async)
        if self.records:
            self._tape.write(self.path)

    def _replayed(self, asked: dict[str, Any], request: RequestData) -> Answer:
        told = self._tape.next_answer(asked)
        if told is None:
            raise UnknownRequestError(self._difference(asked))
        return _answer(told, shown_url(request.url))

    def _difference(self, asked: dict[str, Any]) -> str:
        beginning = f"{asked['method']} {asked['path']} is not in {self.path}"
        if not self._tape.entries:
            why = "which is empty" if self.path.exists() else "which is not there"
            return f"{beginning}, {why}. Record it once: pytest --inference-record"
        nearest = self._tape.nearest(asked)
        if nearest is None:
            known = sorted({f"{e.asked['method']} {e.asked['path']}" for e in self._tape.entries})
            return f"{beginning}, which knows {', '.join(known)}. Record anew: --inference-record"
        lines = difflib.unified_diff(
            _lines(nearest), _lines(asked), "recorded", "asked", lineterm=""
        )
        return "\n".join([f"{beginning}. The nearest one there:", *lines])


def _replace_sending(exchange: object, exchange_async: object) -> None:
    """Of all clients: for a type checker, methods are nothing that could be replaced."""
    for name, sending in (("exchange", exchange), ("exchange_async", exchange_async)):
        setattr(Transport, name, sending)


@dataclass
class _Entry:
    """One request, and the answer to it; None while it is awaited, or failed."""

    asked: dict[str, Any]
    answer: dict[str, Any] | None = None


@dataclass
class Tape:
    """Requests and their answers, in the order of sending."""

    entries: list[_Entry] = field(default_factory=list)
    _played: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def read(cls, path: Path) -> Tape:
        if not path.exists():
            return cls()
        with path.open(encoding="utf-8") as file:
            return cls([_Entry(e["request"], e["answer"]) for e in json.load(file)])

    def write(self, path: Path) -> None:
        kept = [{"request": e.asked, "answer": e.answer} for e in self.entries if e.answer]
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8") as file:
            json.dump(kept, file, indent=1, ensure_ascii=True)
            file.write("\n")

    def reserve(self, asked: dict[str, Any]) -> Callable[[Answer], Answer]:
        """A place for a request that is being sent, and what keeps its answer there."""
        entry = _Entry(asked)
        with self._lock:
            self.entries.append(entry)

        def keep(answer: Answer) -> Answer:
            entry.answer = _told(answer)
            return answer

        return keep

    def next_answer(self, asked: dict[str, Any]) -> dict[str, Any] | None:
        """What was answered to this request: the first time, the second time; then the last."""
        fitting = [entry.answer for entry in self.entries if entry.asked == asked]
        if not fitting:
            return None
        name = json.dumps(asked, sort_keys=True)
        with self._lock:
            number = self._played.get(name, 0)
            self._played[name] = number + 1
        return fitting[min(number, len(fitting) - 1)]

    def nearest(self, asked: dict[str, Any]) -> dict[str, Any] | None:
        """The recorded request to the same path that is most like it; None where none is."""
        lines = _lines(asked)
        same_path = [e.asked for e in self.entries if e.asked["path"] == asked["path"]]
        return max(
            same_path,
            key=lambda known: difflib.SequenceMatcher(None, _lines(known), lines).ratio(),
            default=None,
        )


def _lines(asked: dict[str, Any]) -> list[str]:
    return json.dumps(asked, indent=1, sort_keys=True).splitlines()


def described(request: RequestData, method: RequestMethod) -> dict[str, Any]:
    """A request as it is compared: without host, headers and secrets, pictures as digests."""
    parts = urlsplit(request.url)
    query: dict[str, Any] = dict(parse_qsl(parts.query, keep_blank_values=True))
    query.update(query_values(request.parameters) or {})
    told = {"method": method.value.upper(), "path": mask(parts.path), "query": _scrubbed(query)}
    if request.payload is not None:
        told["json"] = _scrubbed(json.loads(encode_json(request.payload)))
    elif request.data:
        told["body"] = _digest(request.data)
    return told


def _scrubbed(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: HIDDEN if key in _SECRET_FIELDS and item else _scrubbed(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_scrubbed(item) for item in value]
    if isinstance(value, str):
        return mask(value) if len(value) <= _LONGEST_TEXT else _digest(value)
    return value


def _digest(value: str | bytes) -> str:
    content = value.encode() if isinstance(value, str) else value
    return f"sha256:{hashlib.sha256(content).hexdigest()} of {len(content)} bytes"


def _told(answer: Answer) -> dict[str, Any]:
    headers = {name: answer.headers[name] for name in _KEPT_HEADERS if name in answer.headers}
    kept = {name: mask(value) for name, value in headers.items()}
    return {
        "status": answer.status,
        "reason": mask(answer.reason),
        "headers": kept,
        **_body(answer.content),
    }


def _body(content: bytes) -> dict[str, Any]:
    try:
        text = mask(content.decode())
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode()}
    try:
        return {"json": json.loads(text)}
    except ValueError:
        return {"text": text}


def _answer(told: dict[str, Any], url: str) -> Answer:
    if "json" in told:
        content = json.dumps(told["json"]).encode()
    elif "text" in told:
        content = told["text"].encode()
    else:
        content = base64.b64decode(told["base64"])
    headers = Headers(list(told["headers"].items()))
    return Answer(told["status"], told["reason"], url, headers, content)
