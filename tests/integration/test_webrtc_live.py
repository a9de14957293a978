"""Live streams through a real peer: the newest frame wins, and losses are survived or told."""

from __future__ import annotations

import asyncio
import threading
import time
from types import SimpleNamespace

import av
import numpy as np
import pytest

from inference_sdk.config import InferenceSDKDeprecationWarning
from inference_sdk.webrtc import (
    ManualSource,
    MJPEGSource,
    ReconnectPolicy,
    RTSPSource,
    SessionState,
    SourceError,
    StreamConfig,
    VideoFileSource,
    WebRTCClient,
    WebRTCConnectionLostError,
    WebRTCSession,
)
from inference_sdk.webrtc.intake import Intake
from inference_sdk.webrtc.sources.capture import CaptureSource
from tests.integration.webrtc_peer import Behaviour, Worker, worker_process, write_video

PICTURE = np.full((120, 160, 3), 90, np.uint8)
SOON = ReconnectPolicy(initial_delay=0.02, max_attempts=3)


def session(worker, source, **config):
    settings = {"stream_output": ["image"], **config}
    return WebRTCSession(
        worker.url, "key", source, "image", {"workflow_specification": {}}, StreamConfig(**settings)
    )


class Sender:
    """Sends pictures at a pace, on a thread of its own, until it is left."""

    def __init__(self, source, fps=30.0):
        self.sent = 0
        self._source, self._fps = source, fps
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(10)

    def _run(self):
        while not self._stop.wait(1 / self._fps):
            try:
                self._source.send(PICTURE)
                self.sent += 1
            except RuntimeError:
                continue  # not started yet, or between two starts


def test_manual_frames_come_back():
    """60 frames at 15 per second from another thread: nearly all come back, and soon."""
    source = ManualSource()
    with Worker() as worker, session(worker, source, data_output=["number"]) as stream:
        frames = stream.video()
        with Sender(source, fps=15) as sender:
            got = []
            while len(got) < 57:
                got.append(next(frames))
            assert sender.sent <= 61
        stats = stream.stats()
    assert abs(float(got[-1][0].mean()) - 90) < 12
    assert got[0][1].frame_id == got[0][1].pts
    assert stats.latency < 0.2
    assert stats.frames_sent >= 57
    assert stats.bytes_sent > 0
    assert stats.packets_lost == 0


@pytest.mark.parametrize(
    ("source", "parameter"),
    [(RTSPSource("rtsp://cam/1"), "rtsp_url"), (MJPEGSource("http://cam/1"), "mjpeg_url")],
)
@pytest.mark.parametrize("said", [True, False])
def test_a_stream_that_the_worker_reads_ends_with_it(source, parameter, said):
    behaviour = Behaviour(frames=20, fps=50, end_of_stream_message=said)
    with Worker(behaviour) as worker:
        seen = []
        stream = session(worker, source)
        stream.on_frame(lambda frame, metadata: seen.append(metadata.pts))
        stream.run()
        assert worker.requests[0][parameter] == source.url
    assert len(seen) == 20
    assert seen == sorted(seen)


def test_the_newest_frame_wins():
    with Worker(Behaviour(frames=60, fps=120)) as worker:
        stream = session(worker, RTSPSource("rtsp://cam/1"), data_output=["number"])
        with stream:
            frames = stream.video()
            first = next(frames)[1].pts
            time.sleep(0.4)
            late = [metadata.pts for _, metadata in frames]
    assert len(late) <= 45
    assert late[0] > first + 3000
    assert stream.stats().frames_dropped > 10


def test_a_slow_data_handler_neither_stops_frames_nor_loses_errors():
    errors = []
    behaviour = Behaviour(frames=40, fps=60)
    with Worker(behaviour) as worker:
        stream = session(worker, RTSPSource("rtsp://cam/1"), data_output=["number"])
        numbers = []

        @stream.on_data("number")
        def slow(value):
            numbers.append(value)
            behaviour.errors = ["bad step"] if value >= 2 else []
            time.sleep(0.05)

        stream.on_error(lambda found, metadata: errors.append((found, metadata.errors)))
        stream.wait(timeout=20)
        stream.close()
    assert numbers
    assert len(errors) > 20
    assert errors[0] == (["bad step"], ["bad step"])


def test_wait_ends_in_time_however_many_frames_come():
    source = ManualSource()
    with Worker() as worker, session(worker, source) as stream, Sender(source, fps=60):
        begun = time.monotonic()
        with pytest.raises(TimeoutError, match="still runs"):
            stream.wait(timeout=1.0)
        assert 0.9 < time.monotonic() - begun < 2.5
        assert stream.state is SessionState.STARTED


# Closing


def test_closing_from_a_frame_handler():
    source = ManualSource()
    with Worker() as worker, Sender(source):
        stream = session(worker, source)
        seen = []

        @stream.on_frame
        def stop(frame, metadata):
            seen.append(1)
            stream.close()

        stream.run()
    assert seen == [1]


