"""Preparing a stream: what is checked, and what is loaded for it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from inference_sdk.config import InferenceSDKDeprecationWarning
from inference_sdk.http.errors import InvalidParameterError, ModelTaskTypeNotSupportedError
from inference_sdk.webrtc import ManualSource, SessionState, StreamConfig, WebRTCClient


@pytest.fixture
def client():
    with pytest.warns(InferenceSDKDeprecationWarning, match="experimental"):
        return WebRTCClient("http://localhost:9001/", "key")


def test_a_workflow_by_specification_or_by_id(client):
    for named in ({"workflow": {"steps": []}}, {"workflow": "w", "workspace": "s"}):
        session = client.stream(ManualSource(), **named)
        assert session.state is SessionState.NOT_STARTED
        assert "ManualSource to http://localhost:9001" in repr(session)


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ({}, "either workflow or model_id"),
        ({"workflow": {}, "model_id": "coco/3"}, "either workflow or model_id"),
        ({"workflow": 3}, "not int"),
        ({"workflow": "w"}, "workspace"),
    ],
)
def test_what_makes_no_stream(client, named, says):
    with pytest.raises(InvalidParameterError, match=says):
        client.stream(ManualSource(), **named)


def test_a_model_by_its_task(client):
    config = StreamConfig(data_output=["x"])
    session = client.stream(
        ManualSource(), model_id="coco/3", task_type="object-detection", config=config
    )
    assert session.state is SessionState.NOT_STARTED
    assert config.data_output == ["x"]
    with pytest.raises(ModelTaskTypeNotSupportedError):
        client.stream(ManualSource(), model_id="coco/3", task_type="poetry")


def test_an_unknown_transport():
    with pytest.warns(InferenceSDKDeprecationWarning), pytest.raises(InvalidParameterError):
        WebRTCClient("http://x", None, api_key_transport="pigeon")


def test_the_key_is_not_shown(client):
    assert "key" not in repr(client)


def test_preparing_a_stream_loads_nothing_heavy():
    program = (
        "import sys, warnings; warnings.simplefilter('ignore')\n"
        "from inference_sdk.webrtc import WebRTCClient, ManualSource, VideoFileSource\n"
        "import inference_sdk.webrtc.session, inference_sdk.webrtc.sources\n"
        "import inference_sdk.webrtc.datachannel\n"
        "WebRTCClient('http://x', None).stream(ManualSource(), workflow={})\n"
        "heavy = {'aiortc', 'av', 'numpy', 'cv2', 'aiohttp', 'PIL', 'requests'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_without_aiortc_the_remedy_is_named():
    program = (
        "import sys, warnings; warnings.simplefilter('ignore')\n"
        "sys.modules['aiortc'] = None\n"
        "from inference_sdk.webrtc import WebRTCClient, ManualSource, SessionState\n"
        "client = WebRTCClient('http://x', None)\n"
        "session = client.stream(ManualSource(), workflow={})\n"
        "for use in (session.wait, client.diagnose):\n"
        "    try: use()\n"
        "    except ImportError as error: print(error)\n"
        "print(session.state)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.count("pip install 'inference-sdk[webrtc]'") == 2, done.stderr
    assert "CLOSED" in done.stdout


def test_the_package_names_what_it_has():
    import inference_sdk.webrtc as package

    assert set(package.__all__) <= set(dir(package))
    for name in package.__all__:
        assert getattr(getattr(package, name), "__name__", name) in (name, "Callable")
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = package.Nothing
