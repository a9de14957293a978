"""All calls and programs that are compared."""

from __future__ import annotations

from collections.abc import Iterator

import helpers
import model_cases
import senders
import server_cases
import sessions
import setting_cases
from case import Case
from stage import Program


def every_case() -> Iterator[Case]:
    for cases in (
        model_cases.image_calls,
        model_cases.inferences,
        model_cases.inputs,
        model_cases.scaled,
        model_cases.visualised,
        model_cases.texts,
        model_cases.clips,
        server_cases.servers,
        server_cases.workflows,
        server_cases.nested_workflow_inputs,
        server_cases.pipelines,
        setting_cases.contexts,
        setting_cases.keys,
        setting_cases.times,
        setting_cases.failures,
        setting_cases.failures_of_several,
    ):
        yield from cases()


def every_program() -> Iterator[tuple[str, Program]]:
    for programs in (
        sessions.every_session,
        sessions.every_setting,
        helpers.every_helper,
        senders.every_sender,
        senders.every_loader,
    ):
        for name, program in programs():
            yield f"program {name}", program
