"""Secrets stay in their process: what is pickled goes into caches, logs and other machines.

A value that holds secrets is pickled without them; in the place of each stands a `Withheld`, so
that its absence is noticed where it is used, and not by a server. Copies within the process
(`copy`, `deepcopy`, `dataclasses.replace`) are whole.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from inference_sdk.http.errors import APIKeyNotProvided, InvalidParameterError

if TYPE_CHECKING:
    from typing_extensions import Self

API_KEY_VARIABLE = "ROBOFLOW_API_KEY"

_REMEDIES = {
    "api_url": "Make a new client with the whole address.",
    "further_urls": "Make a new client with the whole addresses.",
    "service_secret": "Call with_options(service_secret=…), or configure().",
    "proxy": "Call with_options(proxy=…), or configure().",
}


class Withheld(str):
    """Stands where a secret stood before pickling: what is left of its text, mostly nothing."""

    __slots__ = ()


class KeepsSecrets:
    """A value of which a pickle holds no secret."""

    def _withheld(self) -> Mapping[str, Withheld | None]:
        """What stands in a pickle in the place of secret attributes; None where there is none."""
        raise NotImplementedError

    def withheld_names(self) -> list[str]:
        """Attributes whose secrets stayed behind when this was pickled, and are not back yet."""
        return [name for name, value in vars(self).items() if type(value) is Withheld]

    def __getstate__(self) -> dict[str, Any]:
        left = {name: text for name, text in self._withheld().items() if text is not None}
        return {**vars(self), **left}

    def __copy__(self) -> Self:
        copied = object.__new__(type(self))
        vars(copied).update(vars(self))
        return copied

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        copied = object.__new__(type(self))
        vars(copied).update(deepcopy(vars(self), memo))
        return copied


def environment_key() -> str | None:
    """The key that clients take which are given none, and those whose own stayed behind."""
    return os.environ.get(API_KEY_VARIABLE) or None


def require(*holders: KeepsSecrets) -> None:
    """Refuse to go on without what stayed behind.

    Raises:
        APIKeyNotProvided: the key.
        InvalidParameterError: another secret.
    """
    missing = [name.lstrip("_") for holder in holders for name in holder.withheld_names()]
    if "api_key" in missing:
        raise APIKeyNotProvided(
            "This client was pickled, which leaves its API key behind. Set the environment variable "
            f"{API_KEY_VARIABLE} where it is unpickled, or set client.api_key again."
        )
    if missing:
        raise InvalidParameterError(
            f"This client was pickled, which leaves passwords behind: {' and '.join(missing)} must "
            f"be set again. {_REMEDIES[missing[0]]}"
        )


def without_password(url: str | None) -> Withheld | None:
    """A URL without user and password; None where it has none, and need not be withheld."""
    if url is None or not _has_user(url):
        return None
    scheme, separator, rest = url.rpartition("://")
    return Withheld(f"{scheme}{separator}{rest.rpartition('@')[2]}")


def _has_user(url: str) -> bool:
    try:
        # A proxy may be named without its scheme.
        return "@" in urlsplit(url if "://" in url else f"//{url}").netloc
    except ValueError:
        return "@" in url
