"""Values that travel as JSON objects: frozen dataclasses that read and write themselves.

Names and arguments are those of dataclasses-json, which users of inference-sdk know, as far as
they apply to flat values.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from functools import cache
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Generic,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import orjson

from inference_sdk.http.errors import InvalidServerResponseError
from inference_sdk.http.utils.json_values import described

if TYPE_CHECKING:
    from typing_extensions import Self

T = TypeVar("T", bound="FromWire")


class MissingKeyError(InvalidServerResponseError, KeyError):
    """An answer lacks a key; a `KeyError` too, as which programs have known it."""

    __str__ = Exception.__str__  # that of KeyError would quote the message


class NoJSONError(InvalidServerResponseError, ValueError):
    """A text is not JSON; a `ValueError` too, as which programs have known it."""


class FromWire:
    """Reading and writing a frozen dataclass as the JSON object a server sends."""

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    @classmethod
    def from_dict(cls, kvs: Mapping[str, Any], *, infer_missing: bool = False) -> Self:
        """Build from a parsed JSON object; keys that are not fields are ignored.

        Args:
            kvs: the object.
            infer_missing: take a required key that is missing as None.

        Raises:
            InvalidServerResponseError: not an object, or a required key is missing (then a
                `KeyError` as well).
        """
        if not isinstance(kvs, Mapping):
            raise InvalidServerResponseError(
                f"{cls.__name__} must be a JSON object, got {type(kvs).__name__}."
            )
        values = {name: kvs[name] for name in cls.__dataclass_fields__ if name in kvs}
        for name, value in values.items():
            _require_kind(cls, name, value)
        for name, field in cls.__dataclass_fields__.items():
            if name not in kvs and field.default is dataclasses.MISSING:
                if not infer_missing:
                    raise MissingKeyError(f"{cls.__name__} lacks the key {name!r}.")
                values[name] = None
        return cls(**values)

    @classmethod
    def from_json(cls, s: Union[str, bytes], *, infer_missing: bool = False) -> Self:
        """As `from_dict`, from JSON text.

        Raises:
            InvalidServerResponseError: as there, or the text is not JSON (then a `ValueError`
                as well).
        """
        try:
            parsed = orjson.loads(s)
        except orjson.JSONDecodeError as error:
            raise NoJSONError(f"{cls.__name__} is not JSON: {error}") from error
        return cls.from_dict(parsed, infer_missing=infer_missing)

    def to_dict(self, encode_json: bool = False) -> dict[str, Any]:  # noqa: ARG002 - nothing here needs encoding
        """The value as a dict, nested ones too."""
        return dataclasses.asdict(self)

    def to_json(self, **options: Any) -> str:
        """The value as JSON text; options are those of `json.dumps`, such as `indent`."""
        return json.dumps(self.to_dict(), **options)

    @classmethod
    def schema(cls, *, many: bool = False) -> Schema[Self]:
        """Reads and writes values, or with `many` lists of them."""
        return Schema(cls, many)


def _require_kind(cls: type, name: str, value: Any) -> None:
    if not _fits(value, _kinds(cls)[name]):
        raise InvalidServerResponseError(f"{cls.__name__}: {name!r} is {described(value)}.")


@cache
def _kinds(cls: type) -> dict[str, Any]:
    return get_type_hints(cls)


def _fits(value: Any, kind: Any) -> bool:
    if get_origin(kind) is Union:
        return any(_fits(value, one) for one in get_args(kind))
    return isinstance(value, get_origin(kind) or kind)


@dataclasses.dataclass(frozen=True)
class Schema(Generic[T]):
    """The four doors of a marshmallow schema, for values of one kind.

    Each takes `many` to overrule the schema's own.
    """

    kind: type[T]
    many: bool = False

    def load(self, data: Any, many: bool | None = None) -> Any:
        """A value from a dict, or values from dicts; errors as of `from_dict`."""
        if self._several(many):
            return [self.kind.from_dict(entry) for entry in data]
        return self.kind.from_dict(data)

    def loads(self, json_data: Union[str, bytes], many: bool | None = None) -> Any:
        """As `load`, from JSON text."""
        if not self._several(many):
            return self.kind.from_json(json_data)
        try:
            return self.load(orjson.loads(json_data), many=True)
        except orjson.JSONDecodeError as error:
            raise NoJSONError(f"The list of {self.kind.__name__} is not JSON: {error}") from error

    def dump(self, obj: Union[T, Iterable[T]], many: bool | None = None) -> Any:
        """The dict of a value, or those of values."""
        if self._several(many):
            return [value.to_dict() for value in obj]  # type: ignore[union-attr]
        return obj.to_dict()  # type: ignore[union-attr]

    def dumps(self, obj: Union[T, Iterable[T]], many: bool | None = None, **options: Any) -> str:
        """As `dump`, as JSON text; options are those of `json.dumps`."""
        return json.dumps(self.dump(obj, many), **options)

    def _several(self, many: bool | None) -> bool:
        return self.many if many is None else many
