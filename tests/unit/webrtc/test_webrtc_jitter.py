"""A frame leaves the jitter buffer with its last packet, not with the next frame's first."""

from __future__ import annotations

import random

from aiortc.jitterbuffer import JitterBuffer
from aiortc.rtp import RtpPacket

from inference_sdk.webrtc.jitter import PromptJitterBuffer, release_frames_early


def packets(frames, per_frame=3, first=65534):
    made = []
    for frame in range(frames):
        for part in range(per_frame):
            packet = RtpPacket(
                sequence_number=(first + len(made)) % 65536,
                timestamp=frame * 3000,
                marker=int(part == per_frame - 1),
            )
            packet._data = bytes([frame, part])
            made.append(packet)
    return made


def buffer():
    return PromptJitterBuffer(capacity=128, is_video=True)


def test_each_frame_comes_with_its_marked_packet():
    jitter, got = buffer(), []
    for number, packet in enumerate(packets(4)):
        _, frame = jitter.add(packet)
        if frame is not None:
            got.append((number, frame.timestamp, frame.data))
    assert [(number, timestamp) for number, timestamp, _ in got] == [
        (2, 0),
        (5, 3000),
        (8, 6000),
        (11, 9000),
    ]
    assert got[1][2] == bytes([1, 0, 1, 1, 1, 2])


def test_aiortc_alone_is_one_frame_late():
    jitter, got = JitterBuffer(capacity=128, is_video=True), []
    for packet in packets(4):
        _, frame = jitter.add(packet)
        if frame is not None:
            got.append(frame.timestamp)
    assert got == [0, 3000, 6000]


def test_a_missing_packet_holds_its_frame_until_it_comes():
    jitter = buffer()
    first = packets(2)
    order = [first[0], first[2], first[1], *first[3:]]
    got = [frame.timestamp for packet in order if (frame := jitter.add(packet)[1]) is not None]
    assert got == [0, 3000]


def test_packets_out_of_order_give_every_frame_in_order():
    for seed in range(20):
        jitter = buffer()
        made = packets(10, per_frame=2)
        chance = random.Random(seed)
        order = [made[0], *sorted(made[1:], key=lambda p: made.index(p) + chance.uniform(0, 3))]
        got = [frame.timestamp for packet in order if (frame := jitter.add(packet)[1]) is not None]
        assert got == sorted(got)
        assert len(got) >= 8


def test_what_looks_different_is_left_alone():
    class Receiver:
        pass

    receiver = Receiver()
    assert not release_frames_early(receiver)
    receiver._RTCRtpReceiver__jitter_buffer = object()
    assert not release_frames_early(receiver)
    receiver._RTCRtpReceiver__jitter_buffer = JitterBuffer(capacity=16, is_video=True)
    assert release_frames_early(receiver)
    assert isinstance(receiver._RTCRtpReceiver__jitter_buffer, PromptJitterBuffer)
