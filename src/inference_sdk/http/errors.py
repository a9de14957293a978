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
    │   └── HTTPServerConnectionError      refused, reset, not found
    │       ├── HTTPServerTimeoutError     accepted, and then silence
    │       └── HTTPServerDisconnectedError closed before the first byte of an answer
    └── the server's answer
        ├── HTTPCallErrorError             status 400 or more
        ├── InvalidServerResponseError     an answer that is not what was agreed
        │   └── InvalidAnomalyMapError     ... a malformed anomaly map, a ValueError too
        └── ModelNotInitializedError       a model the server would not load

    RetryError                             tries exhausted (used by the executor helpers)

Messages carry no key: whoever builds one masks it first.
"""

from __future__ import annotations

from typing import Any, Optional


def _restored(kind: type[HTTPClientError], args: tuple[Any, ...]) -> HTTPClientError:
    return kind.__new__(kind, *args)


class HTTPClientError(Exception):
    """Base of all errors of a call.

    Attributes:
        input_index: place, from 0, of the input that caused the error; None where the call had
            one input, or the error concerns no input.
    """

    input_index: int | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions pickle by calling their class with `args`; process pools need all fields back,
        # also of classes that are made of other arguments than their message.
        return _restored, (type(self), self.args), vars(self)

    def locate(self, index: int, label: str) -> None:
        """Say which of several inputs caused the error; the first to know says it."""
        if self.input_index is None:
            self.input_index = index
            self._prepend(f"{label}: ")

    def _prepend(self, text: str) -> None:
        self.args = (f"{text}{self.args[0] if self.args else ''}", *self.args[1:])


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


class HTTPServerConnectionError(HTTPClientError):
    """The server could not be reached, or the connection was lost."""


class HTTPServerTimeoutError(HTTPServerConnectionError):
    """The server did not answer in time."""


class HTTPServerDisconnectedError(HTTPServerConnectionError):
    """The connection was closed before the first byte of an answer, as idle ones are."""


class InvalidServerResponseError(HTTPClientError):
    """The server answered with something other than what was agreed."""


class InvalidAnomalyMapError(InvalidServerResponseError, ValueError):
    """The anomaly map in an answer is malformed."""


class ModelNotInitializedError(HTTPClientError):
    """The server does not list the model, even after it was asked to load it."""


class HTTPCallErrorError(HTTPClientError):
    """The server answered with status 400 or more.

    Attributes:
        description: what was called and how it ended, the key masked.
        status_code: the HTTP status.
        api_message: the server's own words, `None` or "N/A" where it had none.
    """

    def __init__(self, description: str, status_code: int, api_message: Optional[str]) -> None:
        super().__init__(description)
        self.__description = description
        self.__status_code = status_code
        self.__api_message = api_message

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

    __str__ = __repr__


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
        super().__init__(description)
        self.__description = description
        self.__status_code = status_code
        self.__inner_error = inner_error

    @property
    def description(self) -> str:
        return self.__description

    @property
    def status_code(self) -> Optional[int]:
        return self.__status_code

    @property
    def inner_error(self) -> Optional[Exception]:
        return self.__inner_error
