"""Errors travel between processes: a pool's worker raises, its parent reads."""

from __future__ import annotations

import copy
import pickle

import pytest

from inference_sdk.http.errors import (
    FeatureDeprecatedError,
    HTTPCallErrorError,
    HTTPClientError,
    InvalidParameterError,
    RetryError,
)


@pytest.mark.parametrize("copied", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy])
@pytest.mark.parametrize(
    "error",
    [
        HTTPCallErrorError("400 for url", 400, "bad image"),
        InvalidParameterError("no"),
        FeatureDeprecatedError("gaze()", reason="Nobody looked.", replacement="infer()"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_copy_is_the_same_error_of_the_same_input(copied, error: HTTPClientError):
    error.locate(3, "inputs[3] ('a.jpg')")
    again = copied(error)
    assert type(again) is type(error)
    assert (str(again), again.args) == (str(error), error.args)
    assert again.input_index == 3
    assert vars(again) == vars(error)


def test_a_retry_error_keeps_its_fields():
    again = pickle.loads(pickle.dumps(RetryError("3 tries", 503, ConnectionError("reset"))))
    assert (again.description, again.status_code) == ("3 tries", 503)
    assert isinstance(again.inner_error, ConnectionError)
