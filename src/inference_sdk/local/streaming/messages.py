"""The messages on the data channel `inference`, as bytes and text. Pure: no channel, no clock.

Small messages are JSON text. Larger ones are compressed and cut into chunks, each with a header of
12 bytes, because a peer takes no message above 64 KiB.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from typing import Any, Optional, Union

import orjson

HEADER = struct.Struct("<III")
"""frame_id, chunk_index, total_chunks."""

CHUNK_PAYLOAD = 49152
"""Bytes; with the header well below the 64 KiB that every SCTP peer accepts."""

TEXT_LIMIT = 16384
"""Bytes of JSON that travel as one text message: compressing less saves no time."""

PROCESSING_COMPLETE = '{"processing_complete":true}'

Message = Union[str, bytes]


def encode_message(content: Mapping[str, Any], frame_id: int) -> list[Message]:
    """One text, or the chunks of the compressed JSON in order."""
    text = orjson.dumps(content, default=str, option=orjson.OPT_SERIALIZE_NUMPY)
    if len(text) <= TEXT_LIMIT:
        return [text.decode()]
    payload = _gzip(text)
    total = -(-len(payload) // CHUNK_PAYLOAD)
    return [
        HEADER.pack(frame_id & 0xFFFFFFFF, index, total)
        + payload[index * CHUNK_PAYLOAD : (index + 1) * CHUNK_PAYLOAD]
        for index in range(total)
    ]


def output_message(
    data: Optional[Mapping[str, Any]], metadata: Optional[Mapping[str, Any]], errors: list[str]
) -> dict[str, Any]:
    """What is said of one frame, or of the stream when there is no frame."""
    return {"serialized_output_data": data, "video_metadata": metadata, "errors": errors}


def parse_acknowledgement(message: Message) -> Optional[int]:
    """Number of the last frame that the client has taken, None for any other message."""
    try:
        content = orjson.loads(message)
    except orjson.JSONDecodeError:
        return None
    number = content.get("ack") if isinstance(content, dict) else None
    return number if type(number) is int and number >= 0 else None


def _gzip(text: bytes) -> bytes:
    # Pictures in base64 have no repetitions to find, but three quarters of their bits are waste:
    # coding symbols without searching takes that out at a fraction of the time.
    compressor = zlib.compressobj(1, zlib.DEFLATED, 31, 9, zlib.Z_HUFFMAN_ONLY)
    return compressor.compress(text) + compressor.flush()
