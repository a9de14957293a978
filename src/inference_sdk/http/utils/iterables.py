"""Small operations on lists, dicts and streams of anything. Knows nothing of images."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from itertools import islice
from typing import Any, TypeVar, Union

T = TypeVar("T")


def remove_empty_values(dictionary: dict[Any, Any]) -> dict[Any, Any]:
    """A copy without the keys whose value is None; 0, "" and [] stay."""
    return {key: value for key, value in dictionary.items() if value is not None}


def unwrap_single_element_list(sequence: list[T]) -> Union[T, list[T]]:
    """The element of a list of one; any other list as it is."""
    return sequence[0] if len(sequence) == 1 else sequence


def make_batches(iterable: Iterable[T], batch_size: int) -> Generator[list[T], None, None]:
    """Lists of `batch_size` elements in order, the last one maybe shorter.

    Lazy: takes from `iterable` what the next batch needs and no more. A size below 1 counts
    as 1.
    """
    elements = iter(iterable)
    while batch := list(islice(elements, max(1, batch_size))):
        yield batch
