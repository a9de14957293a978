"""Data of a stream: never dropped, in order, handed on before the end; and how streams end."""

from __future__ import annotations

import asyncio
import json
import math
import struct
import threading
import time

import numpy as np
import pytest

from inference_sdk.config import InferenceSDKDeprecationWarning
from inference_sdk.webrtc import (
    DataBacklogError,
    ManualSource,
    RTSPSource,
    SessionState,
    StreamConfig,
    StreamSource,
    VideoFileSource,
    WebRTCClient,
    WebRTCSession,
    WebRTCStartError,
)
from inference_sdk.webrtc.sources.capture import CaptureSource
from tests.integration.bare_peer import until
from tests.integration.test_webrtc_live import Frames
from tests.integration.webrtc_peer import Behaviour, Worker, WorkerSession, write_video

PICTURE = np.full((48, 64, 3), 90, np.uint8)


def session(worker, source, **config):
    settings = {"stream_output": [], "data_output": ["number"], **config}
    return WebRTCSession(
        worker.url, "key", source, "image", {"workflow_specification": {}}, StreamConfig(**settings)
    )


def message(number, data=..., errors=()):
    """A result as text; without metadata, as a worker may send it."""
    content = {"number": number} if data is ... else data
    return {"serialized_output_data": content, "video_metadata": None, "errors": list(errors)}


class ScriptedWorker(Worker):
    """A worker that sends what it is told once its channel is open, whatever the source."""

    def __init__(self, *messages, complete=True, leave=False, stay=0.0, every=0.0):
        super().__init__(Behaviour())
        self.script, self.every = messages, every
        self.complete, self.leave, self.stay = complete, leave, stay

    def __enter__(self):
        script = self

        async def play(self):
            await self.channel_open.wait()
            for content in script.script:
                self.send_text(content)
                await below(self.channel, 2**20)
                if script.every:
                    await asyncio.sleep(script.every)
            await below(self.channel, 1)
            await asyncio.sleep(script.stay)
            if script.complete:
                self.send_text({"processing_complete": True})
            if script.leave:
                await asyncio.sleep(0.1)
                await self.leave()

        async def answer(self):
            given = await real(self)
            self.spawn(play(self))
            return given

        real = WorkerSession.answer
        self._patch = pytest.MonkeyPatch()
        for name in ("process_file", "process_pulled", "process_track"):
            self._patch.setattr(WorkerSession, name, nothing)
        self._patch.setattr(WorkerSession, "answer", answer)
        return super().__enter__()

    def __exit__(self, *error):
        super().__exit__(*error)
        self._patch.undo()


async def below(channel, limit):
    await until(lambda: channel.bufferedAmount < limit or channel.readyState != "open")


async def nothing(self, track=None):
    """The script is all that happens."""


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return str(write_video(tmp_path_factory.mktemp("video") / "video.avi", 10))


def rtsp(video):
    return RTSPSource("rtsp://cam/1")


def batch_file(video):
    return VideoFileSource(video)


def live_file(video):
    return VideoFileSource(video, realtime_processing=True)


# Bursts


@pytest.mark.parametrize(
    ("make", "count", "seconds"),
    [
        (rtsp, 10_000, 0),
        (rtsp, 1_000, 0.001),
        (rtsp, 30, 0.05),
        (batch_file, 1_000, 0),
        (batch_file, 300, 0.001),
        (live_file, 300, 0.001),
    ],
)
def test_every_message_of_a_burst_arrives_in_order(make, video, count, seconds):
    """The end of the stream comes while they wait, and waits for them."""
    with ScriptedWorker(*map(message, range(count))) as worker:
        stream = session(worker, make(video))
        numbers = []

        @stream.on_data("number")
        def slow(number):
            if seconds:
                time.sleep(seconds)
            numbers.append(number)

        stream.run()
    assert numbers == list(range(count))
    assert stream.stats().messages_dropped == 0


