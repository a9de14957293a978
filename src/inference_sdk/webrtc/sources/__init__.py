"""What can be streamed: cameras, files, addresses, and frames of one's own."""

from inference_sdk.webrtc.datachannel import UploadProgressCallback
from inference_sdk.webrtc.sources.base import SourceMonitor, StreamSource
from inference_sdk.webrtc.sources.capture import LocalStreamSource, WebcamSource
from inference_sdk.webrtc.sources.manual import MANUAL_SOURCE_QUEUE_MAX_SIZE, ManualSource
from inference_sdk.webrtc.sources.pulled import MJPEGSource, RTSPSource
from inference_sdk.webrtc.sources.video_file import VideoFileSource
from inference_sdk.webrtc.video_cache import (
    VIDEO_DOWNLOAD_CACHE_DIR,
    VIDEO_DOWNLOAD_TIMEOUT_SECONDS,
)

__all__ = [
    "MANUAL_SOURCE_QUEUE_MAX_SIZE",
    "VIDEO_DOWNLOAD_CACHE_DIR",
    "VIDEO_DOWNLOAD_TIMEOUT_SECONDS",
    "LocalStreamSource",
    "MJPEGSource",
    "ManualSource",
    "RTSPSource",
    "SourceMonitor",
    "StreamSource",
    "UploadProgressCallback",
    "VideoFileSource",
    "WebcamSource",
]
