"""Every error the package raises, split by whose fault it is.

    HTTPClientError                        anything that went wrong in a call
    ├── the caller's mistake, found before anything is sent
    │   ├── InvalidInputFormatError        not an image, a path, a URL or base64
    │   ├── EncodingError                  an image that cannot be read or written
    │   ├── InvalidParameterError          an argument outside its range
    │   ├── InvalidModelIdentifier         a model id that is not `project/version`
    │   ├── ModelNotSelectedError          no model named and none selected
    │   ├── ModelTaskTypeNotSupportedError a model of another kind than the call serves
    │   ├── APIKeyNotProvided              the hosted API without a key
    │   ├── WrongClientModeError           a v1 call in v0 mode, or the reverse
    │   ├── FeatureDeprecatedError         a call that was removed
    │   ├── InvalidURLImageInput           an image URL that the policy refuses
    │   └── URLAddressNotAllowedError      ... or one that leads to a refused address
    ├── the way to the server
    │   └── HTTPServerConnectionError      refused, reset, not found; a ConnectionError too
    │       ├── HTTPConnectTimeoutError    no connection in time; a TimeoutError too
    │       ├── HTTPServerTimeoutError     accepted, and then silence; a TimeoutError too
    │       └── HTTPServerDisconnectedError closed before the first byte of an answer
    └── the server's answer
        ├── HTTPCallErrorError             status 400 or more
        │   ├── AuthenticationError        401, 403: the key
        │   ├── NotFoundError              404: the model, or the address
        │   ├── RequestTooLargeError       413
        │   ├── ValidationError            422: an argument that the server refuses
        │   ├── RateLimitError             429
        │   └── ServerError                500 or more
        ├── InvalidServerResponseError     an answer that is not what was agreed
        │   └── InvalidAnomalyMapError     ... a malformed anomaly map, a ValueError too
        └── ModelNotInitializedError       a model the server would not load

    RetryError                             tries exhausted (used by the executor helpers)

No message and no attribute holds a secret: the base class masks what it is given.
`docs/errors.md` says of each when it comes and what to do; a test compares.
"""

from __future__ import annotations

from typing import Any, Optional

from inference_sdk.utils.masking import mask
from inference_sdk.utils.shortening import shortened

NO_MESSAGE = "N/A"
"""The message of a server that gave none."""

LONGEST_MESSAGE = 1000
"""Characters of an error's text; what callers gave may be in it, and that has no bounds."""

LONGEST_SERVER_MESSAGE = 300
"""Characters of a server's own words in an error's text. A gateway's page has 100 kB."""


def _restored(kind: type[HTTPClientError], args: tuple[Any, ...]) -> HTTPClientError:
    error = kind.__new__(kind, *args)
    error.args = args
    return error


class HTTPClientError(Exception):
    """Base of all errors of a call.

    Attributes:
        input_index: place, from 0, of the input that caused the error; None where the call had
            one input, or the error concerns no input.
        tries: how often the request was sent; None where nothing was sent.
        elapsed: seconds from the first try to the error, waits included; None as above.
        request_id: what the server calls the request (`X-Request-Id` or the like), for its log.
        body: the whole body of the answer that the error is about, as text; None without one.
    """

    input_index: int | None = None
    tries: int | None = None
    elapsed: float | None = None
    request_id: str | None = None
    body: str | None = None

    def __init__(self, *args: Any) -> None:
        super().__init__(*(_fit(arg) if isinstance(arg, str) else arg for arg in args))

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions pickle by calling their class with `args`; process pools need all fields back,
        # also of classes that are made of other arguments than their message.
        return _restored, (type(self), self.args), vars(self)

    def tell_tries(self, tries: int, elapsed: float) -> None:
        """Note how often the request was sent, and how long that took."""
        self.tries, self.elapsed = tries, elapsed
        if tries > 1 and self.args:
            told = f"{self.args[0]} ({tries} tries in {elapsed:.1f} s)"
            self.args = (told, *self.args[1:])

    def locate(self, index: int, label: str) -> None:
        """Say which of several inputs caused the error; the first to know says it."""
        if self.input_index is None:
            self.input_index = index
            self._prepend(f"{label}: ")

    def _prepend(self, text: str) -> None:
        self.args = (f"{text}{self.args[0] if self.args else ''}", *self.args[1:])


