"""A server that has too much to do, and one that is asked to stop while it works."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import numpy as np
import pybase64
import requests

from inference_sdk.local import LocalServer, ModelStore

EXAMPLES = Path(__file__).parents[2] / "examples"
IMAGE = {
    "type": "base64",
    "value": pybase64.b64encode_as_string((EXAMPLES / "coffee.jpg").read_bytes()),
}


class Slow:
    """A model that says when it is asked, and answers when it is told to."""

    description = {"model_id": "slow/1", "task_type": "object-detection"}

    def __init__(self) -> None:
        self.asked, self.go_on = threading.Semaphore(0), threading.Event()

    def infer(self, image: np.ndarray, parameters: Any) -> dict[str, Any]:
        self.asked.release()
        assert self.go_on.wait(20)
        return {"predictions": []}


def _ask(url: str) -> requests.Response:
    body = {"model_id": "slow/1", "image": IMAGE}
    return requests.post(f"{url}/infer/object_detection", json=body, timeout=30)


def test_beyond_its_queue_a_server_says_when_to_come_again() -> None:
    slow, models = Slow(), ModelStore()
    models.register("slow/1", lambda _: slow)
    with LocalServer(models=models, max_queue=3) as server, ThreadPoolExecutor(8) as pool:
        asking = [pool.submit(_ask, server.url) for _ in range(8)]
        refused, _ = wait(asking, timeout=0.2)
        while len(refused) < 5:
            refused, _ = wait(asking, timeout=0.05)
        assert requests.get(f"{server.url}/healthz", timeout=5).ok
        slow.go_on.set()
        answers = [future.result(20) for future in asking]
    assert sorted(answer.status_code for answer in answers) == [200] * 3 + [503] * 5
    busy = next(answer for answer in answers if answer.status_code == 503)
    assert busy.headers["Retry-After"] == "1"
    assert "takes no more than 3" in busy.json()["message"]


PROGRAM = """
import sys, threading
from inference_sdk.local import ModelStore, serve

class Slow:
    description = {"model_id": "slow/1", "task_type": "object-detection"}
    def infer(self, image, parameters):
        print("asked", flush=True)
        threading.Event().wait(float(sys.argv[1]))
        return {"predictions": []}

models = ModelStore()
models.register("slow/1", lambda _: Slow())
tell = lambda sentence: print(sentence, flush=True)
serve(port=0, models=models, drain_timeout=float(sys.argv[2]), on_ready=tell, on_stop=tell)
"""


def _stopping(work: float, drain: float, signals: int) -> tuple[int, str, requests.Response | None]:
    """Exit code, output and answer of a server that is stopped while it works."""
    command = [sys.executable, "-c", PROGRAM, str(work), str(drain)]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process,
        ThreadPoolExecutor(1) as pool,
    ):
        assert process.stdout is not None
        try:
            asking = pool.submit(_ask, process.stdout.readline().strip())
            assert process.stdout.readline() == "asked\n"
            for _ in range(signals):
                process.send_signal(signal.SIGTERM)
                said = process.stdout.readline()
            code = process.wait(20)
            answer = None if asking.exception(20) else asking.result()
            return code, said + process.stdout.read(), answer
        finally:
            process.kill()


def test_what_was_taken_on_is_finished() -> None:
    code, said, answer = _stopping(work=0.3, drain=20, signals=1)
    assert code == 0
    assert said == "Stopping once what is under way is done (requests: 1), in 20 s at most.\n"
    assert answer is not None
    assert answer.json()["predictions"] == []


def test_what_takes_too_long_is_cut_off_and_told() -> None:
    code, said, answer = _stopping(work=1, drain=0.1, signals=1)
    assert code == 0
    assert "Cut off, for they took too long: 1" in said
    assert answer is None


def test_the_second_signal_ends_it_at_once() -> None:
    code, _, answer = _stopping(work=60, drain=60, signals=2)
    assert code == 128 + signal.SIGTERM
    assert answer is None
