"""Getting a frame out of aiortc's jitter buffer as soon as it is whole.

RTP marks the last packet of a frame. aiortc (1.16) ignores the mark, and takes a frame to be
whole when the first packet of the next one is there: each frame is one frame interval late (33 ms
at 30 per second), and the last one of a stream never comes. There is no setting for it, so this
module reaches inside; where aiortc looks different from what is expected, it leaves all as is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

from aiortc.jitterbuffer import JitterBuffer, JitterFrame

if TYPE_CHECKING:
    from aiortc import RTCRtpReceiver

_BUFFER = "_RTCRtpReceiver__jitter_buffer"
_NEEDED = ("_origin", "_packets", "_capacity", "_remove_frame", "remove")


class PromptJitterBuffer(JitterBuffer):
    """A jitter buffer that gives a frame out with its last packet."""

    def _remove_frame(self, sequence_number: int) -> Optional[JitterFrame]:
        frame = super()._remove_frame(sequence_number)
        return self._take_marked() if frame is None else frame

    def _take_marked(self) -> Optional[JitterFrame]:
        """The oldest frame, if all packets up to its mark are there."""
        packets: list[Any] = []
        if self._origin is None:
            return None
        for count in range(self._capacity):
            packet = self._packets[(self._origin + count) % self._capacity]
            if packet is None or (packets and packet.timestamp != packets[0].timestamp):
                return None
            packets.append(packet)
            if packet.marker:
                self.remove(len(packets))
                data = b"".join(packet._data for packet in packets)
                return JitterFrame(data=data, timestamp=packets[0].timestamp)
        return None


def release_frames_early(receiver: RTCRtpReceiver) -> bool:
    """Give a receiver that has not begun yet a prompt buffer. Returns whether it got one."""
    present = getattr(receiver, _BUFFER, None)
    if type(present) is not JitterBuffer or not all(hasattr(present, name) for name in _NEEDED):
        return False
    prompt = PromptJitterBuffer(capacity=present.capacity, is_video=True)
    setattr(receiver, _BUFFER, prompt)
    return True
