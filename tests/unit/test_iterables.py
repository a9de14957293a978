from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_sdk.http.utils.iterables import (
    make_batches,
    remove_empty_values,
    unwrap_single_element_list,
)


def test_only_none_is_removed() -> None:
    given_dict = {"a": None, "b": 0, "c": "", "d": [], "e": False, "f": 1}
    assert remove_empty_values(given_dict) == {"b": 0, "c": "", "d": [], "e": False, "f": 1}
    assert "a" in given_dict


def test_a_list_of_one_is_unwrapped() -> None:
    assert unwrap_single_element_list([7]) == 7
    assert unwrap_single_element_list([]) == []
    assert unwrap_single_element_list([1, 2]) == [1, 2]


@given(elements=st.lists(st.integers()), size=st.integers(min_value=1, max_value=10))
def test_batches_hold_every_element_once_in_order(elements: list[int], size: int) -> None:
    batches = list(make_batches(iter(elements), size))
    assert list(chain.from_iterable(batches)) == elements
    assert all(len(batch) == size for batch in batches[:-1])
    assert all(1 <= len(batch) <= size for batch in batches)


@pytest.mark.parametrize("size", [0, -3])
def test_a_size_below_one_counts_as_one(size: int) -> None:
    assert list(make_batches([1, 2], size)) == [[1], [2]]


def test_batches_are_lazy() -> None:
    taken: list[int] = []

    def endless() -> Iterator[int]:
        for number in count():
            taken.append(number)
            yield number

    batches = make_batches(endless(), 3)
    assert taken == []
    assert next(batches) == [0, 1, 2]
    assert taken == [0, 1, 2]
