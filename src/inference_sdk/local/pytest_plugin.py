"""A pytest plugin: the fixtures `inference_server` and `inference_recorder`.

pytest loads this in every run of everybody who has the package installed, so it imports next to
nothing before a fixture is used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from inference_sdk.local import LocalServer
    from inference_sdk.recording import Recorder

_RECORD = "--inference-record"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("inference_sdk").addoption(
        _RECORD,
        action="store_true",
        help="ask the real servers, and record their answers for inference_recorder anew",
    )


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


@pytest.fixture
def inference_recorder(request: pytest.FixtureRequest) -> Iterator[Recorder]:
    """What real servers answered to all clients of this test, recorded once, replayed without them.

    `pytest --inference-record` asks the servers and writes `recordings/<module>/<test>.json` beside
    the test; without it nothing is sent, and a request that is not in there fails the test.

    Example:
        >>> def test_my_program(inference_recorder):
        ...     client = InferenceHTTPClient("https://serverless.roboflow.com", "any key")
        ...     assert client.infer("dog.jpg", model_id="coco/3")["predictions"]
    """
    from inference_sdk.recording import Recorder

    name = re.sub(r"[^\w\-]+", "_", request.node.name).strip("_")
    path = request.path.parent / "recordings" / request.path.stem / f"{name}.json"
    with Recorder(path, records=request.config.getoption(_RECORD)) as recorder:
        yield recorder
