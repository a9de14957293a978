"""Blocks that decide, remember, write texts and send them away, with values worked out by hand."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from inference_sdk.local.workflows import Services
from inference_sdk.local.workflows.errors import WorkflowError
from inference_sdk.local.workflows.webhooks import send_webhook
from tests.recording_server import RecordingServer
from tests.workflows import IMAGE, Steps, detections_input, picture, run, spec, step

X = detections_input("x", "*")


def each(kind: str, values: list[Any], output: str, **fields: Any) -> list[Any]:
    """One output of a step for each value of a batch; fields name it `$inputs.x`."""
    specification = spec(step(kind, **fields), inputs=(X,), o=f"$steps.step.{output}")
    return [outputs["o"] for outputs in run(specification, x=values)]


def says(name: str, comparator: str, value: Any) -> dict[str, Any]:
    return {
        "type": "StatementGroup",
        "statements": [
            {
                "type": "BinaryStatement",
                "left_operand": {"type": "DynamicOperand", "operand_name": name},
                "comparator": {"type": comparator},
                "right_operand": {"type": "StaticOperand", "value": value},
            }
        ],
    }


def test_an_expression_takes_the_first_case_that_holds() -> None:
    times_ten = {
        "type": "DynamicCaseResult",
        "parameter_name": "n",
        "operations": [{"type": "Multiply", "other": 10}],
    }
    cases = [
        {
            "type": "CaseDefinition",
            "condition": says("n", "(Number) >", 5),
            "result": {"type": "StaticCaseResult", "value": "big"},
        },
        {
            "type": "CaseDefinition",
            "condition": says("n", "(Number) >", 2),
            "result": times_ten,
        },
    ]
    switch = {
        "type": "CasesDefinition",
        "cases": cases,
        "default": {"type": "StaticCaseResult", "value": "small"},
    }
    fields = {"data": {"n": "$inputs.x"}, "switch": switch}
    assert each("expression@v1", [1, 3, 7], "output", **fields) == ["small", 30, "big"]
    doubled = {"n": [{"type": "Multiply", "other": 2}]}
    assert each("expression@v1", [3], "output", data_operations=doubled, **fields) == ["big"]


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{n:.1f} of {{5}} {w!r}", "2.0 of {5} 'w'"),
        ("{n:>4}|{m}", "   2|4"),
        ("no names", "no names"),
    ],
)
def test_templates_are_filled(template: str, text: str) -> None:
    data = {"n": "$inputs.x", "w": "w", "m": "$inputs.x"}
    double = {"m": [{"type": "Multiply", "other": 2}]}
    made = each(
        "string_template@v1", [2], "output", template=template, data=data, data_operations=double
    )
    assert made == [text]


@pytest.mark.parametrize(
    ("template", "part"),
    [
        ("{no}", "names 'no'; data has n"),
        ("{n.real}", "is a name, as in {name}, not {n.real}"),
        ("{n[0]}", "is a name"),
        ("{}", "is a name"),
        ("{n:99999}", "wider than 1000"),
        ("{n", "expected '}'"),
    ],
)
def test_templates_look_into_no_value(template: str, part: str) -> None:
    with pytest.raises(WorkflowError, match=part):
        each("string_template@v1", [2], "output", template=template, data={"n": "$inputs.x"})


def test_the_time_now_in_a_zone() -> None:
    now = Steps("current_time@v1", timezone="Asia/Tokyo")()
    assert now["timestamp"].utcoffset().total_seconds() == 9 * 3600
    assert datetime.fromisoformat(now["iso_string"]) == now["timestamp"]
    assert now["iso_string"].startswith(now["date"])
    assert now["time"] in now["iso_string"]
    with pytest.raises(WorkflowError, match="no time zone 'Moon/Sea'"):
        Steps("current_time@v1", timezone="Moon/Sea")()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1, "b": [2]}', (False, 1, [2])),
        ('Sure:\n```json\n{"a": 1, "b": 2}\n```', (False, 1, 2)),
        ('{"a": 1}', (True, 1, None)),
        ("nothing", (True, None, None)),
        ("[1]", (True, None, None)),
    ],
)
def test_json_is_parsed_also_when_fenced(text: str, expected: Any) -> None:
    read = Steps("json_parser@v1", raw_json="$inputs.text", expected_fields=["a", "b"])(text=text)
    assert (read["error_status"], read["a"], read["b"]) == expected


def test_rows_of_a_batch_become_csv_on_its_last_element() -> None:
    fields = {
        "columns_data": {"n": "$inputs.x", "w": "a, b"},
        "columns_operations": {"n": [{"type": "Multiply", "other": 2}]},
    }
    first, last = each("csv_formatter@v1", [1, 3], "csv_content", **fields)
    assert first is None
    rows = list(csv.DictReader(io.StringIO(last)))
    assert list(rows[0]) == ["n", "w", "timestamp"]
    assert [(row["n"], row["w"]) for row in rows] == [("2", "a, b"), ("6", "a, b")]
    with pytest.raises(WorkflowError, match="cannot have 'timestamp'"):
        each("csv_formatter@v1", [1], "csv_content", columns_data={"timestamp": "$inputs.x"})


def test_likeness_of_embeddings() -> None:
    kinds = {"a": "embedding", "b": "embedding"}
    alike = Steps(
        "cosine_similarity@v1", kinds=kinds, embedding_1="$inputs.a", embedding_2="$inputs.b"
    )
    assert alike(a=[[1, 0]], b=[[1, 1]])["similarity"] == pytest.approx(0.70710678)
    assert alike(a=[[0, 0]], b=[[1, 1]])["similarity"] is None
    with pytest.raises(WorkflowError, match="have 1 and 2 numbers"):
        alike(a=[[1]], b=[[1, 1]])


# --- Flow and memory ----------------------------------------------------------------------------


def gated(gate: dict[str, Any], values: list[Any], image: Any = None) -> list[Any]:
    """Texts of the values that a gate lets go on to the step `text`."""
    text = step(
        "property_definition@v1", "text", data="$inputs.x", operations=[{"type": "ToString"}]
    )
    inputs = (X,) if image is None else (X, IMAGE)
    specification = spec(gate, text, inputs=inputs, t="$steps.text.output")
    given = {} if image is None else {"image": image}
    return [outputs["t"] for outputs in run(specification, x=values, **given)]


def test_a_switch_runs_the_step_of_its_case() -> None:
    fields = {"value": "$inputs.x", "cases": {"a": "$steps.text", "1": "$steps.text"}}
    assert gated(step("SwitchCase", **fields), ["a", "A", 1, 2]) == ["a", None, "1", None]
    anyhow = step("switch_case@v1", case_insensitive=True, **fields)
    assert gated(anyhow, ["a", "A", "b"]) == ["a", "A", None]
    default = step("switch_case@v1", value="$inputs.x", default_next_steps=["$steps.text"])
    assert gated(default, ["x"]) == ["x"]


def frames(*seconds: float) -> list[Any]:
    return [
        picture(name="v", video_identifier="v", frame_number=s, fps=1, comes_from_video_file=True)
        for s in seconds
    ]


def test_a_rate_is_limited_in_the_time_of_the_video_or_of_the_clock() -> None:
    fields = {"depends_on": "$inputs.x", "next_steps": ["$steps.text"], "cooldown_seconds": 2}
    gate = step("rate_limiter@v1", video_reference_image="$inputs.image", **fields)
    assert gated(gate, [0, 1, 2, 3], frames(0, 1, 2, 3)) == ["0", None, "2", None]
    assert gated(step("rate_limiter@v1", **fields), [0, 1]) == ["0", None]


def test_only_what_differs_goes_on() -> None:
    gate = step(
        "delta_filter@v1", image="$inputs.image", value="$inputs.x", next_steps=["$steps.text"]
    )
    assert gated(gate, [0, 0, 2, 2, 0], frames(*range(5))) == ["0", None, "2", None, "0"]


def test_a_buffer_has_the_last_values_newest_first() -> None:
    assert each("buffer@v1", [1, 2, 3], "output", data="$inputs.x", length=2) == [
        [1],
        [2, 1],
        [3, 2],
    ]
    padded = each("Buffer", [1], "output", data="$inputs.x", length=3, pad=True)
    assert padded == [[1, None, None]]


def test_values_are_kept_under_a_key_for_a_video() -> None:
    keep = step("cache_set@v1", "keep", image="$inputs.image", key="k", value="$inputs.x")
    get = step("cache_get@v1", "get", image="$inputs.image", key="$inputs.k")
    inputs = (X, IMAGE, {"type": "WorkflowParameter", "name": "k"})
    specification = spec(keep, get, inputs=inputs, k="$steps.keep.output", g="$steps.get.output")
    images = [picture(name="a"), picture(name="b")]
    assert run(specification, x=[1, 2], image=images, k="k") == [{"k": 1, "g": 1}, {"k": 2, "g": 2}]
    assert run(specification, x=[1], image=picture(), k="other") == [{"k": 1, "g": False}]


# --- Sinks --------------------------------------------------------------------------------------


def sink(folder: Path | None, text: str = "a,b\n1,2\n", **fields: Any) -> Steps:
    services = Services(sinks_directory=None if folder is None else str(folder))
    given = {"output_mode": "append_log", "target_directory": "logs", **fields}
    return Steps(
        "local_file_sink@v1",
        kinds={"text": "string"},
        content="$inputs.text",
        services=services,
        **given,
    )


def test_entries_are_appended_to_one_file_and_headers_written_once(tmp_path: Path) -> None:
    write = sink(tmp_path, max_entries_per_file=2)
    for n in range(3):
        outputs = write(text=f"a,b\n{n},2\n")
        assert outputs == {"error_status": False, "message": "Data saved successfully"}
    first, second = sorted((tmp_path / "logs").iterdir())
    assert first.read_text() == "a,b\n0,2\n1,2\n"
    assert second.read_text() == "a,b\n2,2\n"
    assert first.name.startswith("workflow_output_")


def test_separate_files_and_json_logs(tmp_path: Path) -> None:
    write = sink(tmp_path, output_mode="separate_files", file_type="txt", file_name_prefix="p")
    write(text="x")
    write(text="y")
    assert sorted(f.read_text() for f in (tmp_path / "logs").glob("p_*.txt")) == ["x", "y"]
    log = sink(tmp_path, file_type="json", target_directory="json")
    assert log(text="nope")["error_status"] is True
    log(text='{\n"a": 1}')
    (file,) = (tmp_path / "json").glob("*.jsonl")
    assert file.read_text() == '{"a": 1}\n'


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"target_directory": "../out"}, "leads out of the folder"),
        ({"target_directory": "/etc"}, "leads out of the folder"),
        ({"target_directory": "link"}, "leads out of the folder"),
        ({"file_name_prefix": "../x"}, "a name without slashes"),
    ],
)
def test_files_stay_in_the_allowed_folder(tmp_path: Path, fields: Any, part: str) -> None:
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    (allowed / "link").symlink_to(tmp_path)
    outputs = sink(allowed, **fields)(text="x")
    assert outputs["error_status"] is True
    assert part in outputs["message"]
    assert sorted(tmp_path.rglob("*")) == sorted([allowed, allowed / "link"])


def test_files_are_off_unless_allowed() -> None:
    outputs = sink(None)(text="x")
    assert outputs["error_status"] is True
    assert "WorkflowSettings(sinks=folder)" in outputs["message"]


def webhook(**fields: Any) -> Steps:
    given = {"method": "POST", "fire_and_forget": False, "cooldown_seconds": 0, **fields}
    return Steps("webhook_sink@v1", services=Services(webhooks=send_webhook), **given)


def test_a_webhook_carries_what_it_is_told(server: RecordingServer) -> None:
    outputs = webhook(
        url=f"{server.url}/hook",
        query_parameters={"q": 1},
        headers={"X-Key": 5},
        json_payload={"n": "$inputs.n"},
        json_payload_operations={"n": [{"type": "Multiply", "other": 2}]},
    )(n=21)
    assert outputs["message"] == "Notification sent successfully"
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/hook")
    assert request.query == {"q": ["1"]}
    assert request.headers["X-Key"] == "5"
    assert request.json == {"n": 42}


def test_a_webhook_that_fails_is_an_output(server: RecordingServer) -> None:
    server.default = lambda _: web.json_response({}, status=500)
    outputs = webhook(url=server.url)()
    assert (outputs["error_status"], outputs["message"]) == (
        True,
        "The server answered with status 500.",
    )
    assert webhook(url="http://127.0.0.1:9/?api_key=secret")()["message"] == (
        "The request failed: ConnectionError."
    )
    assert webhook(url="ftp://x/y")()["error_status"] is True


def test_webhooks_pause_can_be_disabled_and_are_off_unless_allowed() -> None:
    pausing = webhook(url="http://127.0.0.1:9/", cooldown_seconds=60)
    pausing()
    assert pausing()["throttling_status"] is True
    assert "disabled" in webhook(url="http://127.0.0.1:9/", disable_sink=True)()["message"]
    off = Steps("webhook_sink@v1", url="http://127.0.0.1:9/", method="GET")()
    assert off["error_status"] is True
    assert "sends no webhooks" in off["message"]


def test_webhooks_obey_the_policy_for_urls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOW_URL_TO_NON_GLOBAL_ADDRESSES", "false")
    monkeypatch.setattr("inference_sdk.config.ALLOW_URL_TO_NON_GLOBAL_ADDRESSES", False)
    outputs = webhook(url="http://127.0.0.1:9/")()
    assert "not an address of the public internet" in outputs["message"]


def test_secrets_are_read_where_allowed_and_never_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TESTS_KEY", "sesame")
    store = step("environment_secrets_store@v1", "store", variables_storing_secrets=["TESTS_KEY"])
    use = step(
        "string_template@v1", "use", template="{k:.2}…", data={"k": "$steps.store.tests_key"}
    )
    specification = spec(
        store, use, inputs=(), s="$steps.store.tests_key", a="$steps.store.*", u="$steps.use.output"
    )
    services = Services(environment=frozenset({"TESTS_KEY"}))
    (outputs,) = run(specification, services)
    assert outputs == {"s": "********", "a": {"tests_key": "********"}, "u": "se…"}
    with pytest.raises(WorkflowError, match="lets workflows read no TESTS_KEY"):
        run(specification)
