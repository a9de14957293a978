"""Forms with files, as `curl -F file=@photo.jpg` sends them, from bodies that are read already."""

from __future__ import annotations

from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import HTTP

from aiohttp import web

from inference_sdk.local.faults import InvalidRequestError

MOST_PARTS = 16
"""Of a form: one picture, and what else programs add."""


def file_of(request: web.Request, body: bytes) -> bytes:
    """The field `file` of a form, else its first file.

    Raises:
        InvalidRequestError: the form is broken, or empty.
    """
    boundary = _message(f"Content-Type: {request.headers['Content-Type']}".encode()).get_boundary()
    if not boundary:
        raise _broken("it has no boundary")
    # The first delimiter has no line end before it.
    pieces = (b"\r\n" + body).split(
        b"\r\n--" + boundary.encode("latin-1", "replace"), MOST_PARTS + 2
    )
    if len(pieces) > MOST_PARTS + 2:
        raise _broken(f"it has more than {MOST_PARTS} parts")
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise _broken("it ends too early")
    parts = [_part(piece) for piece in pieces[1:-1]]
    named = [content for name, _, content in parts if name == "file"]
    files = [content for _, is_file, content in parts if is_file]
    if not named and not files:
        raise InvalidRequestError.missing(("body", "file"))
    return (named or files)[0]


def _part(piece: bytes) -> tuple[str | None, bool, bytes]:
    """Its name, whether it is a file, and its content."""
    head, gap, content = piece.partition(b"\r\n\r\n")
    if not gap:
        raise _broken("a part has no headers")
    message = _message(head.lstrip(b"\r\n"))
    name = message.get_param("name", header="content-disposition")
    return str(name), message.get_filename() is not None, content


def _message(head: bytes) -> EmailMessage:
    return BytesParser(policy=HTTP).parsebytes(head, headersonly=True)


def _broken(why: str) -> InvalidRequestError:
    return InvalidRequestError.at(("body",), "form_invalid", f"Form decode error: {why}", None)
