"""The plugin as a user has it: installed, and nothing said about it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

USERS_TESTS = """
import requests

seen = set()

def test_one(inference_server):
    seen.add(inference_server.url)
    assert requests.get(f"{inference_server.url}/readiness", timeout=10).json()

def test_another_uses_the_same(inference_server):
    seen.add(inference_server.url)
    assert len(seen) == 1
"""


def test_the_fixture_is_there_for_every_test_suite(tmp_path: Path) -> None:
    (tmp_path / "test_users.py").write_text(USERS_TESTS)
    # pytest-asyncio warns of its own settings, which are not the matter here.
    plugins = ["-p", "no:cacheprovider", "-p", "no:asyncio"]
    command = [sys.executable, "-W", "error", "-m", "pytest", "-q", *plugins]
    run = subprocess.run(
        [*command, str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "2 passed" in run.stdout