def test_closing_from_a_data_handler():
    source = ManualSource()
    with Worker() as worker, Sender(source):
        stream = session(worker, source, data_output=["number"])
        begun = []

        @stream.on_data("number")
        def stop(value):
            begun.append(time.monotonic())
            stream.close()

        stream.run()
        assert time.monotonic() - begun[0] < 2


def test_a_reader_hears_of_no_error_however_the_threads_of_a_close_run(monkeypatch):
    real, ended = Intake.close, threading.Event()

    def late(intake):
        ended.wait(10)
        real(intake)

    with Worker() as worker, Sender(source := ManualSource()):
        stream = session(worker, source, data_output=["number"])
        monkeypatch.setattr(Intake, "close", late)
        try:
            for _ in stream.video():
                threading.Thread(target=stream.close).start()
        finally:
            ended.set()


def test_closing_from_another_thread_wakes_who_waits():
    source = ManualSource()
    with Worker() as worker:
        stream = session(worker, source)
        frames = stream.video()
        timer = threading.Timer(0.05, stream.close)
        timer.start()
        begun = time.monotonic()
        assert list(frames) == []
        assert time.monotonic() - begun < 2.5
        timer.join(5)
        with pytest.raises(RuntimeError, match="closed"):
            stream.wait()
        with pytest.raises(RuntimeError):
            source.send(PICTURE)


async def test_closing_wakes_an_async_reader():
    with Worker() as worker:
        stream = session(worker, ManualSource())

        async def read():
            return [frame async for frame in stream.video_async()]

        reading = asyncio.ensure_future(read())
        while stream.state is not SessionState.STARTED:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await stream.aclose()
        assert await asyncio.wait_for(reading, 5) == []


def test_leaving_a_with_block_in_the_middle():
    source = ManualSource()
    with Worker() as worker, Sender(source):
        with session(worker, source) as stream:
            next(stream.video())
        assert stream.state is SessionState.CLOSED


def test_an_interrupt_ends_run_and_leaves_nothing():
    import signal

    source = ManualSource()
    with Worker() as worker, Sender(source):
        stream = session(worker, source)

        @stream.on_frame
        def interrupt(frame, metadata):
            signal.raise_signal(signal.SIGINT)

        with pytest.raises(KeyboardInterrupt):
            stream.run()
        assert stream.state is SessionState.CLOSED
        assert not [t for t in threading.enumerate() if t.name.startswith("inference-webrtc")]


# Losing the worker


def test_a_worker_that_ends_a_live_stream_has_ended_it():
    """Its own time-out, or the end of its work: it closes the connection in order."""
    source = ManualSource()
    with Worker(Behaviour(leave_after=10)) as worker, Sender(source):
        stream = session(worker, source)
        stream.run()
        assert stream.state is SessionState.CLOSED


def test_a_worker_that_is_killed_is_a_loss(monkeypatch):
    """Nothing says goodbye: the consent to send runs out, after some 30 s (here: 0.5 s)."""
    monkeypatch.setattr("aioice.ice.CONSENT_FAILURES", 2)
    monkeypatch.setattr("aioice.ice.CONSENT_INTERVAL", 0.2)
    with worker_process(frames=1000) as url:
        stream = session(SimpleNamespace(url=url), RTSPSource("rtsp://cam/1"))
        with stream:
            frames = stream.video()
            next(frames)
            url.kill()
            with pytest.raises(WebRTCConnectionLostError, match="was lost"):
                list(frames)


async def test_async_readers_get_the_error_too(monkeypatch):
    monkeypatch.setattr("aioice.ice.CONSENT_FAILURES", 2)
    monkeypatch.setattr("aioice.ice.CONSENT_INTERVAL", 0.2)
    with worker_process(frames=1000) as url:
        stream = session(SimpleNamespace(url=url), RTSPSource("rtsp://cam/1"))

        @stream.on_frame
        def stop(frame, metadata):
            url.kill()

        with pytest.raises(WebRTCConnectionLostError):
            await stream.arun()


def test_a_lost_live_stream_is_started_again():
    source = ManualSource()
    with Worker(Behaviour(leave_after=8, leaves=2)) as worker, Sender(source):
        stream = session(worker, source, reconnect=SOON)
        with stream:
            frames = stream.video()
            while len(worker.sessions) < 3 or worker.sessions[2].results < 15:
                next(frames)
            assert stream.stats().reconnects == 2


def test_a_pulled_stream_that_ends_is_started_again_where_that_is_wanted():
    with Worker(Behaviour(frames=5, fps=100)) as worker:
        stream = session(worker, RTSPSource("rtsp://cam/1"), reconnect=SOON)
        with stream:
            frames = stream.video()
            for _ in range(12):
                next(frames)
            assert len(worker.sessions) >= 3


def test_starting_again_is_given_up_in_the_end():
    source = ManualSource()
    with Worker(Behaviour(leave_after=3)) as worker, Sender(source):
        stream = session(worker, source, reconnect=SOON)

        @stream.on_frame
        def break_the_server(frame, metadata):
            worker.behaviour.status = 500

        with pytest.raises(RuntimeError, match="status 500"):
            stream.run()
        assert len(worker.requests) == 4