def _fit(text: str, limit: int = LONGEST_MESSAGE) -> str:
    # Masked first: a secret that is cut in two would not be known for one.
    return shortened(mask(text), limit)


class InvalidInputFormatError(HTTPClientError):
    """The input is of a type that is no image reference."""


class EncodingError(HTTPClientError):
    """An image could not be decoded or encoded."""


class InvalidParameterError(HTTPClientError):
    """An argument has a value that the call does not accept."""


class InvalidModelIdentifier(HTTPClientError):
    """A model id that is not of the form `project/version`."""


class ModelNotSelectedError(HTTPClientError):
    """A call that needs a model was given none, and none is selected."""


class ModelTaskTypeNotSupportedError(HTTPClientError):
    """The model does another task than the call serves."""


class APIKeyNotProvided(HTTPClientError):
    """The hosted API was called without a key."""


class WrongClientModeError(HTTPClientError):
    """The call is not served by the API version that the client is set to."""


class FeatureDeprecatedError(HTTPClientError):
    """The feature was removed; the message says since when and what to use instead."""

    def __init__(
        self,
        feature: str,
        *,
        reason: Optional[str] = None,
        removal_release: Optional[str] = None,
        replacement: Optional[str] = None,
    ) -> None:
        self.feature = feature
        self.reason = reason
        self.removal_release = removal_release
        self.replacement = replacement
        sentences = [
            f"{feature} is deprecated and no longer available"
            + (f" since release {removal_release}." if removal_release else "."),
            reason or "",
            f"Use {replacement} instead." if replacement else "",
        ]
        super().__init__(" ".join(sentence for sentence in sentences if sentence))


class InvalidURLImageInput(HTTPClientError):
    """The policy for images by URL refuses this URL."""


class URLAddressNotAllowedError(HTTPClientError):
    """The host of an image URL resolves to an address that the policy refuses."""


class HTTPServerConnectionError(HTTPClientError, ConnectionError):
    """The server could not be reached, or the connection was lost.

    Attributes:
        may_have_arrived: whether the server may have got the request, so that trying again could
            do the same thing twice.
    """

    may_have_arrived: bool = True


class HTTPConnectTimeoutError(HTTPServerConnectionError, TimeoutError):
    """No connection to the server within `connect_timeout`."""


class HTTPServerTimeoutError(HTTPServerConnectionError, TimeoutError):
    """The server did not answer in time."""


class HTTPServerDisconnectedError(HTTPServerConnectionError):
    """The connection was closed before the first byte of an answer, as idle ones are."""


class InvalidServerResponseError(HTTPClientError):
    """The server answered with something other than what was agreed.

    Attributes:
        status_code: the HTTP status; None where the answer was not even HTTP.
    """

    status_code: int | None = None


class InvalidAnomalyMapError(InvalidServerResponseError, ValueError):
    """The anomaly map in an answer is malformed."""


class ModelNotInitializedError(HTTPClientError):
    """The server does not list the model, even after it was asked to load it."""


