"""Chunks: messages put together from a peer nobody trusts, and a file sent at its channel's pace."""

from __future__ import annotations

import asyncio
import random
import struct
from unittest.mock import MagicMock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyee.asyncio import AsyncIOEventEmitter

from inference_sdk.webrtc import datachannel
from inference_sdk.webrtc.datachannel import (
    ChunkReassembler,
    VideoFileUploader,
    create_video_upload_chunk,
)


def chunk(frame_id, index, total, payload=b""):
    return struct.pack("<III", frame_id, index, total) + payload


def test_one_chunk_is_a_message():
    assert ChunkReassembler().add_chunk(chunk(5, 0, 1, b"whole")) == (b"whole", 5)


def test_chunks_out_of_order_and_interleaved():
    reassembler = ChunkReassembler()
    assert reassembler.add_chunk(chunk(1, 1, 2, b"B")) == (None, None)
    assert reassembler.add_chunk(chunk(2, 0, 2, b"C")) == (None, None)
    assert reassembler.add_chunk(chunk(1, 0, 2, b"A")) == (b"AB", 1)
    assert reassembler.add_chunk(chunk(2, 1, 2, b"D")) == (b"CD", 2)


def test_a_chunk_that_comes_twice_counts_once():
    reassembler = ChunkReassembler()
    reassembler.add_chunk(chunk(1, 0, 2, b"A"))
    assert reassembler.add_chunk(chunk(1, 0, 2, b"X")) == (None, None)
    assert reassembler.add_chunk(chunk(1, 1, 2, b"B")) == (b"AB", 1)


@pytest.mark.parametrize(
    "bad",
    [b"", b"short", chunk(1, 0, 0), chunk(1, 2, 2), chunk(1, 7, 2), chunk(1, 0, 2**32 - 1)],
)
def test_chunks_that_make_no_sense_are_skipped(bad, caplog):
    reassembler = ChunkReassembler()
    reassembler.add_chunk(chunk(1, 0, 2, b"A"))
    assert reassembler.add_chunk(bad) == (None, None)
    assert "Skipped" in caplog.text
    assert reassembler.add_chunk(chunk(1, 1, 2, b"B")) == (b"AB", 1)


def test_a_total_that_changes_gives_the_frame_up(caplog):
    reassembler = ChunkReassembler()
    reassembler.add_chunk(chunk(1, 0, 2, b"A"))
    assert reassembler.add_chunk(chunk(1, 1, 3, b"B")) == (None, None)
    assert "total changed" in caplog.text
    assert reassembler.add_chunk(chunk(2, 0, 1, b"next")) == (b"next", 2)


def test_frames_that_never_complete_are_given_up(caplog):
    reassembler = ChunkReassembler()
    for frame_id in range(datachannel.MAX_PENDING_MESSAGES + 1):
        reassembler.add_chunk(chunk(frame_id, 0, 2, b"A"))
    assert "Gave up frame 0" in caplog.text
    last = datachannel.MAX_PENDING_MESSAGES
    assert reassembler.add_chunk(chunk(last, 1, 2, b"B")) == (b"AB", last)
    assert reassembler.add_chunk(chunk(0, 1, 2, b"B")) == (None, None)


def test_bytes_that_wait_are_bounded(monkeypatch, caplog):
    monkeypatch.setattr(datachannel, "MAX_MESSAGE_BYTES", 10_000)
    reassembler = ChunkReassembler()
    for index in range(100):
        assert reassembler.add_chunk(chunk(1, index, 101, b"x" * 1000)) == (None, None)
    assert "Gave up frame 1" in caplog.text
    assert reassembler._size <= 10_000


@given(
    st.dictionaries(
        st.integers(0, 2**32 - 1),
        st.lists(st.binary(max_size=20), min_size=1, max_size=6),
        max_size=8,
    ),
    st.randoms(use_true_random=False),
)
def test_any_order_gives_every_message_once(frames, chance: random.Random):
    chunks = [
        (frame_id, chunk(frame_id, index, len(parts), part))
        for frame_id, parts in frames.items()
        for index, part in enumerate(parts)
    ]
    chance.shuffle(chunks)
    reassembler = ChunkReassembler()
    whole = [result for _, one in chunks if (result := reassembler.add_chunk(one))[0] is not None]
    assert {frame_id: payload for payload, frame_id in whole} == {
        frame_id: b"".join(parts) for frame_id, parts in frames.items()
    }
    assert len(whole) == len(frames)


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 4), st.integers(0, 4), st.binary(max_size=9))
        | st.binary(max_size=14),
        max_size=60,
    )
)
def test_hostile_chunks_never_raise_and_leave_no_debt(chunks):
    reassembler = ChunkReassembler()
    for one in chunks:
        message = one if isinstance(one, bytes) else chunk(*one)
        payload, frame_id = reassembler.add_chunk(message)
        assert (payload is None) == (frame_id is None)
    assert reassembler._size == sum(partial.size for partial in reassembler._pending.values())
    assert len(reassembler._pending) <= datachannel.MAX_PENDING_MESSAGES


