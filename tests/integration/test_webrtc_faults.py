"""Everything that can fail at the start, or instead of a first frame: told clearly, and in time."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
import time

import pytest

from inference_sdk.webrtc import (
    FirstFrameTimeoutError,
    ManualSource,
    RTSPSource,
    SourceError,
    StreamConfig,
    VideoFileSource,
    WebcamSource,
    WebRTCSession,
    WebRTCStartError,
)
from tests.integration.webrtc_peer import Behaviour, Worker, write_video

KEY = "secret-key-0123"


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return str(write_video(tmp_path_factory.mktemp("video") / "video.avi", 5))


def session(url, source, **config):
    settings = {"stream_output": ["image"], **config}
    return WebRTCSession(
        url, KEY, source, "image", {"workflow_specification": {}}, StreamConfig(**settings)
    )


def fails(url, source, error, says, within=5.0):
    before = threading.active_count()
    begun = time.monotonic()
    with pytest.raises(error, match=says) as raised:
        session(url, source).run()
    assert time.monotonic() - begun < within
    assert isinstance(raised.value, RuntimeError)
    assert url in str(raised.value)
    assert KEY not in str(raised.value)
    assert threading.active_count() == before


def test_a_missing_file_is_known_before_any_server_is_asked(tmp_path):
    with Worker() as worker:
        missing = str(tmp_path / "missing.mp4")
        fails(worker.url, VideoFileSource(missing), SourceError, f"{missing}.*No such file")
        assert worker.requests == []


def test_a_file_that_is_no_video_is_known_before_any_server_is_asked(tmp_path):
    path = tmp_path / "text.mp4"
    path.write_text("no video " * 1000)
    with Worker() as worker:
        fails(worker.url, VideoFileSource(str(path)), SourceError, "no video")
        assert worker.requests == []


def test_a_missing_camera_is_known_before_any_server_is_asked():
    with Worker() as worker:
        fails(worker.url, WebcamSource(93), SourceError, "Camera 93 cannot be opened")
        assert worker.requests == []


def test_an_unreachable_server(video):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    fails(url, VideoFileSource(video), WebRTCStartError, "Could not reach")


@pytest.mark.parametrize(
    ("knobs", "says"),
    [
        ({"status": 404}, "refused. Check the id and the workspace"),
        ({"status": 405}, "may have no WebRTC"),
        ({"status": 401}, "API key"),
        ({"status": 500}, "status 500"),
        ({"raw_answer": b"<html>proxy</html>"}, "other than JSON"),
        ({"raw_answer": b'{"status": "success"}'}, "no session description"),
        ({"raw_answer": json.dumps({"type": "answer", "sdp": "junk"}).encode()}, "makes no sense"),
        (
            {"raw_answer": json.dumps({"type": "answer", "sdp": "v=0\r\n"}).encode()},
            "makes no sense",
        ),
        ({"raw_answer": json.dumps({"type": "x", "sdp": "v=0"}).encode()}, "no session descr"),
    ],
)
def test_answers_that_are_none(knobs, says):
    with Worker(Behaviour(**knobs)) as worker:
        fails(worker.url, RTSPSource("rtsp://x"), WebRTCStartError, says)


def test_turn_settings_that_cannot_be_read():
    with Worker() as worker:
        with pytest.raises(WebRTCStartError, match="turn_server"):
            session(worker.url, ManualSource(), turn_server={"url": "turn:x"}).wait()
        assert worker.requests == []


class Stun(asyncio.DatagramProtocol):
    """Answers every binding request, with no address of use."""

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        self.transport.sendto(struct.pack("!HHI12s", 0x0111, 0, 0x2112A442, data[8:20]), addr)


async def open_stun():
    loop = asyncio.get_running_loop()
    return (await loop.create_datagram_endpoint(Stun, local_addr=("0.0.0.0", 0)))[0]


def test_turn_settings_are_told_to_the_worker():
    with Worker(Behaviour(frames=2)) as worker:
        stun = worker.call(open_stun())
        url = "stun:127.0.0.1:{}".format(stun.get_extra_info("sockname")[1])
        turn = {"urls": url, "username": "u", "credential": "c"}
        session(worker.url, RTSPSource("rtsp://x"), turn_server=turn).run()
        assert worker.requests[0]["webrtc_config"] == {
            "iceServers": [{"urls": [url], "username": "u", "credential": "c"}]
        }
        worker.loop.call_soon_threadsafe(stun.close)


@pytest.mark.parametrize("source", [ManualSource, lambda: RTSPSource("rtsp://x")])
def test_a_slow_server_is_waited_for(source):
    """No time-out of ours may be shorter than a real server's start, some 19 s."""
    from inference_sdk import config
    from inference_sdk.webrtc import signalling

    assert signalling.OFFER_TIMEOUT >= 90
    assert config.WEBRTC_INITIAL_FRAME_TIMEOUT >= 90
    with Worker(Behaviour(answer_delay=0.3)) as worker, session(worker.url, source()) as stream:
        with pytest.raises(TimeoutError):
            stream.wait(timeout=0.1)
        assert len(worker.sessions) == 1


