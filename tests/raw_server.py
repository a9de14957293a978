"""Servers made of plain sockets, which do what no web framework lets them do: misbehave."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from typing import Any

LIMIT = 10.0
"""Seconds after which a test's server gives up on a client."""


class Connection:
    """One accepted connection."""

    def __init__(self, accepted: socket.socket, server: RawServer) -> None:
        accepted.settimeout(LIMIT)
        self.socket = accepted
        self.server = server
        self._received = b""

    def read_request(self) -> bytes:
        """The next request, head and body; empty when the client closed."""
        while b"\r\n\r\n" not in self._received:
            if not self._receive():
                return b""
        head, _, _ = self._received.partition(b"\r\n\r\n")
        length = next(
            (
                int(line.partition(b":")[2])
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-length:")
            ),
            0,
        )
        while len(self._received) < len(head) + 4 + length:
            if not self._receive():
                return b""
        end = len(head) + 4 + length
        request, self._received = self._received[:end], self._received[end:]
        self.server.requests.append(request)
        return request

    def _receive(self) -> bool:
        part = self.socket.recv(2**16)
        self._received += part
        return bool(part)

    def send_head(self, status: str = "200 OK", length: int | None = None, **headers: str) -> None:
        headers.setdefault("Content-Type", "application/json")
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        if length is not None:
            lines.append(f"Content-Length: {length}")
        self.socket.sendall("\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode())

    def answer(self, body: Any, status: str = "200 OK", **headers: str) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_head(status, len(content), **headers)
        self.socket.sendall(content)

    def reset(self) -> None:
        """Close with a TCP reset in place of an orderly end."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def hold(self) -> None:
        """Do nothing until the test is over."""
        self.server.over.wait(LIMIT)


Script = Callable[[Connection], None]


class RawServer:
    """Hands each connection to the next script, the last one for ever.

    Attributes:
        requests: those that were read to their end, as bytes.
        connections: how many were accepted.
    """

    def __init__(self, *scripts: Script, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.over = threading.Event()
        self._scripts = list(scripts)
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> RawServer:
        self._threads[0].start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.over.set()
        # Closing a listener does not wake up accept(); one more connection does.
        socket.create_connection(("127.0.0.1", self.port)).close()
        for thread in self._threads:
            thread.join(LIMIT)
            assert not thread.is_alive()
        self._listener.close()

    def wait_until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + LIMIT
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.002)

    def _accept(self) -> None:
        while True:
            accepted, _ = self._listener.accept()
            if self.over.is_set():
                accepted.close()
                return
            self.connections += 1
            script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
            thread = threading.Thread(target=self._serve, args=(accepted, script), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, accepted: socket.socket, script: Script) -> None:
        try:
            if self._tls is not None:
                accepted = self._shake_hands(accepted, self._tls)
            script(Connection(accepted, self))
        except OSError:
            pass  # the client has gone: what tests are about
        finally:
            accepted.close()

    def _shake_hands(self, accepted: socket.socket, context: ssl.SSLContext) -> socket.socket:
        accepted.settimeout(LIMIT)
        secure = context.wrap_socket(accepted, server_side=True, do_handshake_on_connect=False)
        try:
            secure.do_handshake()
        except ssl.SSLError:
            # A socket closed with data unread resets the connection, and the reset would overtake
            # the alert that says why.
            self.over.wait(0.2)
            secure.close()
            raise
        return secure


# -- scripts ----------------------------------------------------------------------------------


def silent(connection: Connection) -> None:
    connection.read_request()
    connection.hold()


def never_reading(connection: Connection) -> None:
    connection.hold()


def stalling(connection: Connection) -> None:
    """Silence after half an answer."""
    connection.read_request()
    connection.send_head(length=100)
    connection.socket.sendall(b'{"half')
    connection.hold()


def resetting(connection: Connection) -> None:
    connection.read_request()
    connection.reset()


def resetting_in_the_body(connection: Connection) -> None:
    connection.read_request()
    connection.send_head(length=1000)
    connection.socket.sendall(b'{"name": "half of')
    time.sleep(0.02)  # a reset overtakes what the client has not read yet
    connection.reset()


def ending_early(connection: Connection) -> None:
    """Fewer bytes than Content-Length says."""
    connection.read_request()
    connection.send_head(length=1000)
    connection.socket.sendall(b'{"name": "half of')


def closing(connection: Connection) -> None:
    connection.read_request()


def answering(body: Any, status: str = "200 OK", **headers: str) -> Script:
    """Answers every request of a connection."""

    def script(connection: Connection) -> None:
        while connection.read_request():
            connection.answer(body, status, **headers)

    return script


def answering_once(body: Any) -> Script:
    """Answers one request, and closes the connection without having said so."""

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.answer(body)

    return script


def speaking_another_protocol(connection: Connection) -> None:
    connection.read_request()
    connection.socket.sendall(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")


def broken_gzip(connection: Connection) -> None:
    connection.read_request()
    connection.answer(b"this is no gzip", Content_Encoding="gzip", Connection="close")
