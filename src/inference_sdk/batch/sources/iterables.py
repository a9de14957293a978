"""Pictures that a program hands over itself: an iterable, which may have no end."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any

from inference_sdk.batch.items import Item, Unit, safe_name, text_of


def list_iterable(images: Iterable[Any]) -> Iterator[Unit]:
    """One unit: an iterable is not listed before it is read. Each time it must give the same.

    Args:
        images: images, or pairs (id, image). Without an id, a path or URL is its own, and any
            other image is known by its place from 0.
    """
    yield Unit("", "", lambda: (_item(number, image) for number, image in enumerate(images)))


def _item(number: int, given: Any) -> Item:
    if isinstance(given, tuple) and len(given) == 2 and isinstance(given[0], (str, int)):
        id, image = str(given[0]), given[1]  # noqa: A001 - the word for it
    else:
        id, image = _id_of(given, number), given  # noqa: A001
    return Item(id, id, image, safe_name(id))


def _id_of(image: Any, number: int) -> str:
    if isinstance(image, os.PathLike):
        return text_of(image)
    if isinstance(image, str) and len(image) < 1024:  # longer ones are base64
        from inference_sdk.batch.sources.remote import without_secrets

        return without_secrets(image)
    return str(number)
