"""Where Roboflow's hosted services live, by region and environment.

`ROBOFLOW_REGION` (us, eu) and `ROBOFLOW_ENVIRONMENT` (prod, staging) pick one of four domains.
Imported while the package's settings are read, so it knows nothing of the rest of the package.
"""

from __future__ import annotations

import os
import warnings
from typing import Optional

DEFAULT_REGION = "us"
EUROPE = "eu"
SUPPORTED_REGIONS = sorted([DEFAULT_REGION, EUROPE])

PROD_ENVIRONMENT_NAME = "prod"
STAGING_ENVIRONMENT_NAME = "staging"
DEFAULT_ENVIRONMENT = PROD_ENVIRONMENT_NAME

US_PROD_PROJECT_NAME = "roboflow-platform"
"""Roboflow's own cloud project of production; deployments that name another one are staging."""

DOMAINS: dict[tuple[str, str], str] = {
    (DEFAULT_REGION, PROD_ENVIRONMENT_NAME): "roboflow.com",
    (EUROPE, PROD_ENVIRONMENT_NAME): "roboflow.eu",
    (DEFAULT_REGION, STAGING_ENVIRONMENT_NAME): "roboflow.one",
    (EUROPE, STAGING_ENVIRONMENT_NAME): "roboflow-eu.one",
}

ROBOFLOW_SERVICE_URLS: dict[tuple[str, str], dict[str, str]] = {
    place: {service: f"https://{service}.{domain}" for service in ("api", "app", "serverless")}
    for place, domain in DOMAINS.items()
}
"""Addresses by (region, environment), then by service."""


def get_roboflow_region() -> str:
    """Region from `ROBOFLOW_REGION`: "us" (default) or "eu", in any case.

    Another region is warned of (`UserWarning`), and "us" taken.
    """
    given = os.environ.get("ROBOFLOW_REGION", "").strip()
    region = given.lower() or DEFAULT_REGION
    if region in SUPPORTED_REGIONS:
        return region
    warnings.warn(
        f"Unknown ROBOFLOW_REGION {given!r} - falling back to {DEFAULT_REGION!r}. "
        f"Supported regions: {', '.join(SUPPORTED_REGIONS)}.",
        UserWarning,
        stacklevel=2,
    )
    return DEFAULT_REGION


def get_roboflow_environment(project: Optional[str] = None) -> str:
    """Environment: `ROBOFLOW_ENVIRONMENT` ("prod" or "staging") where set, else by `project`.

    Anything but "prod" means staging; a variable that says neither is warned of
    (`UserWarning`).

    Args:
        project: Roboflow's cloud project; any but "roboflow-platform" means staging, None
            "prod".
    """
    given = os.environ.get("ROBOFLOW_ENVIRONMENT", "").strip()
    if not given:
        production = project in (None, US_PROD_PROJECT_NAME)
        return PROD_ENVIRONMENT_NAME if production else STAGING_ENVIRONMENT_NAME
    environment = given.lower()
    if environment in (PROD_ENVIRONMENT_NAME, STAGING_ENVIRONMENT_NAME):
        return environment
    warnings.warn(
        f"Unknown ROBOFLOW_ENVIRONMENT {given!r} is taken as {STAGING_ENVIRONMENT_NAME!r}. "
        f"Known environments: {PROD_ENVIRONMENT_NAME}, {STAGING_ENVIRONMENT_NAME}.",
        UserWarning,
        stacklevel=2,
    )
    return STAGING_ENVIRONMENT_NAME


def resolve_roboflow_service_url(
    service: str,
    region: Optional[str] = None,
    environment: Optional[str] = None,
    project: Optional[str] = None,
) -> str:
    """Address of a hosted service, without a slash at the end.

    Args:
        service: "api", "app" or "serverless".
        region: "us" or "eu"; by default `get_roboflow_region()`.
        environment: "prod" or "staging"; by default `get_roboflow_environment(project)`.
        project: see `get_roboflow_environment`.

    Raises:
        ValueError: unknown service, region or environment.

    Example:
        >>> resolve_roboflow_service_url("api", region="eu", environment="prod")
        'https://api.roboflow.eu'
    """
    place = (
        region.strip().lower() if region else get_roboflow_region(),
        environment.strip().lower() if environment else get_roboflow_environment(project),
    )
    services = ROBOFLOW_SERVICE_URLS.get(place)
    if services is None:
        raise ValueError(
            f"There is no region and environment {place}. Known are "
            f"{', '.join(map(str, ROBOFLOW_SERVICE_URLS))}."
        )
    if service not in services:
        raise ValueError(f"There is no service {service!r}. Known are {', '.join(services)}.")
    return services[service]
