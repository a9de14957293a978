"""What a worker says, as values: parsing of its messages. Pure: no sockets, threads or logging.

A message is JSON, plain or gzipped, as Python writes it (NaN and the like are read, too: a result
that holds one is a result). Whatever a peer sends, parsing either gives a `WorkerMessage` or
raises `MalformedMessageError`, within bounded memory.
"""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import dataclass, field, replace
from datetime import datetime
from fractions import Fraction
from typing import Any, Optional, Union

from inference_sdk.http.answers import parse_json
from inference_sdk.http.errors import InvalidServerResponseError
from inference_sdk.utils.shortening import shortened

MAX_MESSAGE_BYTES = 64 * 1024 * 1024
"""A message unpacked. A 4K picture as PNG in base64 has some 30 MiB; a gzip bomb has no limit."""

_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WINDOW = 31
_FRACTION = re.compile(r"\.(\d+)")
_TICKS_PER_SECOND = 90000
_SHOWN_CHARACTERS = 200


class MalformedMessageError(InvalidServerResponseError):
    """A message that is not what a worker should send; it is logged and skipped."""


@dataclass
class VideoMetadata:
    """What is known of a frame.

    Attributes:
        frame_id: number of the frame; for frames of a video track it is `pts`.
        received_at: when the worker (for track frames: this client) received it; always in local
            time without a time zone, so that any two can be compared.
        pts: presentation time, in units of `time_base`.
        time_base: seconds of one unit of `pts`; an exact `Fraction` for frames of a video track.
        declared_fps: frames per second, as the source says.
        measured_fps: frames per second, as the worker measured.
        errors: what failed in the workflow for this frame.
    """

    frame_id: int
    received_at: datetime
    pts: Optional[int] = None
    time_base: Union[float, Fraction, None] = None
    declared_fps: Optional[float] = None
    measured_fps: Optional[float] = None
    errors: list[str] = field(default_factory=list)

    @property
    def ticks(self) -> Optional[int]:
        """`pts` in units of 1/90000 s, the clock of video in RTP; None when not known."""
        if self.pts is None or self.time_base is None:
            return None
        try:
            return round(self.pts * self.time_base * _TICKS_PER_SECOND)
        except (OverflowError, ValueError):  # numbers from elsewhere may be of any size, or none
            return None


@dataclass(frozen=True)
class WorkerMessage:
    """One message of a worker.

    Attributes:
        data: the workflow's outputs by name, None when the message has none.
        metadata: of the frame they belong to, None when absent or not to be read.
        errors: what failed in the workflow for this frame.
        complete: the file is done; nothing follows.
        metadata_error: why metadata that were sent could not be read.
    """

    data: Optional[dict[str, Any]] = None
    metadata: Optional[VideoMetadata] = None
    errors: tuple[str, ...] = ()
    complete: bool = False
    metadata_error: Optional[str] = None


def parse_message(payload: Union[str, bytes]) -> WorkerMessage:
    """Read a message as it came over the data channel, chunks put together.

    Raises:
        MalformedMessageError: no JSON object, or too large.
    """
    try:
        content = parse_json(_unpacked(payload))
    except ValueError as error:
        raise MalformedMessageError(f"a message that is no JSON: {error}") from error
    if not isinstance(content, dict):
        raise MalformedMessageError(f"a message that is no JSON object: {type(content).__name__}")
    errors = _errors(content.get("errors"))
    metadata, problem = _metadata(content.get("video_metadata"))
    data = content.get("serialized_output_data")
    return WorkerMessage(
        data=data if isinstance(data, dict) else None,
        metadata=metadata and replace(metadata, errors=list(errors)),
        errors=errors,
        complete=content.get("processing_complete") is True,
        metadata_error=problem,
    )


def parse_time(text: str) -> datetime:
    """Read an ISO 8601 time, as local time without a time zone.

    Python 3.10 knows neither `Z` nor fractions of any length.

    Raises:
        ValueError: it is none.
    """
    text = _FRACTION.sub(lambda match: "." + match.group(1)[:6].ljust(6, "0"), text, count=1)
    time = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith(("Z", "z")) else text)
    return time if time.tzinfo is None else time.astimezone().replace(tzinfo=None)


def picture_in(value: object) -> Optional[str]:
    """The base64 text of a workflow output that is a picture, None for any other value."""
    if isinstance(value, dict) and value.get("type") == "base64":
        text = value.get("value")
        return text if isinstance(text, str) else None
    return None


def _unpacked(payload: Union[str, bytes]) -> bytes:
    if len(payload) > MAX_MESSAGE_BYTES:
        raise MalformedMessageError(f"a message of {len(payload)} bytes")
    if isinstance(payload, str):
        return payload.encode(errors="surrogatepass")
    if not payload.startswith(_GZIP_MAGIC):
        return payload
    unpacker = zlib.decompressobj(wbits=_GZIP_WINDOW)
    try:
        unpacked = unpacker.decompress(payload, MAX_MESSAGE_BYTES)
    except zlib.error as error:
        raise MalformedMessageError(f"a message that is no gzip: {error}") from error
    if unpacker.unconsumed_tail:
        raise MalformedMessageError(f"a gzip message of more than {MAX_MESSAGE_BYTES} bytes")
    if not unpacker.eof:
        raise MalformedMessageError("a gzip message that is cut off")
    return unpacked


def _errors(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    listed = value if isinstance(value, list) else [value]
    return tuple(error if isinstance(error, str) else _as_text(error) for error in listed)


def _as_text(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except (RecursionError, ValueError):  # nested as deep as it could be read, or a huge integer
        return f"an error that is no text ({type(value).__name__})"


def _metadata(value: object) -> tuple[Optional[VideoMetadata], Optional[str]]:
    if value is None:
        return None, None
    if not isinstance(value, dict):
        return None, f"video_metadata is {type(value).__name__}, not an object"
    try:
        return (
            VideoMetadata(
                frame_id=_whole(value["frame_id"]),
                received_at=parse_time(value["received_at"]),
                pts=_optional(value.get("pts"), _whole),
                time_base=_optional(value.get("time_base"), _number),
                declared_fps=_optional(value.get("declared_fps"), _number),
                measured_fps=_optional(value.get("measured_fps"), _number),
            ),
            None,
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        return None, shortened(f"{type(error).__name__}: {error}", _SHOWN_CHARACTERS)


def _optional(value: Any, read: Any) -> Any:
    return None if value is None else read(value)


def _whole(value: Any) -> int:
    number = _number(value)
    if not number.is_integer():
        raise ValueError(f"{value!r} is no whole number")
    return int(value)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{type(value).__name__} where a number should be")
    return float(value)
