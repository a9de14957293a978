"""The WebRTC worker of the embedded server, over real connections with a bare aiortc client."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gc
import io
import os
import re
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiohttp import web
from PIL import Image

from inference_sdk.local.app import create_app
from inference_sdk.local.streaming import session, signalling, sources, upload_file
from inference_sdk.local.streaming.upload import UploadAssembler
from inference_sdk.local.workflows import WORKFLOWS, Block, add_block
from inference_sdk.local.workflows.block import Image as ImageField
from inference_sdk.local.workflows.block import Number, Whole
from tests.integration.bare_peer import (
    BarePeer,
    FedTrack,
    number_of,
    numbered,
    post,
    serving,
    until,
    write_video,
)
from tests.integration.camera_servers import mjpeg_camera, rtsp_camera

STREAMS = signalling.STREAMS
ASTRONAUT = Path(__file__).parents[2] / "examples" / "astronaut.jpg"
IMAGE_INPUT = {"type": "InferenceImage", "name": "image"}


@add_block
class Slow(Block):
    TYPES = ("tests/slow@v1",)
    OUTPUTS = {"image": ("image",)}

    image: ImageField
    seconds: Number = 0.1

    def run(self) -> dict[str, Any]:
        time.sleep(self.seconds)
        return {"image": self.image}


@add_block
class ReadNumber(Block):
    TYPES = ("tests/read_number@v1",)
    OUTPUTS = {"number": ("integer",)}

    image: ImageField
    fail_at: Whole = -1

    def run(self) -> dict[str, Any]:
        number = number_of(self.image.gray)
        if number == self.fail_at:
            raise ValueError("number to fail at")
        return {"number": number}


@add_block
class Tell(Block):
    """What a step knows of its frame, and how many it saw before on this stream."""

    TYPES = ("tests/tell@v1",)
    OUTPUTS = {"told": ("dictionary",)}

    image: ImageField

    def run(self) -> dict[str, Any]:
        before = self.kept(self.image.video_identifier, Counter)
        before["seen"] += 1
        file = self.image.metadata["comes_from_video_file"]
        told = {"seen": before["seen"], "seconds": self.image.seconds, "file": file}
        return {"told": told}


def specification(*steps: dict[str, Any], **outputs: str) -> dict[str, Any]:
    return {
        "version": "1.0",
        "inputs": [IMAGE_INPUT],
        "steps": [
            {"name": name, "image": "$inputs.image", **rest}
            for name, rest in ((item.pop("name"), item) for item in map(dict, steps))
        ],
        "outputs": [
            {"type": "JsonField", "name": name, "selector": selector}
            for name, selector in outputs.items()
        ],
    }


GRAY = specification(
    {"type": "roboflow_core/convert_grayscale@v1", "name": "gray"}, gray="$steps.gray.image"
)
NUMBERS = specification(
    {"type": "tests/read_number@v1", "name": "read"}, number="$steps.read.number"
)
SLOW_NUMBERS = specification(
    {"type": "tests/slow@v1", "name": "slow"},
    {"type": "tests/read_number@v1", "name": "read", "image": "$steps.slow.image"},
    number="$steps.read.number",
    picture="$steps.slow.image",
)
TOLD = specification({"type": "tests/tell@v1", "name": "tell"}, told="$steps.tell.told")
FAILING = specification(
    {"type": "tests/read_number@v1", "name": "read", "fail_at": 3},
    number="$steps.read.number",
    picture="$inputs.image",
)
BATCH = {"video_file_upload": True, "webrtc_realtime_processing": False}


@pytest.fixture
async def app() -> web.Application:
    return create_app()


@pytest.fixture
async def url(app: web.Application) -> AsyncIterator[str]:
    async with serving(app) as address:
        yield address
    assert not app[STREAMS]


@pytest.fixture
async def peers(url: str) -> AsyncIterator[Any]:
    """Makes clients, and closes them."""
    made: list[BarePeer] = []

    def make(**kinds: bool) -> BarePeer:
        made.append(BarePeer(url, **kinds))
        return made[-1]

    yield make
    await asyncio.gather(*(peer.close() for peer in made))


@pytest.fixture(scope="session")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """30 frames at 30 per second, numbered."""
    return write_video(tmp_path_factory.mktemp("video") / "numbers.mp4", 30)


def decoded(value: dict[str, Any]) -> np.ndarray:
    assert value["type"] == "base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(value["value"]))))


async def feed(peer: BarePeer, numbers: range, interval: float = 0.03, **size: int) -> None:
    """Send numbered frames over the track, once it is connected."""
    await asyncio.wait_for(peer.connected.wait(), 10)
    for number in numbers:
        peer.track.feed(numbered(number, **size), number * 3000)
        await asyncio.sleep(interval)


# --- Live video of the client ---------------------------------------------------------------


async def exchange(peer: BarePeer, numbers: range) -> list[dict[str, Any]]:
    """The messages for numbered frames, each of which is sent when the one before was answered."""
    found = []
    for number in numbers:
        await feed(peer, range(number, number + 1), interval=0)
        found.append(await peer.message())
    return found


def pictures(peer: BarePeer) -> list[tuple[Any, np.ndarray]]:
    """The frames that have come, as they are and as RGB."""
    frames = [peer.frames.get_nowait() for _ in range(peer.frames.qsize())]
    return [(frame, frame.to_ndarray(format="rgb24")) for frame in frames]


async def test_a_track_comes_back_processed_with_its_metadata(peers: Any) -> None:
    peer = peers(track=True)
    await peer.start(GRAY, stream_output=["gray"], declared_fps=30)
    messages = await exchange(peer, range(12))
    for number, message in enumerate(messages):
        metadata = message["video_metadata"]
        assert message["serialized_output_data"] is None
        assert message["errors"] == []
        assert metadata["frame_id"] == number + 1
        assert metadata["pts"] == pytest.approx(number * 3000, abs=90)
        assert metadata["time_base"] == pytest.approx(1 / 90000)
        assert metadata["declared_fps"] == 30
        assert metadata["received_at"].endswith("+00:00")
    assert messages[-1]["video_metadata"]["measured_fps"] > 1
    await until(lambda: peer.frames.qsize() > 4)
    for frame, pixels in pictures(peer):
        assert frame.pts == pytest.approx(number_of(pixels) * 3000, abs=90)
        assert np.ptp(pixels.astype(int), axis=2).max() <= 4  # grey


async def test_without_a_named_output_the_first_picture_is_sent(peers: Any) -> None:
    peer = peers(track=True)
    await peer.start(GRAY)
    await feed(peer, range(6))
    assert number_of((await peer.frame()).to_ndarray(format="rgb24")) == 0


async def test_live_means_the_newest_frame_wins(peers: Any) -> None:
    peer = peers(track=True)
    await peer.start(SLOW_NUMBERS, stream_output=["picture"], data_output=["number"])
    await feed(peer, range(40), interval=0.02)
    await until(lambda: peer.messages.qsize() >= 5)
    numbers = []
    while peer.messages.qsize():
        message = await peer.message()
        numbers.append(message["serialized_output_data"]["number"])
        assert message["video_metadata"]["frame_id"] == numbers[-1] + 1
    assert numbers[0] == 0
    assert numbers == sorted(set(numbers))
    assert len(numbers) < 20, "frames should have been dropped"


async def test_a_track_in_batch_mode_gives_every_frame(peers: Any) -> None:
    peer = peers(track=True)
    await peer.start(SLOW_NUMBERS, data_output=["number"], webrtc_realtime_processing=False)
    await feed(peer, range(20), interval=0.01)
    numbers = [(await peer.message())["serialized_output_data"]["number"] for _ in range(19)]
    assert numbers == list(range(19))


async def test_a_model_by_id(peers: Any) -> None:
    """The one-step workflow that `stream(model_id=…)` makes, with a real picture."""
    model = {
        "type": "roboflow_core/roboflow_object_detection_model@v2",
        "name": "model",
        "images": "$inputs.image",
        "model_id": "coco/3",
    }
    workflow = specification(model, predictions="$steps.model.predictions", image="$inputs.image")
    peer = peers(track=True)
    await peer.start(workflow, stream_output=["image"], data_output=["predictions"])
    await asyncio.wait_for(peer.connected.wait(), 10)
    picture = np.asarray(Image.open(ASTRONAUT).convert("RGB"))
    for number in range(8):
        peer.track.feed(picture[:, :, ::-1], number * 3000)
        await asyncio.sleep(0.05)
    data = (await peer.message())["serialized_output_data"]["predictions"]
    assert data["image"] == {"width": 512, "height": 512}
    assert "person" in {found["class"] for found in data["predictions"]}
    assert (await peer.frame()).width == 512


async def test_a_step_that_fails_costs_its_frame_only(peers: Any) -> None:
    peer = peers(track=True)
    await peer.start(FAILING, stream_output=["picture"], data_output=["number"])
    messages = await exchange(peer, range(8))
    assert [message["errors"] for message in messages] == [
        ["Step 'read' (tests/read_number@v1) failed: number to fail at"] if number == 3 else []
        for number in range(8)
    ]
    data = [message["serialized_output_data"] for message in messages]
    assert data == [None if number == 3 else {"number": number} for number in range(8)]
    await until(lambda: any(number_of(pixels) > 3 for _, pixels in pictures(peer)))


async def test_an_output_that_is_no_picture_is_an_error_of_each_frame(peers: Any) -> None:
    peer = peers(track=True)
    await peer.start(NUMBERS, stream_output=["number"])
    await feed(peer, range(4))
    (error,) = (await peer.message())["errors"]
    assert "'number' is int" in error
    assert "stream_output" in error


async def test_a_client_that_sends_and_receives_on_lines_of_their_own(peers: Any) -> None:
    """As browsers do, here with the line to receive on first, and sound that nobody wants."""
    peer = peers(video=True)
    peer.connection.addTransceiver("audio", direction="sendonly")
    peer.track = FedTrack()
    peer.connection.addTransceiver(peer.track, direction="sendonly")
    peer.connection.addTransceiver("video", direction="recvonly")
    await peer.start(GRAY, stream_output=["gray"])
    assert [line.currentDirection for line in peer.connection.getTransceivers()] == [
        "recvonly",
        "inactive",
        "sendonly",
        "inactive",
    ]
    await feed(peer, range(5))
    assert number_of((await peer.frame()).to_ndarray(format="rgb24")) == 0


# --- Files ----------------------------------------------------------------------------------


async def test_a_file_in_batch_mode_gives_every_frame_once_in_order(
    peers: Any, video: Path
) -> None:
    peer = peers(upload=True)
    await peer.start(GRAY, data_output=["gray"], **BATCH)
    await peer.send_file(video)
    messages = await peer.all_messages()
    frames = [decoded(message["serialized_output_data"]["gray"]) for message in messages]
    assert list(map(number_of, frames)) == list(range(30))
    assert frames[0].ndim == 2
    metadata = [message["video_metadata"] for message in messages]
    assert [each["frame_id"] for each in metadata] == list(range(1, 31))
    seconds = [each["pts"] * each["time_base"] for each in metadata]
    assert np.diff(seconds) == pytest.approx(1 / 30, abs=1e-3)
    assert metadata[0]["declared_fps"] == 30


async def test_large_messages_come_as_chunks(peers: Any, tmp_path: Path) -> None:
    path = write_video(tmp_path / "large.mp4", 3, size=(1280, 720))
    workflow = specification(one="$inputs.image", two="$inputs.image", three="$inputs.image")
    peer = peers(upload=True)
    await peer.start(workflow, data_output=["one", "two", "three"], **BATCH)
    await peer.send_file(path)
    messages = await peer.all_messages()
    assert peer.chunked >= 3
    for number, message in enumerate(messages):
        for picture in message["serialized_output_data"].values():
            assert number_of(decoded(picture)) == number


@pytest.mark.parametrize("window", [1, 3])
async def test_acknowledgements_pace_the_stream(video: Path, window: int) -> None:
    app = create_app()
    app[signalling.WINDOW] = window
    async with serving(app) as url:
        peer = BarePeer(url, upload=True)
        await peer.start(NUMBERS, data_output=["number"], **BATCH)
        peer.channel.on("open", lambda: peer.acknowledge(0))
        await peer.send_file(video)
        numbers: list[int] = []
        while len(numbers) < 30:
            message = await peer.message()
            numbers.append(message["video_metadata"]["frame_id"])
            await asyncio.sleep(0.02)  # time in which a worker that does not wait would run ahead
            assert (
                peer.messages.qsize() < window or numbers[-1] >= 30 - window
            )  # the end follows at once
            peer.acknowledge(numbers[-1])
        assert numbers == list(range(1, 31))
        assert await peer.message() == {"processing_complete": True}
        await peer.close()


async def test_frames_that_fail_need_no_acknowledgement(peers: Any, video: Path) -> None:
    peer = peers(upload=True)
    await peer.start(FAILING, data_output=["number"], **BATCH)
    peer.channel.on("open", lambda: peer.acknowledge(0))
    await peer.send_file(video)
    failed = 0
    for number in range(1, 31):
        message = await peer.message()
        assert message["video_metadata"]["frame_id"] == number
        if message["errors"]:
            failed += 1
        else:
            peer.acknowledge(number)
    assert failed == 1
    assert await peer.message() == {"processing_complete": True}


async def test_a_file_in_realtime_mode_plays_at_its_own_speed(peers: Any, video: Path) -> None:
    peer = peers(upload=True)
    await peer.start(SLOW_NUMBERS, data_output=["number"], video_file_upload=True)
    await peer.send_file(video)
    first = await peer.message()
    began = time.monotonic()
    numbers = [message["serialized_output_data"]["number"] for message in await peer.all_messages()]
    assert first["serialized_output_data"] == {"number": 0}
    assert 0.7 < time.monotonic() - began < 5  # a second of video, 0.1 s a frame
    assert len(numbers) < 25, "frames should have been dropped"
    assert numbers == sorted(set(numbers))


async def test_a_file_can_come_back_over_a_track(peers: Any, video: Path) -> None:
    peer = peers(upload=True, video=True)
    await peer.start(GRAY, stream_output=["gray"], **BATCH)
    await peer.send_file(video)
    messages = await peer.all_messages()
    assert len(messages) == 30
    await until(lambda: peer.frames.qsize() >= 29)  # bare aiortc keeps the last one back
    numbers = []
    while peer.frames.qsize():
        numbers.append(number_of((await peer.frame()).to_ndarray(format="rgb24")))
    assert numbers == list(range(len(numbers)))


async def test_a_file_that_is_no_video(peers: Any, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no video at all" * 1000)
    peer = peers(upload=True)
    await peer.start(NUMBERS, data_output=["number"], **BATCH)
    await peer.send_file(path)
    message = await peer.message()
    assert message["serialized_output_data"] is None
    assert message["video_metadata"] is None
    assert "Cannot read video from the uploaded file" in message["errors"][0]
    await asyncio.wait_for(peer.closed.wait(), 10)


async def test_a_file_without_video_says_so(peers: Any, tmp_path: Path) -> None:
    import av

    with av.open(str(tmp_path / "sound.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=48000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), "fltp", "mono")
        sound.sample_rate = 48000
        container.mux(stream.encode(sound))
        container.mux(stream.encode(None))
    peer = peers(upload=True)
    await peer.start(NUMBERS, data_output=["number"], **BATCH)
    await peer.send_file(tmp_path / "sound.mp4")
    assert "no video" in (await peer.message())["errors"][0]


async def test_a_playlist_does_not_make_the_server_read_its_own_files(
    peers: Any, tmp_path: Path, video: Path
) -> None:
    path = tmp_path / "list.m3u8"
    path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{video}\n#EXT-X-ENDLIST\n")
    peer = peers(upload=True)
    await peer.start(NUMBERS, data_output=["number"], **BATCH)
    await peer.send_file(path)
    assert "Cannot read video" in (await peer.message())["errors"][0]


async def test_chunks_that_make_no_sense_are_passed_over(peers: Any, video: Path) -> None:
    peer = peers(upload=True)
    await peer.start(NUMBERS, data_output=["number"], **BATCH)
    await peer.wait_open(peer.upload)
    for message in ("text", b"", b"short", struct.pack("<II", 0, 0), struct.pack("<II", 9, 3)):
        peer.upload.send(message)
    for message in ("no json", "[]", '{"ack": "1"}', '{"ack": true}', '{"ack": -5}', b"\xff\x00"):
        peer.channel.send(message)
    await peer.send_file(video)
    assert len(await peer.all_messages()) == 30
    peer.upload.send(struct.pack("<II", 0, 1) + b"more")  # after the end


def test_the_packages_of_webrtc_are_loaded_with_the_first_stream() -> None:
    program = (
        "import sys; from inference_sdk.local.app import create_app; create_app(); "
        "assert not {'av', 'aiortc', 'onnxruntime'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)


async def test_an_upload_that_is_too_large(
    peers: Any, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_file, "UploadAssembler", lambda: UploadAssembler(size_limit=1000))
    peer = peers(upload=True)
    await peer.start(NUMBERS, data_output=["number"], **BATCH)
    await peer.send_file(video, chunk=600)
    assert (await peer.message())["errors"] == ["The upload is larger than 1000 bytes."]
    await asyncio.wait_for(peer.closed.wait(), 10)


async def test_each_stream_keeps_its_own_state_and_a_file_its_own_time(
    peers: Any, video: Path
) -> None:
    """At once, by one specification: what a counter or a tracker keeps is that of its stream."""
    live, first, second = peers(track=True), peers(upload=True), peers(upload=True)
    await live.start(TOLD, data_output=["told"], declared_fps=30)
    for peer in (first, second):
        await peer.start(TOLD, data_output=["told"], **BATCH)
        await peer.send_file(video)
    began = time.time()
    counted = [
        message["serialized_output_data"]["told"] for message in await exchange(live, range(5))
    ]
    assert [told["seen"] for told in counted] == list(range(1, 6))
    assert all(began - 5 < told["seconds"] < time.time() + 5 for told in counted)
    assert not any(told["file"] for told in counted)
    for peer in (first, second):
        told = [message["serialized_output_data"]["told"] for message in await peer.all_messages()]
        assert [one["seen"] for one in told] == list(range(1, 31))
        assert [one["seconds"] for one in told] == pytest.approx([n / 30 for n in range(1, 31)])
        assert all(one["file"] for one in told)


# --- Addresses that the server reads ---------------------------------------------------------


@pytest.mark.parametrize(
    ("camera", "field"), [(mjpeg_camera, "mjpeg_url"), (rtsp_camera, "rtsp_url")]
)
async def test_a_camera_that_the_server_reads(peers: Any, camera: Any, field: str) -> None:
    peer = peers(video=True)
    async with camera(numbered, 60) as address:
        await peer.start(NUMBERS, stream_output=[], data_output=["number"], **{field: address})
        messages = await peer.all_messages()
    numbers = [message["serialized_output_data"]["number"] for message in messages]
    assert len(numbers) > 20
    assert numbers == sorted(set(numbers))
    frame = await peer.frame()
    assert number_of(frame.to_ndarray(format="rgb24")) in numbers


async def test_an_address_that_leads_nowhere(peers: Any, unused_tcp_port: int) -> None:
    peer = peers(video=True)
    address = f"rtsp://user:secret@127.0.0.1:{unused_tcp_port}/camera"
    await peer.start(NUMBERS, rtsp_url=address)
    (error,) = (await peer.message())["errors"]
    assert "Cannot read video from rtsp://***@127.0.0.1" in error
    assert "secret" not in error
    await asyncio.wait_for(peer.closed.wait(), 10)


async def test_an_address_that_says_nothing(peers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "LIVE_TIMEOUT", 0.3)

    async def listen_only(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        await writer.wait_closed()

    silent = await asyncio.start_server(listen_only, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    peer = peers(video=True)
    await peer.start(NUMBERS, mjpeg_url=f"http://127.0.0.1:{port}/video")
    assert "nothing came for 0.3 s" in (await peer.message())["errors"][0]
    await asyncio.wait_for(peer.closed.wait(), 10)
    silent.close()
    await silent.wait_closed()


PLAYLIST = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{}\n#EXT-X-ENDLIST\n"


@pytest.mark.parametrize("way", ["playlist", "redirect"])
async def test_a_live_address_leads_no_further(peers: Any, way: str) -> None:
    """Whoever judged the address judged this one, and none that it points to."""
    reached: list[str] = []

    async def lead_on(request: web.Request) -> web.Response:
        reached.append("first")
        if way == "redirect":
            raise web.HTTPFound(f"{elsewhere}/inside")
        text = PLAYLIST.format(f"{elsewhere}/inside")
        return web.Response(text=text, content_type="application/vnd.apple.mpegurl")

    async def inside(_: web.Request) -> web.Response:
        reached.append("inside")
        return web.Response(body=b"secret")

    pages = web.Application()
    pages.router.add_get("/live.m3u8", lead_on)
    pages.router.add_get("/inside", inside)
    peer = peers(video=True)
    async with serving(pages) as elsewhere:
        await peer.start(NUMBERS, mjpeg_url=f"{elsewhere}/live.m3u8")
        assert "Cannot read video from" in (await peer.message())["errors"][0]
    assert set(reached) == {"first"}


async def test_offers_that_nobody_stands_behind_take_few_places(
    app: web.Application, peers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signalling, "MAX_CONNECTING", 2)
    connected = peers(track=True)
    await connected.start(NUMBERS)
    await asyncio.wait_for(connected.connected.wait(), 10)
    idle = peers(track=True)
    body = {
        "workflow_configuration": {"workflow_specification": NUMBERS},
        "webrtc_offer": await idle.offer(),
    }
    assert [(await post(idle.url, body))[0] for _ in range(3)] == [200, 200, 503]
    for stream in tuple(app[STREAMS]):
        await stream.close()


# --- How a stream ends ------------------------------------------------------------------------


async def test_the_processing_timeout(peers: Any) -> None:
    peer = peers(track=True)
    await peer.start(NUMBERS, processing_timeout=0.5)
    assert "processing_timeout of 0.5 s" in (await peer.message())["errors"][0]
    await asyncio.wait_for(peer.closed.wait(), 10)


async def test_a_client_that_never_connects(
    app: web.Application, peers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "CONNECT_TIMEOUT", 0.1)
    monkeypatch.setattr(session, "FAILURE_LINGER", 0.1)
    peer = peers(track=True)
    body = {
        "workflow_configuration": {"workflow_specification": NUMBERS},
        "webrtc_offer": await peer.offer(),
    }
    status, _ = await post(peer.url, body)
    assert status == 200
    assert len(app[STREAMS]) == 1
    await until(lambda: not app[STREAMS])


async def test_a_fault_inside_is_told_without_its_details(
    peers: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("details")

    monkeypatch.setattr(session, "FrameProcessor", fail)
    peer = peers(track=True)
    await peer.start(NUMBERS)
    assert (await peer.message())["errors"] == ["Internal error."]
    assert "details" in caplog.text


async def test_nothing_is_left_after_streams_of_each_kind(
    app: web.Application, url: str, video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # other tests upload, too

    async def one_of_each() -> None:
        live = BarePeer(url, track=True)
        await live.start(GRAY, stream_output=["gray"])
        await feed(live, range(5))
        await live.frame()
        batch = BarePeer(url, upload=True)
        await batch.start(NUMBERS, data_output=["number"], **BATCH)
        await batch.send_file(video)
        await batch.message()
        async with mjpeg_camera(numbered, 1000) as address:
            camera = BarePeer(url, video=True)
            await camera.start(NUMBERS, mjpeg_url=address)
            await camera.message()
            await asyncio.gather(live.close(), batch.close(), camera.close())
            await until(lambda: not app[STREAMS])

    await one_of_each()  # what is made once: the threads of the loop's executor, imports
    before = _left()
    for _ in range(3):
        await one_of_each()
    with contextlib.suppress(AssertionError):  # the next line says what is left
        await until(lambda: not _left() - before)
    assert not _left() - before


SHARED_THREADS = ("asyncio", "inference-sdk-server", "workflow-step")
"""Of all streams and requests: pools that grow up to their size whenever nobody is free."""


def _left() -> Counter[str]:
    """Open files and sockets, threads, temporary files, tasks: how many of each kind."""
    gc.collect()
    files = [os.path.realpath(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd")]
    threads = [t.name for t in threading.enumerate() if not t.name.startswith(SHARED_THREADS)]
    uploads = [path.name for path in Path(tempfile.gettempdir()).glob("inference-upload-*")]
    tasks = [str(task.get_coro()) for task in asyncio.all_tasks()]
    return Counter(re.sub(r"0x\w+|\d+", "", name) for name in files + threads + uploads + tasks)


async def test_a_server_that_stops_closes_its_streams() -> None:
    app = create_app()
    async with serving(app) as url:
        peer = BarePeer(url, track=True)
        await peer.start(NUMBERS)
        await feed(peer, range(3))
        await peer.message()
    assert not app[STREAMS]
    await asyncio.wait_for(peer.closed.wait(), 10)
    await peer.close()


# --- Requests that are refused ------------------------------------------------------------------


async def _refused(peer: BarePeer, **changes: Any) -> tuple[int, Any]:
    body: dict[str, Any] = {
        "workflow_configuration": {"workflow_specification": NUMBERS},
        "webrtc_offer": await peer.offer(),
        **changes,
    }
    return await post(peer.url, {name: value for name, value in body.items() if value != "-"})


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"webrtc_offer": "-"}, ["body", "webrtc_offer"]),
        ({"webrtc_offer": {"type": "offer"}}, ["body", "webrtc_offer", "sdp"]),
        ({"webrtc_offer": {"type": "answer", "sdp": ""}}, ["body", "webrtc_offer", "type"]),
        ({"workflow_configuration": "-"}, ["body", "workflow_configuration"]),
        ({"workflow_configuration": []}, ["body", "workflow_configuration"]),
        (
            {"workflow_configuration": {"workflow_id": "x"}},
            ["body", "workflow_configuration", "workspace_name"],
        ),
        ({"stream_output": "gray"}, ["body", "stream_output"]),
        ({"data_output": [1]}, ["body", "data_output"]),
        ({"webrtc_realtime_processing": "yes"}, ["body", "webrtc_realtime_processing"]),
        ({"declared_fps": True}, ["body", "declared_fps"]),
        ({"processing_timeout": 0}, ["body", "processing_timeout"]),
        ({"rtsp_url": "http://camera"}, ["body", "rtsp_url"]),
        ({"mjpeg_url": "file:///etc/passwd"}, ["body", "mjpeg_url"]),
        (
            {"webrtc_config": {"iceServers": [{"urls": 5}]}},
            ["body", "webrtc_config", "iceServers", 0, "urls"],
        ),
        (
            {"webrtc_config": {"iceServers": ["stun:x"]}},
            ["body", "webrtc_config", "iceServers", 0],
        ),
    ],
)
async def test_bodies_that_are_wrong(peers: Any, changes: Any, place: list[Any]) -> None:
    status, answer = await _refused(peers(track=True), **changes)
    assert status == 422
    assert answer["detail"][0]["loc"] == place


async def test_an_offer_that_is_no_sdp(app: web.Application, peers: Any) -> None:
    status, answer = await _refused(
        peers(track=True), webrtc_offer={"type": "offer", "sdp": "m=video\r\nnonsense"}
    )
    assert status == 400
    assert "offer cannot be answered" in answer["message"]
    assert not app[STREAMS]


async def test_an_ice_server_that_is_none(peers: Any) -> None:
    servers = {"iceServers": [{"urls": "nonsense", "username": "u", "credential": "c"}]}
    status, answer = await _refused(peers(track=True), webrtc_config=servers)
    assert status == 400
    assert "'nonsense' is no address of a STUN or TURN server" in answer["message"]


async def test_an_offer_without_video(peers: Any) -> None:
    status, answer = await _refused(peers(video=True))
    assert status == 400
    assert "nowhere to take frames from" in answer["message"]


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"stream_output": ["picture"]}, "picture; the outputs of the workflow are number"),
        ({"data_output": ["number", "x"]}, "name x"),
        (
            {
                "workflow_configuration": {
                    "workflow_specification": NUMBERS,
                    "image_input_name": "frame",
                }
            },
            "no image input 'frame', only image",
        ),
        ({"workflow_configuration": {"workflow_specification": {"steps": 5}}}, "has no version"),
    ],
)
async def test_workflows_that_do_not_fit(peers: Any, changes: Any, part: str) -> None:
    status, answer = await _refused(peers(track=True), **changes)
    assert status == 400
    assert part in answer["message"]
    assert "error_type" in answer


async def test_a_model_that_is_not_there(peers: Any) -> None:
    model = {
        "type": "roboflow_core/roboflow_object_detection_model@v2",
        "name": "model",
        "images": "$inputs.image",
        "model_id": "nobody/7",
    }
    workflow = {"workflow_specification": specification(model, p="$steps.model.predictions")}
    status, answer = await _refused(peers(track=True), workflow_configuration=workflow)
    assert status == 404
    assert "nobody/7" in answer["message"]


async def test_a_workflow_by_its_name(app: web.Application, peers: Any) -> None:
    app[WORKFLOWS].register("space", "numbers", NUMBERS)
    named = {"workspace_name": "space", "workflow_id": "numbers"}
    status, answer = await _refused(peers(track=True), workflow_configuration=named)
    assert status == 200
    status, answer = await _refused(
        peers(track=True), workflow_configuration={**named, "workflow_id": "other"}
    )
    assert status == 404
    assert "space/numbers" in answer["message"]


async def test_no_more_streams_than_the_machine_takes(
    peers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signalling, "MAX_STREAMS", 0)
    status, answer = await _refused(peers(track=True))
    assert status == 503
    assert "Close some" in answer["message"]


async def test_a_server_without_the_packages(peers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "inference_sdk.local.streaming.session", None)
    status, answer = await _refused(peers(track=True))
    assert status == 501
    assert "inference-sdk[webrtc]" in answer["message"]
