"""Pictures of several threads in one run."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from inference_sdk.local import InferenceParameters, ModelFile
from inference_sdk.local.models import batching
from inference_sdk.local.models.batching import Batcher, pays
from inference_sdk.local.models.own import OwnModel
from tests.onnx_files import mean_classifier


class Network:
    """Twice each picture; runs when it is told to, and keeps how many pictures there were."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.started, self.go_on = threading.Semaphore(0), threading.Semaphore(0)

    def __call__(self, batch: np.ndarray) -> list[np.ndarray]:
        self.sizes.append(len(batch))
        self.started.release()
        assert self.go_on.acquire(timeout=20)
        if (batch < 0).any():
            raise ValueError("a picture that is no picture")
        return [batch * 2]


def _waiting(batcher: Batcher, count: int) -> None:
    while len(batcher._waiting) < count:
        threading.Event().wait(0.001)


def test_what_comes_during_a_run_is_the_next_one() -> None:
    network = Network()
    batcher = Batcher(network, most=3)
    with ThreadPoolExecutor(6) as pool:
        first = pool.submit(batcher, np.array([0]))
        assert network.started.acquire(timeout=20)
        others = [pool.submit(batcher, np.array([number])) for number in range(1, 6)]
        _waiting(batcher, 5)
        for _ in range(3):
            network.go_on.release()
        results = [future.result(20)[0].item() for future in (first, *others)]
    assert results == [0, 2, 4, 6, 8, 10]
    assert network.sizes == [1, 3, 2]


def test_an_error_reaches_all_of_its_run_and_no_other() -> None:
    network = Network()
    batcher = Batcher(network, most=2)
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(batcher, np.array([1]))
        assert network.started.acquire(timeout=20)
        others = [pool.submit(batcher, np.array([-1])) for _ in range(2)]
        _waiting(batcher, 2)
        network.go_on.release()
        network.go_on.release()
        assert first.result(20)[0].item() == 2
        for other in others:
            with pytest.raises(ValueError, match="no picture"):
                other.result(20)
    network.go_on.release()
    assert batcher(np.array([4]))[0].item() == 8


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (lambda count: 0.010, True),  # a batch takes as long as one: a GPU
        (lambda count: 0.010 * count, False),  # as long as one by one: a CPU
        (lambda count: 0.3 + 0.001 * count, False),  # nobody waits for that to be found out
    ],
)
def test_whether_it_pays_is_measured(seconds: object, expected: bool) -> None:
    now = [0.0]

    def run(batch: np.ndarray) -> list[np.ndarray]:
        now[0] += seconds(len(batch))
        return [batch]

    assert pays(run, np.zeros(3), lambda: now[0]) is expected


def test_a_network_of_a_fixed_batch_answers_single_pictures(tmp_path: Path) -> None:
    model = OwnModel("mine/1", ModelFile(mean_classifier(tmp_path / "m.onnx", batch=4)))
    assert model.description["batch_size"] == 4
    pictures = [np.full((32, 32, 3), shade, np.uint8) for shade in (0, 60, 120, 255)]
    parameters = InferenceParameters(confidence=0)
    alone = [model.infer(picture, parameters) for picture in pictures]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda picture: model.infer(picture, parameters), pictures * 5))
    assert together == alone * 5
    assert len({answer["confidence"] for answer in alone}) == 4


def test_a_network_of_any_batch_is_run_together_where_it_pays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inference_sdk.local.models.own.pays", lambda *_: True)
    model = OwnModel("mine/1", ModelFile(mean_classifier(tmp_path / "m.onnx")))
    assert "any batch, run together" in str(model)
    picture = np.full((32, 32, 3), 200, np.uint8)
    answers = [model.infer(picture, InferenceParameters()) for _ in range(2)]
    assert answers[0] == answers[1]
    assert batching.MOST > 1