@pytest.mark.parametrize("limit", [{"max_waiting_messages": 40}, {"max_waiting_bytes": 40_000}])
@pytest.mark.parametrize("make", [rtsp, batch_file])
def test_more_than_may_wait_ends_the_stream_with_an_error(limit, make, video):
    hold = threading.Event()
    with ScriptedWorker(*map(message, range(1000))) as worker:
        stream = session(worker, make(video), **limit)
        numbers = []

        @stream.on_data
        def stuck(data):
            hold.wait(20)
            numbers.append(data["number"])

        try:
            with pytest.raises(DataBacklogError, match="max_waiting_messages"):
                stream.wait(timeout=15)
        finally:
            hold.set()
            stream.close()
    assert numbers == list(range(len(numbers)))  # no gap before the error
    assert stream.stats().messages_dropped > 0


async def test_async_readers_hear_of_it_too():
    hold = threading.Event()
    with ScriptedWorker(*map(message, range(1000))) as worker:
        stream = session(worker, RTSPSource("rtsp://cam/1"), max_waiting_messages=40)
        stream.on_data(lambda data: hold.wait(20))
        try:
            with pytest.raises(DataBacklogError):
                await asyncio.wait_for(stream.arun(), 15)
        finally:
            hold.set()


def test_what_waits_is_held_packed_and_without_its_picture():
    """A live file whose frames come with its data: the pictures do not wait, and do not count."""
    picture = {"type": "base64", "value": "A" * 50_000}
    sent = [message(n, {"number": n, "image": picture}) for n in range(100)]
    with ScriptedWorker(*sent) as worker:
        # The limit holds 100 messages, and 25 of them with their pictures.
        stream = session(
            worker,
            RTSPSource("rtsp://cam/1"),
            stream_output=["image"],
            data_output=["number"],
            max_waiting_bytes=1_300_000,
        )
        real = stream._source.get_initialization_params
        stream._source.get_initialization_params = lambda config: {
            **real(config),
            "stream_output": [],
            "data_output": ["number", "image"],
        }
        got = []

        @stream.on_data
        def slow(data):
            time.sleep(0.01)
            got.append(data)

        stream.wait(timeout=20)
        stream.close()
    assert got == [{"number": number} for number in range(100)]


def test_data_before_a_lost_worker_is_handed_on_before_the_error(video):
    """The error comes last: of what came before it nothing is missing."""
    with ScriptedWorker(*map(message, range(50)), complete=False) as worker:
        camera = Camera(Frames(30, OSError("unplugged")))
        stream = session(worker, camera)
        numbers = []

        @stream.on_data("number")
        def slow(number):
            time.sleep(0.01)
            numbers.append(number)

        with pytest.raises(OSError, match="unplugged"):
            stream.run()
    assert numbers == list(range(50))


class Camera(CaptureSource):
    def __init__(self, reader):
        super().__init__()
        self.reader = reader

    def _open(self):
        return self.reader


# What no worker should send


class JunkWorker(ScriptedWorker):
    """Sends what it is told as it is: text, bytes, or (kind, bytes) past aiortc's own checks."""

    def __enter__(self):
        self._real_send = WorkerSession.send_text

        def send(session, content):
            if isinstance(content, dict):
                self._real_send(session, content)
            elif isinstance(content, tuple):
                transport = session.channel.transport
                transport._data_channel_queue.append((session.channel, *content))
                session.spawn(transport._data_channel_flush())
            else:
                session.channel.send(content)

        entered = super().__enter__()
        self._patch.setattr(WorkerSession, "send_text", send)
        return entered


TEXT = 51
DEEP = f'{{"serialized_output_data": {{"number": {"[" * 12_000}1{"]" * 12_000}}}}}'
"""Deeper than the json of any Python reads: up to 3.12 some 1,000, from 3.13 on 10,000."""

JUNK = [
    (TEXT, b"\xff\xfe no UTF-8"),
    "",
    b"",
    "nonsense",
    "[]",
    b"\x1f\x8b" + b"junk" * 10,
    b"short",
    struct.pack("<III", 7, 9, 3) + b"index beyond the total",
    struct.pack("<III", 7, 0, 1) + b"\x1f\x8b" + b"junk" * 10,
    DEEP,
    '{"video_metadata": {"frame_id": NaN, "received_at": 1, "pts": [[]]}}',
    '{"video_metadata": [], "errors": {"a": [1, {}]}}',
]


