"""Where Roboflow's hosted services live, by region and environment.

`ROBOFLOW_REGION` (us, eu) and `ROBOFLOW_ENVIRONMENT` (prod, staging) pick one of four domains.
Imported while the package's settings are read, so it knows nothing of the rest of the package.
"""

from __future__ import annotations

import os
from typing import Optional

US = "us"
EU = "eu"
PRODUCTION = "prod"
STAGING = "staging"

STAGING_PROJECT = "roboflow-staging"
"""Name of Roboflow's own staging project, as some deployments give it in place of a setting."""

DOMAINS: dict[tuple[str, str], str] = {
    (US, PRODUCTION): "roboflow.com",
    (EU, PRODUCTION): "roboflow.eu",
    (US, STAGING): "roboflow.one",
    (EU, STAGING): "roboflow-eu.one",
}


def get_roboflow_region() -> str:
    """Region from `ROBOFLOW_REGION`: "us" (default) or "eu", in any case.

    Raises:
        ValueError: the variable names another region.
    """
    return _one_of("ROBOFLOW_REGION", os.environ.get("ROBOFLOW_REGION"), (US, EU))


def get_roboflow_environment(project: Optional[str] = None) -> str:
    """Environment: `ROBOFLOW_ENVIRONMENT` ("prod" or "staging") where set, else by `project`.

    Args:
        project: Roboflow's cloud project; "roboflow-staging" means staging, any other "prod".

    Raises:
        ValueError: the variable names another environment.
    """
    by_project = (STAGING, PRODUCTION) if project == STAGING_PROJECT else (PRODUCTION, STAGING)
    return _one_of("ROBOFLOW_ENVIRONMENT", os.environ.get("ROBOFLOW_ENVIRONMENT"), by_project)


def resolve_roboflow_service_url(
    service: str,
    region: Optional[str] = None,
    environment: Optional[str] = None,
    project: Optional[str] = None,
) -> str:
    """Address of a hosted service, without a slash at the end.

    Args:
        service: "api", "app", "serverless" or any other host name of the domain.
        region: "us" or "eu"; by default `get_roboflow_region()`.
        environment: "prod" or "staging"; by default `get_roboflow_environment(project)`.
        project: see `get_roboflow_environment`.

    Raises:
        ValueError: unknown region or environment.

    Example:
        >>> resolve_roboflow_service_url("api", region="eu", environment="prod")
        'https://api.roboflow.eu'
    """
    region = _one_of("region", region, (US, EU)) if region else get_roboflow_region()
    if environment:
        environment = _one_of("environment", environment, (PRODUCTION, STAGING))
    else:
        environment = get_roboflow_environment(project)
    return f"https://{service}.{DOMAINS[region, environment]}"


def _one_of(name: str, value: Optional[str], choices: tuple[str, str]) -> str:
    """`value` in lower case; the first choice when it is not given or blank."""
    chosen = (value or "").strip().lower() or choices[0]
    if chosen not in choices:
        raise ValueError(f"{name} must be one of {', '.join(sorted(choices))}, got {value!r}.")
    return chosen
