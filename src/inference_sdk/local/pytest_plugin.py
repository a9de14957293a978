"""A pytest plugin: the fixture `inference_server`.

pytest loads this in every run of everybody who has the package installed, so it imports next to
nothing before the fixture is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from inference_sdk.local import LocalServer


@pytest.fixture(scope="session")
def inference_server() -> Iterator[LocalServer]:
    """An inference server on this machine, with real models, for the whole test session.

    Example:
        >>> def test_my_program(inference_server):
        ...     client = InferenceHTTPClient(inference_server.url)
        ...     assert client.infer("dog.jpg", model_id="coco/3")["predictions"]
    """
    from inference_sdk.local import LocalServer

    with LocalServer() as server:
        yield server