class Channel(AsyncIOEventEmitter):
    """A data channel that sends what is in its buffer whenever the loop has time."""

    def __init__(self, state="open", silent=False):
        super().__init__()
        self.readyState = state
        self.bufferedAmount = 0
        self.bufferedAmountLowThreshold = 0
        self.most_buffered = 0
        self.sent = []
        self.silent = silent
        self.close_after = None

    def send(self, data):
        self.sent.append(data)
        self.bufferedAmount += len(data)
        self.most_buffered = max(self.most_buffered, self.bufferedAmount)
        asyncio.get_running_loop().call_later(0.001, self._drain, len(data))

    def _drain(self, size):
        above = self.bufferedAmount > self.bufferedAmountLowThreshold
        self.bufferedAmount -= size
        if self.close_after is not None and len(self.sent) >= self.close_after:
            self.readyState = "closed"
            self.emit("close")
        elif above and self.bufferedAmount <= self.bufferedAmountLowThreshold and not self.silent:
            self.emit("bufferedamountlow")


@pytest.fixture
def video(tmp_path):
    path = tmp_path / "video.mp4"
    path.write_bytes(bytes(range(256)) * 40)  # 10,240 bytes
    return path


def test_the_chunk_format():
    assert create_video_upload_chunk(1, 3, b"data") == b"\x01\0\0\0\x03\0\0\0data"


async def test_upload_sends_all_in_order_and_reports(video):
    channel, progress = Channel(), []
    uploader = VideoFileUploader(str(video), channel, chunk_size=1000, buffer_limit=3000)
    assert (uploader.file_size, uploader.total_chunks, uploader.uploaded_chunks) == (10240, 11, 0)
    await uploader.upload(lambda *done: progress.append(done))
    assert progress == [(number, 11) for number in range(1, 12)]
    assert uploader.uploaded_chunks == 11
    headers = [struct.unpack_from("<II", message) for message in channel.sent]
    assert headers == [(index, 11) for index in range(11)]
    assert b"".join(message[8:] for message in channel.sent) == video.read_bytes()


async def test_upload_to_a_channel_of_a_users_test(video):
    channel = MagicMock(readyState="open", bufferedAmount=0)
    uploader = VideoFileUploader(str(video), channel)
    await uploader.upload()
    assert uploader.total_chunks == uploader.uploaded_chunks == 1
    channel.send.assert_called_once_with(create_video_upload_chunk(0, 1, video.read_bytes()))


async def test_upload_never_fills_the_channel_beyond_its_limit(video):
    channel = Channel()
    await VideoFileUploader(str(video), channel, chunk_size=500, buffer_limit=2000).upload()
    assert 1500 < channel.most_buffered <= 2000


async def test_a_chunk_larger_than_the_limit_goes_alone(video):
    channel = Channel()
    await VideoFileUploader(str(video), channel, chunk_size=4000, buffer_limit=1000).upload()
    assert channel.most_buffered == 4008


async def test_a_channel_that_does_not_tell_of_room_is_asked(video, monkeypatch):
    monkeypatch.setattr(datachannel, "_RECHECK_SECONDS", 0.01)
    channel = Channel(silent=True)
    await VideoFileUploader(str(video), channel, chunk_size=4000, buffer_limit=5000).upload()
    assert len(channel.sent) == 3


async def test_upload_waits_until_the_channel_opens(video):
    channel = Channel(state="connecting")

    def open_it():
        channel.readyState = "open"
        channel.emit("open")

    asyncio.get_running_loop().call_later(0.02, open_it)
    await VideoFileUploader(str(video), channel).upload()
    assert len(channel.sent) == 1


@pytest.mark.parametrize("state", ["closed", "closing"])
async def test_a_closed_channel_is_an_error(video, state):
    with pytest.raises(RuntimeError, match=r"closed|closing"):
        await VideoFileUploader(str(video), Channel(state=state)).upload()


async def test_a_channel_that_closes_meanwhile_is_an_error(video):
    channel = Channel()
    channel.close_after = 4
    uploader = VideoFileUploader(str(video), channel, chunk_size=500, buffer_limit=1100)
    with pytest.raises(RuntimeError, match="connection to the worker was lost"):
        await uploader.upload()
    assert 0 < uploader.uploaded_chunks < uploader.total_chunks
    assert not channel.listeners("bufferedamountlow")


async def test_a_file_that_shrinks_is_an_error(video):
    uploader = VideoFileUploader(str(video), Channel(), chunk_size=1000)
    video.write_bytes(b"short")
    with pytest.raises(RuntimeError, match="changed while it was uploaded"):
        await uploader.upload()


async def test_a_file_that_grows_is_sent_as_announced(video):
    channel = Channel()
    uploader = VideoFileUploader(str(video), channel, chunk_size=1000)
    video.write_bytes(video.read_bytes() * 3)
    await uploader.upload()
    assert len(channel.sent) == 11


async def test_reading_the_file_does_not_hold_up_the_event_loop(video, monkeypatch):
    import threading
    from pathlib import Path

    threads = []
    real_open = open

    def noting_open(*arguments, **named):
        threads.append(threading.current_thread())
        return real_open(*arguments, **named)

    monkeypatch.setattr("builtins.open", noting_open)
    await VideoFileUploader(str(Path(video)), Channel()).upload()
    assert threads
    assert threading.current_thread() not in threads
