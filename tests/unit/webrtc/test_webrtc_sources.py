"""Sources: what they add to a connection, tell the worker, and do when they cannot."""

from __future__ import annotations

import asyncio
import sys
import threading
import traceback
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import av
import numpy as np
import pytest

from inference_sdk.http.errors import InvalidParameterError
from inference_sdk.webrtc.cameras import AvReader, open_webcam
from inference_sdk.webrtc.config import StreamConfig
from inference_sdk.webrtc.errors import SourceError
from inference_sdk.webrtc.sources import (
    LocalStreamSource,
    ManualSource,
    MJPEGSource,
    RTSPSource,
    StreamSource,
    VideoFileSource,
    WebcamSource,
)
from inference_sdk.webrtc.sources.video_file import require_video

PICTURE = np.zeros((48, 64, 3), np.uint8)
SECRET = "pass-" + "word"  # tracebacks quote this file
CONFIG = StreamConfig(stream_output=["image", "a"], data_output=["a", "b"])


class Monitor:
    """Notes what a source reports."""

    def __init__(self):
        self.actives = self.skips = 0
        self.sent_ticks = []
        self.end = threading.Event()
        self.error = None

    def active(self):
        self.actives += 1

    def sent(self, ticks, at):
        self.sent_ticks.append(ticks)

    def skipped(self):
        self.skips += 1

    def ended(self, error=None):
        self.error = error
        self.end.set()


def test_the_base_is_abstract_and_its_hooks_do_nothing():
    with pytest.raises(TypeError):
        StreamSource()

    class Minimal(StreamSource):
        async def configure_peer_connection(self, pc): ...

        def get_initialization_params(self, config):
            return {}

    source = Minimal()
    for hook in (source.prepare, source.begin, source.cleanup):
        asyncio.run(hook())
    assert source.has_input()


@pytest.mark.parametrize(
    ("source", "parameter"),
    [
        (RTSPSource("rtsp://cam/1"), "rtsp_url"),
        (RTSPSource("RTSPS://cam/1"), "rtsp_url"),
        (MJPEGSource("http://cam/1"), "mjpeg_url"),
        (MJPEGSource("https://cam/1"), "mjpeg_url"),
    ],
)
async def test_pulled_sources(source, parameter):
    pc = MagicMock()
    await source.configure_peer_connection(pc)
    pc.addTransceiver.assert_called_once_with("video", direction="recvonly")
    assert source.get_initialization_params(CONFIG) == {parameter: source.url}
    await source.cleanup()


@pytest.mark.parametrize(
    ("make", "url"),
    [
        (RTSPSource, "http://cam"),
        (RTSPSource, "cam"),
        (MJPEGSource, "rtsp://user:secret@cam"),
        (MJPEGSource, ""),
        (MJPEGSource, None),
        (LocalStreamSource, "http://cam"),
    ],
)
def test_another_scheme_is_refused_without_showing_the_address(make, url):
    with pytest.raises(InvalidParameterError, match=make.__name__) as raised:
        make(url)
    assert "secret" not in str(raised.value)


# Manual


async def manual(monitor=None):
    source, pc = ManualSource(), MagicMock()
    source.monitor = monitor
    await source.configure_peer_connection(pc)
    return source, pc.addTrack.call_args.args[0]


def test_manual_needs_a_running_session():
    source = ManualSource()
    assert source.get_initialization_params(CONFIG) == {"manual_mode": True}
    with pytest.raises(RuntimeError, match="running session"):
        source.send(PICTURE)


async def test_manual_after_its_session():
    source, _ = await manual()
    await source.cleanup()
    await source.cleanup()
    with pytest.raises(RuntimeError):
        source.send(PICTURE)


