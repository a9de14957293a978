"""The cheapest HTTP/1.1 server we could write: what is left of a call's time is the client's.

It gives each path a constant answer and looks at nothing of a request but its path and length.
One thread, one `epoll` loop, a process of its own. It counts what clients do: connections opened,
the most that were open at once, requests, bytes.

    python constant_server.py        prints its port; then, for every line it reads, the counters
                                     since the last one, as JSON; ends when its input does

`/batch/N` before a path makes the answer a list of N, for clients that send N images in a request;
`/polygons` before it makes it a large one.
"""

from __future__ import annotations

import json
import re
import selectors
import socket
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

BUFFER_BYTES = 4 * 2**20
HEAD_END = b"\r\n\r\n"

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
_BATCH = re.compile(rb"^/batch/(\d+)(/.*)$")

_DETECTIONS = [
    {"x": 960.5, "y": 540.5, "width": 400.0, "height": 300.0, "confidence": 0.91}
    | {"class": "cup", "class_id": 41, "detection_id": "5d3bd4b7-8ad6-4e4f-8c9f-0d7d2cf7f2b1"},
    {"x": 420.0, "y": 700.5, "width": 120.0, "height": 80.0, "confidence": 0.62}
    | {"class": "spoon", "class_id": 44, "detection_id": "a1a1c0f0-3f10-4c56-9b8e-5a1de6a2c7f3"},
]
_DETECTION = {
    "time": 0.01,
    "image": {"width": 1920, "height": 1080},
    "predictions": _DETECTIONS,
}
_REGISTRY = {
    "models": [
        {
            "model_id": "coco/3",
            "task_type": "object-detection",
            "batch_size": None,
            "input_height": 640,
            "input_width": 640,
        }
    ]
}
POLYGONS, POINTS = 10_000, 20
_POLYGON = [{"x": 100.5 + 7.25 * n, "y": 200.25 + 3.5 * n} for n in range(POINTS)]
_POLYGONS = _DETECTION | {"predictions": [_DETECTIONS[0] | {"points": _POLYGON}] * POLYGONS}
_HUGGING_FACE = [
    {"score": 0.91, "label": "cup", "box": {"xmin": 760, "ymin": 390, "xmax": 1160, "ymax": 690}}
]
_CHAT = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "vision",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": "A cup of coffee and a spoon."},
        }
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}


def _response(status: str, body: object) -> bytes:
    content = json.dumps(body).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(content)}"
    return head.encode() + HEAD_END + content


_OK = "200 OK"
ANSWERS = {
    b"/model/registry": _response(_OK, _REGISTRY),
    b"/infer/object_detection": _response(_OK, _DETECTION),
    b"/coco/3": _response(_OK, _DETECTION),  # API v0
    b"/workflows/run": _response(_OK, {"outputs": [{"predictions": _DETECTION}]}),
    b"/polygons/model/registry": _response(_OK, _REGISTRY),
    b"/polygons/infer/object_detection": _response(_OK, _POLYGONS),
    b"/hugging-face": _response(_OK, _HUGGING_FACE),
    b"/openai/chat/completions": _response(_OK, _CHAT),
}
NOT_FOUND = _response("404 Not Found", {"message": "The constant server has no such path."})


def answer_to(target: bytes) -> bytes:
    path = target.partition(b"?")[0]
    answer = ANSWERS.get(path)
    if answer is None and (batch := _BATCH.match(path)):
        count, path = int(batch[1]), batch[2]
        answer = (
            _response(_OK, [_DETECTION] * count)
            if path == b"/infer/object_detection"
            else ANSWERS.get(path)
        )
        ANSWERS[target.partition(b"?")[0]] = answer or NOT_FOUND
    return answer or NOT_FOUND


@dataclass
class Counters:
    connections: int = 0
    open: int = 0
    open_at_once: int = 0
    requests: int = 0
    received: int = 0

    def opened(self) -> None:
        self.connections += 1
        self.open += 1
        self.open_at_once = max(self.open_at_once, self.open)

    def since_last(self) -> dict[str, int]:
        shown = asdict(self)
        self.connections = self.requests = self.received = 0
        self.open_at_once = self.open
        return shown


@dataclass
class Connection:
    """One client: reads heads, skips bodies, answers."""

    socket: socket.socket
    counters: Counters
    head: bytes = b""
    to_skip: int = 0
    answer: bytes = b""
    closing: bool = field(default=False)

    def receive(self, buffer: memoryview) -> bool:
        """Take in what has arrived; False when the connection is over."""
        while True:
            try:
                count = self.socket.recv_into(buffer)
            except BlockingIOError:
                return True
            except OSError:
                return False
            if count == 0:
                return False
            self.counters.received += count
            if not self._take(buffer[:count]):
                return False

    def _take(self, arrived: memoryview) -> bool:
        while len(arrived):
            if self.to_skip:
                skipped = min(self.to_skip, len(arrived))
                self.to_skip -= skipped
                arrived = arrived[skipped:]
            else:
                self.head += bytes(arrived)
                end = self.head.find(HEAD_END)
                if end < 0:
                    return True
                rest = len(self.head) - end - len(HEAD_END)
                self._read_head(self.head[:end])
                arrived, self.head = arrived[len(arrived) - rest :], b""
            if not self.to_skip and not self._respond():
                return False
        return True

    def _read_head(self, head: bytes) -> None:
        length = _LENGTH.search(head)
        self.to_skip = int(length[1]) if length else 0
        self.closing = _CLOSE.search(head) is not None
        self.answer = answer_to(head.split(b" ", 2)[1])

    def _respond(self) -> bool:
        self.counters.requests += 1
        # Mostly some hundred bytes, which fit the socket's buffer. What does not is waited for.
        self.socket.settimeout(60)
        self.socket.sendall(self.answer)
        self.socket.setblocking(False)
        return not self.closing


def serve(listener: socket.socket, commands: int) -> None:
    """Serve until `commands`, a file of lines, ends."""
    counters = Counters()
    buffer = memoryview(bytearray(BUFFER_BYTES))
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    selector.register(commands, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is listener:
                for accepted in _accept(listener):
                    counters.opened()
                    selector.register(
                        accepted, selectors.EVENT_READ, Connection(accepted, counters)
                    )
            elif key.fileobj == commands:
                if not sys.stdin.buffer.raw.read(4096):
                    return
                print(json.dumps(counters.since_last()), flush=True)
            elif not key.data.receive(buffer):
                selector.unregister(key.fileobj)
                key.data.socket.close()
                counters.open -= 1


def _accept(listener: socket.socket) -> Iterator[socket.socket]:
    while True:
        try:
            accepted, _ = listener.accept()
        except BlockingIOError:
            return
        accepted.setblocking(False)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield accepted


def main() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        listener.setblocking(False)
        print(listener.getsockname()[1], flush=True)
        serve(listener, sys.stdin.fileno())


if __name__ == "__main__":
    main()
