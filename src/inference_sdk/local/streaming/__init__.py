"""The WebRTC worker of the embedded server: live video in, a workflow on each frame, results out.

Needs the extra `webrtc`, which is loaded with the first stream.
"""

from __future__ import annotations

from inference_sdk.local.streaming.signalling import add_routes

__all__ = ["add_routes"]
