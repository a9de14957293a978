"""The documented helpers: images in, answers out, requests built. See each module."""
