"""The least that a call can cost: read, base64, JSON, a kept socket, and nothing else."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import orjson
import pybase64
from measuring import arguments, time_calls


def main() -> None:
    chosen = arguments()
    paths = sorted(chosen.pictures.glob("*.jpg"))
    bytearray(8 * 2**20)  # as the client does: see keep_freed_memory in operations/loading.py
    address = urlsplit(chosen.url)
    connection = socket.create_connection((address.hostname, address.port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def call(number: int) -> None:
        with open(paths[number % len(paths)], "rb") as file:
            text = pybase64.b64encode_as_string(file.read())
        image = {"type": "base64", "value": text}
        body = orjson.dumps({"api_key": "benchmark-key", "model_id": "coco/3", "image": image})
        head = (
            f"POST /infer/object_detection HTTP/1.1\r\nHost: {address.netloc}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        connection.sendall(head.encode())
        connection.sendall(body)
        answer = connection.recv(65536)
        orjson.loads(answer[answer.index(b"\r\n\r\n") + 4 :])

    with connection:
        time_calls(call, chosen.count)


if __name__ == "__main__":
    main()
