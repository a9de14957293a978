"""What a client asks for with `POST /initialise_webrtc_worker`: JSON in, a checked value out.

Pure. Every mistake is found here and named by its place in the body, before anything is opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional
from urllib.parse import urlsplit

from inference_sdk.local.faults import InvalidRequestError

KINDS: Mapping[type, str] = {
    dict: "object",
    list: "list",
    str: "text",
    bool: "boolean",
    float: "number",
}


@dataclass(frozen=True)
class IceServer:
    """A STUN or TURN server the client wants used."""

    urls: tuple[str, ...]
    username: Optional[str] = None
    credential: Optional[str] = None


@dataclass(frozen=True)
class WorkflowChoice:
    """The workflow to run: a specification, or the name of one the server knows."""

    specification: Optional[Mapping[str, Any]]
    workspace: Optional[str]
    workflow_id: Optional[str]
    image_input: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class StreamRequest:
    """A checked request for a stream.

    Attributes:
        offer_sdp: the client's session description.
        realtime: the newest frame wins; else every frame, in order.
        picture_output: output that goes onto the video track; None for the first picture.
        data_outputs: outputs that go into the data messages.
        processing_timeout: seconds after which the stream ends; None for no limit.
        live_url: address that the server is to read frames from, rtsp(s) or http(s).
        live_host: what its host was called, where `live_url` has the address that was looked up.
        file_upload: frames come from a file that the client uploads.
    """

    offer_sdp: str
    workflow: WorkflowChoice
    realtime: bool = True
    picture_output: Optional[str] = None
    data_outputs: tuple[str, ...] = ()
    ice_servers: tuple[IceServer, ...] = ()
    declared_fps: Optional[float] = None
    processing_timeout: Optional[float] = None
    live_url: Optional[str] = None
    live_host: Optional[str] = None
    file_upload: bool = False


def parse_request(body: Any) -> StreamRequest:
    """Check the body of a request.

    Raises:
        InvalidRequestError: a field is missing or wrong; says which.
    """
    whole = _Reader(body, ())
    offer = whole.object("webrtc_offer")
    if offer.text("type") != "offer":
        raise offer.wrong("type", "Input should be 'offer'")
    pictures = whole.texts("stream_output")
    return StreamRequest(
        offer_sdp=offer.text("sdp"),
        workflow=_workflow(whole.object("workflow_configuration")),
        realtime=whole.flag("webrtc_realtime_processing", True),
        picture_output=pictures[0] if pictures else None,
        data_outputs=whole.texts("data_output"),
        ice_servers=_ice_servers(whole),
        declared_fps=whole.positive("declared_fps"),
        processing_timeout=whole.positive("processing_timeout"),
        live_url=_live_url(whole),
        file_upload=whole.flag("video_file_upload", False),
    )


class _Reader:
    """Takes fields out of an object, and says where one is wrong."""

    def __init__(self, content: Any, path: tuple[str | int, ...]) -> None:
        self._path = ("body", *path)
        self._inner = path
        if not isinstance(content, dict):
            raise InvalidRequestError.at(
                self._path, "dict_type", "Input should be an object", content
            )
        self._content = content

    def wrong(self, name: str, message: str) -> InvalidRequestError:
        location = (*self._path, name)
        return InvalidRequestError.at(location, "value_error", message, self._content.get(name))

    def optional(self, name: str, kind: type) -> Any:
        """The field, None when it is missing or null."""
        value = self._content.get(name)
        number = kind is float and isinstance(value, int) and not isinstance(value, bool)
        if value is None or isinstance(value, kind) or number:
            return value
        raise self.wrong(name, f"Input should be a valid {KINDS[kind]}")

    def required(self, name: str, kind: type) -> Any:
        value = self.optional(name, kind)
        if value is None:
            raise InvalidRequestError.missing((*self._path, name))
        return value

    def object(self, name: str) -> _Reader:
        return _Reader(self.required(name, dict), (*self._inner, name))

    def text(self, name: str) -> str:
        return str(self.required(name, str))

    def texts(self, name: str) -> tuple[str, ...]:
        values = self.optional(name, list) or []
        if not all(isinstance(value, str) for value in values):
            raise self.wrong(name, "Input should be a list of texts")
        return tuple(values)

    def flag(self, name: str, default: bool) -> bool:
        value = self.optional(name, bool)
        return default if value is None else bool(value)

    def positive(self, name: str) -> Optional[float]:
        value = self.optional(name, float)
        if value is not None and not value > 0:
            raise self.wrong(name, "Input should be greater than 0")
        return value if value is None else float(value)


def _workflow(reader: _Reader) -> WorkflowChoice:
    specification = reader.optional("workflow_specification", dict)
    named = specification is None
    return WorkflowChoice(
        specification=specification,
        workspace=reader.text("workspace_name") if named else None,
        workflow_id=reader.text("workflow_id") if named else None,
        image_input=reader.optional("image_input_name", str) or "image",
        parameters=reader.optional("workflows_parameters", dict) or {},
    )


def _ice_servers(reader: _Reader) -> tuple[IceServer, ...]:
    config = reader.optional("webrtc_config", dict) or {}
    entries = _Reader(config, ("webrtc_config",)).optional("iceServers", list) or []
    return tuple(
        _ice_server(_Reader(entry, ("webrtc_config", "iceServers", index)))
        for index, entry in enumerate(entries)
    )


def _ice_server(reader: _Reader) -> IceServer:
    urls = reader._content.get("urls")
    return IceServer(
        urls=(urls,) if isinstance(urls, str) else reader.texts("urls"),
        username=reader.optional("username", str),
        credential=reader.optional("credential", str),
    )


def _live_url(reader: _Reader) -> Optional[str]:
    """The address of an RTSP or MJPEG source, whose scheme must fit its name."""
    for name, schemes in (("rtsp_url", ("rtsp", "rtsps")), ("mjpeg_url", ("http", "https"))):
        url: Optional[str] = reader.optional(name, str)
        if url is None:
            continue
        if url.partition("://")[0].lower() not in schemes or not _is_url(url):
            raise reader.wrong(name, f"URL scheme should be {' or '.join(schemes)}")
        return url
    return None


def _is_url(text: str) -> bool:
    try:
        return bool(urlsplit(text).hostname)
    except ValueError:
        return False
