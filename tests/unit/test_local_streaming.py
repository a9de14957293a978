"""The parts of the WebRTC worker that need no connection."""

from __future__ import annotations

import asyncio
import gzip
import random
import struct
import threading
from fractions import Fraction
from typing import Any, Optional

import av
import numpy as np
import orjson
import pytest
from aiortc.mediastreams import MediaStreamError
from hypothesis import given
from hypothesis import strategies as st

from inference_sdk.local.streaming import messages, output, upload_file
from inference_sdk.local.streaming.frames import FrameImage, FrameProcessor
from inference_sdk.local.streaming.mailbox import Mailbox
from inference_sdk.local.streaming.messages import (
    encode_message,
    output_message,
    parse_acknowledgement,
)
from inference_sdk.local.streaming.output import Outbox, OutputTrack
from inference_sdk.local.streaming.pacing import AcknowledgementWindow
from inference_sdk.local.streaming.sources import SourceFrame, decode, live_options
from inference_sdk.local.streaming.upload import HEADER, UploadAssembler, UploadError
from inference_sdk.local.streaming.upload_file import UploadFile
from inference_sdk.local.workflows import WorkflowImage

# --- Messages -----------------------------------------------------------------------------------


def reassembled(chunks: list[Any]) -> Any:
    heads = [struct.unpack_from("<III", chunk) for chunk in chunks]
    assert [head[1] for head in heads] == list(range(len(chunks)))
    assert {head[2] for head in heads} == {len(chunks)}
    assert all(len(chunk) <= 12 + 49152 for chunk in chunks)
    return orjson.loads(gzip.decompress(b"".join(chunk[12:] for chunk in chunks)))


def test_a_small_message_is_text() -> None:
    (message,) = encode_message(output_message({"a": np.float32(1)}, None, []), 7)
    assert isinstance(message, str)
    assert orjson.loads(message) == {
        "serialized_output_data": {"a": 1.0},
        "video_metadata": None,
        "errors": [],
    }


def test_a_large_message_is_compressed_chunks() -> None:
    content = {"value": random.Random(1).randbytes(100_000).hex()}
    chunks = encode_message(content, 7)
    assert len(chunks) == 3, "200 kB of digits are half of that in bits"
    assert {struct.unpack_from("<I", chunk)[0] for chunk in chunks} == {7}  # type: ignore[arg-type]
    assert reassembled(chunks) == content


def test_a_large_message_that_compresses_well_is_one_chunk() -> None:
    chunks = encode_message({"value": "a" * messages.TEXT_LIMIT}, 2**32 + 3)
    assert struct.unpack_from("<III", chunks[0]) == (3, 0, 1)  # type: ignore[arg-type]


def test_what_json_does_not_know_is_written_as_text() -> None:
    (message,) = encode_message({"value": 1 + 2j}, 1)
    assert orjson.loads(message) == {"value": "(1+2j)"}


@pytest.mark.parametrize(
    ("message", "number"),
    [
        ('{"ack": 5}', 5),
        (b'{"ack": 0}', 0),
        ('{"ack": -1}', None),
        ('{"ack": true}', None),
        ('{"ack": 1.5}', None),
        ('{"ack": "5"}', None),
        ('{"nack": 5}', None),
        ("[5]", None),
        ("", None),
        (b"\xff\xfe", None),
    ],
)
def test_acknowledgements(message: Any, number: Optional[int]) -> None:
    assert parse_acknowledgement(message) == number


# --- Uploads ------------------------------------------------------------------------------------


@given(
    parts=st.lists(st.binary(max_size=20), min_size=1, max_size=30),
    noise=st.lists(st.binary(max_size=30), max_size=5),
    seed=st.randoms(use_true_random=False),
)
def test_any_order_with_repeats_gives_the_file(
    parts: list[bytes], noise: list[bytes], seed: random.Random
) -> None:
    chunks = [HEADER.pack(index, len(parts)) + part for index, part in enumerate(parts)]
    shuffled = chunks[1:] * 2
    seed.shuffle(shuffled)
    assembler = UploadAssembler()
    content = b"".join(assembler.accept(chunks[0]))
    for message in [item[:7] for item in noise] + shuffled:
        content += b"".join(assembler.accept(message))
    assert assembler.complete
    assert content == b"".join(parts)


@given(st.lists(st.one_of(st.binary(max_size=40), st.text(max_size=5)), max_size=40))
def test_hostile_chunks_neither_raise_nor_pile_up(hostile: list[Any]) -> None:
    assembler = UploadAssembler(held_limit=3)
    for message in hostile:
        assembler.accept(message)
    assert len(assembler._held) <= 3