def test_junk_between_results_costs_no_result(caplog):
    """Each of it is skipped with a word, or is a message without data; the stream goes on."""
    sent = [part for number, junk in enumerate(JUNK) for part in (message(number), junk)]
    with JunkWorker(*sent, message(len(JUNK))) as worker:
        stream = session(worker, RTSPSource("rtsp://cam/1"))
        numbers = []
        stream.on_data("number")(numbers.append)
        stream.run()
    assert numbers == list(range(len(JUNK) + 1))
    assert caplog.text.count("Skipped") == 10


def test_results_that_are_no_strict_json_arrive():
    """As Python writes them; those that wait, too."""
    text = '{"serialized_output_data": {"number": [%d, NaN, -Infinity, "\\ud800", 1%s, %s1%s]}}'
    texts = [text % (n, "0" * 30, "[" * 400, "]" * 400) for n in range(50)]
    with JunkWorker(*texts) as worker:
        stream = session(worker, RTSPSource("rtsp://cam/1"))
        got = []

        @stream.on_data("number")
        def slow(value):
            time.sleep(0.005)
            got.append(value)

        stream.run()
    assert [value[0] for value in got] == list(range(50))
    assert all(repr(value[1:]) == repr(got[0][1:]) for value in got)
    assert got[-1][2:5] == [-math.inf, "\ud800", 10**30]


# Signs of life


GATED = [message(n, {"number": n, "image": None}) for n in range(30)]
FAILING = [message(n, None, ["bad step"]) for n in range(30)]


@pytest.mark.parametrize("make", [rtsp, batch_file, live_file])
@pytest.mark.parametrize(
    ("sent", "outputs"),
    [(GATED, ["image"]), (FAILING, ["image"]), (GATED, []), (FAILING, [])],
    ids=["gated", "errors", "data-only", "errors-of-data-only"],
)
def test_any_message_is_a_sign_of_life(make, video, sent, outputs, monkeypatch):
    monkeypatch.setattr("inference_sdk.webrtc.session.WEBRTC_INITIAL_FRAME_TIMEOUT", 0.3)
    with ScriptedWorker(*sent, every=0.02) as worker:
        stream = session(worker, make(video), stream_output=outputs)
        got = []
        stream.on_data(lambda data, metadata: got.append(data))
        assert list(stream.video()) == []
        stream.close()
    assert len(got) == 30
    assert got[0] is None if sent is FAILING else got[0]["number"] == 0


# The worker closes in order


def manual(video):
    return ManualSource()


def webcam(video):
    return Camera(Frames(10**6))


@pytest.mark.parametrize("make", [manual, rtsp, batch_file, live_file, webcam])
@pytest.mark.parametrize("count", [0, 20])
@pytest.mark.parametrize("outputs", [["image"], []])
def test_an_orderly_close_by_the_worker_ends_the_stream(make, video, count, outputs, caplog):
    sent = map(message, range(count))
    with ScriptedWorker(*sent, complete=False, leave=True, stay=0.1) as worker:
        stream = session(worker, make(video), stream_output=outputs)
        numbers = []
        stream.on_data(lambda data: numbers.append(data["number"]))
        stream.run()
        assert stream.state is SessionState.CLOSED
    assert numbers == list(range(count))
    assert ("before anything came" in caplog.text) is (count == 0)


async def test_an_orderly_close_ends_async_readers_too():
    with ScriptedWorker(message(1), complete=False, leave=True) as worker:
        async with session(worker, ManualSource()) as stream:
            assert [frame async for frame in stream.video_async()] == []


# Which output is the video


PICTURES = {
    "version": "1.0",
    "inputs": [{"type": "InferenceImage", "name": "image"}],
    "steps": [],
    "outputs": [
        {"type": "JsonField", "name": "number", "selector": "$steps.model.predictions"},
        {"type": "JsonField", "name": "image", "selector": "$steps.boxes.image"},
        {"type": "JsonField", "name": "second", "selector": "$inputs.image"},
    ],
}


