"""What may be wrong with a request, in the words and form a Roboflow server uses.

Raised anywhere below the routes, turned into an answer in one place (`app`). Knows nothing of
HTTP libraries: a fault is a status and a JSON body.
"""

from __future__ import annotations

import reprlib
from typing import Any, Union

Location = tuple[Union[str, int], ...]
"""The way to a value in a request, as in `("body", "image", 0, "value")`."""

MAX_SHOWN = 100
"""Characters of a wrong value that an answer repeats."""


def detail(location: Location, kind: str, message: str, found: Any) -> dict[str, Any]:
    """What is wrong with one value, as pydantic spells it.

    Args:
        location: the way to the value, as in `("body", "image", 0, "value")`.
        kind: short name of the mistake, as in "missing" or "float_parsing".
        message: one sentence for people.
        found: the value; long texts and lists are cut, for they may be whole images.
    """
    if isinstance(found, str) and len(found) > MAX_SHOWN:
        found = f"{found[:MAX_SHOWN]}…"
    elif isinstance(found, (list, dict)):
        found = reprlib.repr(found)
    return {"type": kind, "loc": list(location), "msg": message, "input": found}


class RequestFault(Exception):
    """A request that cannot be served; `body` is the JSON of the answer."""

    status = 400
    retry_after: int | None = None
    """Seconds after which another try may fare better."""

    @property
    def headers(self) -> dict[str, str] | None:
        """Of the answer, beside those that all have."""
        return None if self.retry_after is None else {"Retry-After": str(self.retry_after)}

    @property
    def body(self) -> dict[str, Any]:
        return {"message": str(self)}


class InvalidRequestError(RequestFault):
    """A body or parameter that is missing or wrong; says where, and lists all that was found."""

    status = 422

    def __init__(self, *details: dict[str, Any]) -> None:
        super().__init__("; ".join(str(detail["msg"]) for detail in details))
        self.details = details

    @classmethod
    def at(cls, location: Location, kind: str, message: str, found: Any) -> InvalidRequestError:
        """With the one detail that `detail` makes of the same arguments."""
        return cls(detail(location, kind, message, found))

    @classmethod
    def missing(cls, location: Location) -> InvalidRequestError:
        return cls.at(location, "missing", "Field required", None)

    @property
    def body(self) -> dict[str, Any]:
        return {"detail": list(self.details)}


class UndecodableImageError(RequestFault):
    """Bytes that are no image, base64 that is none, or a URL that gives none."""


class WrongTaskError(RequestFault):
    """A model asked at the endpoint of another task."""


class UnknownModelError(RequestFault):
    """A model id that neither comes with the package nor was registered."""

    status = 404


class UnauthorizedError(RequestFault):
    """The server was started with a key, and the request carries another or none."""

    status = 401


class NoModelForTaskError(RequestFault):
    """An endpoint of the API that this server has no model for, until the user registers one."""

    status = 501


class UnusableModelError(RequestFault, ValueError):
    """An ONNX file that is missing or broken, or of which something has to be told; says what."""


class ForbiddenError(RequestFault):
    """A page that may not ask, or a name that is not this server's."""

    status = 403


class ContentTypeError(RequestFault):
    """A page sends JSON as something else, as browsers do without asking first."""

    status = 415


class TooLargeError(RequestFault):
    """More than the limits of this server allow; names the limit."""

    status = 413


class SlowBodyError(RequestFault):
    """A body that does not come."""

    status = 408


class BrokenBodyError(RequestFault):
    """A body that breaks off, or is not packed as it says."""


class AbandonedError(RequestFault):
    """The client is gone, and with it the reason to go on. Nobody reads the status."""

    status = 499


class TooLongError(RequestFault):
    """Work that takes longer than it may."""

    status = 503


class BusyError(RequestFault):
    """More requests than the server takes on at once."""

    status = 503
    retry_after = 1


class UnspeakableAnswerError(RequestFault):
    """A user's model answered with what JSON has no form for; says where it stands."""

    status = 500