def test_an_upload_is_complete_with_its_last_chunk() -> None:
    assembler = UploadAssembler()
    assert not assembler.complete
    assert assembler.accept(HEADER.pack(1, 2) + b"b") == []
    assert assembler.accept(HEADER.pack(0, 3) + b"x") == [], "the total must not change"
    assert not assembler.complete
    assert assembler.accept(HEADER.pack(0, 2) + b"a") == [b"a", b"b"]
    assert assembler.complete


def test_too_large_an_upload() -> None:
    assembler = UploadAssembler(size_limit=3)
    with pytest.raises(UploadError, match="larger than 3 bytes"):
        assembler.accept(HEADER.pack(0, 9) + b"four")


async def test_a_file_that_cannot_be_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk() -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(upload_file, "_open", full_disk)
    upload = UploadFile()
    upload.accept(HEADER.pack(0, 1) + b"content")
    with pytest.raises(UploadError, match="cannot be stored: No space left on device"):
        await upload.path()
    await upload.close()


async def test_a_disk_that_is_too_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_file, "UNWRITTEN_LIMIT", 0)
    upload = UploadFile()
    upload.accept(HEADER.pack(0, 2) + b"content")
    upload.accept(HEADER.pack(1, 2) + b"content")
    with pytest.raises(UploadError, match="comes faster"):
        await upload.path()
    await upload.close()


# --- Pacing -------------------------------------------------------------------------------------


async def test_nothing_is_held_back_before_the_first_acknowledgement() -> None:
    window = AcknowledgementWindow(1)
    for number in range(1, 100):
        await asyncio.wait_for(window.room(), 1)
        window.sent(number)


async def test_then_the_window_holds() -> None:
    window = AcknowledgementWindow(2)
    window.acknowledge(0)
    for number in (1, 2):
        await asyncio.wait_for(window.room(), 1)
        window.sent(number)
    waiting = asyncio.ensure_future(window.room())
    window.acknowledge(0)
    await asyncio.sleep(0)
    assert not waiting.done()
    window.acknowledge(1)
    await asyncio.wait_for(waiting, 1)


async def test_acknowledgements_are_cumulative_and_never_go_back() -> None:
    window = AcknowledgementWindow(1)
    for number in (1, 2, 3):
        window.sent(number)
    window.acknowledge(3)
    window.acknowledge(1)
    await asyncio.wait_for(window.room(), 1)
    window.widen(3)
    for number in (4, 5):
        window.sent(number)
    await asyncio.wait_for(window.room(), 1)


# --- Mailbox ------------------------------------------------------------------------------------


async def test_the_newest_wins_and_the_end_is_never_lost() -> None:
    mailbox: Mailbox[int] = Mailbox(1)
    for number in range(5):
        mailbox.put(number)
    mailbox.end()
    assert [number async for number in mailbox] == [4]


async def test_a_burst_is_kept_and_a_backlog_is_not() -> None:
    burst: Mailbox[int] = Mailbox(8, patience=60)
    backlog: Mailbox[int] = Mailbox(8, patience=0.01)
    for mailbox in (burst, backlog):
        for number in range(5):
            mailbox.put(number)
        mailbox.end()
    await asyncio.sleep(0.05)
    assert [number async for number in burst] == [0, 1, 2, 3, 4]
    assert [number async for number in backlog] == [4], "the newest is never too old"


async def test_an_error_comes_after_the_last_item() -> None:
    mailbox: Mailbox[int] = Mailbox(3)
    thread = threading.Thread(
        target=lambda: (
            mailbox.put_from_thread(1),
            mailbox.end_from_thread(OSError("gone")),
            mailbox.end_from_thread(),
        )
    )
    thread.start()
    assert await mailbox.__anext__() == 1
    with pytest.raises(OSError, match="gone"):
        await mailbox.__anext__()
    thread.join()


def test_a_mailbox_outlives_its_loop() -> None:
    async def make() -> Mailbox[int]:
        return Mailbox()

    asyncio.run(make()).put_from_thread(1)


# --- Output -------------------------------------------------------------------------------------


async def test_a_live_track_replaces_what_was_not_taken() -> None:
    track = OutputTrack(keep_all=False)
    await track.put("first")  # type: ignore[arg-type]
    second = asyncio.ensure_future(track.put("second"))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    assert await track.recv() == "first", "times are counted from it"
    await asyncio.wait_for(second, 1)
    await track.put("third")  # type: ignore[arg-type]
    assert await track.recv() == "third"


