"""The steps this server can run; importing the package fills the table of step types."""

from __future__ import annotations

from inference_sdk.local.workflows.steps import drawing, models, pictures

__all__ = ["drawing", "models", "pictures"]
