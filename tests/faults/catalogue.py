"""The faults, by what goes wrong, and what the caller gets: the table of docs/reliability.md."""

from __future__ import annotations

import asyncio
import gzip
import json
import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from inference_sdk.http.errors import (
    AuthenticationError,
    HTTPCallErrorError,
    HTTPClientError,
    HTTPConnectTimeoutError,
    HTTPServerConnectionError,
    HTTPServerDisconnectedError,
    HTTPServerTimeoutError,
    InvalidServerResponseError,
    NotFoundError,
    RateLimitError,
    RequestTooLargeError,
    ServerError,
    ValidationError,
)
from tests.faults.server import Fault, Peer, Script, message

KEY = "0123456789-the-secret-key"

PATIENCE = 0.08
"""Seconds of silence that end a request where silence is the fault."""

LARGEST = 2**20
"""`max_response_size` of all clients here."""

_PATIENT = {"read_timeout": PATIENCE}
_HURRIED = {"total_timeout": 2 * PATIENCE}
_LARGE = 2**23
"""Letters of a picture that no socket's buffer holds."""

Bytes = bytes | Callable[[Peer], bytes]


# -- what is done to a connection ------------------------------------------------------------------


def says(*parts: Bytes, then: str = "keeps") -> Script:
    """Sends these, and then keeps the connection, closes or resets it, or holds it in silence."""

    async def script(peer: Peer) -> bool:
        for part in parts:
            await peer.send(part if isinstance(part, bytes) else part(peer))
        if then == "resets":
            await asyncio.sleep(0.01)  # a reset overtakes what the client has not read yet
            peer.reset()
        if then == "holds":
            await peer.hold()
        return then == "keeps"

    return script


def goes_on(first: bytes, part: bytes, seconds: float = 0.0) -> Script:
    """Says the first, and then the other again and again."""

    async def script(peer: Peer) -> None:
        await peer.send(first)
        while not peer.healed.is_set():
            await peer.send(part)
            await asyncio.sleep(seconds)

    return script


def answers(body: Any, status: str = "200 OK", **headers: str) -> Script:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return says(message(content, status, **headers))


def right_after(first: bytes) -> Script:
    return says(first, Peer.right)


def right_and_then(more: bytes, seconds: float = 0.0, then: str = "keeps") -> Script:
    """The right answer, and something that nobody asked for."""

    async def script(peer: Peer) -> bool | None:
        if not seconds:
            await peer.send(peer.right() + more)
        else:
            await peer.send(peer.right())
            await asyncio.sleep(seconds)
            await peer.send(more)
        return await says(then=then)(peer)

    return script


def packed(pack: Callable[[bytes], bytes], coding: str) -> Script:
    return says(lambda peer: message(pack(peer.right_body()), Content_Encoding=coding))


def chunked(*chunks: bytes, **headers: str) -> bytes:
    text = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 200 OK\r\n{text}Transfer-Encoding: chunked\r\n\r\n".encode()
    return head + b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)


