"""The client's connection: offer and answer, its tracks and channels, and how it stands.

All that touches aiortc's peer connection is here. Knows nothing of workflows, frames or time-outs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Optional

from aiortc import (
    RTCConfiguration,
    RTCDataChannel,
    RTCIceServer,
    RTCPeerConnection,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamTrack

from inference_sdk.local.faults import RequestFault
from inference_sdk.local.streaming.messages import Message
from inference_sdk.local.streaming.output import Outbox, OutputTrack
from inference_sdk.local.streaming.request import IceServer
from inference_sdk.webrtc.jitter import release_frames_early

INFERENCE_CHANNEL = "inference"
UPLOAD_CHANNEL = "video_upload"


class Peer:
    """The server's end of one connection.

    Args:
        ice_servers: STUN and TURN servers; without any, only addresses of this machine are offered.
        keep_all: frames on the outgoing track wait for each other instead of replacing each other.
        on_message: called with each message of the channel `inference`.
        on_upload: called with each message of the channel `video_upload`.

    Attributes:
        outbox: messages to the client.
        track_in: the client's video, once there is an answer; None when it sends none.
        track_out: video to the client; None when it takes none.
        connected: set when the connection stands.
        closed: set when it has ended, by whichever side.
    """

    def __init__(
        self,
        ice_servers: Sequence[IceServer],
        *,
        keep_all: bool,
        on_message: Callable[[Message], None],
        on_upload: Callable[[Message], None],
    ) -> None:
        self.outbox = Outbox()
        self.track_in: Optional[MediaStreamTrack] = None
        self.track_out: Optional[OutputTrack] = None
        self.connected = asyncio.Event()
        self.closed = asyncio.Event()
        self._keep_all = keep_all
        self._handlers = {INFERENCE_CHANNEL: on_message, UPLOAD_CHANNEL: on_upload}
        self._connection = RTCPeerConnection(_configuration(ice_servers))
        self._connection.on("datachannel", self._on_channel)
        self._connection.on("connectionstatechange", self._on_state)

    async def answer(self, offer_sdp: str) -> str:
        """The SDP that answers the client's offer; closes when it cannot be answered.

        Raises:
            RequestFault: the offer cannot be read.
        """
        try:
            return await self._negotiate(offer_sdp)
        # aiortc raises whatever its parser stumbles over: ValueError, KeyError, AssertionError...
        except Exception as error:
            await self.close()
            raise RequestFault(
                f"The WebRTC offer cannot be answered ({type(error).__name__}: {error}). "
                "webrtc_offer.sdp must be the SDP of a peer connection's offer."
            ) from error

    async def close(self) -> None:
        """Close the connection; safe to call twice."""
        self.closed.set()
        await self._connection.close()

    async def _negotiate(self, offer_sdp: str) -> str:
        connection = self._connection
        await connection.setRemoteDescription(RTCSessionDescription(offer_sdp, "offer"))
        outgoing, track_out = self._choose_media(), OutputTrack(self._keep_all)
        if outgoing is not None:
            outgoing.sender.replaceTrack(track_out)
            outgoing.direction = "sendrecv"
        await connection.setLocalDescription(await connection.createAnswer())
        if outgoing is not None and outgoing.currentDirection in ("sendrecv", "sendonly"):
            self.track_out = track_out
        return str(connection.localDescription.sdp)

    def _choose_media(self) -> Optional[RTCRtpTransceiver]:
        """Take the first video the client sends; return the line to send video on.

        That is one that the client only receives on, or else the one it sends on. All others are
        turned off: nobody would take what comes there.
        """
        lines = self._connection.getTransceivers()
        videos = [line for line in lines if line.kind == "video"]
        incoming = next((line for line in videos if line.receiver.track), None)
        outgoing = next((line for line in videos if not line.receiver.track), incoming)
        if incoming is not None:
            self.track_in = incoming.receiver.track
            release_frames_early(incoming.receiver)
        for line in lines:
            if line not in (incoming, outgoing):
                line.direction = "inactive"
        return outgoing

    def _on_channel(self, channel: RTCDataChannel) -> None:
        if channel.label == INFERENCE_CHANNEL:
            self.outbox.attach(channel)
        if channel.label in self._handlers:
            channel.on("message", self._handlers[channel.label])

    def _on_state(self) -> None:
        if self._connection.connectionState == "connected":
            self.connected.set()
        elif self._connection.connectionState in ("closed", "failed"):
            self.closed.set()


def _configuration(ice_servers: Sequence[IceServer]) -> RTCConfiguration:
    # An empty list, not None: with None, aiortc asks a public STUN server.
    return RTCConfiguration(
        iceServers=[
            RTCIceServer(list(server.urls), server.username, server.credential)
            for server in ice_servers
        ]
    )
