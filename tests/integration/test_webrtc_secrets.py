"""Passwords of cameras, TURN credentials and keys: in no message, log, repr or chained error."""

from __future__ import annotations

import json
import traceback

import pytest

from inference_sdk.config import InferenceSDKDeprecationWarning
from inference_sdk.webrtc import (
    LocalStreamSource,
    ManualSource,
    MJPEGSource,
    RTSPSource,
    StreamConfig,
    VideoFileSource,
    WebRTCClient,
    WebRTCError,
    WebRTCSession,
)
from tests.integration.webrtc_peer import Behaviour, Worker

# Made here, since a traceback quotes the lines of this file.
SECRET, CREDENTIAL, KEY = (
    "".join(parts) for parts in (("pa%2Fss", "word"), ("turn-", "credential"), ("k", "ey1"))
)
PLAIN = SECRET.replace("%2F", "/")
HIDDEN = (SECRET, PLAIN, CREDENTIAL, KEY)
# Over TCP: there it is told at once that nothing listens; over UDP it waits for five seconds.
TURN = {"urls": "turn:127.0.0.1:9?transport=tcp", "username": "u", "credential": CREDENTIAL}

SOURCES = [
    RTSPSource(f"rtsp://user:{SECRET}@127.0.0.1:9/camera"),
    MJPEGSource(f"http://127.0.0.1:9/camera?user=me&pwd={SECRET}"),
]


def session(url, source, **config):
    return WebRTCSession(
        url, KEY, source, "image", {"workflow_specification": {}}, StreamConfig(**config)
    )


def assert_hidden(text):
    for secret in HIDDEN:
        assert secret not in text


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: type(source).__name__)
@pytest.mark.parametrize("wrap", [json.dumps, lambda text: text, lambda text: "x" * 495 + text])
def test_what_a_server_repeats_is_masked(source, wrap):
    words = f"cannot read {source.url} or {PLAIN} with {CREDENTIAL} of {KEY}"
    behaviour = Behaviour(raw_answer=wrap(words).encode())
    with Worker(behaviour) as worker, pytest.raises(WebRTCError) as raised:
        session(worker.url, source, turn_server=TURN).run()
    assert_hidden("".join(traceback.format_exception(raised.value)))


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: type(source).__name__)
def test_what_a_worker_reports_is_masked_in_logs(source, caplog):
    caplog.set_level("DEBUG", "inference_sdk")
    words = f"cannot read {source.url} or {PLAIN}"
    with Worker(Behaviour(errors=[words], frames=3, fps=50)) as worker:
        session(worker.url, source, stream_output=["image"]).run()
    assert "cannot read" in caplog.text
    assert_hidden(caplog.text)


@pytest.mark.parametrize(
    "source",
    [
        *SOURCES,
        LocalStreamSource(f"rtsp://user:{SECRET}@127.0.0.1:9/camera"),
        VideoFileSource(f"http://user:{SECRET}@127.0.0.1:9/v.mp4?sig={SECRET}"),
        ManualSource(),
    ],
    ids=lambda source: type(source).__name__,
)
def test_objects_do_not_show_them(source):
    config = StreamConfig(turn_server=TURN, workflow_parameters={"api_key": SECRET})
    with pytest.warns(InferenceSDKDeprecationWarning):
        client = WebRTCClient(f"http://user:{SECRET}@127.0.0.1:9", KEY)
    stream = client.stream(source, workflow={}, config=config)
    server = stream._server
    assert_hidden(" ".join(map(repr, (source, config, client, stream, server))))
    with pytest.raises(WebRTCError) as raised, stream:
        stream.wait(timeout=20)
    assert "127.0.0.1:9" in str(raised.value)
    assert_hidden("".join(traceback.format_exception(raised.value)))
