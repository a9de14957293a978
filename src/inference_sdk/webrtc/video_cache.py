"""Videos by URL, kept on disk. A file is there whole or not at all. Knows nothing of streaming."""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Optional
from urllib.parse import urlsplit

from inference_sdk.webrtc.errors import SourceError

if TYPE_CHECKING:
    from typing import BinaryIO

    from yarl import URL

_BLOCK_BYTES = 1024 * 1024
_CONNECT_TIMEOUT = 10.0

VIDEO_DOWNLOAD_TIMEOUT_SECONDS = 300
"""Seconds of silence; a long video may take any time in all."""

VIDEO_DOWNLOAD_CACHE_DIR = os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "inference-sdk", "videos"
)
"""Where videos are kept."""


def is_url(path: object) -> bool:
    return isinstance(path, str) and path.lower().startswith(("http://", "https://"))


def cached_path(url: str) -> Path:
    """Where the video of a URL is kept, whether it is there or not."""
    suffix = PurePosixPath(urlsplit(url).path).suffix[:10]
    name = hashlib.sha256(url.encode()).hexdigest()[:32]
    return Path(VIDEO_DOWNLOAD_CACHE_DIR, f"{name}{suffix if suffix[1:].isalnum() else ''}")


async def fetch_video(
    url: str, *, use_cache: bool = True, on_block: Callable[[], object] = lambda: None
) -> tuple[Path, bool]:
    """Download a video, unless it is there already.

    Args:
        use_cache: False downloads it to a temporary file.
        on_block: called for each block that came.

    Returns:
        The file, and whether the caller has to delete it.

    Raises:
        SourceError: it cannot be downloaded or written.
    """
    target = cached_path(url)
    if use_cache and await asyncio.to_thread(target.is_file):
        return target, False
    try:
        partial = await _download(url, target.parent if use_cache else None, on_block)
        if not use_cache:
            return partial, True
        await asyncio.to_thread(os.replace, partial, target)
    except OSError as error:
        raise SourceError(f"{without_query(url)} cannot be stored: {error}.") from error
    return target, False


async def _download(url: str, directory: Optional[Path], on_block: Callable[[], object]) -> Path:
    """Download into a new file of the directory (None: the system's), gone again on failure."""
    file, path = await asyncio.to_thread(_new_file, directory, cached_path(url).suffix)
    try:
        try:
            await _receive(url, file, on_block)
        finally:
            await asyncio.to_thread(file.close)
    except BaseException:  # also a cancelled start: half a file must never stay
        path.unlink(missing_ok=True)
        raise
    return path


def _new_file(directory: Optional[Path], suffix: str) -> tuple[BinaryIO, Path]:
    if directory is not None:
        directory.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(suffix=suffix, prefix="download-", dir=directory)
    return os.fdopen(handle, "wb"), Path(name)


async def _receive(url: str, file: BinaryIO, on_block: Callable[[], object]) -> None:
    import aiohttp

    timeout = aiohttp.ClientTimeout(
        total=None, sock_connect=_CONNECT_TIMEOUT, sock_read=VIDEO_DOWNLOAD_TIMEOUT_SECONDS
    )
    try:
        async with (
            aiohttp.ClientSession(
                timeout=timeout, trust_env=True, requote_redirect_url=False
            ) as http,
            http.get(_as_it_is(url)) as response,
        ):
            if response.status != 200:
                raise SourceError(f"{without_query(url)} answered with status {response.status}.")
            async for block in response.content.iter_chunked(_BLOCK_BYTES):
                await asyncio.to_thread(file.write, block)
                on_block()
            return
    except (aiohttp.ClientError, asyncio.TimeoutError, ValueError) as error:
        reason = type(error).__name__
    # Outside of `except`: aiohttp's error holds the address, and so a password or a signature.
    raise SourceError(f"{without_query(url)} cannot be downloaded: {reason}. Check the address.")


def _as_it_is(url: str) -> URL:
    """The address byte for byte: encoding a signed query anew would break the signature."""
    from yarl import URL

    is_encoded = url.isascii() and url.isprintable() and " " not in url
    return URL(url, encoded=is_encoded)


def without_query(url: str) -> str:
    """The address without its query, which may hold a signature."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}{parts.path}"