async def test_a_live_frame_waits_a_little_for_the_encoder(monkeypatch: Any) -> None:
    track = OutputTrack(keep_all=False)
    await track.put("first")  # type: ignore[arg-type]
    assert await track.recv() == "first"
    await track.put("second")  # type: ignore[arg-type]
    third = asyncio.ensure_future(track.put("third"))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    assert await track.recv() == "second"
    await asyncio.wait_for(third, 1)
    monkeypatch.setattr(output, "LIVE_PATIENCE", 0.01)
    await asyncio.wait_for(track.put("fourth"), 1)  # type: ignore[arg-type]
    assert await track.recv() == "fourth", "the third has waited for long enough"


async def test_a_track_that_keeps_all_waits_and_says_when_all_is_sent() -> None:
    track = OutputTrack(keep_all=True)
    await track.put("a")  # type: ignore[arg-type]
    second = asyncio.ensure_future(track.put("b"))  # type: ignore[arg-type]
    drained = asyncio.ensure_future(track.drain())
    assert await track.recv() == "a"
    assert await track.recv() == "b"
    assert second.done()
    assert not drained.done()
    asking = asyncio.ensure_future(track.recv())
    await asyncio.wait_for(drained, 1)
    track.stop()
    with pytest.raises(MediaStreamError):
        await asking


async def test_the_end_of_a_track_wakes_who_waits() -> None:
    track = OutputTrack(keep_all=True)
    await track.put("a")  # type: ignore[arg-type]
    waiting = [asyncio.ensure_future(track.put("b")), asyncio.ensure_future(track.drain())]  # type: ignore[arg-type]
    await asyncio.sleep(0)
    track.stop()
    await asyncio.wait_for(asyncio.gather(*waiting), 1)
    with pytest.raises(MediaStreamError):
        await track.recv()


class FakeChannel:
    """A data channel whose buffer is emptied by hand."""

    def __init__(self) -> None:
        self.readyState = "open"
        self.bufferedAmount = 0
        self.bufferedAmountLowThreshold = 0
        self.sent: list[Any] = []
        self.handlers: dict[str, Any] = {}

    def on(self, event: str, handler: Any) -> None:
        self.handlers[event] = handler

    def send(self, message: Any) -> None:
        self.sent.append(message)
        self.bufferedAmount += len(message)

    def empty(self) -> None:
        self.bufferedAmount = 0
        self.handlers["bufferedamountlow"]()


async def test_messages_wait_for_the_channel_and_few_of_them() -> None:
    outbox, channel = Outbox(), FakeChannel()
    for number in range(output.HELD_FRAMES + 2):
        await outbox.send([str(number)])
    outbox.attach(channel)  # type: ignore[arg-type]
    assert channel.sent == [str(number) for number in range(2, output.HELD_FRAMES + 2)]


async def test_a_full_channel_holds_messages_back_until_it_is_low() -> None:
    outbox, channel = Outbox(), FakeChannel()
    outbox.attach(channel)  # type: ignore[arg-type]
    await outbox.send([b"x" * (output.HIGH_WATER + 1)])
    waiting = asyncio.ensure_future(outbox.send([b"y"]))
    await asyncio.sleep(0)
    assert len(channel.sent) == 1
    channel.empty()
    await asyncio.wait_for(waiting, 1)
    assert len(channel.sent) == 2


async def test_a_channel_that_closes_wakes_who_waits_and_takes_nothing() -> None:
    outbox, channel = Outbox(), FakeChannel()
    outbox.attach(channel)  # type: ignore[arg-type]
    await outbox.send([b"x" * (output.HIGH_WATER + 1)])
    waiting = asyncio.ensure_future(outbox.send([b"y"]))
    await asyncio.sleep(0)
    channel.readyState = "closed"
    channel.handlers["close"]()
    await asyncio.wait_for(waiting, 1)
    assert len(channel.sent) == 1


# --- Frames -------------------------------------------------------------------------------------


def a_frame(pts: int = 500, number: int = 1, value: int = 90) -> SourceFrame:
    picture = av.VideoFrame.from_ndarray(np.full((36, 64, 3), value, np.uint8), format="bgr24")
    return SourceFrame(picture.reformat(format="yuv420p"), number, pts, Fraction(1, 1000))


def a_processor(run: Any, **options: Any) -> FrameProcessor:
    defaults = {"picture_output": None, "data_outputs": (), "with_picture": True}
    return FrameProcessor(run, **{**defaults, **options})