# A model


@pytest.mark.parametrize("offset", [0, 40])
def test_frames_of_a_model_come_with_their_predictions(offset):
    behaviour = Behaviour(frames=20, fps=50, pts_offset=offset, predictions=lambda n: {"n": n})
    with Worker(behaviour) as worker:
        with pytest.warns(InferenceSDKDeprecationWarning):
            client = WebRTCClient(worker.url, "key")
        source = RTSPSource("rtsp://cam/1")
        stream = client.stream(source, model_id="coco/3", task_type="object-detection")
        pairs = []
        stream.on_frame(lambda frame, predictions: pairs.append(predictions))
        stream.run()
        sent = worker.requests[0]
    assert pairs == [{"n": number} for number in range(1, 21)]
    assert sent["stream_output"] == ["image"]
    assert sent["data_output"] == ["predictions"]
    steps = sent["workflow_configuration"]["workflow_specification"]["steps"]
    assert steps[0]["model_id"] == "coco/3"


async def test_frames_of_a_model_without_predictions_get_none():
    behaviour = Behaviour(frames=3, fps=50, pts_offset=45000)
    with Worker(behaviour) as worker:
        with pytest.warns(InferenceSDKDeprecationWarning):
            client = WebRTCClient(worker.url, None)
        stream = client.stream(
            RTSPSource("rtsp://cam/1"), model_id="m/1", task_type="classification"
        )
        pairs = []

        @stream.on_frame
        async def take(frame, predictions):
            pairs.append(predictions)

        await stream.arun()
    assert pairs == [None, None, None]


@pytest.mark.parametrize(
    ("transport", "in_body", "in_header"),
    [("legacy", True, False), ("both", True, True), ("header", False, True)],
)
def test_where_the_key_travels(transport, in_body, in_header):
    with Worker(Behaviour(frames=3, fps=50)) as worker:
        with pytest.warns(InferenceSDKDeprecationWarning):
            client = WebRTCClient(worker.url, "the-key", api_key_transport=transport)
        config = StreamConfig(stream_output=["image"])
        client.stream(RTSPSource("rtsp://c"), workflow={"a": 1}, config=config).run()
        body, headers = worker.requests[0], worker.headers[0]
    assert ("the-key" in str(body)) is in_body
    assert (headers.get("Authorization") == "Bearer the-key") is in_header
    assert body["workflow_configuration"] == {
        "type": "WorkflowConfiguration",
        "image_input_name": "image",
        "workflows_parameters": {},
        "workflow_specification": {"a": 1},
    }


# What is read here


class Frames:
    """A camera that gives some frames, and then ends or fails."""

    fps = 50.0

    def __init__(self, count, error=None):
        self.left, self.error = count, error

    def read(self):
        time.sleep(0.02)
        self.left -= 1
        if self.left < 0 and self.error is not None:
            raise self.error
        if self.left < 0:
            return None
        picture = np.full((120, 160, 3), self.left * 5 % 250, np.uint8)
        return av.VideoFrame.from_ndarray(picture, format="bgr24")

    def interrupt(self): ...

    def close(self): ...


class Camera(CaptureSource):
    def __init__(self, *readers):
        super().__init__()
        self.readers = list(readers)

    def _open(self):
        return self.readers.pop(0)


def test_a_camera_that_is_unplugged_ends_the_stream_with_its_error():
    with Worker() as worker:
        seen = []
        stream = session(worker, Camera(Frames(60, SourceError("unplugged"))))
        stream.on_frame(lambda frame, metadata: seen.append(1))
        with pytest.raises(SourceError, match="unplugged"):
            stream.run()
        assert worker.requests[0]["declared_fps"] == 50.0
    assert seen


def test_a_camera_that_is_unplugged_is_opened_again():
    camera = Camera(Frames(30, SourceError("unplugged")), Frames(10**6))
    with Worker() as worker:
        stream = session(worker, camera, reconnect=SOON)
        with stream:
            frames = stream.video()
            while len(worker.sessions) < 2 or worker.sessions[1].results < 5:
                next(frames)


def test_a_recording_that_ends_ends_the_stream():
    with Worker() as worker:
        seen = []
        stream = session(worker, Camera(Frames(60)))
        stream.on_frame(lambda frame, metadata: seen.append(1))
        stream.run()
    assert len(seen) >= 40


def test_a_model_over_the_data_channel_pairs_by_message(tmp_path):
    behaviour = Behaviour(predictions=lambda number: {"n": number})
    video = str(write_video(tmp_path / "v.avi", 5))
    with Worker(behaviour) as worker:
        with pytest.warns(InferenceSDKDeprecationWarning):
            client = WebRTCClient(worker.url, None)
        source = VideoFileSource(video)
        stream = client.stream(source, model_id="m/1", task_type="object-detection")
        pairs = []
        stream.on_frame(lambda frame, predictions: pairs.append(predictions))
        stream.run()
    assert pairs == [{"n": number} for number in range(1, 6)]
