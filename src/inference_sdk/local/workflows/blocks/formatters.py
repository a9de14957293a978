"""Values made into texts, tables and other values; no code of the caller's is ever run."""

from __future__ import annotations

import csv
import io
import json
import re
import string
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Annotated, Any, Literal, Union
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from pydantic import AfterValidator, BaseModel, Field

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import Block, Kinds, Outputs, Value, refers, takes
from inference_sdk.local.workflows.operations import Operation, StatementGroup, apply_all
from inference_sdk.local.workflows.wire import to_wire

Operations = Annotated[dict[str, list[Operation]], Field(default_factory=dict)]
Anything = Annotated[Any, takes(k.ANY)]


def with_operations(
    data: Mapping[str, Any], operations: Mapping[str, Sequence[Any]]
) -> dict[str, Any]:
    """Values by name, each put through the operations of its name."""
    return {name: apply_all(operations.get(name, ()), value) for name, value in data.items()}


# --- Expression ---------------------------------------------------------------------------------


class StaticCaseResult(BaseModel):
    """A value that stands in the specification."""

    type: Literal["StaticCaseResult"]
    value: Any

    def read(self, parameters: Mapping[str, Any]) -> Any:
        del parameters
        return self.value


class DynamicCaseResult(BaseModel):
    """A value of `data`, put through operations."""

    type: Literal["DynamicCaseResult"]
    parameter_name: str
    operations: list[Operation] = Field(default_factory=list)

    def read(self, parameters: Mapping[str, Any]) -> Any:
        if self.parameter_name not in parameters:
            known = ", ".join(parameters)
            raise ValueError(f"data has no '{self.parameter_name}', only {known}.")
        return apply_all(self.operations, parameters[self.parameter_name], parameters)


Result = Annotated[Union[StaticCaseResult, DynamicCaseResult], Field(discriminator="type")]


class CaseDefinition(BaseModel):
    """A result, and when it is taken."""

    type: Literal["CaseDefinition"]
    condition: StatementGroup
    result: Result


class CasesDefinition(BaseModel):
    """Cases, of which the first that holds is taken."""

    type: Literal["CasesDefinition"]
    cases: list[CaseDefinition]
    default: Result


class Expression(Block):
    """The value of the first case that holds."""

    TYPES = ("roboflow_core/expression@v1", "Expression")
    OUTPUTS = {"output": (k.ANY,)}

    data: dict[str, Value]
    data_operations: Operations
    switch: CasesDefinition

    def run(self) -> Outputs:
        parameters = with_operations(self.data, self.data_operations)
        holding = (case for case in self.switch.cases if case.condition.holds(parameters))
        case = next(holding, None)
        result = self.switch.default if case is None else case.result
        return {"output": result.read(parameters)}


# --- Texts --------------------------------------------------------------------------------------


class StringTemplate(Block):
    """A text with {name} for values, as Python's format has them; `{{` is a brace."""

    TYPES = ("roboflow_core/string_template@v1",)
    OUTPUTS = {"output": (k.STRING,)}

    template: Annotated[str, takes(k.STRING)]
    data: dict[str, Anything] = Field(default_factory=dict)
    data_operations: Operations

    def run(self) -> Outputs:
        values = with_operations(self.data, self.data_operations)
        return {"output": filled(self.template, values)}


MAX_WIDTH = 1000
"""Characters that a format may ask for."""

CONVERSIONS: Mapping[str | None, Callable[[Any], Any]] = {
    None: lambda value: value,
    "r": repr,
    "s": str,
    "a": ascii,
}


def filled(template: str, values: Mapping[str, Any]) -> str:
    """A template with its placeholders filled in. Names only: nothing of a value is looked into.

    Raises:
        ValueError: a placeholder names nothing, or a format does not fit its value.
    """
    parts = []
    for literal, name, form, conversion in string.Formatter().parse(template):
        parts.append(literal)
        if name is not None:
            value = CONVERSIONS[conversion](_named(name, values))
            parts.append(_formatted(value, form or ""))
    return "".join(parts)


def _named(name: str, values: Mapping[str, Any]) -> Any:
    if name in values:
        return values[name]
    if not re.fullmatch(r"\w+", name) or name.isdigit():
        raise ValueError(
            f"A placeholder of the template is a name, as in {{name}}, not {{{name}}}: take parts "
            "of values out with data_operations."
        )
    raise ValueError(f"The template names '{name}'; data has {', '.join(values) or 'nothing'}.")