def short(monkeypatch, seconds=0.4):
    monkeypatch.setattr("inference_sdk.webrtc.session.WEBRTC_INITIAL_FRAME_TIMEOUT", seconds)


def test_a_worker_that_is_silent_is_not_waited_for_for_ever(monkeypatch):
    short(monkeypatch)
    with Worker(Behaviour(silent=True)) as worker:
        fails(worker.url, RTSPSource("rtsp://x"), FirstFrameTimeoutError, "no frame within 0.4 s")


def test_a_worker_that_fails_on_every_frame_is_alive_and_its_errors_are_logged(monkeypatch, caplog):
    short(monkeypatch)
    behaviour = Behaviour(errors=["step 'detect' has no model"], frames=40, fps=40)
    with Worker(behaviour) as worker:
        session(worker.url, RTSPSource("rtsp://x")).run()
    assert caplog.text.count("The worker reports: step 'detect' has no model") == 1
    assert "not one picture of 'image' came" in caplog.text


def test_the_time_out_is_a_time_out(monkeypatch):
    short(monkeypatch)
    with Worker(Behaviour(silent=True)) as worker:
        stream = session(worker.url, RTSPSource("rtsp://x"))
        with stream, pytest.raises(TimeoutError, match="no frame within"):
            stream.wait(timeout=20)


def test_errors_of_a_worker_reach_their_handler(video, monkeypatch):
    short(monkeypatch)
    found = []
    with Worker(Behaviour(errors=["bad"])) as worker:
        stream = session(worker.url, VideoFileSource(video))
        stream.on_error(found.append)
        stream.wait(timeout=20)
        stream.close()
    assert found == [["bad"]] * 5


def test_a_manual_source_may_take_its_time(monkeypatch):
    """Nothing can come back before anything was sent: the clock starts with the first frame."""
    import numpy as np

    short(monkeypatch, 0.3)
    source = ManualSource()
    with Worker(Behaviour(silent=True)) as worker, session(worker.url, source) as stream:
        with pytest.raises(TimeoutError, match="still runs"):
            stream.wait(timeout=0.8)
        source.send(np.zeros((48, 64, 3), np.uint8))
        with pytest.raises(FirstFrameTimeoutError):
            stream.wait(timeout=20)


def test_data_alone_counts_where_no_video_is_asked_for(monkeypatch):
    short(monkeypatch)
    numbers = []
    with Worker(Behaviour(frames=30, fps=25)) as worker:
        stream = session(
            worker.url, RTSPSource("rtsp://x"), stream_output=[], data_output=["number"]
        )
        stream.on_data("number")(numbers.append)
        with pytest.raises(TimeoutError, match="still runs"):
            stream.wait(timeout=1.5)
        stream.close()
    assert numbers == list(range(1, 31))


def test_no_way_to_the_worker_says_what_to_try(monkeypatch):
    """An answer whose candidates lead nowhere: ICE fails, and TURN is named."""
    from tests.integration.webrtc_peer import WorkerSession

    answer = WorkerSession.answer

    async def elsewhere(self):
        given = await answer(self)
        lines = [line for line in given.sdp.splitlines() if not line.startswith("a=candidate")]
        return type(given)(sdp="\r\n".join(lines) + "\r\n", type=given.type)

    monkeypatch.setattr(WorkerSession, "answer", elsewhere)
    with Worker() as worker:
        # The worker would find the client by itself: it must not know where it is.
        monkeypatch.setattr(WorkerSession, "__init__", forget_candidates(WorkerSession.__init__))
        fails_with_turn(worker.url)


def forget_candidates(init):
    def without(self, behaviour, body):
        offer = body["webrtc_offer"]
        lines = [line for line in offer["sdp"].splitlines() if not line.startswith("a=candidate")]
        body["webrtc_offer"] = {**offer, "sdp": "\r\n".join(lines) + "\r\n"}
        init(self, behaviour, body)

    return without


def fails_with_turn(url):
    stream = session(url, RTSPSource("rtsp://x"))
    with pytest.raises(RuntimeError, match=r"ICE failed.*TURN"):
        stream.run()
