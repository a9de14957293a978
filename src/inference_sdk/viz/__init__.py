"""Answers as pictures: what was found, drawn by supervision (extra `viz`)."""

from __future__ import annotations

from inference_sdk.viz.drawing import annotate

__all__ = ["annotate"]
