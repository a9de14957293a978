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
    kept = {name: value for name, value in os.environ.items() if name not in {*DEFAULTS, *UNUSABLE}}
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


UNUSABLE = {
    "ENABLE_INTERNAL_REMOTE_EXEC_HEADER": ("perhaps", False),
    "INFERENCE_WARNINGS_DISABLED": ("yes", False),
    "WORKFLOW_RUN_RETRIES_ENABLED": ("no", True),
    "EXECUTION_ID_HEADER": ("two words", "execution_id"),
    "PROCESSING_TIME_HEADER": ("a:b", "X-Processing-Time"),
    "WEBRTC_INITIAL_FRAME_TIMEOUT": ("soon", 90.0),
    "WEBRTC_EVENT_LOOP_SHUTDOWN_TIMEOUT": ("nan", 2.0),
    "WEBRTC_VIDEO_QUEUE_MAX_SIZE": ("-1", 8),
    "WEBRTC_VIDEO_UPLOAD_CHUNK_SIZE": ("2.5", 49152),
    "MAX_IMAGE_URL_REDIRECTS": ("-1", 30),
    "ALLOW_URL_INPUT": ("never", False),
    "ALLOW_NON_HTTPS_URL_INPUT": ("no", False),
    "ALLOW_URL_INPUT_WITHOUT_FQDN": ("no", False),
    "ALLOW_URL_TO_NON_GLOBAL_ADDRESSES": ("no", False),
    "VALIDATE_IMAGE_URL_REDIRECTS": ("yes", True),
    "ROBOFLOW_REGION": ("mars", None),
    "ROBOFLOW_ENVIRONMENT": ("moon", None),
}
"""Values that no setting takes, and what holds instead; what guards something keeps its guard."""


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_value_that_cannot_be_used_is_named_in_one_warning(name: str) -> None:
    text, value = UNUSABLE[name]
    program = (
        "import inference_sdk.http.client; from inference_sdk import config; "
        f"print(repr(getattr(config, {name!r}, None)))"
    )
    ran = run(program, {name: text})
    assert ran.stdout.strip() == repr(value)
    assert ran.stderr.count("UserWarning") == 1
    assert name in ran.stderr
    assert text in ran.stderr


@pytest.mark.parametrize("name", UNUSABLE)
def test_an_empty_variable_is_not_set(name: str) -> None:
    program = f"from inference_sdk import config; print(repr(getattr(config, {name!r}, None)))"
    empty, unset = run(program, {name: " "}), run(program, {})
    assert (empty.stdout, empty.stderr) == (unset.stdout, "")


@pytest.mark.parametrize(("text", "value"), [("1", True), ("TRUE", True), ("0", False)])
def test_a_flag_may_be_a_digit(text: str, value: bool) -> None:
    assert (
        settings({"ENABLE_INTERNAL_REMOTE_EXEC_HEADER": text})["ENABLE_INTERNAL_REMOTE_EXEC_HEADER"]
        is value
    )


def test_lists_of_hosts_are_read() -> None:
    name = "WHITELISTED_DESTINATIONS_FOR_URL_INPUT"
    program = f"from inference_sdk import config; print(sorted(config.{name} or ['unset']))"
    assert run(program, {name: " a.com, b.com:80,, "}).stdout.strip() == "['a.com', 'b.com:80']"
    assert run(program, {name: ","}).stdout.strip() == "['unset']"


def test_retries_of_workflows_follow_the_environment():
    program = (
        "from inference_sdk import InferenceConfiguration; "
        "print(InferenceConfiguration().workflow_run_retries_enabled)"
    )
    assert run(program, {}).stdout.strip() == "True"
    assert run(program, {"WORKFLOW_RUN_RETRIES_ENABLED": "false"}).stdout.strip() == "False"


def test_settings_are_heard_after_the_import(monkeypatch: pytest.MonkeyPatch) -> None:
    from inference_sdk import InferenceConfiguration, config

    monkeypatch.setattr(config, "WORKFLOW_RUN_RETRIES_ENABLED", False)
    assert InferenceConfiguration().workflow_run_retries_enabled is False