def test_a_frame_is_a_picture_for_workflows() -> None:
    image = FrameImage(a_frame().picture, {})
    assert (image.width, image.height) == (64, 36)
    assert abs(int(image.gray.mean()) - 90) <= 1
    assert abs(int(image.bgr.mean()) - 90) <= 4  # swscale rounds colours coarsely
    assert image.pixels is image.bgr


def test_times_on_a_track_begin_at_zero_as_its_receiver_counts_them() -> None:
    processor = a_processor(lambda image: {"image": image})
    frames = [processor.process(a_frame(pts)).frame for pts in (500, 533)]
    assert [frame.pts for frame in frames if frame] == [0, 33]
    assert frames[0] is not None
    assert frames[0].time_base == Fraction(1, 1000)


def test_without_a_track_times_stay_as_they_are_and_no_picture_is_made() -> None:
    processor = a_processor(lambda image: {"n": 1}, with_picture=False, data_outputs=("n",))
    processed = processor.process(a_frame(500))
    assert processed.frame is None
    (message,) = processed.messages
    content = orjson.loads(message)
    assert content["video_metadata"]["pts"] == 500
    assert content["serialized_output_data"] == {"n": 1}


def test_a_workflow_without_pictures_sends_the_frame_as_it_came() -> None:
    source = a_frame()
    assert a_processor(lambda image: {"n": 1}).process(source).frame is source.picture


@pytest.mark.parametrize("odd", [{"picture": WorkflowImage(np.zeros((4, 4)))}, {}])  # type: ignore[arg-type]
def test_outputs_that_cannot_be_sent_cost_their_frame_only(odd: dict[str, Any]) -> None:
    source = a_frame()
    processor = a_processor(lambda image: odd, picture_output="picture")
    processed = processor.process(source)
    (message,) = processed.messages
    assert "The outputs cannot be sent" in orjson.loads(message)["errors"][0]
    assert not processed.is_taken
    assert processed.frame is source.picture


# --- Sources ------------------------------------------------------------------------------------


def test_frames_without_time_are_counted(tmp_path: Any) -> None:
    path = str(tmp_path / "raw.h264")
    with av.open(path, "w", format="h264") as container:
        stream = container.add_stream("libx264", rate=25, options={"bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 36, "yuv420p"
        for _ in range(5):
            container.mux(stream.encode(a_frame().picture))
        container.mux(stream.encode(None))
    frames = list(decode(path))
    assert [frame.number for frame in frames] == [1, 2, 3, 4, 5]
    times = [float(frame.pts * frame.time_base) for frame in frames]
    assert times == pytest.approx([number / 25 for number in range(5)])


def test_a_damaged_packet_costs_its_pictures_only(tmp_path: Any) -> None:
    path = tmp_path / "video.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 36, "yuvj420p"
        for _ in range(8):
            container.mux(stream.encode(a_frame().picture.reformat(format="yuvj420p")))
        container.mux(stream.encode(None))
    content = bytearray(path.read_bytes())
    third = [i for i in range(len(content)) if content[i : i + 2] == b"\xff\xd8"][2]
    content[third : third + 200] = bytes(200)
    path.write_bytes(content)
    assert 5 <= len(list(decode(str(path)))) <= 8


@pytest.mark.parametrize(
    ("matrix", "corner"),
    [((0, 1, -1, 0), (0, -1)), ((-1, 0, 0, -1), (-1, -1)), ((0, -1, 1, 0), (-1, 0))],
    ids=["quarter right", "half", "quarter left"],
)
def test_videos_of_phones_are_turned_upright(
    tmp_path: Any, matrix: tuple[int, ...], corner: tuple[int, int]
) -> None:
    """The white corner, stored top left, is where a player shows it."""
    pixels = np.zeros((48, 64, 3), np.uint8)
    pixels[:16, :16] = 255
    path = tmp_path / "phone.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="bgr24")))
        container.mux(stream.encode(None))
    content = bytearray(path.read_bytes())
    place = content.index(b"tkhd") + 44
    a, b, c, d = (value << 16 for value in matrix)
    content[place : place + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(content)
    (frame,) = decode(str(path))
    gray = frame.picture.to_ndarray(format="gray")
    assert gray.shape == ((48, 64) if matrix[0] else (64, 48))
    assert gray[corner] > 200
    assert (gray > 128).sum() == pytest.approx(256, abs=64)
    assert frame.pts == 0


def test_rtsp_is_read_over_tcp() -> None:
    assert live_options("rtsp://camera")["rtsp_transport"] == "tcp"
    assert "rtsp_transport" not in live_options("http://camera")