def head(*lines: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode("utf-8")


def with_head(*lines: str) -> Script:
    """The right answer's body under another head."""

    def whole(peer: Peer) -> bytes:
        body = peer.right_body()
        told = (line.replace("LENGTH", str(len(body))) for line in lines)
        return head(*told) + body

    return says(whole)


def bomb(pack: Any) -> bytes:
    """One that unpacks to 64 times the largest answer, from some 60 kB."""
    parts = [pack.compress(bytes(LARGEST)) for _ in range(64)]
    return b"".join([*parts, pack.flush()])


def early(status: str) -> Script:
    """Answers before the request is read, and reads no more of it."""
    return says(message(b'{"message": "early"}', status), then="holds")


def redirect(location: str | None, status: str = "307 Temporary Redirect") -> Script:
    lines = [] if location is None else [f"Location: {location}"]
    return says(head(*lines, "Content-Length: 0", status=status))


async def redirects_once(peer: Peer) -> bool:
    target = peer.target
    if "again=1" in target:
        await peer.send(peer.right())
    else:
        to = f"{target}{'&' if '?' in target else '?'}again=1"
        await peer.send(head(f"Location: {to}", "Content-Length: 0", status="307 There"))
    return True


async def is_deaf(peer: Peer) -> None:
    await peer.hold()


def _gzip_bomb() -> bytes:
    return bomb(zlib.compressobj(9, wbits=31))


def _deflate_bomb() -> bytes:
    return bomb(zlib.compressobj(9, wbits=15))


def _bare_deflate(body: bytes) -> bytes:
    pack = zlib.compressobj(wbits=-15)
    return pack.compress(body) + pack.flush()


def _halves(body: bytes) -> bytes:
    return gzip.compress(body[:9]) + gzip.compress(body[9:])


def _nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


# -- the faults ------------------------------------------------------------------------------------

LOST, DISCONNECTED = HTTPServerConnectionError, HTTPServerDisconnectedError
SILENT, UNREADABLE = HTTPServerTimeoutError, InvalidServerResponseError
HALF_BODY = head("Content-Length: 1000") + b'{"predictions": ['
RETRY = "503 Service Unavailable"

CONNECTION = {
    "closes each connection at once": Fault(says(then="closes"), DISCONNECTED, at_accept=True),
    "resets each connection at once": Fault(says(then="resets"), DISCONNECTED, at_accept=True),
    "closes the first connection only": Fault(says(then="closes"), at_accept=True, times=1),
    "accepts, and neither reads nor answers": Fault(
        is_deaf, SILENT, at_accept=True, options=_PATIENT
    ),
    "takes no more of a large body": Fault(
        is_deaf, SILENT, at_accept=True, options=_PATIENT, size=_LARGE
    ),
    "speaks first, and another protocol": Fault(
        says(b"SSH-2.0-OpenSSH_9.6\r\n\r\n", then="holds"), UNREADABLE, at_accept=True
    ),
    "speaks TLS where HTTP is spoken": Fault(
        says(b"\x15\x03\x01\x00\x02\x02\x16", then="closes"), UNREADABLE, at_accept=True
    ),
    "closes in place of an answer": Fault(says(then="closes"), DISCONNECTED),
    "closes once in place of an answer": Fault(says(then="closes"), times=1),
    "resets in place of an answer": Fault(says(then="resets"), DISCONNECTED),
    "resets once in place of an answer": Fault(says(then="resets"), times=1),
    "closes in the status line": Fault(says(b"HTTP/1.1 20", then="closes"), LOST),
    "closes in the head": Fault(says(b"HTTP/1.1 200 OK\r\nServer: x\r\n", then="closes"), LOST),
    "closes in the body": Fault(says(HALF_BODY, then="closes"), LOST),
    "closes once in the body": Fault(says(HALF_BODY, then="closes"), times=1),
    "resets in the body": Fault(says(HALF_BODY, then="resets"), LOST),
    "closes in a chunk": Fault(says(chunked(b"{") + b"ff\r\nhalf", then="closes"), LOST),
    "closes between two chunks": Fault(says(chunked(b"{"), then="closes"), LOST),
    "closes in the trailer": Fault(says(chunked(b"{}") + b"0\r\nX: y", then="closes"), LOST),
}

SILENCE = {
    "no answer": Fault(says(then="holds"), SILENT, options=_PATIENT),
    "silence in the status line": Fault(
        says(b"HTTP/1.1 2", then="holds"), SILENT, options=_PATIENT
    ),
    "silence in the head": Fault(
        says(b"HTTP/1.1 200 OK\r\n", then="holds"), SILENT, options=_PATIENT
    ),
    "silence in the body": Fault(says(HALF_BODY, then="holds"), SILENT, options=_PATIENT),
    "silence in a chunk": Fault(
        says(chunked(b"{") + b"ff\r\nhal", then="holds"), SILENT, options=_PATIENT
    ),
    "silence after the last chunk": Fault(
        says(chunked(b"{}") + b"0\r\n", then="holds"), SILENT, options=_PATIENT
    ),
    "silence after 100 Continue": Fault(
        says(head(status="100 Continue"), then="holds"), SILENT, options=_PATIENT
    ),
}

WITHOUT_END = {
    "a status line that drips": Fault(
        goes_on(b"HTTP/1.1 200 ", b"O", 0.01), SILENT, options=_PATIENT
    ),
    "a head that drips": Fault(
        goes_on(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n", 0.01), SILENT, options=_PATIENT
    ),
    "a body that drips": Fault(
        goes_on(head("Content-Length: 100000"), b" ", 0.01),
        SILENT,
        options={"read_timeout": 0.02},
    ),
    "chunks that drip": Fault(
        goes_on(chunked(), b"1\r\n \r\n", 0.01), SILENT, options={"read_timeout": 0.02}
    ),
    "a body that drips, under total_timeout": Fault(
        goes_on(head("Content-Length: 100000"), b" ", 0.01), SILENT, options=_HURRIED
    ),
    "503 again and again, under total_timeout": Fault(
        answers({"message": "busy"}, RETRY, Retry_After="1"),
        ServerError,
        options={**_HURRIED, "retry_after_limit": 30.0},
    ),
    "interim answers that drip": Fault(
        goes_on(b"", head(status="102 Processing"), 0.02), SILENT, options=_PATIENT
    ),
    "interim answers without end": Fault(goes_on(b"", head(status="100 Continue")), UNREADABLE),
    "a status line without end": Fault(goes_on(b"HTTP/1.1 200 ", b"O" * 9999), UNREADABLE),
    "headers without end": Fault(goes_on(head()[:-2], b"A: b\r\n" * 999), UNREADABLE),
    "a header of 100 kB": Fault(
        says(head(f"X: {'x' * 100_000}", "Content-Length: 2") + b"{}"), UNREADABLE
    ),
    "a thousand headers": Fault(
        says(head(*["X: y"] * 1000, "Content-Length: 2") + b"{}"), UNREADABLE
    ),
    "a body without end": Fault(goes_on(head("Connection: close"), b" " * 65536), UNREADABLE),
    "chunks without end": Fault(
        goes_on(chunked(), b"10000\r\n%s\r\n" % (b" " * 65536)), UNREADABLE
    ),
    "a chunk's head without end": Fault(goes_on(chunked() + b"1;", b"x" * 9999), UNREADABLE),
    "a trailer without end": Fault(goes_on(chunked() + b"0\r\n", b"A: b\r\n" * 999), UNREADABLE),
    "a body that says it is too large": Fault(
        says(head("Content-Length: 99999999999"), then="holds"), UNREADABLE
    ),
    "a body that is too large": Fault(answers(b" " * (LARGEST + 1)), UNREADABLE),
}

MALFORMED = {
    "a status line that is none": Fault(says(b"HELLO\r\n\r\n", then="closes"), UNREADABLE),
    "a status that is no number": Fault(says(head(status="abc OK")), UNREADABLE),
    "a status of two figures": Fault(says(head(status="20 OK")), UNREADABLE),
    "a status of four figures": Fault(says(head(status="2000 OK")), UNREADABLE),
    "HTTP/2": Fault(says(b"HTTP/2 200\r\n\r\n", then="closes"), UNREADABLE),
    "HTTP/0.9": Fault(says(b'{"predictions": []}\r\n\r\n', then="closes"), UNREADABLE),
    "a header without colon": Fault(with_head("Server", "Content-Length: LENGTH"), UNREADABLE),
    "a header without name": Fault(with_head(": x", "Content-Length: LENGTH"), UNREADABLE),
    "a header with a space in its name": Fault(
        with_head("Content Type: x", "Content-Length: LENGTH"), UNREADABLE
    ),
    "a header with a null in it": Fault(
        with_head("Server: a\0b", "Content-Length: LENGTH"), UNREADABLE
    ),
    "a header of two lines": Fault(
        with_head("Server: a", "  b: c", "Content-Length: LENGTH"), UNREADABLE
    ),
    "line ends without CR": Fault(says(lambda peer: peer.right().replace(b"\r\n", b"\n")), None),
    "two lengths": Fault(with_head("Content-Length: LENGTH", "Content-Length: 5"), UNREADABLE),
    "the same length twice": Fault(
        with_head("Content-Length: LENGTH", "Content-Length: LENGTH"), UNREADABLE
    ),
    "a negative length": Fault(with_head("Content-Length: -1"), UNREADABLE),
    "a length with a sign": Fault(with_head("Content-Length: +LENGTH"), UNREADABLE),
    "a length that is no number": Fault(with_head("Content-Length: many"), UNREADABLE),
    "a length in hexadecimal": Fault(with_head("Content-Length: 0x20"), UNREADABLE),
    "an empty length": Fault(with_head("Content-Length:"), UNREADABLE),
    "a length of thirty figures": Fault(with_head(f"Content-Length: {'9' * 30}"), UNREADABLE),
    "a length beside chunks": Fault(
        says(chunked(b"{}", Content_Length="2") + b"0\r\n\r\n"), UNREADABLE
    ),
    "an unknown transfer encoding": Fault(
        with_head("Transfer-Encoding: gzip, chunked", "Connection: close"), UNREADABLE
    ),
    "a negative chunk size": Fault(says(chunked() + b"-1\r\n"), UNREADABLE),
    "a chunk size that is no number": Fault(says(chunked() + b"zz\r\n"), UNREADABLE),
    "a chunk longer than it says": Fault(says(chunked() + b"1\r\n{}\r\n0\r\n\r\n"), UNREADABLE),
    "a chunk of 2^64 bytes": Fault(says(chunked() + b"10000000000000000\r\n"), UNREADABLE),
    "chunks, extensions and a trailer": Fault(
        says(
            lambda peer: (
                chunked()
                + b"%x;a=b\r\n%s\r\n0\r\nX: y\r\n\r\n" % (len(peer.right_body()), peer.right_body())
            )
        )
    ),
    "neither length nor chunks": Fault(
        says(lambda peer: head() + peer.right_body(), then="closes")
    ),
    "HTTP/1.0": Fault(
        says(lambda peer: b"HTTP/1.0 200 OK\r\n\r\n" + peer.right_body(), then="closes")
    ),
}

PACKED = {
    "gzip that is none": Fault(answers(b"no gzip", Content_Encoding="gzip"), UNREADABLE),
    "gzip that ends early": Fault(
        packed(lambda body: gzip.compress(body)[:-9], "gzip"), UNREADABLE
    ),
    "gzip with something behind it": Fault(
        packed(lambda body: gzip.compress(body) + b"more", "gzip"), UNREADABLE
    ),
    "a wrong checksum in gzip": Fault(
        packed(lambda body: gzip.compress(body)[:-8] + bytes(8), "gzip"), UNREADABLE
    ),
    "gzip in two parts": Fault(packed(_halves, "gzip")),
    "gzip that says deflate": Fault(packed(gzip.compress, "deflate"), UNREADABLE),
    "deflate without its frame": Fault(packed(_bare_deflate, "deflate")),
    "a gzip bomb": Fault(answers(_gzip_bomb(), Content_Encoding="gzip"), UNREADABLE),
    "a gzip bomb in chunks": Fault(
        says(chunked(_gzip_bomb(), Content_Encoding="gzip") + b"0\r\n\r\n"), UNREADABLE
    ),
    "a deflate bomb": Fault(answers(_deflate_bomb(), Content_Encoding="deflate"), UNREADABLE),
    "a bomb in an error": Fault(
        answers(_gzip_bomb(), "500 Oops", Content_Encoding="gzip"), UNREADABLE
    ),
    "br, which was not asked for": Fault(
        answers(b"\x0b\x02\x80{}\x03", Content_Encoding="br"), UNREADABLE
    ),
    "zstd, which was not asked for": Fault(
        answers(b"\x28\xb5\x2f\xfd", Content_Encoding="zstd"), UNREADABLE
    ),
}

INTERIM = {
    "100 before the answer": Fault(right_after(head(status="100 Continue"))),
    "102 before the answer": Fault(right_after(head(status="102 Processing"))),
    "103 before the answer": Fault(right_after(head("Link: </a>", status="103 Early Hints"))),
    "199 before the answer": Fault(right_after(head(status="199 Miscellaneous"))),
    "ten interim answers": Fault(right_after(head(status="102 Processing") * 10)),
    "empty lines before the answer": Fault(right_after(b"\r\n\r\n"), UNREADABLE),
    "101 for an answer": Fault(
        says(head("Upgrade: x", status="101 Switching Protocols"), then="closes"), UNREADABLE
    ),
}

UNASKED = {
    "two answers to one request": Fault(
        right_and_then(message(b'{"echo": "forged", "predictions": []}'))
    ),
    "an answer on an idle connection": Fault(
        right_and_then(message(b'{"echo": "forged", "predictions": []}'), 0.003),
        is_last=True,
    ),
    "408 on an idle connection": Fault(
        right_and_then(message(b"", "408 Request Timeout"), 0.003, then="closes"), is_last=True
    ),
    "garbage on an idle connection": Fault(right_and_then(b"\0\xff", 0.003), is_last=True),
    "half an answer on an idle connection": Fault(
        right_and_then(b"HTTP/1.1 200 OK\r\n", 0.003), is_last=True
    ),
    "the end of an idle connection": Fault(right_and_then(b"", 0.003, then="closes"), is_last=True),
    "the reset of an idle connection": Fault(right_and_then(b"", then="resets")),
    "more bytes than the length says": Fault(right_and_then(b"  ")),
    "408 before a request": Fault(
        says(message(b"", "408 Request Timeout"), then="holds"), HTTPCallErrorError, at_accept=True
    ),
    "413 before a large body is read": Fault(
        early("413 Content Too Large"), RequestTooLargeError, at_accept=True, size=_LARGE
    ),
    "401 before a large body is read": Fault(
        early("401 Unauthorized"), AuthenticationError, at_accept=True, size=_LARGE
    ),
    "Connection: close, and no close": Fault(
        says(lambda peer: peer.right(Connection="close"), then="holds")
    ),
}

REDIRECTS = {
    "to itself": Fault(redirects_once),
    "in a circle": Fault(redirect("/again"), UNREADABLE),
    "to another host": Fault(redirect("http://elsewhere.test/"), HTTPClientError),
    "to another port": Fault(redirect("http://127.0.0.1:9/"), HTTPClientError),
    "to a host outside ASCII": Fault(redirect("http://bücher.test/ä"), HTTPClientError),
    "to bytes that are no text": Fault(
        says(b"HTTP/1.1 307 x\r\nLocation: http://\xff\xfe/\r\nContent-Length: 0\r\n\r\n"),
        HTTPClientError,
    ),
    "to half an IPv6 address": Fault(redirect("http://[::1"), UNREADABLE),
    "to a port that is none": Fault(redirect("http://127.0.0.1:port/"), UNREADABLE),
    "to another scheme": Fault(redirect("ftp://127.0.0.1/"), HTTPClientError),
    "that drops the body": Fault(redirect("/moved", "302 Found"), HTTPClientError),
    "without Location": Fault(redirect(None), UNREADABLE),
    "without Location, with JSON": Fault(answers({"predictions": []}, "302 Found"), UNREADABLE),
    "to nothing": Fault(redirect(""), UNREADABLE),
    "300": Fault(answers({"predictions": []}, "300 Multiple Choices"), UNREADABLE),
    "304": Fault(says(head(status="304 Not Modified")), UNREADABLE),
}

STATUSES = {
    "400": Fault(answers({"message": "wrong"}, "400 Bad Request"), HTTPCallErrorError),
    "401": Fault(answers({"message": "key"}, "401 Unauthorized"), AuthenticationError),
    "403": Fault(answers({"message": "key"}, "403 Forbidden"), AuthenticationError),
    "404": Fault(answers({"message": "model"}, "404 Not Found"), NotFoundError),
    "407": Fault(answers(b"", "407 Proxy Authentication Required"), HTTPCallErrorError),
    "413": Fault(answers(b"", "413 Content Too Large"), RequestTooLargeError),
    "418 without a body": Fault(answers(b"", "418 "), HTTPCallErrorError),
    "422": Fault(answers({"detail": []}, "422 Unprocessable"), ValidationError),
    "429 again and again": Fault(answers({}, "429 Too Many Requests"), RateLimitError),
    "429 once": Fault(answers({}, "429 Too Many Requests"), times=1),
    "500": Fault(answers({"message": "oops"}, "500 Internal Server Error"), ServerError),
    "502 with a page": Fault(answers(b"<html>" * 20_000, "502 Bad Gateway"), ServerError),
    "503 again and again": Fault(answers({}, RETRY), ServerError),
    "503 once": Fault(answers({}, RETRY), times=1),
    "503 with a Retry-After of days": Fault(answers({}, RETRY, Retry_After="999999"), times=1),
    "503 with a Retry-After below 0": Fault(answers({}, RETRY, Retry_After="-5"), times=1),
    "503 with an endless Retry-After": Fault(answers({}, RETRY, Retry_After="inf"), times=1),
    "503 with a Retry-After that is none": Fault(answers({}, RETRY, Retry_After="soon"), times=1),
    "504 once": Fault(answers({}, "504 Gateway Timeout"), times=1),
    "599": Fault(answers({}, "599 x"), ServerError),
    "999": Fault(answers({}, "999 x"), ServerError),
    "204": Fault(says(head(status="204 No Content")), UNREADABLE),
}

BODIES = {
    "an empty body": Fault(answers(b""), UNREADABLE),
    "a page": Fault(answers(b"<html>It works!</html>", Content_Type="text/html"), UNREADABLE),
    "half a JSON": Fault(answers(b'{"predictions": ['), UNREADABLE),
    "JSON nested 100,000 deep": Fault(answers(_nested(100_000)), UNREADABLE),
    "no UTF-8": Fault(answers(b'{"predictions": "\xff\xfe"}'), UNREADABLE),
    "a byte order mark": Fault(says(lambda peer: message(b"\xef\xbb\xbf" + peer.right_body()))),
    "text that is no type": Fault(says(lambda peer: peer.right(Content_Type="\xff;;=")), None),
}

SECRETS = {
    "in the reason": Fault(answers({}, f"500 no {KEY}"), ServerError),
    "in the message": Fault(answers({"message": f"no {KEY}"}, "400 No"), HTTPCallErrorError),
    "in the type of the content": Fault(answers(b"x", Content_Type=f"a/{KEY}"), UNREADABLE),
    "in a redirect": Fault(redirect(f"http://{KEY}.test/{KEY}?k={KEY}"), HTTPClientError),
    "in a status line": Fault(says(f"{KEY}\r\n\r\n".encode(), then="closes"), UNREADABLE),
    "in a header that is none": Fault(with_head(f"no {KEY}"), UNREADABLE),
    "in a chunk size": Fault(says(chunked() + f"{KEY}\r\n".encode()), UNREADABLE),
    "in a length": Fault(with_head(f"Content-Length: {KEY}"), UNREADABLE),
    "in an encoding": Fault(answers(b"x", Content_Encoding=KEY), UNREADABLE),
}

PROXY_PASSWORD = "hush-hush-hush"

_TUNNEL = head(status="200 Connection established")
_SHORT = {"connect_timeout": PATIENCE}

PROXIES = {
    "closes at once": Fault(says(then="closes"), LOST, at_accept=True),
    "closes in place of a tunnel": Fault(says(then="closes"), LOST),
    "resets in place of a tunnel": Fault(says(then="resets"), LOST),
    "no answer": Fault(says(then="holds"), HTTPConnectTimeoutError, options=_SHORT),
    "an answer that drips": Fault(
        goes_on(head()[:-2], b"A: b\r\n", 0.01), HTTPConnectTimeoutError, options=_SHORT
    ),
    "interim answers without end": Fault(goes_on(b"", head(status="100 Continue")), LOST),
    "headers without end": Fault(goes_on(head()[:-2], b"A: b\r\n" * 999), LOST),
    "another protocol": Fault(says(b"SSH-2.0-OpenSSH_9.6\r\n", then="holds"), LOST),
    "407 that repeats the password": Fault(says(head(status=f"407 not {PROXY_PASSWORD}")), LOST),
    "502": Fault(answers(b"<html>", "502 Bad Gateway"), LOST),
    "a tunnel that ends": Fault(says(_TUNNEL, then="closes"), LOST),
    "a tunnel to silence": Fault(
        says(_TUNNEL, then="holds"), HTTPConnectTimeoutError, options=_SHORT
    ),
    "a tunnel to what speaks no TLS": Fault(
        says(_TUNNEL + b"HTTP/1.1 400 Bad Request\r\n\r\n", then="holds"), LOST
    ),
}

CATALOGUE: dict[str, dict[str, Fault]] = {
    "The connection": CONNECTION,
    "Silence": SILENCE,
    "Without end": WITHOUT_END,
    "Malformed HTTP": MALFORMED,
    "Packed bodies": PACKED,
    "Interim answers": INTERIM,
    "What nobody asked for": UNASKED,
    "Redirects": REDIRECTS,
    "Statuses": STATUSES,
    "Bodies": BODIES,
    "The key, repeated": SECRETS,
}


def faults_of_servers() -> Iterator[tuple[str, Fault]]:
    for kind, faults in CATALOGUE.items():
        for name, fault in faults.items():
            yield f"{kind}: {name}", fault


def table() -> str:
    """The faults as a page of docs shows them."""
    lines: list[str] = []
    for kind, faults in {**CATALOGUE, "A proxy, asked for a tunnel": PROXIES}.items():
        lines += [f"| {kind} | What the call gives |", "|---|---|"]
        lines += [f"| {name} | {outcome(fault)} |" for name, fault in faults.items()]
        lines.append("")
    return "\n".join(lines)


def outcome(fault: Fault) -> str:
    if fault.error is not None:
        return f"`{fault.error.__name__}`"
    return "the right result" if fault.times > 1 else "the right result, from another try"


if __name__ == "__main__":
    sys.stdout.write(table())
