"""`infer_many`: any number of images through one call, a bounded number at a time."""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from itertools import count
from typing import Any

from inference_sdk.http.errors import InvalidParameterError
from inference_sdk.http.operations.image_calls import ImageCall, Result, load_and_send
from inference_sdk.http.operations.image_inputs import describe, is_array, is_pillow_image
from inference_sdk.http.pipeline import as_async
from inference_sdk.http.steps import Operation
from inference_sdk.http.utils.file_reading import FOLDER, what_is_there
from inference_sdk.http.utils.iterables import make_batches


def operations(
    call: ImageCall, inputs: Iterable[Any], on_error: str
) -> Iterator[Operation[list[Result]]]:
    """An operation for each request; takes from `inputs` what the next one needs."""
    keep_errors = _keeps_errors(on_error)
    for batch in make_batches(enumerate(inputs), call.batch_size):
        yield load_and_send(call, batch, keep_errors=keep_errors)


async def operations_async(
    call: ImageCall, inputs: Iterable[Any] | AsyncIterable[Any], on_error: str
) -> AsyncIterator[Operation[list[Result]]]:
    """As `operations`, from a source that may be async."""
    keep_errors = _keeps_errors(on_error)
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


def refuse_what_is_not_many(inputs: Any) -> None:
    """Raises:
    InvalidParameterError: it is one image, a folder, or nothing that can be iterated over.
    """
    # Text, files and arrays can be iterated over, letter by letter, line by line, row by row.
    if isinstance(inputs, (str, os.PathLike)) and what_is_there(os.fsdecode(inputs)) == FOLDER:
        raise InvalidParameterError(
            f"infer_many() takes an iterable of images, not a folder ({describe(inputs)}). Pass its "
            "files, such as sorted(Path(folder).glob('*.jpg')), or the folder to infer_on_stream()."
        )
    if _is_one_image(inputs):
        raise InvalidParameterError(
            f"infer_many() takes an iterable of images, not one ({describe(inputs)}). For one "
            "image call infer()."
        )
    if not hasattr(inputs, "__iter__") and not hasattr(inputs, "__aiter__"):
        raise InvalidParameterError(
            f"infer_many() takes an iterable of images, not {describe(inputs)}."
        )


def _is_one_image(inputs: Any) -> bool:
    if is_array(inputs):
        shape: tuple[int, ...] = getattr(inputs, "shape", ())
        return len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3, 4))
    one = isinstance(inputs, (str, bytes, bytearray, os.PathLike)) or is_pillow_image(inputs)
    return one or hasattr(inputs, "read")


def _keeps_errors(on_error: str) -> bool:
    if on_error not in ("raise", "return"):
        raise InvalidParameterError(f"on_error is {on_error!r}, but must be 'raise' or 'return'.")
    return on_error == "return"