@pytest.mark.parametrize(
    "frame",
    [
        None,
        "text",
        PICTURE.astype(np.float32),
        PICTURE[:, :, 0],
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
async def test_manual_refuses_what_is_no_bgr_picture(frame):
    source, _ = await manual()
    with pytest.raises(InvalidParameterError, match=r"\(H, W, 3\)"):
        source.send(frame)


async def test_manual_frames_arrive_with_their_times():
    monitor = Monitor()
    source, track = await manual(monitor)
    assert not source.has_input()
    source.send(PICTURE)
    source.send(np.full_like(PICTURE, 200)[::-1])
    assert source.has_input()
    assert monitor.actives == 1
    first, second = await track.recv(), await track.recv()
    assert first.to_ndarray(format="bgr24").mean() == 0
    assert second.to_ndarray(format="bgr24").mean() == 200
    assert first.pts == 0
    assert second.pts > 0
    assert float(second.time_base) == 1 / 90000
    assert monitor.sent_ticks == [first.pts, second.pts]


async def test_manual_copies_the_frame():
    source, track = await manual()
    picture = PICTURE.copy()
    source.send(picture)
    picture[:] = 255
    assert (await track.recv()).to_ndarray(format="bgr24").max() == 0


async def test_manual_drops_the_oldest_of_more_than_ten():
    monitor = Monitor()
    source, track = await manual(monitor)
    for value in range(15):
        source.send(np.full_like(PICTURE, value))
    assert monitor.skips == 5
    got = [int((await track.recv()).to_ndarray(format="bgr24").mean()) for _ in range(10)]
    assert got == list(range(5, 15))


async def test_manual_wakes_the_loop_from_another_thread():
    """Nothing else runs on this loop: only the wake-up can end the wait before its limit."""
    source, track = await manual()
    waiting = asyncio.ensure_future(track.recv())
    await asyncio.sleep(0)
    thread = threading.Timer(0.02, source.send, (PICTURE,))
    thread.start()
    begun = asyncio.get_running_loop().time()
    await asyncio.wait_for(waiting, 30)
    assert asyncio.get_running_loop().time() - begun < 5
    thread.join(5)


async def test_a_stopped_track_gives_no_more():
    from aiortc.mediastreams import MediaStreamError

    source, track = await manual()
    waiting = asyncio.ensure_future(track.recv())
    await asyncio.sleep(0)
    track.stop()
    track.stop()
    for end in (waiting, track.recv()):
        with pytest.raises(MediaStreamError):
            await asyncio.wait_for(end, 5)
    source.send(PICTURE)


def test_frames_after_the_loop_is_gone_are_harmless():
    source, _ = asyncio.run(manual())
    source.send(PICTURE)


# Files


def test_what_a_file_tells_the_worker():
    assert VideoFileSource("x.mp4").get_initialization_params(CONFIG) == {
        "webrtc_realtime_processing": False,
        "video_file_upload": True,
        "stream_output": [],
        "data_output": ["a", "b", "image"],
    }
    track = VideoFileSource("x.mp4", use_datachannel_frames=False, realtime_processing=True)
    assert track.get_initialization_params(CONFIG) == {
        "webrtc_realtime_processing": True,
        "video_file_upload": True,
    }


@pytest.mark.parametrize("by_datachannel", [True, False])
async def test_what_a_file_adds(by_datachannel):
    pc = MagicMock()
    source = VideoFileSource("x.mp4", use_datachannel_frames=by_datachannel)
    await source.configure_peer_connection(pc)
    pc.createDataChannel.assert_called_once_with("video_upload")
    assert pc.addTransceiver.called is not by_datachannel


async def test_an_upload_needs_a_session():
    with pytest.raises(RuntimeError, match="running session"):
        await VideoFileSource("x.mp4").start_upload()


def test_what_is_no_video_is_said(tmp_path):
    text, empty, sound = tmp_path / "a.mp4", tmp_path / "b.mp4", tmp_path / "c.wav"
    text.write_text("no video at all, " * 100)
    empty.touch()
    with av.open(str(sound), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    for path, says in [
        (tmp_path / "missing.mp4", "No such file"),
        (tmp_path, "cannot be read"),
        (empty, "empty file"),
        (text, "no video that can be read"),
        (sound, "no video in it"),
    ]:
        with pytest.raises(SourceError, match=says) as raised:
            require_video(path, str(path))
        assert str(path) in str(raised.value)


async def test_a_page_instead_of_a_video_is_not_kept(tmp_path, monkeypatch):
    from aiohttp import web
    from aiohttp.test_utils import TestServer

    monkeypatch.setattr(
        "inference_sdk.webrtc.video_cache.VIDEO_DOWNLOAD_CACHE_DIR", str(tmp_path / "videos")
    )
    app = web.Application()

    async def page(request):
        return web.Response(text="<html>log in</html>")

    app.router.add_get("/v.mp4", page)
    async with TestServer(app) as server:
        source = VideoFileSource(str(server.make_url("/v.mp4?token=secret")))
        with pytest.raises(SourceError) as raised:
            await source.prepare()
    assert "secret" not in str(raised.value)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


# Cameras


class Reader:
    """A camera that gives frames until told otherwise."""

    fps = 25.0

    def __init__(self, frames=10**6, error=None):
        self.left, self.error = frames, error
        self.closed = threading.Event()
        self.gate = threading.Event()

    def read(self):
        self.gate.wait(0.005)
        if self.left == 0:
            if self.error:
                raise self.error
            return None
        self.left -= 1
        return av.VideoFrame.from_ndarray(PICTURE, format="bgr24")

    def interrupt(self):
        self.gate.set()

    def close(self):
        self.closed.set()


async def test_a_camera_is_read_on_a_thread_and_closed(monkeypatch):
    reader = Reader()
    monkeypatch.setattr(
        "inference_sdk.webrtc.sources.capture.open_webcam", lambda device, size: reader
    )
    source, pc = WebcamSource(1, (640, 480)), MagicMock()
    source.monitor = Monitor()
    assert source.get_initialization_params(CONFIG) == {}
    await source.configure_peer_connection(pc)
    assert source.get_initialization_params(CONFIG) == {"declared_fps": 25.0}
    frame = await asyncio.wait_for(pc.addTrack.call_args.args[0].recv(), 5)
    assert frame.pts is not None
    await source.cleanup()
    await source.cleanup()
    assert reader.closed.is_set()
    assert not source.monitor.end.is_set()


@pytest.mark.parametrize("error", [None, SourceError("unplugged")])
async def test_the_end_of_a_camera_is_reported(monkeypatch, error):
    reader = Reader(frames=3, error=error)
    monkeypatch.setattr("inference_sdk.webrtc.sources.capture.open_webcam", lambda *_: reader)
    source = WebcamSource()
    source.monitor = Monitor()
    await source.prepare()
    assert await asyncio.to_thread(source.monitor.end.wait, 5)
    assert source.monitor.error is error
    await source.cleanup()


async def test_a_camera_that_is_not_there(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    source = WebcamSource(97)
    with pytest.raises(SourceError, match="Camera 97 cannot be opened"):
        await source.prepare()
    await source.cleanup()


def test_another_system_needs_opencv(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(SourceError, match="opencv-python-headless"):
        open_webcam(0, (640, 480))


def fake_cv2(opens=True, fps=30.0, pictures=1):
    capture = MagicMock()
    capture.isOpened.return_value = opens
    capture.get.return_value = fps
    capture.read.side_effect = [(True, PICTURE)] * pictures + [(False, None)]
    return SimpleNamespace(
        VideoCapture=MagicMock(return_value=capture),
        CAP_PROP_FRAME_WIDTH=3,
        CAP_PROP_FRAME_HEIGHT=4,
        CAP_PROP_FPS=5,
    ), capture


def test_opencv_reads_a_camera_where_it_is_installed(monkeypatch):
    cv2, capture = fake_cv2()
    monkeypatch.setitem(sys.modules, "cv2", cv2)
    camera = open_webcam(2, (640, 480))
    cv2.VideoCapture.assert_called_once_with(2)
    assert [call.args for call in capture.set.call_args_list] == [(3, 640), (4, 480)]
    assert camera.fps == 30.0
    assert camera.read().to_ndarray(format="bgr24").shape == PICTURE.shape
    with pytest.raises(SourceError, match="unplugged"):
        camera.read()
    camera.interrupt()
    camera.close()
    capture.release.assert_called_once_with()


@pytest.mark.parametrize("fps", [0.0, -1.0, float("nan")])
def test_cameras_that_do_not_tell_their_rate(monkeypatch, fps):
    cv2, capture = fake_cv2(fps=fps)
    monkeypatch.setitem(sys.modules, "cv2", cv2)
    assert open_webcam(0, None).fps is None
    capture.set.assert_not_called()


def test_opencv_that_cannot_open(monkeypatch):
    cv2, capture = fake_cv2(opens=False)
    monkeypatch.setitem(sys.modules, "cv2", cv2)
    with pytest.raises(SourceError, match="OpenCV cannot open it"):
        open_webcam(0, None)
    capture.release.assert_called_once_with()


# Local streams


@pytest.fixture
def clip(tmp_path) -> Path:
    path = tmp_path / "clip.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=50)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(10):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(PICTURE, format="bgr24")))
        container.mux(stream.encode(None))
    return path


def test_reading_is_paced_as_recorded(clip):
    import time

    reader = AvReader("clip", str(clip), paced=True)
    assert reader.fps == 50
    begun = time.monotonic()
    count = 0
    while reader.read() is not None:
        count += 1
    assert count == 10
    assert 0.15 < time.monotonic() - begun < 2
    reader.close()


def test_pacing_ends_with_closing(clip):
    import time

    reader = AvReader("clip", str(clip), paced=True)
    reader.interrupt()
    begun = time.monotonic()
    while reader.read() is not None:
        pass
    assert time.monotonic() - begun < 0.15
    reader.close()


def test_a_jump_of_the_clock_is_not_waited_for(clip):
    reader = AvReader("clip", str(clip), paced=True)
    reader._wait_until_due(0.0)
    reader._wait_until_due(5000.0)
    reader._wait_until_due(0.0)
    reader.close()


def test_a_stream_without_video(tmp_path):
    path = tmp_path / "sound.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        container.mux(stream.encode(None))
    with pytest.raises(SourceError, match=r"no video|cannot be opened"):
        AvReader("stream", str(path))


def test_a_stream_that_breaks_off(clip):
    reader = AvReader("stream", str(clip))
    reader._frames = iter_raising()
    with pytest.raises(SourceError, match="stream was lost"):
        reader.read()
    reader.close()


def iter_raising():
    raise OSError(5, "Input/output error")
    yield


async def test_a_local_stream_that_is_not_there():
    source = LocalStreamSource("rtsp://user:secret@127.0.0.1:1/cam")
    with pytest.raises(SourceError, match=r"127\.0\.0\.1") as raised:
        await source.prepare()
    assert "secret" not in str(raised.value)
    await source.cleanup()


async def test_a_cameras_password_is_nowhere_in_its_error(unused_tcp_port):
    """Neither in the text nor in what hangs on it: PyAV's errors quote the address."""
    source = LocalStreamSource(f"rtsp://user:{SECRET}@127.0.0.1:{unused_tcp_port}/camera")
    with pytest.raises(SourceError, match="cannot be opened") as raised:
        await source.prepare()
    assert SECRET not in "".join(traceback.format_exception(raised.value))
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None
    assert SECRET not in repr(source)


async def test_a_local_stream_is_sent_on(clip, monkeypatch):
    real = AvReader
    opened = []

    def reader(name, url, **options):
        opened.append((name, url, options))
        return real(name, str(clip), paced=options["paced"])

    monkeypatch.setattr("inference_sdk.webrtc.sources.capture.AvReader", reader)
    source, pc = LocalStreamSource("rtmp://cam/live"), MagicMock()
    source.monitor = Monitor()
    await source.configure_peer_connection(pc)
    track = pc.addTrack.call_args.args[0]
    assert (await asyncio.wait_for(track.recv(), 5)).width == 64
    assert await asyncio.to_thread(source.monitor.end.wait, 5)
    assert source.monitor.error is None
    await source.cleanup()
    assert opened == [("stream at cam", "rtmp://cam/live", {"paced": True, "options": {}})]
    LocalStreamSource("rtsp://cam/1")._open().close()
    assert opened[1][2]["options"] == {"rtsp_transport": "tcp"}