class HTTPCallErrorError(HTTPClientError):
    """The server answered with status 400 or more.

    `str()` is a sentence: what happened, in the server's words, and what to do. `repr()` has the
    fields.

    Attributes:
        description: what was called and how it ended, the key masked.
        status_code: the HTTP status.
        api_message: the server's own words, shortened; `None` or "N/A" where it had none. `body`
            has all of them.
    """

    remedy = ""
    """What the caller can do, for every error of this kind."""

    def __init__(self, description: str, status_code: int, api_message: Optional[str]) -> None:
        self.__description = _fit(description)
        self.__status_code = status_code
        self.__api_message = api_message and _fit(api_message, LONGEST_SERVER_MESSAGE)
        super().__init__(self._sentence(self.__description))

    def _specify(self, summary: str, details: dict[str, Any]) -> None:
        vars(self).update(
            (name, mask(value) if isinstance(value, str) else value)
            for name, value in details.items()
        )
        self.args = (_fit(self._sentence(summary)),)

    def _sentence(self, summary: str) -> str:
        said = (self.__api_message or "").strip()
        reason = f": {said}" if said and said != NO_MESSAGE else ""
        told = f"{summary.rstrip('.')}{reason}".rstrip(".") + "."
        return " ".join(part for part in (told, self.remedy, self._circumstances()) if part)

    def _circumstances(self) -> str:
        tried = self.tries is not None and self.tries > 1
        parts = [
            f"{self.tries} tries in {self.elapsed or 0.0:.1f} s" if tried else "",
            f"request id {shortened(self.request_id, 100)}" if self.request_id else "",
        ]
        told = ", ".join(part for part in parts if part)
        return f"({told})" if told else ""

    def _prepend(self, text: str) -> None:
        super()._prepend(text)
        self.__description = f"{text}{self.__description}"

    @property
    def description(self) -> str:
        return self.__description

    @property
    def api_message(self) -> Optional[str]:
        return self.__api_message

    @property
    def status_code(self) -> int:
        return self.__status_code

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(description='{self.description}', "
            f"api_message='{self.api_message}',status_code={self.status_code})"
        )


class AuthenticationError(HTTPCallErrorError):
    """Status 401 or 403: the server does not take the key, or the key may not do this."""

    remedy = "Check the API key: api_key of the client, else ROBOFLOW_API_KEY."


class NotFoundError(HTTPCallErrorError):
    """Status 404: the server does not know the model, the workflow or the address."""

    remedy = "Check the id, and that api_url is the address of an inference server."


class RequestTooLargeError(HTTPCallErrorError):
    """Status 413: the body of the request is larger than the server takes."""

    remedy = "Send smaller pictures (client_downsizing_disabled=False), or fewer at once."


class ValidationError(HTTPCallErrorError):
    """Status 422: the server refuses an argument; the message says which."""


class RateLimitError(HTTPCallErrorError):
    """Status 429: too many requests, also after the tries that `max_tries` allows."""

    remedy = "Try again later, or lower max_concurrent_requests."


class ServerError(HTTPCallErrorError):
    """Status 500 or more: the server, or a gateway before it, failed."""


_BY_STATUS: dict[int, type[HTTPCallErrorError]] = {
    401: AuthenticationError,
    403: AuthenticationError,
    404: NotFoundError,
    413: RequestTooLargeError,
    422: ValidationError,
    429: RateLimitError,
}


def call_error(
    description: str,
    status_code: int,
    api_message: Optional[str],
    *,
    summary: Optional[str] = None,
    **details: Any,
) -> HTTPCallErrorError:
    """The error of a status of 400 or more, of the class that fits; arguments as of its base.

    Args:
        summary: the beginning of its sentence; None takes the description.
        details: further attributes, such as `body` and `request_id`.
    """
    kind = ServerError if status_code >= 500 else _BY_STATUS.get(status_code, HTTPCallErrorError)
    error = kind(description, status_code, api_message)
    error._specify(summary or error.description, details)
    return error


class RetryError(Exception):
    """All tries of a retried request failed.

    Attributes:
        description: what was tried.
        status_code: status of the last answer, `None` when there was none.
        inner_error: the error of the last try, `None` when it was answered.
    """

    def __init__(
        self,
        description: str,
        status_code: Optional[int] = None,
        inner_error: Optional[Exception] = None,
    ) -> None:
        super().__init__(mask(description))
        self.__description = mask(description)
        self.__status_code = status_code
        self.__inner_error = inner_error

    def __str__(self) -> str:
        ends = [
            f"the last answer had status {self.status_code}" if self.status_code else "",
            f"the last error was {_named(self.inner_error)}" if self.inner_error else "",
        ]
        told = ", ".join(end for end in ends if end)
        return f"{self.description or 'All tries failed'}{f' ({told})' if told else ''}"

    @property
    def description(self) -> str:
        return self.__description

    @property
    def status_code(self) -> Optional[int]:
        return self.__status_code

    @property
    def inner_error(self) -> Optional[Exception]:
        return self.__inner_error


def _named(error: BaseException) -> str:
    said = str(error)
    return mask(f"{type(error).__name__}: {said}" if said else type(error).__name__)
