"""Which addresses of a request a stream connects to: none that the policy for URLs refuses."""

from __future__ import annotations

import re
import socket
from typing import Any

import pytest

from inference_sdk import config
from inference_sdk.local.faults import InvalidRequestError, RequestFault
from inference_sdk.local.streaming.addresses import judge
from inference_sdk.local.streaming.request import (
    IceServer,
    StreamRequest,
    WorkflowChoice,
    parse_request,
)
from inference_sdk.local.streaming.sources import live_options

WORKFLOW = WorkflowChoice({}, None, None, "image", {})


def wanting(url: str | None = None, *ice: str) -> StreamRequest:
    return StreamRequest(
        "v=0", WORKFLOW, live_url=url, ice_servers=(IceServer(ice),) if ice else ()
    )


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A DNS of our own: names and their addresses; literal ones stand for themselves."""
    known: dict[str, str] = {}

    def look_up(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        address = known.get(host, host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://admin:p%40ss@192.168.1.20/stream?channel=1",
        "rtsp://camera.local:8554/1",
        "http://127.0.0.1:8080/video",
        "https://[2001:db8::1]/video#x",
        "RTSP://camera?x",
    ],
)
def test_by_default_cameras_of_the_network_are_opened_as_they_are_named(url: str) -> None:
    assert judge(wanting(url, "turn:127.0.0.1:3478?transport=tcp", "stun:example.com")) == wanting(
        url, "turn:127.0.0.1:3478?transport=tcp", "stun:example.com"
    )


INSIDE = [
    "rtsp://127.0.0.1/1",
    "rtsp://user:secret@192.168.1.20:8554/1",
    "http://0x7f.1/video",
    "http://[::ffff:10.0.0.1]/video",
    "rtsp://inside.example/1",
]


@pytest.mark.parametrize("url", INSIDE)
def test_addresses_inside_are_refused_where_the_policy_says_so(
    url: str, names: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    names["inside.example"] = "10.1.2.3"
    monkeypatch.setattr(config, "ALLOW_URL_TO_NON_GLOBAL_ADDRESSES", False)
    with pytest.raises(RequestFault, match=r"does not connect to (rtsp|http)://") as refused:
        judge(wanting(url))
    assert "secret" not in str(refused.value)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    "url",
    [
        "turn:10.0.0.1",
        "stun:inside.example:19302",
        "turns:[::1]:443",
        "turn:127.0.0.1?transport=tcp",
    ],
)
def test_so_are_those_of_stun_and_turn(
    url: str, names: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    names["inside.example"] = "10.1.2.3"
    monkeypatch.setattr(config, "ALLOW_URL_TO_NON_GLOBAL_ADDRESSES", False)
    with pytest.raises(RequestFault, match=re.escape(url.partition("?")[0])):
        judge(wanting(None, url))


@pytest.mark.parametrize(
    ("url", "opened", "host"),
    [
        ("rtsp://u:p@out.example/1?a=b", "rtsp://u:p@93.184.215.14:554/1?a=b", "out.example"),
        ("http://out.example:8080/v", "http://93.184.215.14:8080/v", "out.example:8080"),
    ],
)
def test_what_was_judged_is_what_is_opened(
    url: str, opened: str, host: str, names: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that changes its address in between gains nothing."""
    names["out.example"] = "93.184.215.14"
    monkeypatch.setattr(config, "ALLOW_URL_TO_NON_GLOBAL_ADDRESSES", False)
    judged = judge(wanting(url))
    assert (judged.live_url, judged.live_host) == (opened, host)
    if url.startswith("http"):
        assert live_options(opened, host)["headers"] == f"Host: {host}\r\n"


@pytest.mark.parametrize(
    "wanted", [wanting("rtsp://camera.example/1"), wanting(None, "stun:a.example")]
)
def test_lists_and_switches_hold_for_streams(
    wanted: StreamRequest, names: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "WHITELISTED_DESTINATIONS_FOR_URL_INPUT", {"other.example"})
    with pytest.raises(RequestFault, match="not among the destinations"):
        judge(wanted)
    monkeypatch.setattr(config, "WHITELISTED_DESTINATIONS_FOR_URL_INPUT", None)
    monkeypatch.setattr(config, "ALLOW_URL_INPUT", False)
    with pytest.raises(RequestFault, match="ALLOW_URL_INPUT=false"):
        judge(wanted)


@pytest.mark.parametrize(
    "url", ["garbage", "turn:", "turn:a:999999", "http://a", "stun:a/b", "turn:[::1"]
)
def test_what_is_no_stun_or_turn_server_is_said(url: str) -> None:
    with pytest.raises(RequestFault, match="no address of a STUN or TURN server"):
        judge(wanting(None, url))


@pytest.mark.parametrize(
    ("field", "url"),
    [
        ("mjpeg_url", "http://["),
        ("rtsp_url", "rtsp://[::1"),
        ("rtsp_url", "rtsp:///stream"),
        ("rtsp_url", "rtsp:camera"),
        ("mjpeg_url", "http://user@/"),
    ],
)
def test_a_malformed_address_is_a_mistake_of_the_request(field: str, url: str) -> None:
    body = {
        "webrtc_offer": {"type": "offer", "sdp": "v=0"},
        "workflow_configuration": {"workflow_specification": {}},
        field: url,
    }
    with pytest.raises(InvalidRequestError, match="URL scheme should be"):
        parse_request(body)
