"""`infer_many`: any number of images through one call, a bounded number at a time."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from itertools import count
from typing import Any

from inference_sdk.http.errors import InvalidParameterError
from inference_sdk.http.operations.image_calls import ImageCall, Result, load_and_send
from inference_sdk.http.operations.loading import describe
from inference_sdk.http.pipeline import as_async
from inference_sdk.http.steps import Operation
from inference_sdk.http.utils.iterables import make_batches


def operations(
    call: ImageCall, inputs: Iterable[Any], on_error: str
) -> Iterator[Operation[list[Result]]]:
    """An operation for each request; takes from `inputs` what the next one needs."""
    keep_errors = _keeps_errors(on_error)
    _refuse_one_image(inputs)
    for batch in make_batches(enumerate(inputs), call.batch_size):
        yield load_and_send(call, batch, keep_errors=keep_errors)


async def operations_async(
    call: ImageCall, inputs: Iterable[Any] | AsyncIterable[Any], on_error: str
) -> AsyncIterator[Operation[list[Result]]]:
    """As `operations`, from a source that may be async."""
    keep_errors = _keeps_errors(on_error)
    _refuse_one_image(inputs)
    numbers = count()
    batch: list[tuple[int, Any]] = []
    async for reference in as_async(inputs):
        batch.append((next(numbers), reference))
        if len(batch) >= call.batch_size:
            yield load_and_send(call, batch, keep_errors=keep_errors)
            batch = []
    if batch:
        yield load_and_send(call, batch, keep_errors=keep_errors)


def shown(results: list[Result], ordered: bool) -> Iterator[Any]:
    """Results of a request as the caller sees them: with their place where it is not given."""
    for index, result in results:
        yield result if ordered else (index, result)


def _refuse_one_image(inputs: Any) -> None:
    # All of these can be iterated over, letter by letter or line by line.
    if isinstance(inputs, (str, bytes, bytearray)) or hasattr(inputs, "read"):
        raise InvalidParameterError(
            f"infer_many() takes an iterable of images, not one ({describe(inputs)}). For one "
            "image call infer()."
        )


def _keeps_errors(on_error: str) -> bool:
    if on_error not in ("raise", "return"):
        raise InvalidParameterError(f"on_error is {on_error!r}, but must be 'raise' or 'return'.")
    return on_error == "return"
