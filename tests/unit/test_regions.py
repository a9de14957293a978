from __future__ import annotations

import pytest

from inference_sdk.regions import (
    get_roboflow_environment,
    get_roboflow_region,
    resolve_roboflow_service_url,
)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROBOFLOW_REGION", raising=False)
    monkeypatch.delenv("ROBOFLOW_ENVIRONMENT", raising=False)


def test_the_default_is_production_in_the_us() -> None:
    assert get_roboflow_region() == "us"
    assert get_roboflow_environment() == "prod"
    assert resolve_roboflow_service_url("api") == "https://api.roboflow.com"


@pytest.mark.parametrize("service", ["api", "app", "serverless"])
@pytest.mark.parametrize(
    ("region", "environment", "domain"),
    [
        ("us", "prod", "roboflow.com"),
        ("eu", "prod", "roboflow.eu"),
        ("us", "staging", "roboflow.one"),
        ("eu", "staging", "roboflow-eu.one"),
    ],
)
def test_region_and_environment_decide_the_domain(
    monkeypatch: pytest.MonkeyPatch, service: str, region: str, environment: str, domain: str
) -> None:
    expected = f"https://{service}.{domain}"
    given = resolve_roboflow_service_url(service, region=region, environment=environment)
    assert given == expected

    monkeypatch.setenv("ROBOFLOW_REGION", f" {region.upper()} ")
    monkeypatch.setenv("ROBOFLOW_ENVIRONMENT", environment.upper())
    assert resolve_roboflow_service_url(service) == expected


def test_arguments_win_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROBOFLOW_REGION", "eu")
    monkeypatch.setenv("ROBOFLOW_ENVIRONMENT", "staging")
    url = resolve_roboflow_service_url("api", region="us", environment="prod")
    assert url == "https://api.roboflow.com"


def test_any_project_but_that_of_production_means_staging_unless_the_environment_says_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert get_roboflow_environment("roboflow-staging") == "staging"
    assert get_roboflow_environment("mine") == "staging"
    assert get_roboflow_environment("roboflow-platform") == "prod"
    url = resolve_roboflow_service_url("app", project="roboflow-staging")
    assert url == "https://app.roboflow.one"

    monkeypatch.setenv("ROBOFLOW_ENVIRONMENT", "prod")
    assert get_roboflow_environment("roboflow-staging") == "prod"


@pytest.mark.parametrize("blank", ["", "  "])
def test_a_blank_setting_is_no_setting(monkeypatch: pytest.MonkeyPatch, blank: str) -> None:
    monkeypatch.setenv("ROBOFLOW_REGION", blank)
    assert get_roboflow_region() == "us"


def test_unknown_names_are_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'mars', 'prod'.*'us', 'prod'"):
        resolve_roboflow_service_url("api", region="mars")
    with pytest.raises(ValueError, match="'us', 'test'"):
        resolve_roboflow_service_url("api", environment="test")
    with pytest.raises(ValueError, match=r"'mail'.*api, app, serverless"):
        resolve_roboflow_service_url("mail")


def test_an_unknown_environment_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROBOFLOW_REGION", "Mars")
    with pytest.warns(UserWarning, match="Unknown ROBOFLOW_REGION 'Mars' - falling back to 'us'"):
        assert get_roboflow_region() == "us"
    monkeypatch.setenv("ROBOFLOW_ENVIRONMENT", "test")
    with pytest.warns(UserWarning, match="Unknown ROBOFLOW_ENVIRONMENT 'test'.*'staging'"):
        assert get_roboflow_environment() == "staging"
