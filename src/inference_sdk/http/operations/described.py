"""Steps of calls that have to know what a model does before they can send anything to it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol

from inference_sdk.http.descriptions import LookUp, Loop, Subject
from inference_sdk.http.entities import ModelDescription
from inference_sdk.http.operations.state import MODEL_ID, ClientState
from inference_sdk.http.steps import Call
from inference_sdk.http.traffic import Traffic


class KeepsDescriptions(Protocol):
    """A context that keeps descriptions, and has `get_model_description` and its twin."""

    @property
    def traffic(self) -> Traffic: ...


@dataclass(frozen=True)
class Describe:
    """A model's description: what the client keeps, else what its server says."""

    state: ClientState
    model_id: str

    def perform(self, context: KeepsDescriptions) -> ModelDescription:
        asked = self._ask(context, None)
        if not isinstance(asked, LookUp):
            return asked
        if not asked.leads():
            return asked.wait() or self._call.perform(context)
        with asked:
            asked.found = self._call.perform(context)
        return asked.found

    async def perform_async(self, context: KeepsDescriptions) -> ModelDescription:
        asked = self._ask(context, asyncio.get_running_loop())
        if not isinstance(asked, LookUp):
            return asked
        if not asked.leads():
            return await asked.wait_async() or await self._call.perform_async(context)
        with asked:
            asked.found = await self._call.perform_async(context)
        return asked.found

    def _ask(self, context: KeepsDescriptions, loop: Loop) -> ModelDescription | LookUp:
        subject = subject_of(self.state, self.model_id)
        ttl = self.state.configuration.model_description_ttl
        return context.traffic.descriptions.ask(subject, ttl, loop)

    @property
    def _call(self) -> Call:
        return Call("get_model_description", {MODEL_ID: self.model_id})


@dataclass(frozen=True)
class Forget:
    """Keep no description of a model, or of any: what servers have loaded changes."""

    model_id: str | None = None
    under_way: bool = True
    """False keeps the look-ups that are under way: one of them may be what loads the model."""

    def perform(self, context: KeepsDescriptions) -> None:
        context.traffic.descriptions.forget(self.model_id, under_way=self.under_way)

    async def perform_async(self, context: KeepsDescriptions) -> None:
        self.perform(context)


@dataclass(frozen=True)
class Doubt:
    """A request that was sent at a moment was answered as if the model were not there."""

    state: ClientState
    model_id: str
    moment: float

    def perform(self, context: KeepsDescriptions) -> None:
        subject = subject_of(self.state, self.model_id)
        context.traffic.descriptions.doubt(subject, self.moment)

    async def perform_async(self, context: KeepsDescriptions) -> None:
        self.perform(context)


def subject_of(state: ClientState, model_id: str) -> Subject:
    return Subject(state.api_urls, state.api_key, model_id)