def _formatted(value: Any, form: str) -> str:
    if any(int(number) > MAX_WIDTH for number in re.findall(r"\d{1,9}", form)):
        raise ValueError(f"The format {form!r} is wider than {MAX_WIDTH} characters.")
    return format(value, form) if form else str(value)


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"there is no time zone {name!r}, as America/Los_Angeles") from None
    return name


class CurrentTime(Block):
    """The time now."""

    TYPES = ("roboflow_core/current_time@v1",)
    OUTPUTS = {
        "timestamp": (k.TIMESTAMP,),
        "iso_string": (k.STRING,),
        "date": (k.STRING,),
        "time": (k.STRING,),
    }

    timezone: Annotated[str, AfterValidator(_time_zone)] = "UTC"

    def run(self) -> Outputs:
        now = datetime.now(timezone.utc).astimezone(ZoneInfo(self.timezone))
        return {
            "timestamp": now,
            "iso_string": now.isoformat(),
            "date": now.strftime("%Y-%m-%d"),
            "time": now.strftime("%H:%M:%S"),
        }


# --- JSON and CSV -------------------------------------------------------------------------------

FENCE = re.compile(r"```json\s*(.*?)```", re.DOTALL | re.IGNORECASE)


class JSONParser(Block):
    """JSON text, also fenced, to outputs named by expected_fields."""

    TYPES = ("roboflow_core/json_parser@v1",)

    raw_json: Annotated[str, takes(k.LANGUAGE_MODEL_OUTPUT)]
    expected_fields: list[str]

    def outputs(self) -> Mapping[str, Kinds]:
        if "error_status" in self.expected_fields:
            raise ValueError("expected_fields cannot have 'error_status': the block has it.")
        return {"error_status": (k.BOOLEAN,), **dict.fromkeys(self.expected_fields, (k.ANY,))}

    def run(self) -> Outputs:
        read = parsed(self.raw_json)
        found = read if isinstance(read, dict) else {}
        values = {name: found.get(name) for name in self.expected_fields}
        missing = any(name not in found for name in self.expected_fields)
        return {"error_status": not isinstance(read, dict) or missing, **values}


def parsed(text: str) -> Any:
    """JSON in a text, perhaps fenced as language models do it; None where there is none."""
    fenced = FENCE.search(text)
    try:
        return json.loads(fenced[1] if fenced else text)
    except ValueError:
        return None


class CSVFormatter(Block):
    """Rows of a batch as CSV text on its last element, null before; adds a timestamp column."""

    TYPES = ("roboflow_core/csv_formatter@v1",)
    OUTPUTS = {"csv_content": (k.STRING,)}

    columns_data: dict[str, Anything]
    columns_operations: Operations

    def outputs(self) -> Mapping[str, Kinds]:
        if "timestamp" in self.columns_data:
            raise ValueError("columns_data cannot have 'timestamp': the block adds it.")
        return self.OUTPUTS

    @classmethod
    def run_batch(cls, elements: Sequence[Any]) -> list[Outputs]:
        now = datetime.now(timezone.utc).isoformat()
        rows = [
            {**with_operations(element.columns_data, element.columns_operations), "timestamp": now}
            for element in elements
        ]
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
        nothing: Outputs = {"csv_content": None}
        return [nothing] * (len(rows) - 1) + [{"csv_content": text.getvalue()}]


def _cell(value: Any) -> Any:
    """A value as one cell has it: what is no text or number as Python writes its JSON form."""
    return to_wire(value)


class CosineSimilarity(Block):
    """How alike two embeddings are: the cosine of the angle between them."""

    TYPES = ("roboflow_core/cosine_similarity@v1",)
    OUTPUTS = {"similarity": (k.FLOAT,)}

    embedding_1: Annotated[Any, refers(k.EMBEDDING)]
    embedding_2: Annotated[Any, refers(k.EMBEDDING)]

    def run(self) -> Outputs:
        one, other = (
            np.asarray(each, float).ravel() for each in (self.embedding_1, self.embedding_2)
        )
        if one.shape != other.shape:
            raise ValueError(f"The embeddings have {len(one)} and {len(other)} numbers.")
        lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
        return {"similarity": float(one @ other) / lengths if lengths else None}
