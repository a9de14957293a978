"""Settings from the environment, read once at import: so each test is a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

DEFAULTS: dict[str, Any] = {
    "INFERENCE_WARNINGS_DISABLED": False,
    "WORKFLOW_RUN_RETRIES_ENABLED": True,
    "EXECUTION_ID_HEADER": "execution_id",
    "PROCESSING_TIME_HEADER": "X-Processing-Time",
    "ENABLE_INTERNAL_REMOTE_EXEC_HEADER": False,
    "RF_API_BASE_URL": "https://api.roboflow.com",
    "WEBRTC_INITIAL_FRAME_TIMEOUT": 90.0,
    "WEBRTC_VIDEO_QUEUE_MAX_SIZE": 8,
    "WEBRTC_EVENT_LOOP_SHUTDOWN_TIMEOUT": 2.0,
    "WEBRTC_VIDEO_UPLOAD_CHUNK_SIZE": 49152,
    "WEBRTC_VIDEO_UPLOAD_BUFFER_LIMIT": 262144,
}

CHANGED: dict[str, Any] = {
    "INFERENCE_WARNINGS_DISABLED": True,
    "WORKFLOW_RUN_RETRIES_ENABLED": False,
    "EXECUTION_ID_HEADER": "X-Run",
    "PROCESSING_TIME_HEADER": "X-Seconds",
    "ENABLE_INTERNAL_REMOTE_EXEC_HEADER": True,
    "RF_API_BASE_URL": "https://api.example.test",
    "WEBRTC_INITIAL_FRAME_TIMEOUT": 1.5,
    "WEBRTC_VIDEO_QUEUE_MAX_SIZE": 3,
    "WEBRTC_EVENT_LOOP_SHUTDOWN_TIMEOUT": 0.5,
    "WEBRTC_VIDEO_UPLOAD_CHUNK_SIZE": 1024,
    "WEBRTC_VIDEO_UPLOAD_BUFFER_LIMIT": 2048,
}


def run(program: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in DEFAULTS}
    return subprocess.run(
        [sys.executable, "-c", program],
        env={**kept, **environment},
        capture_output=True,
        text=True,
        timeout=30,
    )


def settings(environment: dict[str, str]) -> dict[str, Any]:
    names = list(DEFAULTS)
    program = (
        "import json; from inference_sdk import config; "
        f"print(json.dumps({{name: getattr(config, name) for name in {names}}}))"
    )
    return json.loads(run(program, environment).stdout)


def test_defaults_are_those_of_the_contract():
    assert settings({}) == DEFAULTS


def test_every_setting_is_read_from_the_environment():
    assert settings({name: str(value) for name, value in CHANGED.items()}) == CHANGED


@pytest.mark.parametrize(
    ("region", "environment", "expected"),
    [("eu", "prod", "https://api.roboflow.eu"), ("us", "staging", "https://api.roboflow.one")],
)
def test_the_region_decides_the_api_unless_it_is_named(region, environment, expected):
    chosen = {"ROBOFLOW_REGION": region, "ROBOFLOW_ENVIRONMENT": environment}
    assert settings(chosen)["RF_API_BASE_URL"] == expected
    named = {**chosen, "RF_API_BASE_URL": "https://api.example.test"}
    assert settings(named)["RF_API_BASE_URL"] == "https://api.example.test"


@pytest.mark.parametrize(
    "name",
    [
        "INFERENCE_WARNINGS_DISABLED",
        "WORKFLOW_RUN_RETRIES_ENABLED",
        "ENABLE_INTERNAL_REMOTE_EXEC_HEADER",
    ],
)
def test_a_boolean_that_is_neither_is_a_value_error_that_names_it(name):
    failed = run("import inference_sdk.config", {name: "perhaps"})
    assert failed.returncode != 0
    assert "ValueError" in failed.stderr
    assert name in failed.stderr


def test_retries_of_workflows_follow_the_environment():
    program = (
        "from inference_sdk import InferenceConfiguration; "
        "print(InferenceConfiguration().workflow_run_retries_enabled)"
    )
    assert run(program, {}).stdout.strip() == "True"
    assert run(program, {"WORKFLOW_RUN_RETRIES_ENABLED": "false"}).stdout.strip() == "False"
