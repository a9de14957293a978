from __future__ import annotations

import pytest

from inference_sdk.utils.environment import comma_separated, flag, str2bool


@pytest.mark.parametrize("text", ["true", "True", "TRUE", " true "])
def test_true_in_any_case(text: str) -> None:
    assert str2bool(text) is True


@pytest.mark.parametrize("text", ["false", "False", "FALSE"])
def test_false_in_any_case(text: str) -> None:
    assert str2bool(text) is False


@pytest.mark.parametrize("value", [True, False])
def test_a_bool_passes(value: bool) -> None:
    assert str2bool(value) is value


@pytest.mark.parametrize("text", ["", "1", "yes", "tru", None, 1])
def test_anything_else_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="boolean"):
        str2bool(text)  # type: ignore[arg-type]


def test_a_flag_has_a_default_and_names_its_variable_when_unclear(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("SOME_FLAG", raising=False)
    assert flag("SOME_FLAG", True) is True
    monkeypatch.setenv("SOME_FLAG", "false")
    assert flag("SOME_FLAG", True) is False
    monkeypatch.setenv("SOME_FLAG", "maybe")
    with pytest.warns(UserWarning, match=r"SOME_FLAG='maybe' is not true or false; True is used"):
        assert flag("SOME_FLAG", True) is True
    with pytest.warns(UserWarning, match="SOME_FLAG"):
        assert flag("SOME_FLAG", True, unclear=False) is False


def test_comma_separated_entries_are_stripped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOME_LIST", raising=False)
    assert comma_separated("SOME_LIST") == frozenset()
    monkeypatch.setenv("SOME_LIST", " a.com, b.com:80,, ")
    assert comma_separated("SOME_LIST") == {"a.com", "b.com:80"}
