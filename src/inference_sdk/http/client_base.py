"""What every call of the client stands on: its settings, its connections, and the runners.

The calls themselves are in the classes beside this one, by subject; `client` joins them.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from inference_sdk.http.boundary import boundary
from inference_sdk.http.call_options import Timeout, configured, full_name, require_known
from inference_sdk.http.caller import called_by
from inference_sdk.http.deadlines import limited_to
from inference_sdk.http.entities import HTTPClientMode, InferenceConfiguration
from inference_sdk.http.errors import HTTPClientError, InvalidParameterError
from inference_sdk.http.faults import host_of
from inference_sdk.http.observing import Asked, Listeners
from inference_sdk.http.operations.loading import Preparation
from inference_sdk.http.operations.state import ClientState
from inference_sdk.http.steps import Operation, run, run_async
from inference_sdk.http.traffic import ClientStats, Traffic
from inference_sdk.http.transport import Transport
from inference_sdk.http.utils.aliases import resolve_roboflow_model_alias
from inference_sdk.http.withheld import Withheld, environment_key
from inference_sdk.utils.masking import mask_secret

if TYPE_CHECKING:
    from typing_extensions import Self

    from inference_sdk.http.timings import Timings

T = TypeVar("T")

_CHANGING = threading.Lock()
"""Two threads that change two settings must not undo each other's. Of the module, not of a client:
a client that holds a lock could not be pickled."""

if hasattr(os, "register_at_fork"):
    # A child that was forked while another thread held it would wait for ever.
    os.register_at_fork(
        before=_CHANGING.acquire,
        after_in_parent=_CHANGING.release,
        after_in_child=_CHANGING.release,
    )


def given(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What a method was called with, from its `locals()`: too much to write out in each twin."""
    return {name: value for name, value in arguments.items() if name != "self"}


