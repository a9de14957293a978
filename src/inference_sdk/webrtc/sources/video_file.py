"""A video file, uploaded to the worker over a data channel; frames come back in order."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

from inference_sdk.utils.logging import get_logger
from inference_sdk.utils.media import has_picture, open_video
from inference_sdk.webrtc.datachannel import UploadProgressCallback, VideoFileUploader
from inference_sdk.webrtc.errors import SourceError
from inference_sdk.webrtc.handlers import name_of
from inference_sdk.webrtc.sources.base import StreamSource
from inference_sdk.webrtc.video_cache import fetch_video, is_url, without_query

if TYPE_CHECKING:
    from aiortc import RTCDataChannel, RTCPeerConnection

    from inference_sdk.webrtc.config import StreamConfig

logger = get_logger("webrtc.sources")

UPLOAD_CHANNEL = "video_upload"


class VideoFileSource(StreamSource):
    """A video file, by path or by URL.

    Args:
        path: of the file, or an http(s) URL; that is downloaded before the stream starts.
        on_upload_progress: called with (uploaded, total) chunks, on a thread of its own.
        use_datachannel_frames: True: frames come back as pictures, exact and none lost. False:
            as a video track, smaller and less sharp.
        realtime_processing: True: as a live stream would be, late frames dropped. False: every
            frame, in order.
        use_cache: keep what was downloaded, and use it the next time.
    """

    live = False

    def __init__(
        self,
        path: str,
        on_upload_progress: Optional[UploadProgressCallback] = None,
        use_datachannel_frames: bool = True,
        realtime_processing: bool = False,
        use_cache: bool = True,
    ) -> None:
        self.path = path
        self.on_upload_progress = on_upload_progress
        self.use_datachannel_frames = use_datachannel_frames
        self.realtime_processing = realtime_processing
        self.use_cache = use_cache
        self._file: Optional[Path] = None
        self._delete_file = False
        self._channel: Optional[RTCDataChannel] = None
        self._progress: Optional[ThreadPoolExecutor] = None

    async def prepare(self) -> None:
        """Download it if it is a URL, and see that it is a video."""
        if not is_url(self.path):
            self._file = Path(self.path)
            await asyncio.to_thread(require_video, self._file, str(self.path))
            return
        self._file, self._delete_file = await fetch_video(
            self.path, use_cache=self.use_cache, on_block=self._report_activity
        )
        try:
            await asyncio.to_thread(require_video, self._file, without_query(self.path))
        except SourceError:
            # An error page that came as a video must not be found in the cache the next time.
            await asyncio.to_thread(self._file.unlink, missing_ok=True)
            raise

    async def configure_peer_connection(self, pc: RTCPeerConnection) -> None:
        self._channel = pc.createDataChannel(UPLOAD_CHANNEL)
        if not self.use_datachannel_frames:
            pc.addTransceiver("video", direction="recvonly")

    def get_initialization_params(self, config: StreamConfig) -> dict[str, Any]:
        params: dict[str, Any] = {
            "webrtc_realtime_processing": self.realtime_processing,
            "video_file_upload": True,
        }
        if self.use_datachannel_frames:
            params["stream_output"] = []
            params["data_output"] = list(
                dict.fromkeys([*config.data_output, *config.stream_output])
            )
        return params

    async def begin(self) -> None:
        await self.start_upload()

    async def start_upload(self) -> None:
        """Upload the file; returns when all of it is sent.

        Raises:
            RuntimeError: the session has not started, or the connection was lost.
        """
        if self._channel is None:
            raise RuntimeError("The upload needs a running session: start the session first.")
        path = str(self._file or self.path)
        uploader = await asyncio.to_thread(VideoFileUploader, path, self._channel)
        await uploader.upload(self._on_chunk)

    async def cleanup(self) -> None:
        self._channel = None
        progress, self._progress = self._progress, None
        if progress is not None:
            progress.shutdown(wait=False)
        if self._delete_file and self._file is not None:
            self._delete_file = False
            await asyncio.to_thread(self._file.unlink, missing_ok=True)

    def _on_chunk(self, uploaded: int, total: int) -> None:
        self._report_activity()
        if self.on_upload_progress is None:
            return
        if self._progress is None:
            # One thread keeps the order, and keeps a slow callback off the event loop.
            self._progress = ThreadPoolExecutor(1, "inference-webrtc-progress")
        self._progress.submit(self._call_progress, self.on_upload_progress, uploaded, total)

    def _call_progress(self, callback: UploadProgressCallback, uploaded: int, total: int) -> None:
        try:
            callback(uploaded, total)
        except Exception:  # users' code; the upload goes on
            logger.exception("The handler %s failed; the upload goes on.", name_of(callback))

    def _report_activity(self) -> None:
        if self.monitor is not None:
            self.monitor.active()


def require_video(path: Path, shown: str) -> None:
    """Check that a file is there, may be read, and is a video: a frame of it decodes.

    Raises:
        SourceError: it is not; says why.
    """
    import av

    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SourceError(f"The video {shown!r} cannot be read: {reason}.") from error
    if empty:
        raise SourceError(f"The video {shown!r} is an empty file.")
    try:
        with open_video(os.fspath(path)) as container:
            found = has_picture(container)
    except (av.FFmpegError, OSError, ValueError) as error:
        raise SourceError(f"The file {shown!r} is no video that can be read.") from error
    if not found:
        raise SourceError(f"The file {shown!r} has no video in it: not one frame decodes.")
