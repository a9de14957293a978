"""Files through a real peer: every frame, in order, exactly once, at the pace of the reader."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from inference_sdk.webrtc import (
    DataBacklogError,
    StreamConfig,
    VideoFileSource,
    WebRTCError,
    WebRTCSession,
)
from tests.integration.webrtc_peer import Behaviour, Worker, WorkerSession, level, write_video

FRAMES = 90


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return str(write_video(tmp_path_factory.mktemp("video") / "video.avi", FRAMES))


def session(worker, source, **config):
    settings = {"stream_output": ["image"], "data_output": ["number"], **config}
    return WebRTCSession(
        worker.url, "key", source, "image", {"workflow_specification": {}}, StreamConfig(**settings)
    )


def assert_all_frames(levels):
    """Codecs change colours by some levels; the order must not change at all."""
    assert len(levels) == FRAMES
    assert all(abs(got - level(number)) < 12 for number, got in enumerate(levels, 1))
    assert sorted(levels) == pytest.approx(levels, abs=1.0)


@pytest.mark.parametrize("by_datachannel", [True, False])
@pytest.mark.parametrize("delay", [0.0, 0.06])
def test_a_slow_handler_gets_every_frame(video, by_datachannel, delay):
    levels, numbers = [], []
    with Worker() as worker:
        source = VideoFileSource(video, use_datachannel_frames=by_datachannel)
        stream = session(worker, source)

        @stream.on_frame
        def slow(frame, metadata):
            time.sleep(delay)
            levels.append(float(frame.mean()))

        @stream.on_data("number")
        def note(value):
            numbers.append(value)

        stream.run()
        ahead = worker.sessions[0].max_ahead
    assert_all_frames(levels)
    assert numbers == list(range(1, FRAMES + 1))
    if delay:
        # The worker was held back: its window beyond what fits into the client's queue.
        assert ahead <= 10


@pytest.mark.parametrize(
    "knobs", [{"gzip": True}, {"interleave": True, "chunk_size": 300}, {"chunked": False}]
)
def test_every_form_of_message(video, knobs):
    with Worker(Behaviour(**knobs)) as worker, session(worker, VideoFileSource(video)) as stream:
        assert_all_frames([float(frame.mean()) for frame, _ in stream.video()])


def test_a_slow_data_handler_slows_the_worker_and_gets_all(video):
    numbers = []
    with Worker() as worker:
        stream = session(worker, VideoFileSource(video), stream_output=[])

        @stream.on_data
        def slow(data, metadata):
            time.sleep(0.01)
            numbers.append((data["number"], metadata.frame_id))

        stream.run()
        assert worker.sessions[0].max_ahead <= 12
    assert numbers == [(number, number) for number in range(1, FRAMES + 1)]


def test_acknowledgements_are_cumulative_and_reach_the_last_frame(video):
    with Worker() as worker:
        session(worker, VideoFileSource(video)).run()
        acks = worker.sessions[0].acks
    assert acks == sorted(acks)
    assert acks[-1] == FRAMES


def test_a_realtime_file_is_not_acknowledged_and_drops_late_frames(video):
    seen = []
    with Worker(Behaviour(fps=200)) as worker:
        stream = session(worker, VideoFileSource(video, realtime_processing=True))

        @stream.on_frame
        def slow(frame, metadata):
            time.sleep(0.03)
            seen.append(metadata.frame_id)

        stream.run()
        assert worker.sessions[0].acks == []
        assert worker.requests[0]["webrtc_realtime_processing"] is True
    assert seen == sorted(set(seen))
    assert len(seen) < FRAMES
    assert seen[-1] == FRAMES
    assert stream.stats().frames_dropped == FRAMES - len(seen)


def test_the_picture_is_hidden_from_the_global_data_handler(video):
    everything, pictures = [], []
    with Worker() as worker:
        stream = session(worker, VideoFileSource(video))
        stream.on_data(lambda data: everything.append(data))
        stream.on_data("image")(lambda picture: pictures.append(picture["type"]))
        stream.wait(timeout=30)
        stream.close()
    assert everything == [{"number": number} for number in range(1, FRAMES + 1)]
    assert pictures == ["base64"] * FRAMES


def test_metadata_is_the_workers(video):
    with Worker() as worker, session(worker, VideoFileSource(video)) as stream:
        found = [metadata for _, metadata in stream.video()]
    assert [metadata.frame_id for metadata in found] == list(range(1, FRAMES + 1))
    assert found[1].pts == 3000
    assert found[1].declared_fps == 30
    assert found[1].errors == []


async def test_async_reading(video):
    levels, numbers = [], []
    with Worker() as worker:
        async with session(worker, VideoFileSource(video)) as stream:
            stream.on_data("number")(numbers.append)
            async for frame, metadata in stream.video_async():
                assert metadata.frame_id == len(levels) + 1
                levels.append(float(frame.mean()))
    assert_all_frames(levels)
    assert numbers == list(range(1, FRAMES + 1))


async def test_async_run_with_a_coroutine_handler(video):
    levels = []
    with Worker() as worker:
        stream = session(worker, VideoFileSource(video))

        @stream.on_frame
        async def take(frame, metadata):
            levels.append(float(frame.mean()))

        await stream.arun()
    assert_all_frames(levels)


def test_progress_is_reported_in_order_off_the_event_loop(video):
    progress, threads = [], set()

    def report(uploaded, total):
        progress.append((uploaded, total))
        threads.add(threading.current_thread().name)
        raise ValueError("a mistake of the user's")

    with Worker() as worker:
        session(worker, VideoFileSource(video, on_upload_progress=report)).run()
    total = progress[0][1]
    assert progress == [(number, total) for number in range(1, total + 1)]
    assert not threads & {"inference-webrtc", "MainThread"}


def test_a_video_by_url(video, tmp_path, monkeypatch):
    import asyncio

    from aiohttp import web

    monkeypatch.setattr(
        "inference_sdk.webrtc.video_cache.VIDEO_DOWNLOAD_CACHE_DIR", str(tmp_path / "videos")
    )
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    asked = []

    async def serve(request):
        asked.append(1)
        return web.FileResponse(video)

    async def site(worker):
        app = web.Application()
        app.router.add_get("/v.avi", serve)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner

    with Worker() as worker:
        runner = worker.call(site(worker))
        url = "http://{}:{}/v.avi".format(*runner.addresses[0][:2])
        for use_cache in (True, True, False):
            with session(worker, VideoFileSource(url, use_cache=use_cache)) as stream:
                assert sum(1 for _ in stream.video()) == FRAMES
        worker.call(runner.cleanup())
        assert asyncio.iscoroutinefunction(serve)
    assert len(asked) == 2
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_two_readers_share_the_frames(video):
    seen = []
    with Worker() as worker, session(worker, VideoFileSource(video)) as stream:

        def read():
            seen.extend(metadata.frame_id for _, metadata in stream.video())

        readers = [threading.Thread(target=read) for _ in range(3)]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join(20)
        assert len(worker.requests) == 1
    assert sorted(seen) == list(range(1, FRAMES + 1))


def test_pictures_that_will_not_decode_are_skipped(video, caplog):
    def half_broken(self, name, number, picture, real):
        if name == "image" and number % 2:
            return {"type": "base64", "value": "bm8gcGljdHVyZQ=="}
        return real(self, name, number, picture)

    real = WorkerSession.output
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WorkerSession, "output", lambda *given: half_broken(*given, real))
        with Worker() as worker, session(worker, VideoFileSource(video)) as stream:
            seen = [metadata.frame_id for _, metadata in stream.video()]
    assert seen == list(range(2, FRAMES + 1, 2))
    assert "will not decode" in caplog.text


def test_a_bad_peer_costs_only_its_bad_messages(video, caplog):
    import gzip
    import struct

    junk = [
        "no json",
        "[]",
        b"short",
        struct.pack("<III", 1, 5, 2) + b"index",
        struct.pack("<III", 2, 0, 0) + b"zero",
        struct.pack("<III", 3, 0, 2) + b"never completes",
        struct.pack("<III", 4, 0, 1) + b"\x1f\x8bnot gzip",
        struct.pack("<III", 5, 0, 1) + gzip.compress(b" " * 100_000_000),
        '{"video_metadata": {"frame_id": "x"}, "serialized_output_data": null, "errors": []}',
    ]
    with Worker(Behaviour(junk=junk)) as worker, session(worker, VideoFileSource(video)) as stream:
        assert_all_frames([float(frame.mean()) for frame, _ in stream.video()])
    for said in ("no JSON", "chunk 5 of 2", "gzip", "Metadata"):
        assert said in caplog.text


def test_a_worker_that_ends_in_the_middle_has_ended_the_stream(video):
    """Its own time-out, for example: it closes the connection in order, and that is no loss."""
    with Worker(Behaviour(leave_after=10)) as worker:
        seen = []
        stream = session(worker, VideoFileSource(video))
        stream.on_frame(lambda frame, metadata: seen.append(metadata.frame_id))
        begun = time.monotonic()
        stream.run()
        assert time.monotonic() - begun < 10
    # What was under way when the worker left may be lost; nothing else is.
    assert seen == list(range(1, len(seen) + 1))
    assert 8 <= len(seen) <= 10


def test_a_worker_that_leaves_while_the_file_is_uploaded(video, tmp_path):
    big = tmp_path / "big.avi"
    big.write_bytes(Path(video).read_bytes() + bytes(30_000_000))
    with Worker() as worker:
        stream = session(worker, VideoFileSource(str(big)))
        with stream:
            frames = stream.video()
            assert worker.sessions[0].upload_begun.wait(10)
            worker.call(worker.sessions[0].leave())
            with pytest.raises(WebRTCError):
                next(frames)


def test_a_worker_that_never_connects_is_not_waited_for_for_ever(video, monkeypatch):
    monkeypatch.setattr("inference_sdk.webrtc.peer.CONNECT_SECONDS", 0.5)

    async def leave_at_once(self):
        given = await answer(self)
        await self.leave()
        return given

    answer = WorkerSession.answer
    monkeypatch.setattr(WorkerSession, "answer", leave_at_once)
    with Worker() as worker:
        stream = session(worker, VideoFileSource(video))
        with pytest.raises(WebRTCError, match="No way to the worker"):
            stream.run()


def test_a_file_of_which_every_frame_failed_ends_in_order_and_says_so(video, caplog):
    with Worker(Behaviour(errors=["step 'detect' has no model"])) as worker:
        stream = session(worker, VideoFileSource(video))
        assert list(stream.video()) == []
        stream.close()
    assert "not one picture of 'image' came" in caplog.text
    assert "step 'detect' has no model" in caplog.text


def test_a_name_that_is_no_output_is_warned_of(video, caplog):
    with Worker() as worker:
        session(worker, VideoFileSource(video), stream_output=["pictrue"]).run()
    assert "names in stream_output" in caplog.text


@pytest.mark.parametrize("by_datachannel", [True, False])
def test_a_worker_that_leaves_right_after_its_last_word_has_done_its_work(video, by_datachannel):
    """A slow reader hears of the end long after the worker is gone."""
    numbers = []
    with Worker(Behaviour(leave_when_complete=True, ack_window=1000)) as worker:
        source = VideoFileSource(video, use_datachannel_frames=by_datachannel)
        stream = session(worker, source)

        @stream.on_frame
        def slow(frame, metadata):
            time.sleep(0.02)
            numbers.append(1)

        stream.run()
    assert len(numbers) == FRAMES


def test_a_worker_that_waits_for_no_acknowledgement_is_bounded(video):
    with Worker(Behaviour(paced=False)) as worker:
        stream = session(worker, VideoFileSource(video), max_waiting_bytes=20_000)
        stream.on_frame(lambda frame, metadata: time.sleep(0.05))
        with pytest.raises(DataBacklogError, match="slower than the stream"):
            stream.run()
