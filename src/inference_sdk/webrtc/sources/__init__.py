"""What can be streamed: cameras, files, addresses, and frames of one's own."""

from inference_sdk.webrtc.datachannel import UploadProgressCallback
from inference_sdk.webrtc.sources.base import SourceMonitor, StreamSource
from inference_sdk.webrtc.sources.capture import LocalStreamSource, WebcamSource
from inference_sdk.webrtc.sources.manual import ManualSource
from inference_sdk.webrtc.sources.pulled import MJPEGSource, RTSPSource
from inference_sdk.webrtc.sources.video_file import VideoFileSource

__all__ = [
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
