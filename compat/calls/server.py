"""A server that records every request and answers what a case has set, else something plausible.

Cases are run by another process, so what it is told and asked travels over HTTP too: `/_set`
takes the answers of a case by path, `/_take` gives the requests since the last call.
"""

from __future__ import annotations

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

SHOWN_HEADERS = (
    "content-type",
    "authorization",
    "execution_id",
    "x-internal-remote-exec-req",
)


class Recorder(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, images: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.images = images
        self.recorded: list[dict[str, Any]] = []
        self.answers: dict[str, list[dict[str, Any]]] = {}
        self.lock = threading.Lock()
        self.url = f"http://127.0.0.1:{self.server_port}"

    def start(self) -> Recorder:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Recorder

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, format: str, *arguments: Any) -> None:
        pass

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urlsplit(self.path).path
        if path == "/_set":
            with self.server.lock:
                self.server.answers = json.loads(body)
                self.server.recorded = []
            return self._send(200, b"{}", {})
        if path == "/_take":
            with self.server.lock:
                taken, self.server.recorded = self.server.recorded, []
            return self._send(200, json.dumps(taken).encode(), {})
        if path in self.server.images:
            self._record(path, b"")
            return self._send(200, self.server.images[path], {"Content-Type": "image/jpeg"})
        self._record(path, body)
        answer = self._answer(path, body)
        raw = answer.get("raw")
        content = base64.b64decode(raw) if raw is not None else json.dumps(answer["json"]).encode()
        return self._send(answer.get("status", 200), content, answer.get("headers", {}))

    def _record(self, path: str, body: bytes) -> None:
        request = {
            "method": self.command,
            "path": path,
            "query": sorted(parse_qsl(urlsplit(self.path).query, keep_blank_values=True)),
            "headers": {name: self.headers[name] for name in SHOWN_HEADERS if name in self.headers},
            "body": _parsed(body),
        }
        with self.server.lock:
            self.server.recorded.append(request)

    def _answer(self, path: str, body: bytes) -> dict[str, Any]:
        with self.server.lock:
            answers = self.server.answers.get(path) or self.server.answers.get("*")
            if answers:
                return answers.pop(0) if len(answers) > 1 else answers[0]
        parsed = _parsed(body)
        image = parsed.get("image") if isinstance(parsed, dict) else None
        count = len(image) if isinstance(image, list) else 1
        results = [{"time": 0.5, "frame_id": None, "n": n, "predictions": []} for n in range(count)]
        return {"json": results if isinstance(image, list) else results[0]}

    def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        headers = {"Content-Type": "application/json", **headers}
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return body.decode("latin-1")
