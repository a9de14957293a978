"""The one place that knows the version."""

__version__ = "2.0.0"