def with_outputs(*names):
    kept = [output for output in PICTURES["outputs"] if output["name"] in names]
    return {**PICTURES, "outputs": kept}


def stream_of(worker, source, workflow, **config):
    with pytest.warns(InferenceSDKDeprecationWarning):
        client = WebRTCClient(worker.url, "key")
    return client.stream(source, workflow=workflow, config=StreamConfig(**config))


@pytest.mark.parametrize("config", [{}, {"data_output": ["number"]}, {"stream_output": None}])
def test_the_one_picture_of_a_workflow_is_streamed(video, config, caplog):
    caplog.set_level("INFO")
    with Worker() as worker:
        workflow = with_outputs("number", "image")
        with stream_of(worker, VideoFileSource(video), workflow, **config) as stream:
            assert sum(1 for _ in stream.video()) == 10
        assert worker.requests[0]["data_output"] == [*config.get("data_output", []), "image"]
    assert "streaming 'image'" in caplog.text


def test_of_several_pictures_one_has_to_be_named(video):
    with Worker() as worker:
        workflow = with_outputs("number", "image", "second")
        stream = stream_of(worker, VideoFileSource(video), workflow, data_output=["number"])
        with pytest.raises(WebRTCStartError, match="several outputs that are pictures: image, sec"):
            stream.video()
        assert worker.requests == []


def test_a_workflow_without_pictures_is_a_stream_of_data(video):
    numbers = []
    with Worker() as worker:
        source = VideoFileSource(video)
        stream = stream_of(worker, source, with_outputs("number"), data_output=["number"])
        stream.on_data("number")(numbers.append)
        stream.on_frame(print)
        stream.run()
    assert numbers == list(range(1, 11))


@pytest.mark.parametrize("config", [{"stream_output": []}, {}])
def test_a_program_that_is_after_data_asks_for_no_more(video, config):
    """Neither with `[]` nor, as with 1.1, without a word of frames."""
    numbers = []
    with Worker() as worker:
        source = VideoFileSource(video)
        stream = stream_of(worker, source, PICTURES, data_output=["number"], **config)
        stream.on_data("number")(numbers.append)
        stream.run()
        assert worker.requests[0]["data_output"] == ["number"]
    assert numbers == list(range(1, 11))


# Sources of a user's own


class Upload:
    """Asks for pictures among the data, and is fed with nothing: the worker needs no input."""

    async def configure_peer_connection(self, pc):
        self.cleaned = 0
        self.channel = pc.createDataChannel("mine")

    def get_initialization_params(self, config):
        return {"stream_output": [], "data_output": ["image"], "rtsp_url": "rtsp://mine"}

    async def cleanup(self):
        self.cleaned += 1


class Subclass(Upload, StreamSource):
    pass


class Plain:
    """Its methods are plain functions, and it has nothing to give back."""

    def configure_peer_connection(self, pc):
        pc.addTransceiver("video", direction="recvonly")

    def get_initialization_params(self, config):
        return {"rtsp_url": "rtsp://mine"}


@pytest.mark.parametrize("make", [Upload, Subclass, Plain])
def test_a_source_of_ones_own_gets_what_it_asks_for(make):
    source = make()
    with Worker(Behaviour(frames=8, fps=50, end_of_stream_message=True)) as worker:
        with session(worker, source, stream_output=["image"], data_output=["number"]) as stream:
            assert sum(1 for _ in stream.video()) == 8
        assert json.dumps(worker.requests[0]).count("rtsp://mine") == 1
    assert getattr(source, "cleaned", 1) == 1


# Times


def test_times_of_frames_and_of_data_can_be_compared():
    times = []
    with Worker(Behaviour(frames=5, fps=50, end_of_stream_message=True)) as worker:
        stream = session(worker, RTSPSource("rtsp://cam/1"), stream_output=["image"])
        stream.on_data(lambda data, metadata: times.append(metadata.received_at))
        stream.on_frame(lambda frame, metadata: times.append(metadata.received_at))
        stream.run()
    assert len(times) > 5
    assert max(times) - min(times) < max(times) - times[0].min