@boundary
class ClientBase:
    """Settings of a client, and how an operation is carried out with them."""

    def __init__(self, api_url: str | Sequence[str], api_key: str | None = None) -> None:
        """Make a client; nothing is sent until the first call.

        Args:
            api_url: address of the server, such as "http://localhost:9001". Roboflow's hosted
                addresses select API v0, all others v1. A list names servers that do the same:
                each request goes to the healthy one that has less of this client's to do.
            api_key: None takes the environment variable `ROBOFLOW_API_KEY`, if set.

        Raises:
            InvalidParameterError: an address is no text, malformed, or without `http://`; there
                is none; or they speak different APIs.
        """
        first, *further = addresses = _addresses(api_url)
        self._state = ClientState(
            api_url=first,
            api_key=_stripped(api_key) if api_key is not None else environment_key(),
            mode=HTTPClientMode.from_urls(addresses),
            further_urls=tuple(further),
        )
        self._transport = Transport()
        self._traffic = Traffic()
        self._listeners = Listeners()
        self._frozen = False

    def __repr__(self) -> str:
        state = self._state
        hosts = [host_of(url) for url in state.api_urls]
        shown = hosts if len(hosts) > 1 else hosts[0]
        key = None if self.api_key is None else mask_secret(self.api_key)
        return (
            f"{type(self).__name__}(api_url={shown!r}, api_key={key!r}, "
            f"client_mode={state.mode.value!r}, selected_model={state.model_id!r})"
        )

    def __getstate__(self) -> dict[str, Any]:
        """What a pickled copy, for another process, takes along: neither connections nor secrets.

        The other side takes its key from `ROBOFLOW_API_KEY`, or has its `api_key` set again.
        """
        own = {"_transport", "_traffic", "_listeners"}
        return {name: value for name, value in vars(self).items() if name not in own}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _transport=Transport(), _traffic=Traffic(), _listeners=Listeners())

    def __copy__(self) -> Self:
        copied = object.__new__(type(self))
        copied.__setstate__(self.__getstate__())
        return copied

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        copied = object.__new__(type(self))
        copied.__setstate__(deepcopy(self.__getstate__(), memo))
        return copied

    @property
    def api_key(self) -> str | None:
        """The key of all calls. It can be set, also where pickling left it behind."""
        key = self._state.api_key
        return None if isinstance(key, Withheld) else key

    @api_key.setter
    def api_key(self, key: str | None) -> None:
        if isinstance(self._state.api_key, Withheld):
            self._set(
                api_key=_stripped(key)
            )  # nobody can have relied on a copy that could not call
        else:
            self._change(api_key=_stripped(key))

    @property
    def inference_configuration(self) -> InferenceConfiguration:
        """How the client calls; frozen, changed by `configure` and `use_configuration`."""
        return self._state.configuration

    @property
    def client_mode(self) -> HTTPClientMode:
        """Which API the client speaks."""
        return self._state.mode

    @property
    def selected_model(self) -> str | None:
        """The model of calls that name none, as it was selected; None when there is none."""
        return self._state.model_id

    @property
    def transport(self) -> Transport:
        """The connections, shared with the copies that `with_options` made."""
        return self._transport

    @property
    def traffic(self) -> Traffic:
        """What was learnt from the requests so far, shared as the connections are."""
        return self._traffic

    def stats(self) -> ClientStats:
        """What was learnt from the requests of this client and of its copies; sends nothing.

        Returns:
            Requests, tries, bytes and times of each server; see `ClientStats`.
        """
        return self._traffic.stats(self._state.api_urls)

    @property
    def listeners(self) -> Listeners:
        """Who is told of calls; shared with the copies that `with_options` made."""
        return self._listeners

    @contextmanager
    def timings(self) -> Generator[Timings, None, None]:
        """Measure the calls made inside, by this client and its copies, in whatever thread.

        Gives, for each call and in all, the seconds it spent on each `Phase`: reading, decoding,
        resizing, encoding, waiting for a slot, connecting, sending, waiting, receiving, parsing;
        what the server says that it worked; bytes, tries, connections. Nothing is sent.

        Returns:
            A context manager that gives the `Timings`, whole when the block ends.

        Example:
            >>> with client.timings() as timings:
            ...     results = list(client.infer_many(paths, model_id="coco/3"))
            >>> print(timings)
        """
        from inference_sdk.http.timings import Timings

        timings = Timings()
        self._listeners.add(timings)
        try:
            yield timings
        finally:
            self._listeners.remove(timings)
            timings.stop()

    def require_changeable(self) -> None:
        """Refuse to change a client that others rely on.

        Raises:
            HTTPClientError: it was made by `with_options`.
        """
        if self._frozen:
            raise HTTPClientError(
                "A client made by with_options() does not change, so that threads can rely on "
                "it. Call with_options() again for other settings."
            )

    def _change(self, **changes: Any) -> Any:
        self.require_changeable()
        self._set(**changes)
        return self

    def _set(self, **changes: Any) -> None:
        with _CHANGING:
            self._state = replace(self._state, **changes)

    @contextmanager
    def _changed(self, field: str, value: Any) -> Generator[Any, None, None]:
        before = getattr(self._state, field)
        changed = self._change(**{field: value})
        try:
            yield changed
        finally:
            self._change(**{field: before})

    def with_options(
        self,
        *,
        model_id: str | None = None,
        timeout: Timeout | None = None,
        client_mode: HTTPClientMode | None = None,
        configuration: InferenceConfiguration | None = None,
        **changes: Any,
    ) -> Self:
        """A copy with other settings, that shares the connections and never changes.

        The way for threads and tasks with settings of their own: changes of this client do not
        reach the copy, and the copy's own cannot be changed.

        Args:
            model_id: the selected model.
            timeout: seconds of silence that end a request, or (connect, read) seconds.
            client_mode: which API to speak.
            configuration: to start from, in place of this client's.
            changes: fields of `InferenceConfiguration` and their values; `confidence` and
                `keypoint_confidence` are short for two of them.

        Returns:
            The copy; it does not change, and shares connections and statistics.

        Raises:
            InvalidParameterError: there is no such option, or a value is out of range.

        Example:
            >>> patient = client.with_options(timeout=600, max_concurrent_requests=8)
            >>> results = patient.infer(paths, model_id="coco/3")
        """
        copied = object.__new__(type(self))
        vars(copied).update(vars(self))
        state = self._state
        copied._state = replace(
            state,
            model_id=model_id or state.model_id,
            mode=client_mode or state.mode,
            configuration=configured(configuration or state.configuration, timeout, changes),
        )
        copied._frozen = True
        return copied

    def _for(self, options: Mapping[str, Any], known: frozenset[str]) -> Self:
        """The client that carries out a call: this one, or a copy with the call's options."""
        if not options:
            return self
        called = sys._getframe(1).f_code  # the method that was given them
        arguments = called.co_varnames[1 : called.co_argcount + called.co_kwonlyargcount]
        require_known(options, known, arguments)
        copied = self.with_options(**options)
        copied._state = replace(copied._state, named=frozenset(map(full_name, options)))
        return copied

    def forget_model(self, model_id: str | None = None) -> None:
        """Select no model any more: at all, or if the selected one is `model_id`.

        Args:
            model_id: None forgets whatever is selected.
        """
        selected = self._state.model_id
        if selected is None or self._frozen:
            return
        if model_id is None or resolve_roboflow_model_alias(selected) == model_id:
            self._change(model_id=None)

    def close(self) -> None:
        """Close the kept connections of threads; a later call opens new ones.

        Those of an event loop close by themselves when the loop ends, or with `aclose`.
        """
        self._transport.close()

    async def aclose(self) -> None:
        """Close the kept connections: those of the running event loop, and those of threads."""
        await self._transport.aclose()

    @property
    def _encodes_by_default(self) -> bool:
        configuration = self._state.configuration
        return Preparation() == Preparation(
            encoding=configuration.image_encoding,
            quality=configuration.image_quality,
            white=configuration.image_max_value,
            color_order=configuration.color_order,
        )

    def _preparation(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        configuration = self._state.configuration
        return {
            "inference_input": arguments["inference_input"],
            "preparation": Preparation(
                max_height=arguments.get("max_height"),
                max_width=arguments.get("max_width"),
                encoding=configuration.image_encoding,
                quality=configuration.image_quality,
                white=configuration.image_max_value,
                color_order=configuration.color_order,
            ),
        }

    def _window(self, kind: str) -> dict[str, Any]:
        """How many jobs of a kind are under way at once, as arguments of the pipeline."""
        limit = self._traffic.limit(self._state.configuration.max_concurrent_requests, kind)
        return {"concurrency": limit, "window": limit}

    def _run(
        self, operation: Operation[T], asked: Asked | None = None, name: str | None = None
    ) -> T:
        """Carry out an operation, as a call of its own or a part of the current one.

        Args:
            asked: when it was asked for, where it had to wait for its turn.
            name: of the call; that of the method that calls this unless given.
        """
        state = self._state
        state.require_secrets()
        with (
            self._listeners.call(name or _name_of(sys._getframe(1)), asked),
            limited_to(state.configuration.total_timeout),
            called_by(self._transport, state.api_urls),
        ):
            return run(operation, self)

    async def _run_async(
        self, operation: Operation[T], asked: Asked | None = None, name: str | None = None
    ) -> T:
        """The twin of `_run`."""
        state = self._state
        state.require_secrets()
        with (
            self._listeners.call(name or _name_of(sys._getframe(1)), asked),
            limited_to(state.configuration.total_timeout),
            called_by(self._transport, state.api_urls),
        ):
            return await run_async(operation, self)


def _name_of(caller: FrameType) -> str:
    """The method of the client that runs an operation; several methods may share the operation."""
    return caller.f_code.co_name.removesuffix("_async")


def _addresses(api_url: str | Sequence[str]) -> list[str]:
    several = isinstance(api_url, (list, tuple))
    addresses = list(dict.fromkeys(map(_address, api_url if several else [api_url])))
    if addresses:
        return addresses
    raise InvalidParameterError("api_url is an empty list. Name at least one server.")


def _stripped(key: str | None) -> str | None:
    """A key without the line end of the file that it was read from."""
    return key.strip() if isinstance(key, str) else key


def _address(api_url: Any) -> str:
    try:
        address = str(api_url.strip().rstrip("/"))
        urlsplit(address)
    except (AttributeError, TypeError, ValueError):
        # Not shown, nor chained: a malformed address may hold a password all the same.
        address = None
    if address is not None:
        if address and "://" not in api_url:
            raise _without_scheme(address)
        return address
    raise InvalidParameterError(
        f"The api_url (a {type(api_url).__name__}) is no address. Pass one such as "
        "'http://localhost:9001'."
    )


def _without_scheme(address: str) -> InvalidParameterError:
    host = address.rpartition("@")[2]
    return InvalidParameterError(
        f"The api_url {host!r} is no http(s) address: its beginning is missing. Write "
        f"'http://{host}' (or https)."
    )
