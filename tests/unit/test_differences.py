"""`docs/differences.md`: each row of its table of names and settings is what happens.

The other tables are judged by `make compare-calls`, against released versions, and by the tests
of streams. A row without a probe here fails, and so does a probe whose row is gone.
"""

from __future__ import annotations

import dataclasses
import inspect
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inference_sdk import InferenceConfiguration, InferenceHTTPClient, regions
from inference_sdk.http.errors import InvalidParameterError
from inference_sdk.http.operations.loading import Preparation, load_all
from inference_sdk.http.steps import run
from tests.client_surface import public_names
from tests.unit.test_surface import SURFACE

PAGE = Path(__file__).parents[2] / "docs" / "differences.md"


def table(heading: str) -> list[list[str]]:
    """Cells of each row below a heading, without the table's own head."""
    _, _, rest = PAGE.read_text(encoding="utf-8").partition(f"## {heading}\n")
    section, _, _ = rest.partition("\n## ")
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows[2:]]


def python(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )


def flags_are_digits_too() -> None:
    program = "from inference_sdk import config; print(config.ALLOW_URL_INPUT)"
    said = [python(program, ALLOW_URL_INPUT=text).stdout for text in ("1", "0")]
    assert said == ["True\n", "False\n"]


def what_cannot_be_used_is_warned_of() -> None:
    program = "from inference_sdk import config; print(config.WEBRTC_VIDEO_QUEUE_MAX_SIZE)"
    ran = python(program, WEBRTC_VIDEO_QUEUE_MAX_SIZE="many", ALLOW_URL_INPUT="perhaps")
    assert ran.stdout == "8\n"
    assert ran.stderr.count("UserWarning") == 2


def empty_is_not_set() -> None:
    program = "from inference_sdk import config; print(config.EXECUTION_ID_HEADER)"
    assert python(program, EXECUTION_ID_HEADER=" ").stdout == "execution_id\n"


def pictures_are_also_bytes_and_paths() -> None:
    picture = Path(__file__).parents[2] / "examples" / "coffee.jpg"
    array = np.asarray(Image.open(picture))
    with picture.open("rb") as file:
        given = [picture, picture.read_bytes(), file, Image.fromarray(array), array]
        assert len(run(load_all(given, Preparation()), None)) == len(given)


def unknown_services_are_listed() -> None:
    with pytest.raises(ValueError, match="api, app, serverless"):
        regions.resolve_roboflow_service_url("mail")


def values_out_of_range_are_refused() -> None:
    for settings in ({"image_quality": 0}, {"max_tries": 0}, {"confidence_threshold": "good"}):
        with pytest.raises(InvalidParameterError, match=next(iter(settings))):
            InferenceConfiguration(**settings)


def further_fields_come_last() -> None:
    described = SURFACE["inference_sdk.http.entities"]["InferenceConfiguration"]["fields"]
    fields = [field.name for field in dataclasses.fields(InferenceConfiguration)]
    assert set(fields[: len(described)]) == set(described)
    known = (
        "image_",
        "retry_",
        "max_",
        "model_description_ttl",
        "on_stream_error",
        "proxy",
        "verify",
        "client_certificate",
        "color_order",
    )
    for name in fields[len(described) :]:
        assert name.startswith(known) or name.endswith("_timeout")


def calls_take_options() -> None:
    for name in ("infer", "infer_from_api_v0", "infer_from_api_v1", "infer_on_stream"):
        for twin in (name, f"{name}_async"):
            *_, last = inspect.signature(getattr(InferenceHTTPClient, twin)).parameters.values()
            assert (last.name, last.kind) == ("options", inspect.Parameter.VAR_KEYWORD)


def concurrency_may_be_auto() -> None:
    assert InferenceConfiguration(max_concurrent_requests="auto").max_concurrent_requests == "auto"


def an_address_may_be_a_list() -> None:
    client = InferenceHTTPClient(["http://one:9001", "http://two:9001"])
    assert [server.address for server in client.stats().servers] == [
        "http://one:9001",
        "http://two:9001",
    ]


def the_key_comes_from_the_environment() -> None:
    program = (
        "from inference_sdk import InferenceHTTPClient; "
        "print(InferenceHTTPClient('http://one:9001').api_key)"
    )
    assert python(program, ROBOFLOW_API_KEY="its-own-key").stdout == "its-own-key\n"


def pickles_hold_no_secret() -> None:
    client = InferenceHTTPClient("http://one:9001", "a-key-of-nineteen-c")
    assert b"a-key-of-nineteen-c" not in pickle.dumps(client)


def four_names_of_the_command_line_are_kept() -> None:
    kept = {
        "_prepare_infer_from_api_v0_request_data",
        "_prepare_infer_from_api_v1_request_data",
        "_execute_infer_from_api_request",
        "_execute_workflow_request",
    }
    assert kept <= set(dir(InferenceHTTPClient))
    assert not kept & public_names()


PROBES: dict[str, Callable[[], None]] = {
    '`ENABLE_…`, `ALLOW_…` and other flags: "1" and "0"': flags_are_digits_too,
    "a flag, number, header name or region that cannot be used": what_cannot_be_used_is_warned_of,
    "empty variables": empty_is_not_set,
    "`ImagesReference`, `VideoReference`": pictures_are_also_bytes_and_paths,
    "`resolve_roboflow_service_url` with an unknown name": unknown_services_are_listed,
    "values of `InferenceConfiguration` out of range": values_out_of_range_are_refused,
    "fields of `InferenceConfiguration`": further_fields_come_last,
    "`infer`, `infer_from_api_…`, `infer_on_…`": calls_take_options,
    "`max_concurrent_requests`": concurrency_may_be_auto,
    "`api_url`": an_address_may_be_a_list,
    "`api_key` not given": the_key_comes_from_the_environment,
    "a pickled client": pickles_hold_no_secret,
    "names with an underscore, and modules for themselves": four_names_of_the_command_line_are_kept,
}


def test_each_row_has_a_probe_and_each_probe_a_row() -> None:
    assert [row[0] for row in table("Names and settings")] == list(PROBES)


@pytest.mark.parametrize("where", PROBES)
def test_what_the_row_says_is_so(where: str) -> None:
    PROBES[where]()


@pytest.mark.parametrize(
    "heading", ["On the wire", "In results and errors", "Helpers", "Names and settings", "Streams"]
)
def test_each_difference_has_its_reason(heading: str) -> None:
    rows = table(heading)
    assert rows
    for row in rows:
        assert len(row) == 4, row
        assert all(row), row
